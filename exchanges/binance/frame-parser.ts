/**
 * The slow and complete reading of a frame: JSON.parse, then every field that we use checked for its type, range and grid.
 *
 * It defines what a frame means. The scanner (frame-scanner.ts) is a shortcut through the layouts that make up nearly all traffic, and
 * hands whatever else it meets to this file.
 *
 * Payloads: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21); futures differ by `T`, `ps`, `pu`
 * and the order type `X`. Fields that we don't use are not looked at, so the venue may add some.
 */

import type { Decoded } from "../contract.ts";
import { type EventBuffers, MAX_LEVELS_PER_MESSAGE } from "../decoding/event-buffers.ts";
import {
  arrayField,
  booleanField,
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
import type { BinanceMarket, BinanceProduct } from "./markets.ts";

export class FrameParser {
  private readonly buffers: EventBuffers;
  private readonly markets: ReadonlyMap<string, BinanceMarket>;
  private readonly product: BinanceProduct;

  constructor(buffers: EventBuffers, markets: ReadonlyMap<string, BinanceMarket>, product: BinanceProduct) {
    this.buffers = buffers;
    this.markets = markets;
    this.product = product;
  }

  parse(frame: string): Decoded {
    const root = parseJson(frame);
    if (!isObject(root)) return malformed(root === undefined ? "not JSON" : `not an object: ${shown(root)}`, this.symbolNamedIn(frame));
    try {
      return this.readRoot(root);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return malformed(error.message, this.symbolNamedIn(frame));
    }
  }

  parseSnapshot(symbol: string, body: string): Decoded {
    const market = this.markets.get(symbol);
    if (market === undefined) return malformed(`a snapshot for ${shown(symbol)}, which this decoder does not know`, null);
    const root = parseJson(body);
    if (!isObject(root)) return malformed(root === undefined ? "snapshot: not JSON" : `snapshot: not an object: ${shown(root)}`, symbol);
    try {
      return this.readSnapshot(market, root);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return malformed(`snapshot: ${error.message}`, symbol);
    }
  }

  private readRoot(root: JsonObject): Decoded {
    if (typeof root.stream === "string" && "data" in root) {
      const data = root.data;
      if (!isObject(data)) throw new FieldError(`"data" is ${shown(data)}, not an object`);
      return this.readStream(root.stream, data);
    }
    if (root.e === "serverShutdown") return closing();
    const failure = isObject(root.error) ? root.error : root;
    if ("msg" in failure) return refusal(`${shown(failure.code)}: ${shown(failure.msg)}`);
    if ("result" in root) return { kind: "control", control: "acknowledged", detail: `request ${shown(root.id)}` };
    throw new FieldError("neither a combined-stream frame nor an answer to a request");
  }

  private readStream(stream: string, data: JsonObject): Decoded {
    if (data.e === "serverShutdown") return closing();
    const at = stream.indexOf("@");
    const channel = stream.slice(at + 1).split(/[@_]/, 1)[0] ?? "";
    const kind = this.kindOf(channel, data);
    if (kind === null) return { kind: "ignored", reason: `channel "${shown(channel).slice(1, -1)}" is not one we keep` };
    const market = this.markets.get(textField(data, "s"));
    if (market === undefined) return { kind: "ignored", reason: `symbol ${shown(data.s)} is not one of this feed's` };
    if (stream.slice(0, at) !== market.streamSymbol) throw new FieldError(`stream ${shown(stream)} carries ${shown(data.s)}`);
    switch (kind) {
      case "depthUpdate":
        return this.readDepth(market, data);
      case "trade":
        return this.readTrade(market, data);
      case "bookTicker":
        return this.readQuote(market, data);
      case "kline":
        return this.readKline(market, data);
    }
  }

  /** The event's type, which must be the stream's. Spot quotes carry none. Null for channels that we keep nothing of. */
  private kindOf(channel: string, data: JsonObject): StreamKind | null {
    const kind = KIND_OF_CHANNEL.get(channel) ?? null;
    if (kind === null) return null;
    const isUnmarked = kind === "bookTicker" && this.product === "spot" && data.e === undefined;
    if (!isUnmarked && data.e !== kind) throw new FieldError(`"e" is ${shown(data.e)} on a ${channel} stream`);
    return kind;
  }

  private readDepth(market: BinanceMarket, data: JsonObject): Decoded {
    const { depth } = this.buffers;
    depth.symbol = market.symbol;
    depth.venueTime = integerField(data, "E");
    depth.firstSequence = integerField(data, "U");
    depth.lastSequence = integerField(data, "u");
    depth.previousSequence = this.product === "futures" ? integerField(data, "pu") : null;
    if (depth.firstSequence > depth.lastSequence) throw new FieldError(`"U" ${depth.firstSequence} is above "u" ${depth.lastSequence}`);
    this.readLevels(market, arrayField(data, "b"), arrayField(data, "a"));
    return this.buffers.depthDecoded;
  }

  private readSnapshot(market: BinanceMarket, root: JsonObject): Decoded {
    if ("msg" in root) throw new FieldError(`the venue answered ${shown(root.code)}: ${shown(root.msg)}`);
    const { snapshot } = this.buffers;
    snapshot.symbol = market.symbol;
    snapshot.venueTime = this.product === "futures" ? integerField(root, "E") : null;
    snapshot.lastSequence = integerField(root, "lastUpdateId");
    if ("symbol" in root && root.symbol !== market.symbol) throw new FieldError(`it is for ${shown(root.symbol)}`);
    this.readLevels(market, arrayField(root, "bids"), arrayField(root, "asks"));
    return this.buffers.snapshotDecoded;
  }

  private readLevels(market: BinanceMarket, bids: readonly unknown[], asks: readonly unknown[]): void {
    const { levels } = this.buffers;
    const count = bids.length + asks.length;
    if (count > MAX_LEVELS_PER_MESSAGE) throw new FieldError(`too many levels: ${count}, at most ${MAX_LEVELS_PER_MESSAGE}`);
    while (levels.capacity < count) levels.grow();
    const { batch } = levels;
    batch.bidCount = bids.length;
    batch.askCount = asks.length;
    for (let index = 0; index < count; index++) {
      const isBid = index < bids.length;
      const level = isBid ? bids[index] : asks[index - bids.length];
      const name = isBid ? `bid ${index}` : `ask ${index - bids.length}`;
      if (!Array.isArray(level) || level.length !== 2) throw new FieldError(`${name} is ${shown(level)}, not [price, size]`);
      batch.priceTicks[index] = ticksOf(level[0], `price of ${name}`, market.tick);
      batch.sizeLots[index] = lotsOf(level[1], `size of ${name}`, market.lot);
    }
  }

  private readTrade(market: BinanceMarket, data: JsonObject): Decoded {
    // Futures send liquidation-fund and adjustment prints on the trade stream, with price and size zero for some of them.
    if (this.product === "futures" && textField(data, "X") !== "MARKET") return { kind: "ignored", reason: "not a market trade" };
    const { trade } = this.buffers;
    trade.symbol = market.symbol;
    trade.venueTime = integerField(data, "T");
    trade.tradeId = integerField(data, "t");
    trade.priceTicks = ticksOf(data.p, `"p"`, market.tick);
    trade.sizeLots = lotsOf(data.q, `"q"`, market.lot);
    if (trade.sizeLots === 0) throw new FieldError(`"q" is ${shown(data.q)}, not above zero`);
    // `m`: the buyer was the maker, so the taker sold.
    trade.takerSide = booleanField(data, "m") ? "sell" : "buy";
    return this.buffers.tradeDecoded;
  }

  private readQuote(market: BinanceMarket, data: JsonObject): Decoded {
    const { quote } = this.buffers;
    quote.symbol = market.symbol;
    quote.venueTime = this.product === "futures" ? integerField(data, "E") : null;
    quote.sequence = integerField(data, "u");
    // The venue writes an empty side as price 0: that is an absence, not a price.
    if (isZero(data.b) || isZero(data.a)) return { kind: "ignored", reason: "a quote with an empty side" };
    quote.bidTicks = ticksOf(data.b, `"b"`, market.tick);
    quote.bidLots = lotsOf(data.B, `"B"`, market.lot);
    quote.askTicks = ticksOf(data.a, `"a"`, market.tick);
    quote.askLots = lotsOf(data.A, `"A"`, market.lot);
    return this.buffers.quoteDecoded;
  }

  private readKline(market: BinanceMarket, data: JsonObject): Decoded {
    const bar = data.k;
    if (!isObject(bar)) throw new FieldError(`"k" is ${shown(bar)}, not an object`);
    if (bar.i !== "1m") return { kind: "ignored", reason: `bars of ${shown(bar.i)}, not of one minute` };
    if (bar.s !== market.symbol) throw new FieldError(`a bar of ${shown(bar.s)} for ${market.symbol}`);
    const ticks = (key: string) => ticksOf(bar[key], `"k.${key}"`, market.tick);
    const lots = (key: string) => lotsOf(bar[key], `"k.${key}"`, market.lot);
    return this.buffers.klineDecoded({
      kind: "kline",
      symbol: market.symbol,
      venueTime: integerField(data, "E"),
      openTime: integerField(bar, "t"),
      closeTime: integerField(bar, "T"),
      openTicks: ticks("o"),
      highTicks: ticks("h"),
      lowTicks: ticks("l"),
      closeTicks: ticks("c"),
      volumeLots: lots("v"),
      takerBuyLots: lots("V"),
      trades: integerField(bar, "n"),
      isClosed: booleanField(bar, "x"),
    });
  }

  /** The symbol that an unusable frame was for, as far as its beginning says; null when it doesn't name one of ours. */
  private symbolNamedIn(frame: string): string | null {
    const named = /^\s*\{\s*"stream"\s*:\s*"([^"@]{1,40})@/.exec(frame.slice(0, 80))?.[1];
    if (named === undefined) return null;
    for (const market of this.markets.values()) if (market.streamSymbol === named) return market.symbol;
    return null;
  }
}

type StreamKind = "depthUpdate" | "trade" | "bookTicker" | "kline";

/** Channel names up to the first `@` or `_`. `aggTrade` says what `trade` does with less detail: not kept. */
const KIND_OF_CHANNEL: ReadonlyMap<string, StreamKind> = new Map([
  ["depth", "depthUpdate"],
  ["trade", "trade"],
  ["bookTicker", "bookTicker"],
  ["kline", "kline"],
]);

function isZero(price: unknown): boolean {
  return typeof price === "string" && /^0+(\.0+)?$/.test(price);
}

function malformed(reason: string, symbol: string | null): Decoded {
  return { kind: "malformed", reason, symbol };
}

function closing(): Decoded {
  return { kind: "control", control: "closing", detail: "the venue announced a server shutdown" };
}
