/**
 * The slow and complete reading of a frame of Advanced Trade: JSON.parse, then every field that we use checked for its type and grid.
 *
 * It defines what a frame means; the scanner (advanced-scanner.ts) is a shortcut through the layout that makes up nearly all traffic.
 * Payloads: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels (read 2026-11-27), and frames that users
 * recorded in 2026. A frame may hold several events of several products: all are read before the first is given out.
 *
 * `sequence_num` counts the connection's frames. It is taken before anything else of the frame is looked at: a frame that can't be read
 * has still come, and only its own products are lost by it. Where not even the number can be read, the next one shows a hole.
 * `timestamp` is the time of all that a frame says of books and tops; a level's `event_time` is 1970 in some snapshots, and not looked at.
 * `market_trades` begins with a snapshot of trades before the subscription: not received as they happened, so they are no trades of ours. An update
 * gathers 250 ms, the newest first; trades are given out in the order in which they happened.
 * `ticker` begins likewise with the top right behind the last trade before the subscription, however long ago (see exchange-markets.ts): passed over.
 * `candles` are of five minutes: ignored. New channels are ignored, as the venue asks; one that holds levels is malformed.
 */

import type { QuoteEvent, TradeEvent } from "../../core/market/event.ts";
import { ContentHash } from "../../core/math/hash.ts";
import type { Channel, Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import {
  arrayField,
  FieldError,
  integerField,
  isObject,
  type JsonObject,
  lotsOf,
  parseJson,
  shown,
  textField,
  ticksOf,
} from "../decoding/json-fields.ts";
import { refusal } from "../decoding/refusal.ts";
import {
  addLevel,
  type CoinbaseMarket,
  decodedOf,
  endLevels,
  holdsLevels,
  MAX_EVENTS_PER_FRAME,
  malformed,
  onlyOf,
  readQuote,
  type SidedLevels,
  symbolsNamedIn,
  type TopFields,
  takerSideOf,
  timeOf,
} from "./messages.ts";

const TOP: TopFields = { bid: "best_bid", bidSize: "best_bid_quantity", ask: "best_ask", askSize: "best_ask_quantity" };

const CHANNEL_OF_NAME: ReadonlyMap<unknown, Channel> = new Map([
  ["l2_data", "depth"],
  ["market_trades", "trades"],
  ["ticker", "quotes"],
] as const);

/** An event of a frame that speaks of one book. */
interface BookPart {
  readonly market: CoinbaseMarket;
  readonly isSnapshot: boolean;
  updates: readonly unknown[];
}

export class AdvancedParser {
  /** The frame's number; null where it has none, or none that can be read. */
  sequence: number | null = null;
  private readonly buffers: EventBuffers;
  private readonly levels: SidedLevels;
  private readonly markets: ReadonlyMap<string, CoinbaseMarket>;

  constructor(buffers: EventBuffers, levels: SidedLevels, markets: ReadonlyMap<string, CoinbaseMarket>) {
    this.buffers = buffers;
    this.levels = levels;
    this.markets = markets;
  }

  parse(frame: string): Decoded {
    this.sequence = null;
    const root = parseJson(frame);
    if (!isObject(root)) return this.unreadable(root === undefined ? "not JSON" : `not an object: ${shown(root)}`, frame);
    try {
      return this.readRoot(root);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      // A frame of several products is lost to all of them.
      const symbol = onlyOf(symbolsNamedIn(frame, this.markets));
      return malformed(error.message, symbol, CHANNEL_OF_NAME.get(root.channel) ?? null);
    }
  }

  /** A frame that is no JSON, or too long to be read. Its number is not taken, so that the next one shows a hole: it may have been of others too. */
  unreadable(reason: string, frame: string): Decoded {
    this.sequence = null;
    const head = frame.slice(0, NAMED_WITHIN);
    const channel = /^\s*\{\s*"channel"\s*:\s*"(\w+)"/.exec(head)?.[1];
    return malformed(reason, onlyOf(symbolsNamedIn(head, this.markets)), CHANNEL_OF_NAME.get(channel) ?? null);
  }

  private readRoot(root: JsonObject): Decoded {
    if (root.type === "error") return refusal(shown(root.message));
    this.sequence = integerField(root, "sequence_num");
    const channel = textField(root, "channel");
    switch (channel) {
      case "l2_data":
        return this.readBooks(root, this.sequence);
      case "market_trades":
        return this.readTrades(root);
      case "ticker":
        return this.readTickers(root);
      case "heartbeats":
        return { kind: "control", control: "heartbeat", detail: "heartbeats" };
      case "subscriptions":
        return { kind: "control", control: "acknowledged", detail: "subscriptions" };
      default:
        if (Array.isArray(root.events) && root.events.some(holdsLevels)) throw new FieldError(`levels in channel ${shown(channel)}`);
        return { kind: "ignored", reason: `channel ${shown(channel)} is not one we keep` };
    }
  }

  private readBooks(root: JsonObject, sequence: number): Decoded {
    const venueTime = timeOf(root.timestamp, `"timestamp"`);
    const parts = this.bookParts(root);
    const [first] = parts;
    if (first === undefined) return NONE_OF_OURS;
    let decoded: Extract<Decoded, { kind: "event" }> = this.readBook(first, venueTime, sequence);
    if (parts.length === 1) return decoded;
    for (const part of parts.slice(1)) this.readBook(part, venueTime, sequence);
    let at = 0;
    return {
      kind: "events",
      next: () => {
        const part = parts[at++];
        if (part === undefined) return null;
        decoded = this.readBook(part, venueTime, sequence);
        return decoded.event;
      },
    };
  }

  private bookParts(root: JsonObject): BookPart[] {
    const parts: BookPart[] = [];
    for (const event of eventsOf(root)) {
      const market = this.markets.get(textField(event, "product_id"));
      if (market === undefined) continue;
      if (event.type !== "snapshot" && event.type !== "update") throw new FieldError(`"type" is ${shown(event.type)} in l2_data`);
      const updates = arrayField(event, "updates");
      const before = parts.findLast((part) => part.market === market);
      // Two updates of a product in one message are one change of its book: between them it may be crossed.
      if (event.type === "update" && before?.isSnapshot === false) before.updates = [...before.updates, ...updates];
      else parts.push({ market, isSnapshot: event.type === "snapshot", updates });
    }
    return parts;
  }

  private readBook({ market, isSnapshot, updates }: BookPart, venueTime: number, sequence: number): Extract<Decoded, { kind: "event" }> {
    this.levels.begin();
    for (const [index, update] of updates.entries()) {
      const name = `update ${index}`;
      if (!isObject(update)) throw new FieldError(`${name} is ${shown(update)}, not an object`);
      const { side } = update;
      if (side !== "bid" && side !== "offer") throw new FieldError(`side of ${name} is ${shown(side)}, neither bid nor offer`);
      addLevel(this.levels, market, { isBid: side === "bid", price: update.price_level, size: update.new_quantity, name });
    }
    endLevels(this.levels);
    const { depth, snapshot } = this.buffers;
    if (isSnapshot) {
      snapshot.symbol = market.symbol;
      snapshot.venueTime = venueTime;
      snapshot.lastSequence = sequence;
      return { kind: "event", event: snapshot };
    }
    depth.symbol = market.symbol;
    depth.venueTime = venueTime;
    depth.firstSequence = sequence;
    depth.lastSequence = sequence;
    return { kind: "event", event: depth };
  }

  private readTrades(root: JsonObject): Decoded {
    const trades: TradeEvent[] = [];
    let isPast = false;
    for (const event of eventsOf(root)) {
      if (event.type === "snapshot") isPast = true;
      else if (event.type === "update") trades.push(...inOrder(this.tradesOf(event)));
      else throw new FieldError(`"type" is ${shown(event.type)} in market_trades`);
    }
    return decodedOf(trades) ?? (isPast ? { kind: "ignored", reason: "trades before the subscription" } : NONE_OF_OURS);
  }

  private tradesOf(event: JsonObject): TradeEvent[] {
    const trades: TradeEvent[] = [];
    for (const entry of boundedArray(event, "trades")) {
      const market = this.markets.get(textField(entry, "product_id"));
      if (market !== undefined) trades.push(readTrade(market, entry));
    }
    return trades;
  }

  private readTickers(root: JsonObject): Decoded {
    const venueTime = timeOf(root.timestamp, `"timestamp"`);
    const quotes: QuoteEvent[] = [];
    let isPast = false;
    for (const event of eventsOf(root)) {
      if (event.type === "snapshot") {
        isPast = true;
        continue;
      }
      if (event.type !== "update") throw new FieldError(`"type" is ${shown(event.type)} in ticker`);
      for (const ticker of boundedArray(event, "tickers")) {
        const market = this.markets.get(textField(ticker, "product_id"));
        const quote = market === undefined ? null : readQuote(market, ticker, { venueTime, fields: TOP });
        if (quote !== null) quotes.push(quote);
      }
    }
    const reason = isPast ? "the quote of a trade before the subscription" : "no quote of this feed's products with both sides";
    return decodedOf(quotes) ?? { kind: "ignored", reason };
  }
}

/** Characters of an unusable frame in which its product is looked for: an update names it behind the frame's head. */
const NAMED_WITHIN = 1_000;
const NONE_OF_OURS: Decoded = { kind: "ignored", reason: "no product of this feed's" };

function eventsOf(root: JsonObject): readonly JsonObject[] {
  return boundedArray(root, "events");
}

function boundedArray(object: JsonObject, key: string): readonly JsonObject[] {
  const values = arrayField(object, key);
  if (values.length > MAX_EVENTS_PER_FRAME) throw new FieldError(`"${key}" has ${values.length} entries, at most ${MAX_EVENTS_PER_FRAME}`);
  return values.map((value, index) => {
    if (!isObject(value)) throw new FieldError(`entry ${index} of "${key}" is ${shown(value)}, not an object`);
    return value;
  });
}

function readTrade(market: CoinbaseMarket, entry: JsonObject): TradeEvent {
  const sizeLots = lotsOf(entry.size, `"size"`, market.lot);
  if (sizeLots === 0) throw new FieldError(`"size" is ${shown(entry.size)}, not above zero`);
  return {
    kind: "trade",
    symbol: market.symbol,
    venueTime: timeOf(entry.time, `"time"`),
    tradeId: tradeIdOf(textField(entry, "trade_id")),
    priceTicks: ticksOf(entry.price, `"price"`, market.tick),
    sizeLots,
    takerSide: takerSideOf(entry.side),
  };
}

/** Spot ids are digits; of any other text, such as a UUID, 52 bits of a hash. */
function tradeIdOf(id: string): number {
  const number = /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
  if (number !== null && Number.isSafeInteger(number)) return number;
  if (id === "" || id.length > MAX_TRADE_ID) throw new FieldError(`"trade_id" is ${shown(id)}, not an id`);
  return Number.parseInt(new ContentHash().text(id).digest().slice(0, 13), 16);
}

/** A UUID has 36. */
const MAX_TRADE_ID = 80;

/** The venue sends the newest first; at equal times only the list's own order tells. */
function inOrder(trades: TradeEvent[]): TradeEvent[] {
  const [first] = trades;
  const last = trades.at(-1);
  if (first === undefined || last === undefined) return trades;
  const isNewestFirst = first.venueTime > last.venueTime || (first.venueTime === last.venueTime && first.tradeId > last.tradeId);
  return isNewestFirst ? trades.toReversed() : trades;
}
