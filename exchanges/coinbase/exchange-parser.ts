/**
 * The slow and complete reading of a frame of the Exchange feed: JSON.parse, then every field that we use checked for its type and grid.
 *
 * It defines what a frame means; the scanner (exchange-scanner.ts) is a shortcut through the layouts that make up nearly all traffic.
 * Payloads: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (read 2026-11-27), and a capture of 2021-04-17. Fields that we don't
 * use are not looked at. New types are ignored, as the venue asks; one that holds levels is malformed, since it may be a change of a book.
 *
 * `last_match` is the trade before the subscription: it was not received as it happened, so it is no trade of ours; its id says where
 * the count begins. The first ticker is of that trade, too. A ticker's `sequence` is of another numbering than the book's, which has none.
 */

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
import { type ExchangeMarket, OLD_TICKER, sawHeartbeat, sawTicker, sawTrade } from "./exchange-markets.ts";
import {
  addLevel,
  type CoinbaseMarket,
  decodedOf,
  endLevels,
  holdsLevels,
  malformed,
  notOurs,
  onlyOf,
  readQuote,
  type SidedLevels,
  symbolsNamedIn,
  type TopFields,
  takerSideOf,
  timeOf,
} from "./messages.ts";

const TOP: TopFields = { bid: "best_bid", bidSize: "best_bid_size", ask: "best_ask", askSize: "best_ask_size" };

const CHANNEL_OF_TYPE: ReadonlyMap<unknown, Channel> = new Map([
  ["l2update", "depth"],
  ["snapshot", "depth"],
  ["match", "trades"],
  ["last_match", "trades"],
  ["heartbeat", "trades"],
  ["ticker", "quotes"],
] as const);

export class ExchangeParser {
  private readonly buffers: EventBuffers;
  private readonly levels: SidedLevels;
  private readonly markets: ReadonlyMap<string, ExchangeMarket>;

  constructor(buffers: EventBuffers, levels: SidedLevels, markets: ReadonlyMap<string, ExchangeMarket>) {
    this.buffers = buffers;
    this.levels = levels;
    this.markets = markets;
  }

  parse(frame: string): Decoded {
    const root = parseJson(frame);
    if (!isObject(root)) return this.unreadable(root === undefined ? "not JSON" : `not an object: ${shown(root)}`, frame);
    try {
      return this.readRoot(root);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const market = typeof root.product_id === "string" ? this.markets.get(root.product_id) : undefined;
      return this.lost(error.message, market ?? null, CHANNEL_OF_TYPE.get(root.type) ?? null);
    }
  }

