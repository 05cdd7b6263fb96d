/**
 * What a venue sent, as loggers beside a socket wrote it, as records of our tape (core/wire/tape.ts).
 *
 * The lines are those of core/wire/recorded-line.ts. On the tape come frames, openings of the connection, and answers: a bare body is the snapshot of the
 * file's one symbol, one of a depth request that of its `symbol=`; other answers, and what the client sent, are left out.
 *
 * The first line's host says the venue where `--venue` doesn't, and where there is no host the messages do. Nothing in such files says tick and lot: they are the greatest common divisors of what was sent.
 * Files are merged by receive time, so that answers kept in a file of their own come where they came.
 */

import { basename } from "node:path";
import type { Instrument } from "../../core/market/instrument.ts";
import { GridFinder } from "../../core/units/grid-finder.ts";
import { decodeRecordedLine } from "../../core/wire/recorded-line.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import { ArchiveError } from "../archive-error.ts";
import type { RefusedLine } from "../events-file.ts";
import type { InputFile } from "../input-files.ts";
import { firstLineOf, readLines } from "../line-reader.ts";
import { decimalText } from "./decimal-text.ts";
import type { VenueOfLines } from "./foreign.ts";
import { merged } from "./rows.ts";

export interface CapturedRecord {
  readonly record: TapeRecord;
  readonly file: string;
  readonly line: number;
}

export interface WireCapture {
  readonly name: string;
  readonly venue: string;
  readonly instruments: readonly Instrument[];
  records(onBytes: (bytes: number) => void): AsyncIterable<readonly (CapturedRecord | RefusedLine)[]>;
}

const HOSTS: readonly (readonly [RegExp, string])[] = [
  [/bitmex\.com/, "bitmex"],
  [/ws-feed\.(pro\.coinbase|exchange\.coinbase|gdax)\.com/, "coinbase-exchange"],
  [/dstream\.binance\.com/, "binance-coin-m"],
  [/stream\.binance\.com/, "binance-spot"],
];
/** A capture of more markets is to be taken apart first. */
const MAX_SYMBOLS = 1_000;

export async function openWireCapture(
  files: readonly InputFile[],
  { venue, venueOfLines }: { venue: string | null; venueOfLines?: VenueOfLines | undefined },
): Promise<WireCapture> {
  const paths = files.map(({ path }) => path);
  const spoken = venue ?? (await venueOf(paths, venueOfLines));
  const symbols = await survey(paths);
  if (symbols.size === 0) throw new ArchiveError(`${paths.join(", ")}: no message with a symbol in there`);
  // The bare bodies of the first form don't say their symbol: such a file holds one.
  const only = symbols.size === 1 ? ([...symbols.keys()][0] as string) : null;
  return {
    name: paths.map((path) => basename(path)).join(" + "),
    venue: spoken,
    instruments: [...symbols].map(([symbol, { tick, lot }]) => ({ venue: spoken, symbol, tick: tick.grid, lot: lot.grid })),
    records: (onBytes) =>
      withOpening(
        merged(
          paths.map((path) => readFile(path, { only, onBytes })),
          receivedAtOf,
        ),
      ),
  };
}

function receivedAtOf(item: CapturedRecord | RefusedLine): number {
  return "refused" in item ? Number.NEGATIVE_INFINITY : item.record.receivedAt;
}

async function venueOf(paths: readonly string[], venueOfLines: VenueOfLines | undefined): Promise<string> {
  for (const path of paths) {
    const line = await firstLineOf(path);
    const known = HOSTS.find(([host]) => host.test(line.slice(0, 100)));
    if (known !== undefined) return known[1];
  }
  const told = (await venueOfLines?.(paths)) ?? null;
  if (told !== null) return told;
  throw new ArchiveError(`${paths.join(", ")}: neither first line nor messages name one venue that is known here: name it with --venue`);
}

async function* readFile(
  path: string,
  { only, onBytes }: { only: string | null; onBytes: (bytes: number) => void },
): AsyncGenerator<(CapturedRecord | RefusedLine)[]> {
  let connections = 0;
  for await (const { lines, firstLine } of readLines(path, onBytes)) {
    const items: (CapturedRecord | RefusedLine)[] = [];
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      const record = recordOf(text, { only, connection: String(connections + 1) });
      if (record === null) continue;
      if ("refused" in record) items.push({ refused: record.refused, file: path, line });
      else {
        if (record.kind === "open") connections++;
        items.push({ record, file: path, line });
      }
    }
    yield items;
  }
}

