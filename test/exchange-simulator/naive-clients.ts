/**
 * Clients of each venue in the plainest way, written from the venues' documents and from nothing of the simulator: a map from price text to size
 * text for each side. Each throws where the venue's own rule is broken.
 */

export type Level = readonly [price: number, size: number];

export interface PlainBook {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface PlainTrade {
  readonly symbol: string;
  readonly id: string;
  readonly price: number;
  readonly size: number;
  readonly takerSide: "buy" | "sell";
}

export class BrokenError extends Error {}

class Sides {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();

  set(isBid: boolean, price: string | number, size: string | number): void {
    const side = isBid ? this.bids : this.asks;
    if (Number(size) === 0) side.delete(Number(price));
    else side.set(Number(price), Number(size));
  }

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  get book(): PlainBook {
    const sorted = (side: Map<number, number>, sign: number) => [...side].sort(([left], [right]) => sign * (left - right));
    return { bids: sorted(this.bids, -1), asks: sorted(this.asks, 1) };
  }
}

export interface NaiveClient {
  hear(text: string): void;
  book(symbol: string): PlainBook;
  readonly trades: readonly PlainTrade[];
  /** Best prices that the venue told beside its book, last per symbol. */
  readonly quotes: ReadonlyMap<string, readonly [bid: number, ask: number]>;
}

interface BinanceDepth {
  readonly e: string;
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu?: number;
  readonly b: readonly [string, string][];
  readonly a: readonly [string, string][];
}

/** Spot: `U` follows the last `u`. Futures: `pu` is the last `u`. */
export class NaiveBinance implements NaiveClient {
  readonly trades: PlainTrade[] = [];
  readonly quotes = new Map<string, readonly [number, number]>();
  private readonly isFutures: boolean;
  private readonly books = new Map<string, { sides: Sides; lastId: number; applied: number }>();
  private readonly waiting: BinanceDepth[] = [];

  constructor(isFutures: boolean) {
    this.isFutures = isFutures;
  }

  /** The answer to `GET depth`. */
  snapshot(symbol: string, body: string): void {
    const { lastUpdateId, bids, asks } = JSON.parse(body) as { lastUpdateId: number; bids: [string, string][]; asks: [string, string][] };
    const sides = new Sides();
    for (const [price, size] of bids) sides.set(true, price, size);
    for (const [price, size] of asks) sides.set(false, price, size);
    this.books.set(symbol, { sides, lastId: lastUpdateId, applied: 0 });
    for (const depth of this.waiting) if (depth.s === symbol) this.apply(depth);
  }

  hear(text: string): void {
    const { data } = JSON.parse(text) as { data: Record<string, unknown> };
    if (data.e === "depthUpdate") {
      this.waiting.push(data as unknown as BinanceDepth);
      if (this.books.has(String(data.s))) this.apply(data as unknown as BinanceDepth);
    } else if (data.e === "trade") {
      const takerSide = data.m === true ? "sell" : "buy";
      this.trades.push({ symbol: String(data.s), id: String(data.t), price: Number(data.p), size: Number(data.q), takerSide });
    } else if (data.e === "bookTicker" || (data.e === undefined && data.u !== undefined)) {
      this.quotes.set(String(data.s), [Number(data.b), Number(data.a)]);
    }
  }

  book(symbol: string): PlainBook {
    return this.books.get(symbol)?.sides.book ?? { bids: [], asks: [] };
  }