  /** A frame that is no JSON, or too long to be read: what it was is known as far as its text says. */
  unreadable(reason: string, frame: string): Decoded {
    const head = frame.slice(0, NAMED_WITHIN);
    const symbol = onlyOf(symbolsNamedIn(head, this.markets));
    const market = symbol === null ? undefined : this.markets.get(symbol);
    return this.lost(reason, market ?? null, CHANNEL_OF_TYPE.get(/^\s*\{\s*"type"\s*:\s*"(\w+)"/.exec(head)?.[1]) ?? null);
  }

  /** A message that may have been of a book counts as one of its messages, so that the next does not follow. */
  private lost(reason: string, market: ExchangeMarket | null, channel: Channel | null): Decoded {
    if (channel === null || channel === "depth") for (const each of market === null ? this.markets.values() : [market]) each.changes++;
    return malformed(reason, market === null ? null : market.symbol, channel);
  }

  private readRoot(root: JsonObject): Decoded {
    const type = textField(root, "type");
    if (type === "error") return refusal(`${shown(root.message)}: ${shown(root.reason)}`);
    if (type === "subscriptions") return { kind: "control", control: "acknowledged", detail: "subscriptions" };
    if (!CHANNEL_OF_TYPE.has(type)) {
      if (holdsLevels(root)) throw new FieldError(`levels in a message of type ${shown(type)}`);
      return { kind: "ignored", reason: `type ${shown(type)} is not one we keep` };
    }
    const market = this.markets.get(textField(root, "product_id"));
    if (market === undefined) return notOurs(root.product_id);
    switch (type) {
      case "l2update":
        return this.readChanges(market, root);
      case "snapshot":
        return this.readSnapshot(market, root);
      case "match":
        return this.readMatch(market, root);
      case "last_match":
        sawTrade(market, integerField(root, "trade_id"));
        return { kind: "ignored", reason: "the last trade before the subscription" };
      case "ticker":
        return readTicker(market, root);
      default:
        return readHeartbeat(market, root);
    }
  }

  private readChanges(market: ExchangeMarket, root: JsonObject): Decoded {
    const { depth } = this.buffers;
    const venueTime = timeOf(root.time, `"time"`);
    this.levels.begin();
    for (const [index, change] of arrayField(root, "changes").entries()) {
      const name = `change ${index}`;
      if (!Array.isArray(change) || change.length !== 3) throw new FieldError(`${name} is ${shown(change)}, not [side, price, size]`);
      const [side, price, size] = change as readonly unknown[];
      if (side !== "buy" && side !== "sell") throw new FieldError(`side of ${name} is ${shown(side)}, neither buy nor sell`);
      addLevel(this.levels, market, { isBid: side === "buy", price, size, name });
    }
    endLevels(this.levels);
    depth.symbol = market.symbol;
    depth.venueTime = venueTime;
    market.changes++;
    depth.firstSequence = market.changes;
    depth.lastSequence = market.changes;
    return this.buffers.depthDecoded;
  }

  private readSnapshot(market: ExchangeMarket, root: JsonObject): Decoded {
    const { snapshot } = this.buffers;
    // Today's carries a time, that of 2021 none.
    const venueTime = root.time === undefined ? null : timeOf(root.time, `"time"`);
    this.levels.begin();
    this.readSide(market, root, "bids");
    this.readSide(market, root, "asks");
    endLevels(this.levels);
    snapshot.symbol = market.symbol;
    snapshot.venueTime = venueTime;
    snapshot.lastSequence = 0;
    market.changes = 0;
    market.hasSnapshot = true;
    return this.buffers.snapshotDecoded;
  }

  private readSide(market: CoinbaseMarket, root: JsonObject, side: "bids" | "asks"): void {
    for (const [index, level] of arrayField(root, side).entries()) {
      const name = `${side} ${index}`;
      if (!Array.isArray(level) || level.length !== 2) throw new FieldError(`${name} is ${shown(level)}, not [price, size]`);
      addLevel(this.levels, market, { isBid: side === "bids", price: level[0], size: level[1], name });
    }
  }

  private readMatch(market: ExchangeMarket, root: JsonObject): Decoded {
    const { trade } = this.buffers;
    const tradeId = integerField(root, "trade_id");
    trade.symbol = market.symbol;
    trade.tradeId = tradeId;
    trade.venueTime = timeOf(root.time, `"time"`);
    trade.priceTicks = ticksOf(root.price, `"price"`, market.tick);
    trade.sizeLots = lotsOf(root.size, `"size"`, market.lot);
    if (trade.sizeLots === 0) throw new FieldError(`"size" is ${shown(root.size)}, not above zero`);
    trade.takerSide = takerSideOf(root.side);
    sawTrade(market, tradeId);
    return this.buffers.tradeDecoded;
  }
}

/** Characters of an unusable frame in which its product is looked for: a match names it behind two ids of 36. */
const NAMED_WITHIN = 1_000;

function readTicker(market: ExchangeMarket, root: JsonObject): Decoded {
  // A market without a trade yet has a ticker without one.
  const tradeId = root.trade_id === undefined ? 0 : integerField(root, "trade_id");
  const quote = readQuote(market, root, { venueTime: timeOf(root.time, `"time"`), fields: TOP });
  if (!sawTicker(market, tradeId)) return OLD_TICKER;
  return quote === null ? { kind: "ignored", reason: "a quote with an empty side" } : { kind: "event", event: quote };
}

function readHeartbeat(market: ExchangeMarket, root: JsonObject): Decoded {
  const lost = sawHeartbeat(market, integerField(root, "last_trade_id"));
  const heartbeat: Decoded = { kind: "control", control: "heartbeat", detail: `heartbeat of ${market.symbol}` };
  if (lost === null) return heartbeat;
  const detail = `the heartbeat names trade ${lost.to}, and ${lost.from} to ${lost.to} never came`;
  return decodedOf([{ kind: "loss", symbol: market.symbol, channel: "trades", reason: "sequence-gap", detail }]) ?? heartbeat;
}