/** @returns null for what belongs on no tape. */
function recordOf(
  text: string,
  { only, connection }: { only: string | null; connection: string },
): TapeRecord | { refused: string } | null {
  if (text === "") return null;
  const line = decodeRecordedLine(text);
  if ("malformed" in line) return { refused: line.malformed };
  if (line.kind === "own") return null;
  const receivedAt = Math.floor(line.receivedAt);
  switch (line.kind) {
    case "frame":
      return { kind: "frame", receivedAt, text: line.text };
    case "opened":
      return { kind: "open", receivedAt, connection };
    case "answer":
      return answerOf(line, { only, receivedAt });
  }
}

function answerOf(
  { url, body }: { url: string | null; body: string },
  { only, receivedAt }: { only: string | null; receivedAt: number },
): TapeRecord | { refused: string } | null {
  if (url === null && only === null) return { refused: "a snapshot without a symbol, among several" };
  const symbol = url === null ? only : (/\/depth\?.*\bsymbol=([A-Za-z0-9_.-]{1,40})/.exec(url)?.[1] ?? null);
  return symbol === null ? null : { kind: "snapshot", receivedAt, symbol, body };
}

/** The first form doesn't tell that the connection was opened: it was, before the first message. */
async function* withOpening(blocks: AsyncIterable<(CapturedRecord | RefusedLine)[]>): AsyncGenerator<(CapturedRecord | RefusedLine)[]> {
  let isOpen = false;
  for await (const block of blocks) {
    const first = isOpen ? undefined : block.find((item): item is CapturedRecord => "record" in item);
    if (first !== undefined) {
      isOpen = true;
      const { receivedAt, kind } = first.record;
      if (kind !== "open") yield [{ ...first, record: { kind: "open", receivedAt, connection: "1" } }];
    }
    yield block;
  }
}

interface Finders {
  readonly tick: GridFinder;
  readonly lot: GridFinder;
}

async function survey(paths: readonly string[]): Promise<Map<string, Finders>> {
  const bySymbol = new Map<string, Finders>();
  const nameless: unknown[] = [];
  for (const path of paths) {
    // What can't be read on will say so when it is read to be written.
    try {
      for await (const block of readFile(path, { only: "?", onBytes: () => {} })) {
        for (const item of block) if ("record" in item) inspect(item.record, bySymbol, nameless);
      }
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
    }
  }
  const [only] = bySymbol.values();
  if (only !== undefined && bySymbol.size === 1) for (const body of nameless) see(body, only);
  return bySymbol;
}

/** Bodies kept until the symbol is known. */
const MAX_NAMELESS = 100;

function inspect(record: TapeRecord, bySymbol: Map<string, Finders>, nameless: unknown[]): void {
  if (record.kind !== "frame" && record.kind !== "snapshot") return;
  const message = parse(record.kind === "frame" ? record.text : record.body);
  if (message === null) return;
  if (record.kind === "snapshot") {
    if (record.symbol !== "?") see(message, findersOf(record.symbol, bySymbol));
    else if (nameless.length < MAX_NAMELESS) nameless.push(message);
    return;
  }
  // BitMEX: {table, data: rows}; Binance: {stream, data}; Coinbase: the message itself.
  const parts = Array.isArray(message.data) ? (message.data as unknown[]) : [message.data ?? message];
  for (const part of parts) {
    if (typeof part !== "object" || part === null) continue;
    const { s, symbol, product_id } = part as Record<string, unknown>;
    const name = [s, symbol, product_id].find((text) => typeof text === "string");
    if (name !== undefined) see(part, findersOf(name as string, bySymbol));
  }
}

function findersOf(symbol: string, bySymbol: Map<string, Finders>): Finders {
  const known = bySymbol.get(symbol) ?? { tick: new GridFinder(), lot: new GridFinder() };
  if (bySymbol.size < MAX_SYMBOLS) bySymbol.set(symbol, known);
  return known;
}

/** Prices and sizes by the names that the three venues give them; of Binance's klines (k: {…}) nothing. */
function see(part: unknown, { tick, lot }: Finders): void {
  const fields = part as Record<string, unknown>;
  const price = (value: unknown): void => {
    const text = decimalText(value);
    if (text !== null) tick.see(text);
  };
  const size = (value: unknown): void => {
    const text = decimalText(value);
    if (text !== null) lot.see(text);
  };
  for (const side of [fields.b, fields.a, fields.bids, fields.asks]) {
    if (!Array.isArray(side)) continue;
    for (const level of side as unknown[]) if (Array.isArray(level)) void [price(level[0]), size(level[1])];
  }
  // Coinbase's l2update: [side, price, size].
  if (Array.isArray(fields.changes))
    for (const change of fields.changes as unknown[]) if (Array.isArray(change)) void [price(change[1]), size(change[2])];
  for (const name of ["b", "a", "p", "price", "bidPrice", "askPrice", "best_bid", "best_ask"]) price(fields[name]);
  for (const name of ["B", "A", "q", "size", "bidSize", "askSize", "last_size"]) size(fields[name]);
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
