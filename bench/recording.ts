/**
 * A recorded Binance wire file as a bench or a test wants it: the frames in order, as a socket would have given them.
 *
 * Two forms are read: `<receive time ns> <json>` a line, with the REST depth answer inline; and `<receive time s>: <frame>`. Frames are
 * flat strings (decoded from bytes one by one): a slice of the whole file would make every later character access slower than a
 * socket's string is.
 */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { type DecimalGrid, parseGrid } from "../core/units/decimal.ts";

export type RecordedFrame = { kind: "frame"; text: string } | { kind: "snapshot"; text: string };

const LINE_FEED = 10;
const SPACE = 32;

export function readRecording(path: string): RecordedFrame[] {
  const bytes = gunzipSync(readFileSync(path));
  const frames: RecordedFrame[] = [];
  let start = 0;
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    const text = bytes.toString("latin1", bytes.indexOf(SPACE, start) + 1, end);
    if (text.startsWith('{"lastUpdateId"')) frames.push({ kind: "snapshot", text });
    else if (text.startsWith("{")) frames.push({ kind: "frame", text });
    start = end + 1;
  }
  return frames;
}

/**
 * The instruments of a recording that kept no exchangeInfo: the coarsest decimal grid on which every price and size of it lies.
 * Good enough to replay it; a live feed asks the venue.
 */
export function inferInstruments(venue: string, frames: readonly RecordedFrame[]): Instrument[] {
  const decimals = new Map<string, { price: number; size: number }>();
  for (const { kind, text } of frames) {
    const symbol = /"s":"([^"]+)"/.exec(text)?.[1];
    if (kind !== "frame" || symbol === undefined) continue;
    const seen = decimals.get(symbol) ?? { price: 0, size: 0 };
    decimals.set(symbol, seen);
    for (const [, price = "", size = ""] of text.matchAll(/\["([\d.]+)","([\d.]+)"\]/g)) {
      seen.price = Math.max(seen.price, decimalsOf(price));
      seen.size = Math.max(seen.size, decimalsOf(size));
    }
    for (const [, key = "", value = ""] of text.matchAll(/"([pqbaBA])":"([\d.]+)"/g)) {
      if ("pba".includes(key)) seen.price = Math.max(seen.price, decimalsOf(value));
      else seen.size = Math.max(seen.size, decimalsOf(value));
    }
  }
  return [...decimals].map(([symbol, seen]) => ({ venue, symbol, tick: decimalGrid(seen.price), lot: decimalGrid(seen.size) }));
}

function decimalsOf(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.slice(point + 1).replace(/0+$/, "").length;
}

function decimalGrid(decimals: number): DecimalGrid {
  const grid = parseGrid(decimals === 0 ? "1" : `0.${"1".padStart(decimals, "0")}`);
  if (grid === null) throw new Error(`no grid of ${decimals} decimals`);
  return grid;
}
