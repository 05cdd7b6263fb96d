/**
 * The fast reading of a frame: one pass over the exact text that Binance sends for depth, trades and quotes, straight into the buffers.
 *
 * No object, substring or array is made; a level costs its characters. The scanner accepts only a complete frame in a known layout whose
 * values it can hold, and answers null for anything else: the parser then says what that is. So it can be strict and short, and what
 * it does accept must be exactly what the parser would have read (test/exchanges/binance-decoder.test.ts holds the two together).
 *
 * Layouts: recorded frames of 2021 and 2024, and https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * (read 2026-11-21). Invariant: a scanned frame ends with `}}`, which no run of digits and no list of levels matches, so no character is
 * read past its end.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import type { BinanceMarket, BinanceProduct } from "./markets.ts";

const HEAD = '{"stream":"';
const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const AT = 64;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
const LETTER_A = 97;
const LETTER_Z = 122;
/** Digits that 32-bit integer arithmetic holds: 999,999,999 < 2^31. */
const MAX_WORD_DIGITS = 9;
/** Digits that a double holds whatever they are: 10^15 < 2^53. */
const MAX_INTEGER_DIGITS = 15;
/** Stream symbols are shorter; an "@" farther out belongs to something else. */
const MAX_STREAM_SYMBOL = 40;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** A market with the pieces of text that its frames hold, joined once. */
interface ScannedMarket {
  readonly market: BinanceMarket;
  /** e.g. `btcusdt@` */
  readonly stream: string;
  /** e.g. `,"s":"BTCUSDT",` */
  readonly symbolField: string;
}

export class FrameScanner {
  private readonly buffers: EventBuffers;
  private readonly product: BinanceProduct;
  /** By hash of the stream's symbol; two that collide leave one to the parser. */
  private readonly markets = new Map<number, ScannedMarket>();
  private text = "";
  /** Where the next character is read. */
  private at = 0;
  /** What `integer` read last. */
  private value = 0;

  constructor(buffers: EventBuffers, markets: Iterable<BinanceMarket>, product: BinanceProduct) {
    this.buffers = buffers;
    this.product = product;
    for (const market of markets) {
      if (market.tick.decimals > MAX_WORD_DIGITS || market.lot.decimals > MAX_WORD_DIGITS) continue;
      const stream = `${market.streamSymbol}@`;
      this.markets.set(hashUpToAt(stream, 0), { market, stream, symbolField: `,"s":"${market.symbol}",` });
    }
  }

