/**
 * The frames of both Coinbase feeds read plainly from their documents (exchanges/coinbase/exchange-parser.ts and advanced-parser.ts name them).
 *
 * Exchange numbers nothing, and remembers per product which trades were seen. Advanced Trade numbers the connection's frames.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import { ContentHash } from "../../core/math/hash.ts";
import {
  control,
  countOf,
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
  type TradeSaid,
  ticksOf,
  timeOf,
} from "./naive-values.ts";

interface Product {
  readonly instrument: Instrument;
  lastTrade: number | null;
  heartbeatTrade: number | null;
  tickerTrade: number | null;
}

const BOOK_KEYS = ["changes", "updates", "bids", "asks"];
const MOST_EVENTS = 10_000;

export class NaiveExchange implements NaiveReader {
  readonly connectionSequence = null;
  private readonly products: ReadonlyMap<string, Product>;

  constructor(instruments: readonly Instrument[]) {
    this.products = new Map(
      instruments.map((instrument) => [instrument.symbol, { instrument, lastTrade: null, heartbeatTrade: null, tickerTrade: null }]),
    );
  }

  read(frame: string): Reading {
    return readJson(frame, (root) => this.readRoot(fieldsOf(root)));
  }

  readSnapshot(): Reading {
    return MALFORMED;
  }

  private readRoot(root: Fields): Reading {
    const type = stringOf(root.type);
    if (type === "error") return control("refused");
    if (type === "subscriptions") return control("acknowledged");
    if (!["l2update", "snapshot", "match", "last_match", "heartbeat", "ticker"].includes(type)) {
      demand(!isBookLike(root));
      return IGNORED;
    }
    const product = this.products.get(stringOf(root.product_id));
    if (product === undefined) return IGNORED;
    if (type === "l2update") return readChanges(root, product.instrument);
    if (type === "snapshot") return readWholeBook(root, product.instrument);
    if (type === "ticker") return readTicker(root, product);
    if (type === "heartbeat") return readHeartbeat(root, product);
    return readMatch(root, type, product);
  }
}

function readChanges(root: Fields, { symbol, tick, lot }: Instrument): Reading {
  const sides: Record<string, Level[]> = { buy: [], sell: [] };
  for (const change of listOf(root.changes)) {
    const [side, price, size] = listOf(change);
    demand(listOf(change).length === 3 && (side === "buy" || side === "sell"));
    sides[side as string]?.push([ticksOf(price, tick), lotsOf(size, lot)]);
  }
  const { buy: bids = [], sell: asks = [] } = sides;
  return events([{ kind: "depth", symbol, venueTime: timeOf(root.time), first: null, last: null, previous: null, bids, asks }]);
}

function readWholeBook(root: Fields, { symbol, tick, lot }: Instrument): Reading {
  const levels = (side: unknown): Level[] =>
    listOf(side).map((level) => {
      demand(listOf(level).length === 2);
      return [ticksOf(listOf(level)[0], tick), lotsOf(listOf(level)[1], lot)];
    });
  const venueTime = root.time === undefined ? null : timeOf(root.time);
  return events([{ kind: "snapshot", symbol, venueTime, last: null, bids: levels(root.bids), asks: levels(root.asks) }]);
}

function readMatch(root: Fields, type: string, product: Product): Reading {
  const tradeId = countOf(root.trade_id);
  const trade = type === "match" ? tradeOf(root, { product: product.instrument, tradeId }) : null;
  product.lastTrade = Math.max(product.lastTrade ?? 0, tradeId);
  return trade === null ? IGNORED : events([trade]);
}

function readTicker(root: Fields, product: Product): Reading {
  const tradeId = root.trade_id === undefined ? 0 : countOf(root.trade_id);
  const quote = quoteOf(root, product.instrument, { venueTime: timeOf(root.time), sizeKey: "size" });
  const { tickerTrade } = product;
  product.tickerTrade = tradeId;
  // The first is of a trade before the subscription, and so may be one that is not above the last.
  return tickerTrade === null || tradeId <= tickerTrade || quote === null ? IGNORED : events([quote]);
}

/** A trade that a heartbeat named, and that had still not come by the next one, is lost. */
function readHeartbeat(root: Fields, product: Product): Reading {
  const named = countOf(root.last_trade_id);
  const { lastTrade, heartbeatTrade } = product;
  product.heartbeatTrade = named;
  const isNewCount = lastTrade === null || named < lastTrade - 1_000_000;
  if (isNewCount) product.lastTrade = named;
  if (isNewCount || heartbeatTrade === null || heartbeatTrade <= lastTrade) return control("heartbeat");
  product.lastTrade = heartbeatTrade;
  return events([{ kind: "loss", symbol: product.instrument.symbol, channel: "trades" }]);
}

export class NaiveAdvanced implements NaiveReader {
  connectionSequence: number | null = null;
  private readonly bySymbol: ReadonlyMap<string, Instrument>;

  constructor(instruments: readonly Instrument[]) {
    this.bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  }

  read(frame: string): Reading {
    this.connectionSequence = null;
    return readJson(frame, (root) => this.readRoot(fieldsOf(root)));
  }

  readSnapshot(): Reading {
    return MALFORMED;
  }

  private readRoot(root: Fields): Reading {
    if (root.type === "error") return control("refused");
    const sequence = countOf(root.sequence_num);
    this.connectionSequence = sequence;
    const channel = stringOf(root.channel);
    if (channel === "heartbeats") return control("heartbeat");
    if (channel === "subscriptions") return control("acknowledged");
    if (channel === "market_trades") return this.readTrades(root);
    if (channel === "ticker") return this.readTickers(root);
    if (channel === "l2_data") return this.readBooks(root, sequence);
    demand(!(Array.isArray(root.events) && root.events.some(isBookLike)));
    return IGNORED;
  }

