/**
 * Which grids a recording lies on, from the recording itself: a tape holds what the venue sent on its streams, and the grids come on
 * another request. The step of prices (and sizes) is one unit of the last decimal place that any of them uses: never coarser than
 * what the file needs, and for markets whose step is a power of ten, as nearly all are, the venue's own.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { CommandError } from "../command-error.ts";
import { readLines } from "./line-reader.ts";

/** Lines looked at. A snapshot of some thousand levels is among the first of any recording. */
const INSPECTED_LINES = 20_000;
/** More distinct symbols than this in one file is no recording of one market. */
const MAX_SYMBOLS = 64;

interface Seen {
  priceDecimals: number;
  sizeDecimals: number;
}

/**
 * @param paths files of one recording, in order; read until enough lines have been seen.
 * @param options.payloadOf the JSON of a line; null where it has none.
 * @returns an instrument for each symbol whose prices were seen. A body without a symbol counts for all of them.
 */
export async function inferInstruments(
  paths: readonly string[],
  options: { venue: string; payloadOf: (line: string) => string | null },
): Promise<Instrument[]> {
  const bySymbol = new Map<string, Seen>();
  const nameless: Seen = { priceDecimals: 0, sizeDecimals: 0 };
  for await (const line of firstLines(paths)) inspect(options.payloadOf(line), bySymbol, nameless);
  if (bySymbol.size === 0) {
    throw new CommandError(
      `no depth, trade or quote message in ${paths.join(", ")}: is it a recording of ${options.venue}? (choose with --venue)`,
    );
  }
  return [...bySymbol].map(([symbol, seen]) => ({
    venue: options.venue,
    symbol,
    tick: { decimals: Math.max(seen.priceDecimals, nameless.priceDecimals), mantissa: 1 },
    lot: { decimals: Math.max(seen.sizeDecimals, nameless.sizeDecimals), mantissa: 1 },
  }));
}

async function* firstLines(paths: readonly string[]): AsyncGenerator<string> {
  let inspected = 0;
  for (const path of paths) {
    for await (const lines of readLines(path)) {
      for (const line of lines) {
        if (inspected++ === INSPECTED_LINES) return;
        yield line;
      }
    }
  }
}

/** The JSON that a tape line carries. */
export function tapePayload(line: string): string | null {
  const record = decodeTapeLine(line);
  if ("malformed" in record) return null;
  return record.kind === "frame" ? record.text : record.kind === "snapshot" ? record.body : null;
}

function inspect(payload: string | null, bySymbol: Map<string, Seen>, nameless: Seen): void {
  const message = parseObject(payload);
  if (message === null) return;
  const data = isObject(message.data) ? message.data : message;
  const seen = typeof data.s === "string" ? seenOf(bySymbol, data.s) : nameless;
  if (seen === null) return;
  for (const side of [data.b, data.a, data.bids, data.asks]) {
    if (!Array.isArray(side)) continue;
    for (const level of side as unknown[]) if (Array.isArray(level)) note(seen, level[0], level[1]);
  }
  // A quote: b, B, a, A. A trade: p, q.
  note(seen, data.b, data.B);
  note(seen, data.a, data.A);
  note(seen, data.p, data.q);
}

function note(seen: Seen, price: unknown, size: unknown): void {
  if (typeof price === "string") seen.priceDecimals = Math.max(seen.priceDecimals, decimalsOf(price));
  if (typeof size === "string") seen.sizeDecimals = Math.max(seen.sizeDecimals, decimalsOf(size));
}

/** Decimal places in use: trailing zeros are none. */
function decimalsOf(text: string): number {
  const match = /^\d+\.(\d*?)0*$/.exec(text);
  return match?.[1]?.length ?? 0;
}

function seenOf(bySymbol: Map<string, Seen>, symbol: string): Seen | null {
  const known = bySymbol.get(symbol);
  if (known !== undefined) return known;
  if (bySymbol.size >= MAX_SYMBOLS) return null;
  const seen = { priceDecimals: 0, sizeDecimals: 0 };
  bySymbol.set(symbol, seen);
  return seen;
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