  /** @returns the event read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Decoded | null {
    const end = frame.length;
    if (end < 2 || frame.charCodeAt(end - 1) !== CLOSE_BRACE || frame.charCodeAt(end - 2) !== CLOSE_BRACE) return null;
    this.text = frame;
    this.at = 0;
    if (!this.literal(HEAD)) return null;
    const found = this.markets.get(hashUpToAt(frame, this.at));
    if (found === undefined || !this.literal(found.stream)) return null;
    switch (frame.charCodeAt(this.at)) {
      case 98:
        return this.scanQuote(found);
      case 100:
        return this.scanDepth(found);
      case 116:
        return this.scanTrade(found);
      default:
        return null;
    }
  }

  private scanDepth({ market, symbolField }: ScannedMarket): Decoded | null {
    const { depth } = this.buffers;
    if (!this.literal("depth") || !this.skipSpeed()) return null;
    if (!this.literal('","data":{"e":"depthUpdate","E":') || !this.integer()) return null;
    depth.symbol = market.symbol;
    depth.venueTime = this.value;
    if (this.product === "futures" && !(this.literal(',"T":') && this.integer())) return null;
    if (!this.literal(symbolField) || !this.skipPair()) return null;
    if (!this.literal('"U":') || !this.integer()) return null;
    depth.firstSequence = this.value;
    if (!this.literal(',"u":') || !this.integer() || this.value < depth.firstSequence) return null;
    depth.lastSequence = this.value;
    if (this.product === "futures") {
      if (!this.literal(',"pu":') || !this.integer()) return null;
      depth.previousSequence = this.value;
    }
    const { batch } = this.buffers.levels;
    if (!this.literal(',"b":[') || !this.levels(market, 0)) return null;
    batch.bidCount = this.value;
    if (!this.literal(',"a":[') || !this.levels(market, batch.bidCount)) return null;
    batch.askCount = this.value - batch.bidCount;
    return this.isAtEnd() ? this.buffers.depthDecoded : null;
  }

  private scanQuote({ market, symbolField }: ScannedMarket): Decoded | null {
    const { quote } = this.buffers;
    const isFutures = this.product === "futures";
    if (!this.literal('bookTicker","data":{')) return null;
    // USD-M names the event before the number, COIN-M behind it.
    const isNamed = isFutures && this.literal('"e":"bookTicker",');
    if (!this.literal('"u":') || !this.integer()) return null;
    quote.sequence = this.value;
    if (isFutures && !isNamed && !this.literal(',"e":"bookTicker"')) return null;
    if (!this.literal(symbolField) || !this.skipPair()) return null;
    quote.symbol = market.symbol;
    quote.bidTicks = this.steps('"b":"', market.tick);
    quote.bidLots = this.steps(',"B":"', market.lot);
    quote.askTicks = this.steps(',"a":"', market.tick);
    quote.askLots = this.steps(',"A":"', market.lot);
    if (quote.bidTicks <= 0 || quote.askTicks <= 0 || quote.bidLots < 0 || quote.askLots < 0) return null;
    quote.venueTime = null;
    if (isFutures) {
      if (!this.literal(',"T":') || !this.integer() || !this.literal(',"E":') || !this.integer()) return null;
      quote.venueTime = this.value;
    }
    return this.isAtEnd() ? this.buffers.quoteDecoded : null;
  }

  private scanTrade({ market, symbolField }: ScannedMarket): Decoded | null {
    const { trade } = this.buffers;
    const isFutures = this.product === "futures";
    if (!this.literal('trade","data":{"e":"trade","E":') || !this.integer()) return null;
    if (isFutures) {
      if (!this.literal(',"T":') || !this.integer()) return null;
      trade.venueTime = this.value;
    }
    if (!this.literal(symbolField) || !this.literal('"t":') || !this.integer()) return null;
    trade.symbol = market.symbol;
    trade.tradeId = this.value;
    trade.priceTicks = this.steps(',"p":"', market.tick);
    trade.sizeLots = this.steps(',"q":"', market.lot);
    if (trade.priceTicks <= 0 || trade.sizeLots <= 0) return null;
    if (isFutures) {
      if (!this.literal(',"X":"MARKET"')) return null;
    } else {
      if (!this.literal(',"T":') || !this.integer()) return null;
      trade.venueTime = this.value;
    }
    // `m`: the buyer was the maker, so the taker sold. Spot repeats an obsolete `M` behind it.
    if (this.literal(',"m":true')) trade.takerSide = "sell";
    else if (this.literal(',"m":false')) trade.takerSide = "buy";
    else return null;
    if (!isFutures && !this.literal(',"M":true') && !this.literal(',"M":false')) return null;
    return this.isAtEnd() ? this.buffers.tradeDecoded : null;
  }

  /** USD-M has put `"st":0` behind its fields since 2026; it is not used. */
  private isAtEnd(): boolean {
    if (this.product === "futures" && this.literal(',"st":') && !this.integer()) return false;
    return this.at === this.text.length - 2;
  }

  private literal(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** The speed behind `depth`, such as `@100ms`; or none. */
  private skipSpeed(): boolean {
    if (this.text.charCodeAt(this.at) !== AT) return true;
    this.at++;
    if (!this.integer()) return false;
    return this.literal("ms");
  }

  /** Futures may name the pair behind the symbol: `"ps":"BTCUSD",`; spot names none. */
  private skipPair(): boolean {
    if (this.product === "spot" || !this.literal('"ps":"')) return true;
    const { text } = this;
    let at = this.at;
    let code = text.charCodeAt(at);
    while ((code >= 65 && code <= 90) || (code >= ZERO && code <= ZERO + 9)) code = text.charCodeAt(++at);
    this.at = at;
    return this.literal('",');
  }

  /** A JSON whole number of at most 15 digits, into `value`. */
  private integer(): boolean {
    const { text } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = text.charCodeAt(++at) - ZERO;
    }
    const length = at - start;
    if (length === 0 || length > MAX_INTEGER_DIGITS) return false;
    if (length > 1 && text.charCodeAt(start) === ZERO) return false;
    this.at = at;
    this.value = value;
    return true;
  }

