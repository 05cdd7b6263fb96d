/**
 * BitMEX's frames read plainly from its documents (exchanges/bitmex/frame-parser.ts and books.ts name them), its tables as Maps from id to price.
 *
 * A market is followed from its partial to the first row that doesn't fit it: an id or a price that is there already, one that is not, another price.
 * Messages of 2021 carry no time: their events have the one that the connection named last.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import {
  control,
  countOf,
  decimalOf,
  demand,
  events,
  type Fields,
  fieldsOf,
  IGNORED,
  isFields,
  type Level,
  listOf,
  lotsOf,
  MALFORMED,
  type NaiveReader,
  type QuoteSaid,
  type Reading,
  readJson,
  type Said,
  stringOf,
  ticksOf,
  timeOf,
} from "./naive-values.ts";

type Side = "Buy" | "Sell";
type Action = "partial" | "insert" | "update" | "delete";

/** One row of a book's message; what it doesn't say is null. */
interface Row {
  readonly symbol: string;
  readonly id: number;
  readonly side: Side;
  readonly ticks: number | null;
  readonly lots: number | null;
  readonly time: number;
}

/** Prices by id. */
type Table = Record<Side, Map<number, number>>;

const MOST_ROWS = 20_000;
const MOST_EVENTS = 10_000;
const MOST_TOPS = 100;
const TOP_LEVELS = 10;
/** A price of this many units is not told from its neighbour by a double. */
const PRICE_UNITS = 1e15;
const LAST_BITS = (1n << 52n) - 1n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export class NaiveBitmex implements NaiveReader {
  readonly connectionSequence = null;
  private readonly bySymbol: ReadonlyMap<string, Instrument>;
  private readonly tables = new Map<string, Table>();
  /** The time named last; 0 before there is one. */
  private time = 0;

  constructor(instruments: readonly Instrument[]) {
    this.bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  }

  read(frame: string): Reading {
    return frame === "pong" ? control("heartbeat") : readJson(frame, (root) => this.readRoot(fieldsOf(root)));
  }

  /** This venue's books come on the socket. */
  readSnapshot(): Reading {
    return MALFORMED;
  }

  private readRoot(root: Fields): Reading {
    if (Object.hasOwn(root, "table")) return this.readTable(stringOf(root.table), stringOf(root.action), root);
    if (Object.hasOwn(root, "error") || root.success === false) return control("refused");
    if (root.success === true) return control("acknowledged");
    demand(Object.hasOwn(root, "info"));
    const welcome = readJson(JSON.stringify(root.timestamp ?? null), (time) => {
      this.time = bitmexTime(time);
      return IGNORED;
    });
    return welcome === IGNORED || welcome === MALFORMED ? control("acknowledged") : welcome;
  }

  private readTable(table: string, action: string, root: Fields): Reading {
    if (table === "quote") return action === "partial" || action === "insert" ? this.readQuotes(rowsOf(root, MOST_EVENTS)) : IGNORED;
    if (table === "trade") return action === "insert" ? this.readTrades(rowsOf(root, MOST_EVENTS)) : IGNORED;
    if (table === "orderBook10") {
      return ["partial", "insert", "update"].includes(action) ? this.readTopLevels(rowsOf(root, MOST_TOPS)) : IGNORED;
    }
    if (table === "instrument") {
      return ["partial", "insert", "update", "delete"].includes(action)
        ? events(rowsOf(root, MOST_EVENTS).flatMap((row) => this.instrumentSaid(row, action)))
        : IGNORED;
    }
    if (table !== "orderBookL2") return IGNORED;
    demand(["partial", "insert", "update", "delete"].includes(action));
    const filter = isFields(root.filter) ? root.filter : {};
    return filter.pool === "Secondary" ? IGNORED : this.readBook(action as Action, filter.symbol, rowsOf(root, MOST_ROWS));
  }

  private readBook(action: Action, filtered: unknown, data: readonly Fields[]): Reading {
    const only = typeof filtered === "string" ? filtered : null;
    if (only !== null && !this.bySymbol.has(only)) return IGNORED;
    const rows: Row[] = [];
    for (const row of data) {
      const instrument = this.bySymbol.get(stringOf(row.symbol));
      demand(only === null || row.symbol === only);
      if (instrument !== undefined && row.pool !== "Secondary") rows.push(rowOf(row, action, instrument));
    }
    if (rows.length === 0 && data.some((row) => row.pool === "Secondary")) return IGNORED;
    const named = new Set([...(action === "partial" && only !== null ? [only] : []), ...rows.map(({ symbol }) => symbol)]);
    return events(
      [...named].flatMap((symbol) =>
        this.follow(
          symbol,
          action,
          rows.filter((row) => row.symbol === symbol),
        ),
      ),
    );
  }

  private follow(symbol: string, action: Action, rows: readonly Row[]): Said[] {
    if (action === "partial") this.tables.set(symbol, { Buy: new Map(), Sell: new Map() });
    const table = this.tables.get(symbol);
    if (table === undefined) return [];
    const levels: Record<Side, Level[]> = { Buy: [], Sell: [] };
    for (const row of rows) {
      if (followRow(table, action, { row, levels })) continue;
      this.tables.delete(symbol);
      return [{ kind: "loss", symbol, channel: "depth" }];
    }
    const time = Math.max(0, ...rows.map((row) => row.time));
    if (time > 0) this.time = time;
    const said = { symbol, last: null, bids: levels.Buy, asks: levels.Sell };
    if (action === "partial") return [{ kind: "snapshot", venueTime: this.time === 0 ? null : this.time, ...said }];
    return [{ kind: "depth", venueTime: this.time, first: null, previous: null, ...said }];
  }

  private readQuotes(data: readonly Fields[]): Reading {
    const said: QuoteSaid[] = [];
    for (const row of data) {
      const instrument = this.bySymbol.get(stringOf(row.symbol));
      if (instrument === undefined || row.pool === "Secondary" || isAbsent(row.bidPrice) || isAbsent(row.askPrice)) continue;
      const { symbol, tick, lot } = instrument;
      const bid = [price(row.bidPrice, tick), size(row.bidSize, lot)] as const;
      const ask = [price(row.askPrice, tick), size(row.askSize, lot)] as const;
      said.push({ kind: "quote", symbol, venueTime: bitmexTime(row.timestamp), sequence: null, bid, ask });
    }
    return this.timed(said);
  }

  private readTrades(data: readonly Fields[]): Reading {
    const said: Said[] = [];
    for (const row of data) {
      const instrument = this.bySymbol.get(stringOf(row.symbol));
      if (instrument === undefined || row.pool === "Secondary") continue;
      const id = stringOf(row.trdMatchID);
      demand(UUID.test(id));
      const lots = size(row.size, instrument.lot);
      demand(lots > 0);
      // The last 52 bits of it; zero stands for none.
      const bits = Number(BigInt(`0x${id.replaceAll("-", "")}`) & LAST_BITS);
      const tradeId = bits === 0 ? null : bits;
      const takerSide = sideOf(row.side) === "Buy" ? "buy" : "sell";
      const { symbol, tick } = instrument;
      said.push({ kind: "trade", symbol, venueTime: bitmexTime(row.timestamp), tradeId, ticks: price(row.price, tick), lots, takerSide });
    }
    return this.timed(said);
  }

  private readTopLevels(data: readonly Fields[]): Reading {
    const said: Said[] = [];
    for (const row of data) {
      const instrument = this.bySymbol.get(stringOf(row.symbol));
      if (instrument === undefined || row.pool === "Secondary" || isAbsent(row.bids) || isAbsent(row.asks)) continue;
      const { symbol } = instrument;
      const [bids, asks] = [topOf(row.bids, instrument), topOf(row.asks, instrument)];
      said.push({ kind: "top-levels", symbol, venueTime: bitmexTime(row.timestamp), depth: TOP_LEVELS, bids, asks });
    }
    return this.timed(said);
  }

  private instrumentSaid(row: Fields, action: string): Said[] {
    const instrument = this.bySymbol.get(stringOf(row.symbol));
    if (instrument === undefined) return [];
    const { symbol, tick, lot } = instrument;
    const grids = [
      [row.tickSize, tick],
      [row.lotSize, lot],
    ] as const;
    let hasOtherGrids = false;
    for (const [value, grid] of grids) {
      // The parser stops at the first that is another.
      if (isAbsent(value) || hasOtherGrids) continue;
      const units = BigInt(decimalOf(value).replace(".", ""));
      demand(units > 0n && units <= BigInt(Number.MAX_SAFE_INTEGER));
      hasOtherGrids = value !== Number(`${grid.mantissa}e-${grid.decimals}`);
    }
    const state = action === "delete" ? "Unlisted" : isAbsent(row.state) ? null : stringOf(row.state);
    demand(state === null || /^[A-Za-z0-9_]{1,40}$/.test(state));
    return [{ kind: "instrument", symbol, venueState: state, hasOtherGrids }];
  }

  private timed(said: readonly Said[]): Reading {
    const last = said.at(-1);
    if (last !== undefined && "venueTime" in last && last.venueTime !== null) this.time = last.venueTime;
    return events(said);
  }
}

