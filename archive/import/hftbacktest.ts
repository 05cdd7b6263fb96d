/**
 * hftbacktest's event arrays, version 2 (hftbacktest 2.0 and later): `.npz` with an array `data`, or `.npy`, of records
 * `ev u8, exch_ts i8, local_ts i8, px f8, qty f8, order_id u8, ival i8, fval f8`. Constants from https://docs.rs/crate/hftbacktest/0.9.4 src/types.rs, read 2026-11-27.
 *
 * 1. `ev`: what it is in the low byte (1 depth, 2 trade, 3 clear, 4 snapshot, 5 best bid and offer), flags above: 1<<29 buy, 1<<28 sell, 1<<30 seen locally,
 *    1<<31 seen at the exchange. An event that was seen out of order stands twice, once with each flag; what one received are the local ones.
 * 2. Times are nanoseconds; here ms, what is finer cut off.
 * 3. Rows of one kind and time were one message. A clear and the snapshot after it are one snapshot of both sides. Of a clear alone nothing is known but that the
 *    book is gone: a gap, open until the next snapshot.
 * 4. Prices are doubles: their shortest decimal is taken.
 *
 * Refused: version 1 (six columns of floats), and order-by-order events (10 and above).
 */

import { basename } from "node:path";
import { ArchiveError } from "../archive-error.ts";
import { decimalText } from "./decimal-text.ts";
import type { ForeignItem, ForeignRecord, Importer, TextLevel } from "./foreign.ts";
import { type NpyField, type NpyRows, readNpy } from "./npy-file.ts";
import { joined } from "./rows.ts";

const LOCAL = 1n << 30n;
const BUY = 1n << 29n;
const SELL = 1n << 28n;
const KIND = 0xffn;
const KINDS = ["", "depth", "trade", "clear", "snapshot", "quote"] as const;
const NS_PER_MS = 1_000_000n;
const FIELDS = ["ev", "exch_ts", "local_ts", "px", "qty"] as const;

export const hftbacktest: Importer = {
  format: "hftbacktest",
  what: "hftbacktest 2 event arrays, .npz or .npy; the market by --market",
  fileName: /\.np[yz]$/,
  async open(files, options) {
    const { market } = options;
    if (market === null) throw new ArchiveError("an hftbacktest array doesn't say its market: name it with --market venue:SYMBOL");
    return {
      name: files.map(({ path }) => basename(path)).join(" + "),
      items: (onBytes) => joined(files.map(({ path }) => readEvents(path, market, onBytes))),
    };
  },
};

interface Row {
  readonly kind: (typeof KINDS)[number] | null;
  readonly isLocal: boolean;
  readonly side: "buy" | "sell" | null;
  readonly exchNs: bigint;
  readonly localNs: bigint;
  readonly price: string | null;
  readonly size: string | null;
  readonly line: number;
}

async function* readEvents(file: string, market: string, onBytes: (bytes: number) => void): AsyncGenerator<ForeignItem[]> {
  let message: Row[] = [];
  for await (const rows of readNpy(file, "data", onBytes)) {
    const items: ForeignItem[] = [];
    for (const row of parseRows(rows, file)) {
      if (!row.isLocal) continue;
      if (row.kind === null || row.kind === "") {
        items.push({ refused: "an event that is not of a book by price", file, line: row.line, isOfNoBook: true });
        continue;
      }
      if (message.length > 0 && !isOfOneMessage(message, row)) {
        items.push(...itemsOf(message, market, file));
        message = [];
      }
      message.push(row);
    }
    yield items;
  }
  yield itemsOf(message, market, file);
}

function* parseRows({ fields, rowBytes, bytes, firstRow }: NpyRows, file: string): Generator<Row> {
  const [ev, exch, local, px, qty] = FIELDS.map((name) => {
    const field = fields.find((known) => known.name === name);
    if (field === undefined) throw new ArchiveError(`${file}: there is no field "${name}": not an array of hftbacktest 2`);
    return field;
  }) as [NpyField, NpyField, NpyField, NpyField, NpyField];
  for (let at = 0, line = firstRow + 1; at < bytes.length; at += rowBytes, line++) {
    const flags = bytes.readBigUInt64LE(at + ev.offset);
    yield {
      kind: KINDS[Number(flags & KIND)] ?? null,
      isLocal: (flags & LOCAL) !== 0n,
      side: (flags & BUY) !== 0n ? "buy" : (flags & SELL) !== 0n ? "sell" : null,
      exchNs: bytes.readBigInt64LE(at + exch.offset),
      localNs: bytes.readBigInt64LE(at + local.offset),
      price: decimalText(bytes.readDoubleLE(at + px.offset)),
      size: decimalText(bytes.readDoubleLE(at + qty.offset)),
      line,
    };
  }
}

/** A trade is a message of its own; a clear begins the snapshot that follows it. */
function isOfOneMessage(message: readonly Row[], row: Row): boolean {
  const last = message.at(-1) as Row;
  if (row.kind === "trade" || last.kind === "trade" || last.localNs !== row.localNs) return false;
  if (row.kind === "clear" || row.kind === "snapshot") return last.kind === "clear" || last.kind === "snapshot";
  return last.kind === row.kind && last.exchNs === row.exchNs;
}

function itemsOf(message: readonly Row[], market: string, file: string): ForeignItem[] {
  const [first] = message;
  if (first === undefined) return [];
  const at = { file, line: first.line };
  const times = { receivedAt: Number(first.localNs / NS_PER_MS), venueTime: Number(first.exchNs / NS_PER_MS) };
  const record = recordOf(message, first, times);
  return ["refused" in record ? { ...record, ...at } : { market, record, ...at }];
}

function recordOf(
  message: readonly Row[],
  first: Row,
  times: { receivedAt: number; venueTime: number },
): ForeignRecord | { refused: string; isOfNoBook?: true } {
  const held = message.filter(({ kind }) => kind !== "clear");
  if (held.length === 0)
    return {
      kind: "gap",
      receivedAt: times.receivedAt,
      from: times.receivedAt,
      to: null,
      reason: "cleared",
      detail: "the book was cleared",
    };
  if (first.kind === "trade") {
    const { price, size, side } = first;
    if (price === null || size === null) return { refused: "a trade without price and size", isOfNoBook: true };
    return { kind: "trade", ...times, tradeId: null, price, size, takerSide: side };
  }
  const bids = levelsOf(held, "buy");
  const asks = levelsOf(held, "sell");
  if (bids === null || asks === null) return { refused: "a level without price, size or side" };
  if (first.kind === "quote") return { kind: "quote", ...times, sequence: null, bid: bids[0] ?? null, ask: asks[0] ?? null };
  return { kind: first.kind === "depth" ? "depth" : "snapshot", ...times, sequence: null, bids, asks };
}

function levelsOf(rows: readonly Row[], wanted: "buy" | "sell"): TextLevel[] | null {
  const levels: TextLevel[] = [];
  for (const { side, price, size } of rows) {
    if (price === null || size === null || side === null) return null;
    if (side === wanted) levels.push([price, size]);
  }
  return levels;
}