  /** `expected`, a decimal on the grid and its closing quote. @returns -1 when that is not what is here. */
  private steps(expected: string, grid: DecimalGrid): number {
    if (!this.literal(expected)) return -1;
    const steps = this.decimal(this.at, grid);
    if (steps < 0 || this.text.charCodeAt(this.at) !== QUOTE) return -1;
    this.at++;
    return steps;
  }

  /** Levels up to and with the closing bracket, written from `first`; the index behind the last goes into `value`. */
  private levels(market: BinanceMarket, first: number): boolean {
    const { text } = this;
    const { tick, lot } = market;
    const { levels } = this.buffers;
    let { priceTicks, sizeLots } = levels.batch;
    let index = first;
    let at = this.at;
    if (text.charCodeAt(at) === CLOSE_BRACKET) {
      this.at = at + 1;
      this.value = index;
      return true;
    }
    for (;;) {
      if (text.charCodeAt(at) !== OPEN_BRACKET || text.charCodeAt(at + 1) !== QUOTE) return false;
      const ticks = this.decimal(at + 2, tick);
      at = this.at;
      if (ticks <= 0 || text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + 1) !== COMMA || text.charCodeAt(at + 2) !== QUOTE)
        return false;
      const lots = this.decimal(at + 3, lot);
      at = this.at;
      if (lots < 0 || text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + 1) !== CLOSE_BRACKET) return false;
      if (index === priceTicks.length) {
        if (!levels.grow()) return false;
        ({ priceTicks, sizeLots } = levels.batch);
      }
      priceTicks[index] = ticks;
      sizeLots[index] = lots;
      index++;
      const code = text.charCodeAt(at + 2);
      at += 3;
      if (code === COMMA) continue;
      this.at = at;
      this.value = index;
      return code === CLOSE_BRACKET;
    }
  }

  /**
   * A decimal as whole steps of its grid; `at` is left behind it. Whole part and fraction are each held in 32 bits, then joined.
   * @returns -1 when it is none, is off the grid, or is larger than that.
   */
  private decimal(start: number, grid: DecimalGrid): number {
    const { text } = this;
    const { decimals, mantissa } = grid;
    let at = start;
    let whole = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      whole = (whole * 10 + digit) | 0;
      digit = text.charCodeAt(++at) - ZERO;
    }
    if (at === start || at - start > MAX_WORD_DIGITS) return -1;
    let fraction = 0;
    let missing = decimals;
    if (digit === POINT - ZERO) {
      const point = at;
      digit = text.charCodeAt(++at) - ZERO;
      while (missing > 0 && digit >= 0 && digit <= 9) {
        fraction = (fraction * 10 + digit) | 0;
        missing--;
        digit = text.charCodeAt(++at) - ZERO;
      }
      while (digit === 0) digit = text.charCodeAt(++at) - ZERO;
      if (at === point + 1) return -1;
    }
    this.at = at;
    const units = whole * (POWERS_OF_TEN[decimals] as number) + fraction * (POWERS_OF_TEN[missing] as number);
    if (units > Number.MAX_SAFE_INTEGER) return -1;
    if (mantissa === 1) return units;
    return units % mantissa === 0 ? units / mantissa : -1;
  }
}

/** A hash of the lower-case letters, digits and underscores from `start` to the next "@"; -1 when there is none near. */
function hashUpToAt(text: string, start: number): number {
  const end = Math.min(text.length, start + MAX_STREAM_SYMBOL);
  let hash = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === AT) return hash & 0x3fffffff;
    if (!isSymbolCode(code)) return -1;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  return -1;
}

function isSymbolCode(code: number): boolean {
  return (code >= LETTER_A && code <= LETTER_Z) || (code >= ZERO && code <= ZERO + 9) || code === 95;
}
