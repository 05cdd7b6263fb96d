/**
 * Which grids a recording lies on, from the recording itself. Our own tapes say it (`i` records); others hold what the venue sent on its
 * streams, and the grids come on another request. There the step is the greatest common divisor of all prices (and sizes) in it, found as the exchange simulator finds it for
 * its exchangeInfo, so that a replay offline and one through a socket have the same ticks and lots.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import { GridFinder } from "../../core/units/grid-finder.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { CommandError } from "../command-error.ts";
import { readLines } from "./line-reader.ts";

/** More distinct symbols than this in one file is no recording of one market. */
const MAX_SYMBOLS = 64;
/** The declaration stands at the head of a minute's tape, behind what a restart may have written. */
const LINES_THAT_DECLARE = 1_000;
/** Snapshot bodies kept until the symbol is known. */
const MAX_NAMELESS = 100;

interface Grids {
  readonly tick: GridFinder;
  readonly lot: GridFinder;
}

/**
 * @param paths files of one recording.
 * @param options.mostLines where to stop; the grids are sure only when all of it was read.
 * @param options.payloadOf the JSON of a line; null where it has none.
 * @returns an instrument for each symbol that was seen. A body without a symbol is taken for the only one; where there are several it is passed over.
 */
export async function inferInstruments(
  paths: readonly string[],
  options: { venue: string; payloadOf: (line: string) => string | null; mostLines?: number },
): Promise<Instrument[]> {
  const { mostLines = Number.POSITIVE_INFINITY } = options;
  let read = 0;
  const bySymbol = new Map<string, Grids>();
  const nameless: Record<string, unknown>[] = [];
  for (const path of paths) {
    for await (const lines of readLines(path)) {
      for (const line of lines) inspect(options.payloadOf(line), bySymbol, nameless);
      read += lines.length;
      if (read >= mostLines) break;
    }
  }
  if (bySymbol.size === 0) {
    throw new CommandError(
      `no depth, trade or quote message in ${paths.join(", ")}: is it a recording of ${options.venue}? (choose with --venue)`,
    );
  }
  const [only] = bySymbol.values();
  if (only !== undefined && bySymbol.size === 1) for (const body of nameless) seeMessage(body, only);
  return [...bySymbol].map(([symbol, { tick, lot }]) => ({ venue: options.venue, symbol, tick: tick.grid, lot: lot.grid }));
}

/** The grids that a tape of ours declares for `symbol`: those of its first `i` record. Null when it has none among its first lines. */
export async function declaredGrids(path: string, symbol: string): Promise<Pick<Instrument, "tick" | "lot"> | null> {
  let read = 0;
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      const record = decodeTapeLine(line);
      if ("kind" in record && record.kind === "instrument" && record.symbol === symbol) return { tick: record.tick, lot: record.lot };
    }
    read += lines.length;
    if (read >= LINES_THAT_DECLARE) break;
  }
  return null;
}

/** The JSON that a tape line carries. */
export function tapePayload(line: string): string | null {
  const record = decodeTapeLine(line);
  if ("malformed" in record) return null;
  return record.kind === "frame" ? record.text : record.kind === "snapshot" ? record.body : null;
}

function inspect(payload: string | null, bySymbol: Map<string, Grids>, nameless: Record<string, unknown>[]): void {
  const message = parseObject(payload);
  if (message === null) return;
  const data = isObject(message.data) ? message.data : message;
  if (typeof data.s !== "string") {
    if (nameless.length < MAX_NAMELESS && "lastUpdateId" in data) nameless.push(data);
    return;
  }
  const grids = gridsOf(bySymbol, data.s);
  if (grids !== null) seeMessage(data, grids);
}

/** Depth: b and a (bids and asks of a snapshot) are levels. A quote: b, B, a, A. A trade: p, q. */
function seeMessage(data: Record<string, unknown>, grids: Grids): void {
  for (const side of [data.b, data.a, data.bids, data.asks]) {
    if (!Array.isArray(side)) continue;
    for (const level of side as unknown[]) if (Array.isArray(level)) see(grids, level[0], level[1]);
  }
  see(grids, data.b, data.B);
  see(grids, data.a, data.A);
  see(grids, data.p, data.q);
}

function see({ tick, lot }: Grids, price: unknown, size: unknown): void {
  if (typeof price === "string") tick.see(price);
  if (typeof size === "string") lot.see(size);
}

function gridsOf(bySymbol: Map<string, Grids>, symbol: string): Grids | null {
  const known = bySymbol.get(symbol);
  if (known !== undefined) return known;
  if (bySymbol.size >= MAX_SYMBOLS) return null;
  const grids = { tick: new GridFinder(), lot: new GridFinder() };
  bySymbol.set(symbol, grids);
  return grids;
}

function parseObject(text: string | null): Record<string, unknown> | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
