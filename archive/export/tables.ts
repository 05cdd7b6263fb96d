/**
 * The tables that CSV and Parquet hold, said once: their columns, what they mean, and the rows that a record becomes. docs/data.md shows them as
 * printed from here.
 *
 * `event` numbers the records of a market from 0 in their order, over all tables: by it the tables are put together again into the one stream that they
 * were. A book message is as many rows as it has levels; one without any is one row without side.
 */

import type { BookRecord, EventsHeader, MarketRecord } from "../../core/wire/market-events.ts";

/**
 * | type | in CSV | in Parquet |
 * |---|---|---|
 * | integer | digits | INT64 |
 * | time | epoch ms | TIMESTAMP (ms, UTC) |
 * | text | text | STRING |
 * | price, size | the decimal, exact | a DOUBLE, and beside it `<name>_ticks` or `<name>_lots`, INT64, exact |
 */
export type ColumnType = "integer" | "time" | "text" | "price" | "size";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether it may be null: an empty field in CSV. */
  readonly isNullable: boolean;
  readonly meaning: string;
}

export interface Table {
  readonly name: string;
  readonly what: string;
  readonly columns: readonly Column[];
}

export type TableName = "book" | "trades" | "quotes" | "bars" | "gaps" | "minutes";

/** A value a column, in the table's order; prices in ticks, sizes in lots. */
export type Row = readonly (number | string | null)[];

/** Stands first in every table: tables of many markets are read together. */
const MARKET = column("market", "text", "venue:SYMBOL");
const EVENT = column("event", "integer", "number of the record in the market's stream");
const RECEIVED = column("received_at", "time", "our clock (or the recorder's) at arrival");
const VENUE = column("venue_time", "time?", "the venue's clock");
const SEQUENCE = column("sequence", "integer?", "the venue's own number");

const BOOK: Table = {
  name: "book",
  what: "changes of the book, a row a level",
  columns: [
    EVENT,
    RECEIVED,
    VENUE,
    SEQUENCE,
    column("kind", "text", "snapshot (its levels are the whole book) or depth (each level's new size, 0 removes it)"),
    column("side", "text?", "bid or ask; null in the one row of a message without levels"),
    column("price", "price?", "of the level"),
    column("size", "size?", "what rests there now"),
  ],
};

const TRADES: Table = {
  name: "trades",
  what: "trades",
  columns: [
    EVENT,
    RECEIVED,
    VENUE,
    column("trade_id", "text?", "the venue's"),
    column("price", "price", ""),
    column("size", "size", ""),
    column("taker_side", "text?", "buy or sell: who crossed the spread; null where the source doesn't say (header: sideInferred)"),
  ],
};

const QUOTES: Table = {
  name: "quotes",
  what: "the source's own best bid and ask",
  columns: [
    EVENT,
    RECEIVED,
    VENUE,
    SEQUENCE,
    column("bid_price", "price?", "null: no bid"),
    column("bid_size", "size?", "null also where the source tells no size"),
    column("ask_price", "price?", "null: no ask"),
    column("ask_size", "size?", ""),
  ],
};

const BARS: Table = {
  name: "bars",
  what: "the source's own candles",
  columns: [
    EVENT,
    RECEIVED,
    VENUE,
    column("open_time", "time", "start of the bar"),
    column("close_time", "time", "the first moment that is no longer of it"),
    column("open", "price", ""),
    column("high", "price", ""),
    column("low", "price", ""),
    column("close", "price", ""),
    column("volume", "size", "in base currency or contracts"),
    column("turnover", "text?", "value traded, a decimal in the source's own unit (Binance: quote currency; BitMEX: satoshis)"),
    column("taker_buy_volume", "size?", "the part bought by takers"),
    column("trades", "integer?", "how many"),
  ],
};

const GAPS: Table = {
  name: "gaps",
  what: "stretches of which nothing is known; a row stands where that was known",
  columns: [
    EVENT,
    RECEIVED,
    column("from_time", "time", "the last moment that is known"),
    column("to_time", "time?", "the first that is known again; null: still open"),
    column("reason", "text", ""),
    column("detail", "text", "for a person"),
  ],
};

/** @param levels a side. */
export function minutesTable(levels: number): Table {
  const depths = Array.from({ length: levels }, (_, depth) => depth);
  return {
    name: "minutes",
    what: "the book at the end of each interval (a minute unless told otherwise); none where it isn't known",
    columns: [
      column("time", "time", "end of the interval: what was received before it is in the book"),
      ...depths.flatMap((depth) => [
        column(`bid_price_${depth}`, "price?", depth === 0 ? "best bid" : ""),
        column(`bid_size_${depth}`, "size?", ""),
        column(`ask_price_${depth}`, "price?", depth === 0 ? "best ask" : ""),
        column(`ask_size_${depth}`, "size?", ""),
      ]),
    ],
  };
}