  private readBooks(root: Fields, sequence: number): Reading {
    const venueTime = timeOf(root.timestamp);
    const said: Said[] = [];
    for (const event of fieldsList(root.events)) {
      const instrument = this.bySymbol.get(stringOf(event.product_id));
      if (instrument === undefined) continue;
      demand(event.type === "snapshot" || event.type === "update");
      const levels = { symbol: instrument.symbol, venueTime, last: sequence, ...updatesOf(event.updates, instrument) };
      const before = said.findLast((each) => each.symbol === instrument.symbol);
      if (event.type === "snapshot") said.push({ kind: "snapshot", ...levels });
      // Updates of one message are one change of the book.
      else if (before?.kind === "depth")
        said.splice(said.indexOf(before), 1, { ...before, bids: [...before.bids, ...levels.bids], asks: [...before.asks, ...levels.asks] });
      else said.push({ kind: "depth", first: sequence, previous: null, ...levels });
    }
    return events(said);
  }

  private readTrades(root: Fields): Reading {
    const said: TradeSaid[] = [];
    for (const event of fieldsList(root.events)) {
      demand(event.type === "snapshot" || event.type === "update");
      if (event.type === "snapshot") continue;
      const trades: TradeSaid[] = [];
      for (const entry of fieldsList(event.trades)) {
        const product = this.bySymbol.get(stringOf(entry.product_id));
        if (product !== undefined) trades.push(tradeOf(entry, { product, tradeId: advancedTradeId(entry.trade_id) }));
      }
      said.push(...oldestFirst(trades));
    }
    return events(said);
  }

  private readTickers(root: Fields): Reading {
    const venueTime = timeOf(root.timestamp);
    const said: Said[] = [];
    for (const event of fieldsList(root.events)) {
      demand(event.type === "snapshot" || event.type === "update");
      if (event.type === "snapshot") continue;
      for (const ticker of fieldsList(event.tickers)) {
        const product = this.bySymbol.get(stringOf(ticker.product_id));
        const quote = product === undefined ? null : quoteOf(ticker, product, { venueTime, sizeKey: "quantity" });
        if (quote !== null) said.push(quote);
      }
    }
    return events(said);
  }
}

function updatesOf(updates: unknown, { tick, lot }: Instrument): { bids: Level[]; asks: Level[] } {
  const bids: Level[] = [];
  const asks: Level[] = [];
  for (const update of listOf(updates).map(fieldsOf)) {
    demand(update.side === "bid" || update.side === "offer");
    (update.side === "bid" ? bids : asks).push([ticksOf(update.price_level, tick), lotsOf(update.new_quantity, lot)]);
  }
  return { bids, asks };
}

/** The venue sends the newest first. */
function oldestFirst(trades: readonly TradeSaid[]): readonly TradeSaid[] {
  const [first] = trades;
  const last = trades.at(-1);
  if (first === undefined || last === undefined) return trades;
  const order = first.venueTime - last.venueTime || (first.tradeId ?? 0) - (last.tradeId ?? 0);
  return order > 0 ? trades.toReversed() : trades;
}

/** Digits, or of another text 52 bits of its hash: the one thing that is not read anew here, since any hash would do. */
function advancedTradeId(value: unknown): number {
  const id = stringOf(value);
  if (/^[1-9]\d*$/.test(id) && BigInt(id) <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(id);
  demand(id !== "" && id.length <= 80);
  return Number.parseInt(new ContentHash().text(id).digest().slice(0, 13), 16);
}

function tradeOf(entry: Fields, { product, tradeId }: { product: Instrument; tradeId: number }): TradeSaid {
  const lots = lotsOf(entry.size, product.lot);
  demand(lots > 0 && ["buy", "BUY", "sell", "SELL"].includes(stringOf(entry.side)));
  // The side is the maker's.
  const takerSide = /^b/i.test(String(entry.side)) ? "sell" : "buy";
  const ticks = ticksOf(entry.price, product.tick);
  return { kind: "trade", symbol: product.symbol, venueTime: timeOf(entry.time), tradeId, ticks, lots, takerSide };
}

/** Null for a top with an empty side. */
function quoteOf(
  ticker: Fields,
  { symbol, tick, lot }: Instrument,
  { venueTime, sizeKey }: { venueTime: number; sizeKey: string },
): QuoteSaid | null {
  const isEmpty = (price: unknown) => price === undefined || price === "" || (typeof price === "string" && /^0+(\.0+)?$/.test(price));
  if (isEmpty(ticker.best_bid) || isEmpty(ticker.best_ask)) return null;
  const sizeOf = (key: string) => (ticker[key] === undefined ? null : lotsOf(ticker[key], lot));
  const bid = [ticksOf(ticker.best_bid, tick), sizeOf(`best_bid_${sizeKey}`)] as const;
  const ask = [ticksOf(ticker.best_ask, tick), sizeOf(`best_ask_${sizeKey}`)] as const;
  return { kind: "quote", symbol, venueTime, sequence: null, bid, ask };
}

function fieldsList(value: unknown): readonly Fields[] {
  const list = listOf(value);
  demand(list.length <= MOST_EVENTS);
  return list.map(fieldsOf);
}

function isBookLike(value: unknown): boolean {
  return isFields(value) && BOOK_KEYS.some((key) => Object.hasOwn(value, key));
}
