/**
 * Tardis.dev's downloadable CSV: `incremental_book_L2` and `trades`, merged by local_timestamp. https://docs.tardis.dev/downloadable-csv-files/data-types, read 2026-11-27.
 *
 * | file | columns |
 * |---|---|
 * | incremental_book_L2 | exchange, symbol, timestamp, local_timestamp, is_snapshot, side, price, amount |
 * | trades | exchange, symbol, timestamp, local_timestamp, id, side, price, amount |
 *
 * 1. Times are microseconds since the epoch, UTC; here ms, what is finer cut off.
 * 2. Rows of one local_timestamp were one message. An amount is the level's new size, 0 removes it.
 * 3. Rows with is_snapshot, after rows without, discard the book. In the middle of a file that means that the connection was made anew: what
 *    lies between the last row and the snapshot is a gap.
 * 4. A trade's side is the taker's; "unknown" is null.
 */

import { basename } from "node:path";
import { ArchiveError } from "../archive-error.ts";
import type { InputFile } from "../input-files.ts";
import { firstLineOf } from "../line-reader.ts";
import { decimalText, millisOf } from "./decimal-text.ts";
import { type ForeignItem, type Importer, receivedAtOf, type TextLevel } from "./foreign.ts";
import { type CsvRow, csvRows, joined, merged } from "./rows.ts";

const BOOK_COLUMNS = ["exchange", "symbol", "timestamp", "local_timestamp", "side", "price", "amount", "is_snapshot"];
const TRADE_COLUMNS = ["exchange", "symbol", "timestamp", "local_timestamp", "side", "price", "amount", "id"];
/** Levels of one message, both sides; no venue's whole book is deeper. */
const MAX_LEVELS = 200_000;

type OnBytes = (bytes: number) => void;

export const tardis: Importer = {
  format: "tardis",
  what: "Tardis CSV: incremental_book_L2 and trades",
  fileName: /\.csv(\.gz)?$/,
  async open(files, options) {
    const books: InputFile[] = [];
    const trades: InputFile[] = [];
    for (const file of files) {
      const names = (await firstLineOf(file.path)).split(",");
      if (names.includes("is_snapshot")) books.push(file);
      else if (names.includes("id") && names.includes("local_timestamp")) trades.push(file);
      else throw new ArchiveError(`${file.path} line 1: neither incremental_book_L2 nor trades of Tardis`);
    }
    const marketOf = (exchange = "", symbol = ""): string => options.market ?? `${options.venue ?? exchange}:${symbol}`;
    return {
      name: files.map(({ path }) => basename(path)).join(" + "),
      items(onBytes) {
        const states = new Map<string, BookState>();
        const book = joined(books.map(({ path }) => readBook(path, { marketOf, states, onBytes })));
        return merged([book, joined(trades.map(({ path }) => readTrades(path, marketOf, onBytes)))], receivedAtOf);
      },
    };
  },
};

type MarketOf = (exchange?: string, symbol?: string) => string;

interface BookState {
  wasSnapshot: boolean | null;
  lastAt: number;
}

/** Rows gathered: one message, or one snapshot. */
interface Gathering {
  readonly market: string;
  readonly isSnapshot: boolean;
  readonly localText: string;
  receivedAt: number;
  venueTime: number;
  readonly bids: TextLevel[];
  readonly asks: TextLevel[];
  readonly line: number;
  /** A row amid it, or behind it, could not be read: it may have been of this message. */
  isPartial: boolean;
}

interface BookOptions {
  readonly marketOf: MarketOf;
  readonly states: Map<string, BookState>;
  readonly onBytes: OnBytes;
}