export const eventTables: Readonly<Record<Exclude<TableName, "minutes">, Table>> = {
  book: BOOK,
  trades: TRADES,
  quotes: QUOTES,
  bars: BARS,
  gaps: GAPS,
};

/** A table as files have it. Import does without the market's column: the folder's header says it, and older files have none. */
export function withMarket(table: Table): Table {
  return { ...table, columns: [MARKET, ...table.columns] };
}

/** The table of a record, and its rows there. @param event its number. */
export function rowsOf(record: MarketRecord, event: number): { table: Exclude<TableName, "minutes">; rows: Row[] } {
  switch (record.kind) {
    case "snapshot":
    case "depth":
      return { table: "book", rows: bookRows(record, event) };
    case "trade": {
      const { receivedAt, venueTime, tradeId, priceTicks, sizeLots, takerSide } = record;
      return { table: "trades", rows: [[event, receivedAt, venueTime, tradeId, priceTicks, sizeLots, takerSide]] };
    }
    case "quote": {
      const { receivedAt, venueTime, sequence, bid, ask } = record;
      const sides = [bid?.[0] ?? null, bid?.[1] ?? null, ask?.[0] ?? null, ask?.[1] ?? null];
      return { table: "quotes", rows: [[event, receivedAt, venueTime, sequence, ...sides]] };
    }
    case "bar": {
      const { receivedAt, venueTime, openTime, closeTime, openTicks, highTicks, lowTicks, closeTicks, volumeLots } = record;
      const head = [event, receivedAt, venueTime, openTime, closeTime, openTicks, highTicks, lowTicks, closeTicks, volumeLots];
      return { table: "bars", rows: [[...head, record.turnover, record.takerBuyLots, record.trades]] };
    }
    case "gap": {
      const { receivedAt, from, to, reason, detail } = record;
      return { table: "gaps", rows: [[event, receivedAt, from, to, reason, detail]] };
    }
  }
}

/** The record of rows that carry one number; null when they are none. */
export function recordOf(table: string, rows: readonly Row[]): unknown {
  const [first] = rows;
  if (first === undefined) return null;
  switch (table) {
    case "book": {
      const [, receivedAt, venueTime, sequence, kind] = first;
      const sideOf = (side: string): unknown[] => rows.filter((row) => row[5] === side).map((row) => [row[6], row[7]]);
      return { kind, receivedAt, venueTime, sequence, bids: sideOf("bid"), asks: sideOf("ask") };
    }
    case "trades": {
      const [, receivedAt, venueTime, tradeId, price, size, takerSide] = first;
      return { kind: "trade", receivedAt, venueTime, tradeId, price, size, takerSide };
    }
    case "quotes": {
      const [, receivedAt, venueTime, sequence, bidPrice, bidSize, askPrice, askSize] = first;
      const bid = bidPrice === null ? null : [bidPrice, bidSize];
      const ask = askPrice === null ? null : [askPrice, askSize];
      return { kind: "quote", receivedAt, venueTime, sequence, bid, ask };
    }
    case "bars": {
      const [, receivedAt, venueTime, openTime, closeTime, open, high, low, close, volume, turnover, takerBuyVolume, trades] = first;
      const prices = { open, high, low, close, volume, turnover, takerBuyVolume, trades };
      return { kind: "bar", receivedAt, venueTime, openTime, closeTime, ...prices };
    }
    case "gaps": {
      const [, receivedAt, from, to, reason, detail] = first;
      return { kind: "gap", receivedAt, from, to, reason, detail };
    }
    default:
      return null;
  }
}

/** The names of a market's own columns in Parquet: prices and sizes are two each. */
export function parquetNames({ name, type }: Column): readonly string[] {
  return type === "price" ? [name, `${name}_ticks`] : type === "size" ? [name, `${name}_lots`] : [name];
}

/** What of the header a reader of the tables needs, as their files carry it. */
export const HEADER_FILE = "header.json";

export type Grids = Pick<EventsHeader, "tick" | "lot">;

function bookRows({ kind, receivedAt, venueTime, sequence, bids, asks }: BookRecord, event: number): Row[] {
  const head = [event, receivedAt, venueTime, sequence, kind];
  if (bids.length + asks.length === 0) return [[...head, null, null, null]];
  const sides = [
    ["bid", bids],
    ["ask", asks],
  ] as const;
  return sides.flatMap(([side, levels]) => levels.map(([ticks, lots]): Row => [...head, side, ticks, lots]));
}

/** @param type with a "?" behind it when the column may be null. */
function column(name: string, type: ColumnType | `${ColumnType}?`, meaning: string): Column {
  return { name, type: type.replace("?", "") as ColumnType, isNullable: type.endsWith("?"), meaning };
}