  private apply(depth: BinanceDepth): void {
    const book = this.books.get(depth.s);
    if (book === undefined || (this.isFutures ? depth.u < book.lastId : depth.u <= book.lastId)) return;
    const continues = this.isFutures ? depth.pu === book.lastId : depth.U === book.lastId + 1;
    const joins = book.applied === 0 && depth.U <= (this.isFutures ? book.lastId : book.lastId + 1);
    if (!continues && !joins) throw new BrokenError(`${depth.s}: ${depth.U}..${depth.u} does not follow ${book.lastId}`);
    for (const [price, size] of depth.b) book.sides.set(true, price, size);
    for (const [price, size] of depth.a) book.sides.set(false, price, size);
    book.lastId = depth.u;
    book.applied++;
  }
}

interface AdvancedMessage {
  readonly channel: string;
  readonly sequence_num: number;
  readonly events: readonly AdvancedEvent[];
}

interface AdvancedEvent {
  readonly type?: string;
  readonly product_id?: string;
  readonly updates?: readonly { side: "bid" | "offer"; price_level: string; new_quantity: string }[];
  readonly trades?: readonly { trade_id: string; product_id: string; price: string; size: string; side: "BUY" | "SELL" }[];
  readonly tickers?: readonly { product_id: string; best_bid: string; best_ask: string }[];
  readonly heartbeat_counter?: number;
}

/** `sequence_num` counts every message of the connection; trades have the maker's side. */
export class NaiveAdvanced implements NaiveClient {
  readonly trades: PlainTrade[] = [];
  readonly quotes = new Map<string, readonly [number, number]>();
  readonly heartbeats: number[] = [];
  /** Most events seen in one message. */
  mostEvents = 0;
  private readonly books = new Map<string, Sides>();
  private next = 0;

  hear(text: string): void {
    const message = JSON.parse(text) as AdvancedMessage;
    if (message.sequence_num !== this.next) throw new BrokenError(`sequence_num ${message.sequence_num} instead of ${this.next}`);
    this.next++;
    this.mostEvents = Math.max(this.mostEvents, message.events.length);
    for (const event of message.events) {
      if (message.channel === "l2_data") this.hearBook(event);
      if (message.channel === "market_trades" && event.type === "update") this.hearTrades(event);
      if (event.heartbeat_counter !== undefined) this.heartbeats.push(event.heartbeat_counter);
      for (const ticker of event.tickers ?? []) this.quotes.set(ticker.product_id, [Number(ticker.best_bid), Number(ticker.best_ask)]);
    }
  }

  book(symbol: string): PlainBook {
    return this.books.get(symbol)?.book ?? { bids: [], asks: [] };
  }

  private hearBook({ type, product_id = "", updates = [] }: AdvancedEvent): void {
    if (type === "snapshot") this.books.set(product_id, new Sides());
    const sides = this.books.get(product_id);
    if (sides === undefined) throw new BrokenError(`an update of ${product_id} before its snapshot`);
    for (const { side, price_level, new_quantity } of updates) sides.set(side === "bid", price_level, new_quantity);
  }

  private hearTrades({ trades = [] }: AdvancedEvent): void {
    for (const { trade_id, product_id, price, size, side } of trades) {
      const takerSide = side === "BUY" ? "sell" : "buy";
      this.trades.push({ symbol: product_id, id: trade_id, price: Number(price), size: Number(size), takerSide });
    }
  }
}

interface ExchangeMessage {
  readonly type: string;
  readonly product_id: string;
  readonly bids?: readonly [string, string][];
  readonly asks?: readonly [string, string][];
  readonly changes?: readonly ["buy" | "sell", string, string][];
  readonly trade_id?: number;
  readonly price?: string;
  readonly size?: string;
  readonly side?: "buy" | "sell";
  readonly best_bid?: string;
  readonly best_ask?: string;
}

/** No number on the book; trade ids are consecutive, and a match has the maker's side. */
export class NaiveExchange implements NaiveClient {
  readonly trades: PlainTrade[] = [];
  readonly quotes = new Map<string, readonly [number, number]>();
  private readonly books = new Map<string, Sides>();
  private readonly lastTrade = new Map<string, number>();

