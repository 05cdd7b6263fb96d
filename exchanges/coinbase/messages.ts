/**
 * What both feeds of Coinbase say in the same way: products, levels of a side each, the maker's side of a trade, a top that may be absent.
 *
 * Shared by the parsers and the scanners of the two venues. Bounds are the family's: the whole book comes as one message, and the largest
 * seen is BTC-USD on Advanced Trade, 4.9 MB of some 47,000 levels (reported by its users in 2026-09; the venue names no bound).
 */

import type { MarketEvent, QuoteEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { TakerSide } from "../../core/units/side.ts";
import type { Channel, Decoded, LossNotice } from "../contract.ts";
import { type EventBuffers, LevelBuffer } from "../decoding/event-buffers.ts";
import { parseIsoTime } from "../decoding/iso-time.ts";
import { FieldError, isObject, type JsonObject, lotsOf, shown, ticksOf } from "../decoding/json-fields.ts";

/** Two and a half times the largest book seen. */
export const MAX_LEVELS = 120_000;
/** Of one frame: the most levels, of some 105 characters each. */
export const MAX_FRAME_CHARACTERS = 12 * 1024 * 1024;
/** Trades or quotes of one frame. A frame gathers 250 ms at the most, and the engine does not match 40,000 orders of a market in a second. */
export const MAX_EVENTS_PER_FRAME = 10_000;
/** Symbols are shorter; a longer name belongs to something else. */
const MAX_SYMBOL_CHARACTERS = 40;

export interface CoinbaseMarket {
  readonly symbol: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export function marketsBySymbol(instruments: readonly Instrument[]): ReadonlyMap<string, CoinbaseMarket> {
  return new Map(instruments.map(({ symbol, tick, lot }) => [symbol, { symbol, tick, lot }] as const));
}

/** The levels of a message whose sides come mixed: bids go straight into the batch, asks wait beside it and follow at the end. */
export class SidedLevels {
  private readonly levels: LevelBuffer;
  private readonly asks: LevelBuffer;
  private bidCount = 0;
  private askCount = 0;

  constructor({ levels }: EventBuffers) {
    this.levels = levels;
    this.asks = new LevelBuffer(levels.most);
  }

  begin(): void {
    this.bidCount = 0;
    this.askCount = 0;
  }

  /** @returns false when the message has more levels than any may have. */
  addBid(ticks: number, lots: number): boolean {
    if (this.bidCount === this.levels.capacity && !this.levels.grow()) return false;
    const { priceTicks, sizeLots } = this.levels.batch;
    priceTicks[this.bidCount] = ticks;
    sizeLots[this.bidCount] = lots;
    this.bidCount++;
    return true;
  }

  /** @returns false when the message has more levels than any may have. */
  addAsk(ticks: number, lots: number): boolean {
    if (this.askCount === this.asks.capacity && !this.asks.grow()) return false;
    const { priceTicks, sizeLots } = this.asks.batch;
    priceTicks[this.askCount] = ticks;
    sizeLots[this.askCount] = lots;
    this.askCount++;
    return true;
  }

  /** Puts the asks behind the bids. @returns false when both together are more than any message may have. */
  end(): boolean {
    const { levels, asks, bidCount, askCount } = this;
    while (levels.capacity < bidCount + askCount) if (!levels.grow()) return false;
    const { batch } = levels;
    for (let index = 0; index < askCount; index++) {
      batch.priceTicks[bidCount + index] = asks.batch.priceTicks[index] as number;
      batch.sizeLots[bidCount + index] = asks.batch.sizeLots[index] as number;
    }
    batch.bidCount = bidCount;
    batch.askCount = askCount;
    return true;
  }
}

/** One level as a parser has it, still to be checked. */
export interface LevelFields {
  readonly isBid: boolean;
  readonly price: unknown;
  readonly size: unknown;
  /** e.g. "change 3" */
  readonly name: string;
}

export function addLevel(levels: SidedLevels, { tick, lot }: CoinbaseMarket, { isBid, price, size, name }: LevelFields): void {
  const ticks = ticksOf(price, `price of ${name}`, tick);
  const lots = lotsOf(size, `size of ${name}`, lot);
  if (!(isBid ? levels.addBid(ticks, lots) : levels.addAsk(ticks, lots))) throw tooManyLevels();
}

export function endLevels(levels: SidedLevels): void {
  if (!levels.end()) throw tooManyLevels();
}

function tooManyLevels(): FieldError {
  return new FieldError(`too many levels: at most ${MAX_LEVELS}`);
}

export function timeOf(value: unknown, name: string): number {
  const time = typeof value === "string" ? parseIsoTime(value, 0, value.length) : -1;
  if (time < 0) throw new FieldError(`${name} is ${shown(value)}, not a time such as 2021-04-17T16:43:37.075687Z`);
  return time;
}

/** Both feeds name the side of the maker's order: the taker did the other thing. Exchange writes it small, Advanced Trade in capitals. */
export function takerSideOf(makerSide: unknown): TakerSide {
  if (makerSide === "buy" || makerSide === "BUY") return "sell";
  if (makerSide === "sell" || makerSide === "SELL") return "buy";
  throw new FieldError(`"side" is ${shown(makerSide)}, neither buy nor sell`);
}

/** Where a ticker says its best prices and their sizes. */
export interface TopFields {
  readonly bid: string;
  readonly bidSize: string;
  readonly ask: string;
  readonly askSize: string;
}

/** @returns null for a top with an empty side: an absence, not a price. Sizes are null where the message has none, as those of 2021. */
export function readQuote(market: CoinbaseMarket, ticker: JsonObject, at: { venueTime: number; fields: TopFields }): QuoteEvent | null {
  const { bid, bidSize, ask, askSize } = at.fields;
  if (isAbsent(ticker[bid]) || isAbsent(ticker[ask])) return null;
  const sizeOf = (key: string) => (ticker[key] === undefined ? null : lotsOf(ticker[key], `"${key}"`, market.lot));
  return {
    kind: "quote",
    symbol: market.symbol,
    venueTime: at.venueTime,
    // The book has no numbers that a quote could share.
    sequence: null,
    bidTicks: ticksOf(ticker[bid], `"${bid}"`, market.tick),
    bidLots: sizeOf(bidSize),
    askTicks: ticksOf(ticker[ask], `"${ask}"`, market.tick),
    askLots: sizeOf(askSize),
  };
}

function isAbsent(price: unknown): boolean {
  return price === undefined || price === "" || (typeof price === "string" && /^0+(\.0+)?$/.test(price));
}

/** Events that have been read already, as an answer; null when there are none. */
export function decodedOf(events: readonly (MarketEvent | LossNotice)[]): Decoded | null {
  const [first] = events;
  if (first === undefined) return null;
  if (events.length === 1 && first.kind !== "loss") return { kind: "event", event: first };
  let at = 0;
  return { kind: "events", next: () => events[at++] ?? null };
}

export function malformed(reason: string, symbol: string | null, channel: Channel | null): Decoded {
  return { kind: "malformed", reason, symbol, channel };
}

export function notOurs(symbol: unknown): Decoded {
  return { kind: "ignored", reason: `product ${shown(symbol)} is not one of this feed's` };
}

/** Anything that looks like a book under a name that we don't know: a corrupted name must not pass for a message of another kind. */
export function holdsLevels(message: unknown): boolean {
  return isObject(message) && ("changes" in message || "updates" in message || "bids" in message || "asks" in message);
}

/** The products of ours that the text of an unusable frame names. */
export function symbolsNamedIn(text: string, markets: ReadonlyMap<string, CoinbaseMarket>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, symbol = ""] of text.matchAll(/"product_id"\s*:\s*"([^"]*)"/g)) {
    if (symbol.length <= MAX_SYMBOL_CHARACTERS && markets.has(symbol)) found.add(symbol);
    if (found.size > 1) break;
  }
  return found;
}

/** The one member; null of several, or none. */
export function onlyOf(symbols: ReadonlySet<string>): string | null {
  const [first] = symbols;
  return symbols.size === 1 && first !== undefined ? first : null;
}
