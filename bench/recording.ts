/**
 * A recorded Binance wire file as a bench or a test wants it: the frames in order, as a socket would have given them.
 *
 * Lines are `<receive time ns> <json>` with the REST depth answers among them, or `<receive time s>: <frame>`, or
 * `<url> -> <receive time s>: <answer>`. Frames are flat strings (each decoded from its own bytes): a slice of the whole file would make
 * every later character access slower than a socket's string is.
 */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { type DecimalGrid, parseGrid } from "../core/units/decimal.ts";

export interface RecordedFrame {
  readonly kind: "frame" | "snapshot";
  /** The stamp as the file has it: only to be compared within one recording. */
  readonly receivedAt: number;
  /** Null in a snapshot of a recording that does not say. */
  readonly symbol: string | null;
  readonly text: string;
}

const LINE_FEED = 10;
const OPEN_BRACE = 123;

export function readRecording(path: string): RecordedFrame[] {
  const bytes = gunzipSync(readFileSync(path));
  const frames: RecordedFrame[] = [];
  let start = 0;
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    const brace = bytes.indexOf(OPEN_BRACE, start);
    // What a client sent has no frame on its line.
    if (brace >= 0 && brace < end) frames.push(toFrame(bytes.toString("latin1", start, brace), bytes.toString("latin1", brace, end)));
    start = end + 1;
  }
  return frames;
}

function toFrame(head: string, text: string): RecordedFrame {
  const receivedAt = Number(/([\d.]+):? *$/.exec(head)?.[1]);
  if (!Number.isFinite(receivedAt)) throw new Error(`no receive time in "${head}"`);
  if (!text.startsWith('{"lastUpdateId"')) return { kind: "frame", receivedAt, symbol: /"s":"([^"]+)"/.exec(text)?.[1] ?? null, text };
  return { kind: "snapshot", receivedAt, symbol: /[?&]symbol=(\w+)/.exec(head)?.[1] ?? null, text };
}

/**
 * The instruments of a recording that kept no exchangeInfo: the coarsest decimal grids on which all its prices and sizes lie.
 * Good enough to replay it; a live feed asks the venue.
 */
export function inferInstruments(venue: string, frames: readonly RecordedFrame[]): Instrument[] {
  const symbols = [...new Set(frames.flatMap(({ kind, symbol }) => (kind === "frame" && symbol !== null ? [symbol] : [])))];
  const decimals = new Map(symbols.map((symbol) => [symbol, { price: 0, size: 0 }]));
  for (const { symbol, text } of frames) {
    const seen = decimals.get(symbol ?? symbols[0] ?? "");
    // A bar's volumes are sums in either currency: they say nothing of the grids.
    if (seen === undefined || text.includes('"e":"kline"')) continue;
    for (const [, price = "", size = ""] of text.matchAll(/\["([\d.]+)","([\d.]+)"\]/g)) {
      seen.price = Math.max(seen.price, decimalsOf(price));
      seen.size = Math.max(seen.size, decimalsOf(size));
    }
    for (const [, key = "", value = ""] of text.matchAll(/"([pqbaBA])":"([\d.]+)"/g)) {
      if ("pba".includes(key)) seen.price = Math.max(seen.price, decimalsOf(value));
      else seen.size = Math.max(seen.size, decimalsOf(value));
    }
  }
  return [...decimals].map(([symbol, { price, size }]) => ({ venue, symbol, tick: decimalGrid(price), lot: decimalGrid(size) }));
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