function topOf(side: unknown, { tick, lot }: Instrument): Level[] {
  const rows = listOf(side);
  demand(rows.length <= TOP_LEVELS);
  return rows.map((row) => {
    const pair = listOf(row);
    demand(pair.length === 2);
    return [price(pair[0], tick), size(pair[1], lot)];
  });
}

/** Follows one row into the table. @returns false when it can't be of it. */
function followRow(table: Table, action: Action, { row, levels }: { row: Row; levels: Record<Side, Level[]> }): boolean {
  const { id, side, ticks, lots } = row;
  const here = table[side];
  if (action === "partial" || action === "insert") {
    if (ticks === null || here.has(id) || [...here.values()].includes(ticks)) return false;
    here.set(id, ticks);
    levels[side].push([ticks, lots ?? 0]);
    return true;
  }
  if (!here.has(id) && (action === "delete" || lots === null || !changeSide(table, row, levels))) return false;
  const held = here.get(id) as number;
  if (ticks !== null && ticks !== held) return false;
  if (action === "delete") here.delete(id);
  if (action === "delete" || lots !== null) levels[side].push([held, action === "delete" ? 0 : (lots as number)]);
  return true;
}

function changeSide(table: Table, { id, side }: Row, levels: Record<Side, Level[]>): boolean {
  const other = side === "Buy" ? "Sell" : "Buy";
  const ticks = table[other].get(id);
  if (ticks === undefined || [...table[side].values()].includes(ticks)) return false;
  table[other].delete(id);
  table[side].set(id, ticks);
  levels[other].push([ticks, 0]);
  return true;
}

function rowOf(row: Fields, action: Action, { symbol, tick, lot }: Instrument): Row {
  const isNew = action === "partial" || action === "insert";
  const isSized = isNew || (action === "update" && !isAbsent(row.size));
  return {
    symbol,
    id: countOf(row.id),
    side: sideOf(row.side),
    ticks: isNew || !isAbsent(row.price) ? price(row.price, tick) : null,
    lots: isSized ? size(row.size, lot) : null,
    time: isAbsent(row.timestamp) ? 0 : bitmexTime(row.timestamp),
  };
}

function rowsOf(root: Fields, most: number): readonly Fields[] {
  const rows = listOf(root.data);
  demand(rows.length <= most);
  return rows.map(fieldsOf);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function sideOf(value: unknown): Side {
  demand(value === "Buy" || value === "Sell");
  return value as Side;
}

function price(value: unknown, tick: DecimalGrid): number {
  const ticks = ticksOf(decimalOf(value), tick);
  demand(ticks * tick.mantissa < PRICE_UNITS);
  return ticks;
}

function size(value: unknown, lot: DecimalGrid): number {
  return lotsOf(decimalOf(value), lot);
}

function bitmexTime(value: unknown): number {
  return timeOf(value, [3, 3]);
}