  hear(text: string): void {
    const message = JSON.parse(text) as ExchangeMessage;
    const { type, product_id } = message;
    if (type === "snapshot") this.books.set(product_id, new Sides());
    const sides = this.books.get(product_id);
    if (type === "l2update" && sides === undefined) throw new BrokenError(`an update of ${product_id} before its snapshot`);
    for (const [price, size] of message.bids ?? []) sides?.set(true, price, size);
    for (const [price, size] of message.asks ?? []) sides?.set(false, price, size);
    for (const [side, price, size] of message.changes ?? []) sides?.set(side === "buy", price, size);
    if (type === "ticker") this.quotes.set(product_id, [Number(message.best_bid), Number(message.best_ask)]);
    if (type === "match" || type === "last_match") this.hearMatch(message);
  }

  book(symbol: string): PlainBook {
    return this.books.get(symbol)?.book ?? { bids: [], asks: [] };
  }

  private hearMatch({ type, product_id, trade_id = 0, price, size, side }: ExchangeMessage): void {
    const last = this.lastTrade.get(product_id);
    if (last !== undefined && trade_id !== last + 1) throw new BrokenError(`trade ${trade_id} of ${product_id} behind ${last}`);
    this.lastTrade.set(product_id, trade_id);
    if (type === "last_match") return;
    const takerSide = side === "buy" ? "sell" : "buy";
    this.trades.push({ symbol: product_id, id: String(trade_id), price: Number(price), size: Number(size), takerSide });
  }
}

interface BitmexRow {
  readonly symbol: string;
  readonly id: number;
  readonly side: "Buy" | "Sell";
  readonly size?: number;
  readonly price?: number;
  readonly trdMatchID?: string;
  readonly bidPrice?: number;
  readonly askPrice?: number;
}

/** Rows keyed by symbol, id and side; all before the partial is dropped; an unknown id is lost data. A row may change side. */
export class NaiveBitmex implements NaiveClient {
  readonly trades: PlainTrade[] = [];
  readonly quotes = new Map<string, readonly [number, number]>();
  private readonly table: string;
  private readonly rows = new Map<string, Map<number, { isBid: boolean; price: number; size: number }>>();

  /** @param table orderBookL2 or orderBookL2_25. */
  constructor(table = "orderBookL2") {
    this.table = table;
  }

  hear(text: string): void {
    if (text === "pong") return;
    const { table, action, data, filter } = JSON.parse(text) as {
      table?: string;
      action?: string;
      data?: readonly BitmexRow[];
      filter?: { symbol?: string };
    };
    if (data === undefined) return;
    if (table === "quote") for (const row of data) this.quotes.set(row.symbol, [row.bidPrice ?? Number.NaN, row.askPrice ?? Number.NaN]);
    if (table === "trade" && action === "insert") for (const row of data) this.hearTrade(row);
    if (table !== this.table) return;
    if (action === "partial" && filter?.symbol !== undefined) this.rows.set(filter.symbol, new Map());
    for (const row of data) this.hearRow(action ?? "", row);
  }

  book(symbol: string): PlainBook {
    const sides = new Sides();
    for (const { isBid, price, size } of this.rows.get(symbol)?.values() ?? []) sides.set(isBid, price, size);
    return sides.book;
  }

  private hearRow(action: string, { symbol, id, side, size = 0, price }: BitmexRow): void {
    const rows = this.rows.get(symbol);
    if (rows === undefined) return;
    const held = rows.get(id);
    const isNew = action === "partial" || action === "insert";
    if (isNew === (held !== undefined)) throw new BrokenError(`${action} of ${id}, which is ${held === undefined ? "unknown" : "there"}`);
    if (action === "delete") rows.delete(id);
    else rows.set(id, { isBid: side === "Buy", price: price ?? held?.price ?? Number.NaN, size });
  }

  private hearTrade({ symbol, trdMatchID = "", price = 0, size = 0, side }: BitmexRow): void {
    this.trades.push({ symbol, id: trdMatchID, price, size, takerSide: side === "Buy" ? "buy" : "sell" });
  }
}