async function* readBook(file: string, { marketOf, states, onBytes }: BookOptions): AsyncGenerator<ForeignItem[]> {
  let gathering: Gathering | null = null;
  for await (const block of csvRows(file, BOOK_COLUMNS, onBytes)) {
    const items: ForeignItem[] = [];
    for (const row of block) {
      const parsed = "refused" in row ? row : bookRow(row, marketOf);
      if ("refused" in parsed) {
        items.push({ refused: parsed.refused, file, line: row.line });
        if (gathering !== null) gathering.isPartial = true;
        continue;
      }
      const isOfSame = gathering !== null && joins(gathering, parsed);
      if (gathering !== null && !isOfSame) items.push(...flush(gathering, file, states));
      if (gathering === null || !isOfSame) gathering = { ...parsed, bids: [], asks: [], line: row.line, isPartial: false };
      gathering.receivedAt = parsed.receivedAt;
      gathering.venueTime = parsed.venueTime;
      gathering[parsed.side].push(parsed.level);
      if (gathering.bids.length + gathering.asks.length > MAX_LEVELS)
        throw new ArchiveError(`${file} line ${row.line}: more than ${MAX_LEVELS} levels in one message`);
    }
    yield items;
  }
  if (gathering !== null) yield flush(gathering, file, states);
}

interface BookRow extends Pick<Gathering, "market" | "isSnapshot" | "localText" | "receivedAt" | "venueTime"> {
  readonly side: "bids" | "asks";
  readonly level: TextLevel;
}

function bookRow({ fields }: CsvRow, marketOf: MarketOf): BookRow | { refused: string } {
  const [exchange, symbol, timestamp, localText = "", side, priceText, amountText, isSnapshotText] = fields;
  const [venueTime, receivedAt] = [millisOf(timestamp, "us"), millisOf(localText, "us")];
  const [price, size] = [decimalText(priceText), decimalText(amountText)];
  if (venueTime === null || receivedAt === null) return { refused: "timestamps are not microseconds" };
  if (side !== "bid" && side !== "ask") return { refused: "a side that is neither bid nor ask" };
  if (isSnapshotText !== "true" && isSnapshotText !== "false") return { refused: "is_snapshot is neither true nor false" };
  if (price === null || size === null) return { refused: `price or amount is no decimal: ${priceText}, ${amountText}` };
  const at = { market: marketOf(exchange, symbol), isSnapshot: isSnapshotText === "true", localText, receivedAt, venueTime };
  return { ...at, side: side === "bid" ? "bids" : "asks", level: [price, size] };
}

function joins(gathering: Gathering, row: BookRow): boolean {
  if (gathering.market !== row.market || gathering.isSnapshot !== row.isSnapshot) return false;
  return row.isSnapshot || gathering.localText === row.localText;
}

function flush(
  { market, isSnapshot, receivedAt, venueTime, bids, asks, line, isPartial }: Gathering,
  file: string,
  states: Map<string, BookState>,
): ForeignItem[] {
  const state = states.get(market) ?? { wasSnapshot: null, lastAt: 0 };
  states.set(market, state);
  const items: ForeignItem[] = [];
  if (isSnapshot && state.wasSnapshot === false) {
    const detail = "a new snapshot: the recorder connected anew";
    items.push({ market, record: { kind: "gap", receivedAt, from: state.lastAt, to: receivedAt, reason: "resync", detail }, file, line });
  }
  const kind = isSnapshot ? "snapshot" : "depth";
  items.push({ market, record: { kind, receivedAt, venueTime, sequence: null, bids, asks }, file, line, isPartial });
  state.wasSnapshot = isSnapshot;
  state.lastAt = receivedAt;
  return items;
}

async function* readTrades(file: string, marketOf: MarketOf, onBytes: OnBytes): AsyncGenerator<ForeignItem[]> {
  for await (const block of csvRows(file, TRADE_COLUMNS, onBytes)) {
    yield block.map((row): ForeignItem => {
      if ("refused" in row) return row;
      const [exchange, symbol, timestamp, local, side, priceText, amountText, id = ""] = row.fields;
      const [venueTime, receivedAt] = [millisOf(timestamp, "us"), millisOf(local, "us")];
      const [price, size] = [decimalText(priceText), decimalText(amountText)];
      if (
        venueTime === null ||
        receivedAt === null ||
        price === null ||
        size === null ||
        (side !== "buy" && side !== "sell" && side !== "unknown")
      )
        return { refused: "no trade of Tardis", file, line: row.line };
      const takerSide = side === "unknown" ? null : side;
      const record = { kind: "trade", receivedAt, venueTime, tradeId: id === "" ? null : id, price, size, takerSide } as const;
      return { market: marketOf(exchange, symbol), record, file, line: row.line };
    });
  }
}
