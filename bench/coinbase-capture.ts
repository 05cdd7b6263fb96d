/** The recorded session of the Exchange feed as benches and tests read it: what the venue sent, and grids on which all of it lies. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { GridFinder } from "../core/units/grid-finder.ts";

export interface CapturedFrame {
  /** Seconds since the epoch, as the file has it. */
  readonly receivedAt: number;
  readonly text: string;
}

/** Lines `<receive time s>: <frame>`; those with an arrow are what the client sent. */
export function readCapture(file: string): CapturedFrame[] {
  const frames: CapturedFrame[] = [];
  for (const line of gunzipSync(readFileSync(file)).toString("latin1").split("\n")) {
    const match = /^([\d.]+): (\{.*)$/.exec(line);
    // Flat strings, each from its own bytes, as a socket gives them.
    if (match?.[2] !== undefined) frames.push({ receivedAt: Number(match[1]), text: Buffer.from(match[2], "latin1").toString("latin1") });
  }
  return frames;
}

/** There is no list of products beside the capture: the coarsest steps that all prices and sizes of a product are multiples of. */
export function capturedInstruments(frames: readonly CapturedFrame[]): Instrument[] {
  const grids = new Map<string, { tick: GridFinder; lot: GridFinder }>();
  for (const { text } of frames) {
    const symbol = /"product_id":"([^"]+)"/.exec(text)?.[1];
    if (symbol === undefined) continue;
    const found = grids.get(symbol) ?? { tick: new GridFinder(), lot: new GridFinder() };
    grids.set(symbol, found);
    for (const [, price = "", size = ""] of text.matchAll(/"([\d.]+)","([\d.]+)"\]/g)) {
      found.tick.see(price);
      found.lot.see(size);
    }
    for (const [, price = ""] of text.matchAll(/"(?:best_bid|best_ask|price)":"([\d.]+)"/g)) found.tick.see(price);
    for (const [, size = ""] of text.matchAll(/"size":"([\d.]+)"/g)) found.lot.see(size);
  }
  return [...grids].map(([symbol, { tick, lot }]) => ({ venue: "coinbase-exchange", symbol, tick: tick.grid, lot: lot.grid }));
}
