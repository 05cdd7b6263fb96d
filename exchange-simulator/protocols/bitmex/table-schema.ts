/**
 * What a partial says of its table before the rows: keys, types, the filter; in the form "2021" foreign keys and attributes too.
 * As recorded in 2021, and as the venue's answers of 2024 and 2025 have it (read 2026-11-27).
 */

import type { Table } from "./market.ts";

interface Schema {
  readonly keys: readonly string[];
  readonly types: Readonly<Record<string, string>>;
  /** Of today's form alone. */
  readonly addedTypes?: Readonly<Record<string, string>>;
  readonly foreignKeys: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

const BOOK: Schema = {
  keys: ["symbol", "id", "side"],
  types: { symbol: "symbol", id: "long", side: "symbol", size: "long", price: "float" },
  addedTypes: { timestamp: "timestamp", transactTime: "timestamp" },
  foreignKeys: { symbol: "instrument", side: "side" },
  attributes: { symbol: "parted", id: "sorted" },
};

const ROWS_IN_TIME = { timestamp: "sorted", symbol: "grouped" };
const OF_INSTRUMENT = { symbol: "instrument" };

const SCHEMAS: Readonly<Record<Table, Schema>> = {
  orderBookL2: BOOK,
  orderBookL2_25: BOOK,
  orderBook10: {
    keys: ["symbol"],
    types: { symbol: "symbol", bids: "", asks: "", timestamp: "timestamp" },
    foreignKeys: OF_INSTRUMENT,
    attributes: { symbol: "sorted" },
  },
  quote: {
    keys: [],
    types: { timestamp: "timestamp", symbol: "symbol", bidSize: "long", bidPrice: "float", askPrice: "float", askSize: "long" },
    foreignKeys: OF_INSTRUMENT,
    attributes: ROWS_IN_TIME,
  },
  trade: {
    keys: [],
    types: {
      timestamp: "timestamp",
      symbol: "symbol",
      side: "symbol",
      size: "long",
      price: "float",
      tickDirection: "symbol",
      trdMatchID: "guid",
      grossValue: "long",
      homeNotional: "float",
      foreignNotional: "float",
    },
    addedTypes: { trdType: "symbol" },
    foreignKeys: { symbol: "instrument", side: "side" },
    attributes: ROWS_IN_TIME,
  },
  instrument: {
    keys: ["symbol"],
    types: {
      symbol: "symbol",
      rootSymbol: "symbol",
      state: "symbol",
      typ: "symbol",
      listing: "timestamp",
      expiry: "timestamp",
      settle: "timestamp",
      lotSize: "long",
      tickSize: "float",
      multiplier: "long",
      isQuanto: "boolean",
      isInverse: "boolean",
      lastPrice: "float",
      bidPrice: "float",
      midPrice: "float",
      askPrice: "float",
      fairPrice: "float",
      markPrice: "float",
      indicativeSettlePrice: "float",
      timestamp: "timestamp",
    },
    foreignKeys: {},
    attributes: { symbol: "unique" },
  },
  tradeBin1m: {
    keys: [],
    types: {
      timestamp: "timestamp",
      symbol: "symbol",
      open: "float",
      high: "float",
      low: "float",
      close: "float",
      trades: "long",
      volume: "long",
      vwap: "float",
    },
    foreignKeys: OF_INSTRUMENT,
    attributes: ROWS_IN_TIME,
  },
};

/** The partial's members up to `"data"`, each with its comma. */
export function partialHead(table: Table, symbol: string | null, isOldForm: boolean): string {
  const { keys, types, addedTypes, foreignKeys, attributes } = SCHEMAS[table];
  const members = {
    table,
    action: "partial",
    keys,
    types: isOldForm ? types : { ...types, ...addedTypes },
    ...(isOldForm ? { foreignKeys, attributes } : {}),
    filter: symbol === null ? {} : { symbol },
  };
  return `${JSON.stringify(members).slice(1, -1)},`;
}
