/**
 * Hyperliquid recordings in CSV, as djienne/Avellaneda_Stoikov_Market_Making_parameter_calibration holds them: `SYMBOL_prices.csv`,
 * `SYMBOL_trades.csv`, `SYMBOL_orderbooks.csv`, merged by receive time.
 *
 * `timestamp` is the receive time in seconds, `exchange_timestamp` the venue's in ms. Of prices, a bid row and an ask row of one time are one quote. The first
 * trades are older than the first book: they were sent on subscribing.
 */

import { basename } from "node:path";
import { ArchiveError } from "../archive-error.ts";
import { decimalText, millis, millisOfSeconds } from "./decimal-text.ts";
import { type ForeignItem, type ForeignRecord, type Importer, receivedAtOf, type TextLevel } from "./foreign.ts";
import { type CsvRow, csvRows, merged } from "./rows.ts";

const NAME = /^([A-Za-z0-9-]{1,40})_(prices|trades|orderbooks)\.csv(\.gz)?$/;
const LEVELS = 20;

type OnBytes = (bytes: number) => void;

export const hyperliquid: Importer = {
  format: "hyperliquid",
  what: "CSV of Hyperliquid: SYMBOL_prices, SYMBOL_trades, SYMBOL_orderbooks",
  fileName: NAME,
  async open(files, options) {
    const parts = files.map(({ path }) => {
      const match = NAME.exec(basename(path));
      if (match === null) throw new ArchiveError(`${path}: expected SYMBOL_prices.csv, SYMBOL_trades.csv or SYMBOL_orderbooks.csv`);
      return { path, market: options.market ?? `${options.venue ?? "hyperliquid"}:${match[1]}`, kind: match[2] };
    });
    return {
      name: files.map(({ path }) => basename(path)).join(" + "),
      ...(parts.some(({ kind }) => kind === "orderbooks") ? { bookLevels: LEVELS } : {}),
      items: (onBytes) =>
        merged(
          parts.map(({ path, market, kind }) => {
            if (kind === "prices") return readPrices(path, market, onBytes);
            const columns = kind === "trades" ? TRADE_COLUMNS : BOOK_COLUMNS;
            return readRows(path, { market, columns, recordOf: kind === "trades" ? tradeOf : bookOf, onBytes });
          }),
          receivedAtOf,
        ),
    };
  },
};

const TRADE_COLUMNS = ["timestamp", "exchange_timestamp", "price", "size", "side", "trade_id"];
const BOOK_COLUMNS = [
  "timestamp",
  "exchange_timestamp",
  "sequence",
  ...Array.from({ length: LEVELS }, (_, depth) => [
    `bid_price_${depth}`,
    `bid_size_${depth}`,
    `ask_price_${depth}`,
    `ask_size_${depth}`,
  ]).flat(),
];

interface RowOptions {
  readonly market: string;
  readonly columns: readonly string[];
  readonly recordOf: (row: CsvRow) => ForeignRecord | null;
  readonly onBytes: OnBytes;
}

async function* readRows(file: string, { market, columns, recordOf, onBytes }: RowOptions): AsyncGenerator<ForeignItem[]> {
  for await (const block of csvRows(file, columns, onBytes)) {
    yield block.map((row): ForeignItem => {
      if ("refused" in row) return row;
      const record = recordOf(row);
      return record === null ? { refused: "no row of Hyperliquid", file, line: row.line } : { market, record, file, line: row.line };
    });
  }
}

function tradeOf({ fields }: CsvRow): ForeignRecord | null {
  const [timestamp, exchange, priceText, sizeText, takerSide, tradeId = ""] = fields;
  const [receivedAt, venueTime] = [millisOfSeconds(timestamp), millis(exchange)];
  const [price, size] = [decimalText(priceText), decimalText(sizeText)];
  if (receivedAt === null || venueTime === null || price === null || size === null) return null;
  if (takerSide !== "buy" && takerSide !== "sell") return null;
  return { kind: "trade", receivedAt, venueTime, tradeId: tradeId === "" ? null : tradeId, price, size, takerSide };
}

function bookOf({ fields }: CsvRow): ForeignRecord | null {
  const [receivedAt, venueTime, sequence] = [millisOfSeconds(fields[0]), millis(fields[1]), millis(fields[2])];
  const sides: [TextLevel[], TextLevel[]] = [[], []];
  for (let at = 3; at < fields.length; at += 2) {
    if (fields[at] === "" && fields[at + 1] === "") continue;
    const [price, size] = [decimalText(fields[at]), decimalText(fields[at + 1])];
    if (price === null || size === null) return null;
    sides[at % 4 === 3 ? 0 : 1].push([price, size]);
  }
  if (receivedAt === null || venueTime === null) return null;
  return { kind: "snapshot", receivedAt, venueTime, sequence, bids: sides[0], asks: sides[1] };
}

interface HalfQuote {
  readonly fields: readonly string[];
  readonly line: number;
}

/** A bid row and an ask row, one after the other, of the same two times. */
async function* readPrices(file: string, market: string, onBytes: OnBytes): AsyncGenerator<ForeignItem[]> {
  const halves: { bid: HalfQuote | null; ask: HalfQuote | null } = { bid: null, ask: null };
  const alone = (): ForeignItem[] => {
    const left = halves.bid ?? halves.ask;
    halves.bid = null;
    halves.ask = null;
    return left === null ? [] : [{ refused: "one side of a quote alone", file, line: left.line }];
  };
  for await (const block of csvRows(file, ["timestamp", "exchange_timestamp", "side", "price", "size"], onBytes)) {
    const items: ForeignItem[] = [];
    for (const row of block) {
      const side = "refused" in row ? null : row.fields[2];
      if ("refused" in row || (side !== "bid" && side !== "ask")) {
        items.push("refused" in row ? row : { refused: "a side that is neither bid nor ask", file, line: row.line });
        continue;
      }
      const other = halves.bid ?? halves.ask;
      if (halves[side] !== null || (other !== null && !isSameTime(other, row))) items.push(...alone());
      halves[side] = row;
      if (halves.bid === null || halves.ask === null) continue;
      const record = quoteOf(halves.bid, halves.ask);
      items.push(record === null ? { refused: "no quote of Hyperliquid", file, line: row.line } : { market, record, file, line: row.line });
      halves.bid = null;
      halves.ask = null;
    }
    yield items;
  }
  yield alone();
}

function isSameTime(left: HalfQuote, right: HalfQuote): boolean {
  return left.fields[0] === right.fields[0] && left.fields[1] === right.fields[1];
}

function quoteOf(bidRow: HalfQuote, askRow: HalfQuote): ForeignRecord | null {
  const [receivedAt, venueTime] = [millisOfSeconds(bidRow.fields[0]), millis(bidRow.fields[1])];
  const [bidPrice, bidSize, askPrice, askSize] = [bidRow.fields[3], bidRow.fields[4], askRow.fields[3], askRow.fields[4]].map(decimalText);
  if (receivedAt === null || venueTime === null || bidPrice == null || bidSize == null || askPrice == null || askSize == null) return null;
  return { kind: "quote", receivedAt, venueTime, sequence: null, bid: [bidPrice, bidSize], ask: [askPrice, askSize] };
}
