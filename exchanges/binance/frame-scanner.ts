/**
 * The fast reading of a frame: the exact text that Binance sends for depth, trades and quotes, straight into the buffers.
 *
 * No object, substring or array is made. A frame is matched whole (layouts.ts; a depth message up to its levels), then its numbers are read
 * where they must stand. The scanner accepts only a complete frame in a known layout whose values it can hold, and answers null for
 * anything else: the parser then says what that is. So it can be strict and short, and what it does accept must be exactly what the parser
 * would have read (test/exchanges/binance-decoder.test.ts holds the two together).
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import { ScannedMarkets } from "../decoding/scanned-markets.ts";
import { TextScanner } from "../decoding/text-scanner.ts";
import { type FrameLayouts, layoutsOf, TIME_DIGITS } from "./layouts.ts";
import type { BinanceMarket, BinanceProduct } from "./markets.ts";

const HEAD = '{"stream":"';
const TAIL = "}}";
const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const LETTER_B = 98;
const LETTER_D = 100;
const LETTER_E = 101;
const LETTER_P = 112;
const LETTER_T = 116;

/** A market with a piece of text that its frames hold, joined once. */
interface ScannedMarket extends BinanceMarket {
  /** The codes of e.g. `BTCUSDT"`. */
  readonly symbolCodes: Uint8Array;
}

export class FrameScanner {
  private readonly buffers: EventBuffers;
  private readonly isFutures: boolean;
  private readonly layouts: FrameLayouts;
  private readonly scanner = new TextScanner();
  private readonly markets: ScannedMarkets<ScannedMarket>;
  /** Behind the last level that `levels` read. */
  private levelsEnd = 0;

  constructor(buffers: EventBuffers, markets: Iterable<BinanceMarket>, product: BinanceProduct) {
    this.buffers = buffers;
    this.isFutures = product === "futures";
    this.layouts = layoutsOf(product);
    const scanned = Array.from(markets, (market) => ({ ...market, symbolCodes: codesOf(`${market.symbol}"`) }));
    this.markets = new ScannedMarkets(scanned, { nameOf: ({ streamSymbol }) => streamSymbol, end: "@" });
  }

  /** @returns the event read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Decoded | null {
    const { scanner } = this;
    scanner.begin(frame);
    scanner.at = HEAD.length;
    const market = this.markets.read(scanner);
    if (market === null) return null;
    switch (frame.charCodeAt(scanner.at)) {
      case LETTER_B:
        return this.scanQuote(market);
      case LETTER_D:
        return this.scanDepth(market);
      case LETTER_T:
        return this.scanTrade(market);
      default:
        return null;
    }
  }

  private scanDepth(market: ScannedMarket): Decoded | null {
    const { scanner, isFutures } = this;
    const { depth } = this.buffers;
    const kindAt = scanner.at;
    if (!this.matches(this.layouts.depthHead)) return null;
    const levelsAt = scanner.at;
    // The speed is as subscribed, or none.
    scanner.at = scanner.text.indexOf('"', kindAt);
    const venueTime = this.integerBehind('","data":{"e":"depthUpdate","E":'.length);
    if (isFutures) scanner.at += ',"T":'.length + TIME_DIGITS;
    if (venueTime < 0 || !this.isSymbolBehind(',"s":"'.length, market)) return null;
    if (isFutures) this.passPair();
    const first = this.integerBehind(',"U":'.length);
    const last = this.integerBehind(',"u":'.length);
    const previous = isFutures ? this.integerBehind(',"pu":'.length) : null;
    if (first < 0 || last < first || (previous !== null && previous < 0)) return null;
    scanner.at = levelsAt;
    const { batch } = this.buffers.levels;
    if (!this.levels(market, 0)) return null;
    batch.bidCount = this.levelsEnd;
    if (!scanner.literal(',"a":[') || !this.levels(market, batch.bidCount)) return null;
    batch.askCount = this.levelsEnd - batch.bidCount;
    if (!this.isAtEnd()) return null;
    depth.symbol = market.symbol;
    depth.venueTime = venueTime;
    depth.firstSequence = first;
    depth.lastSequence = last;
    depth.previousSequence = previous;
    return this.buffers.depthDecoded;
  }

  private scanQuote(market: ScannedMarket): Decoded | null {
    const { scanner, isFutures } = this;
    const { quote } = this.buffers;
    const kindAt = scanner.at;
    if (!this.matches(this.layouts.quote)) return null;
    scanner.at = kindAt + 'bookTicker","data":{'.length;
    const isNamed = scanner.text.charCodeAt(scanner.at + 1) === LETTER_E;
    const sequence = this.integerBehind(isNamed ? '"e":"bookTicker","u":'.length : '"u":'.length);
    const symbolBehind = isFutures && !isNamed ? ',"e":"bookTicker","s":"'.length : ',"s":"'.length;
    if (sequence < 0 || !this.isSymbolBehind(symbolBehind, market)) return null;
    if (isFutures) this.passPair();
    quote.symbol = market.symbol;
    quote.sequence = sequence;
    quote.bidTicks = this.stepsBehind(',"b":"'.length, market.tick);
    quote.bidLots = this.stepsBehind('","B":"'.length, market.lot);
    quote.askTicks = this.stepsBehind('","a":"'.length, market.tick);
    quote.askLots = this.stepsBehind('","A":"'.length, market.lot);
    if (quote.bidTicks <= 0 || quote.askTicks <= 0 || quote.bidLots < 0 || quote.askLots < 0) return null;
    quote.venueTime = null;
    if (isFutures) {
      scanner.at += '","T":'.length + TIME_DIGITS;
      quote.venueTime = this.integerBehind(',"E":'.length);
      if (quote.venueTime < 0) return null;
    }
    return this.buffers.quoteDecoded;
  }

  private scanTrade(market: ScannedMarket): Decoded | null {
    const { scanner, isFutures } = this;
    const { text } = scanner;
    const { trade } = this.buffers;
    const kindAt = scanner.at;
    if (!this.matches(this.layouts.trade)) return null;
    scanner.at = kindAt + 'trade","data":{"e":"trade","E":'.length + TIME_DIGITS;
    // Spot has it behind the size.
    let venueTime = isFutures ? this.integerBehind(',"T":'.length) : 0;
    if (venueTime < 0 || !this.isSymbolBehind(',"s":"'.length, market)) return null;
    const tradeId = this.integerBehind(',"t":'.length);
    const priceTicks = this.stepsBehind(',"p":"'.length, market.tick);
    const sizeLots = this.stepsBehind('","q":"'.length, market.lot);
    if (tradeId < 0 || priceTicks <= 0 || sizeLots <= 0) return null;
    if (isFutures) scanner.at += '","X":"MARKET'.length;
    else venueTime = this.integerBehind('","T":'.length);
    if (venueTime < 0) return null;
    const makerAt = scanner.at + (isFutures ? '","m":'.length : ',"m":'.length);
    trade.symbol = market.symbol;
    trade.tradeId = tradeId;
    trade.venueTime = venueTime;
    trade.priceTicks = priceTicks;
    trade.sizeLots = sizeLots;
    // `m`: the buyer was the maker, so the taker sold.
    trade.takerSide = text.charCodeAt(makerAt) === LETTER_T ? "sell" : "buy";
    return this.buffers.tradeDecoded;
  }

  /** Whether the frame has this layout, from its beginning on. */
  private matches(pattern: RegExp): boolean {
    this.scanner.at = 0;
    return this.scanner.matches(pattern);
  }

  /** Whether what has been matched as a symbol is the market's. The stream's name must be of the same one. */
  private isSymbolBehind(characters: number, { symbolCodes }: ScannedMarket): boolean {
    this.scanner.at += characters;
    return this.scanner.codes(symbolCodes);
  }

  /** `,"ps":"BTCUSD"`, where it is. */
  private passPair(): void {
    const { scanner } = this;
    const { text, at } = scanner;
    if (text.charCodeAt(at + 2) === LETTER_P) scanner.at = text.indexOf('"', at + ',"ps":"'.length) + 1;
  }

  /** A whole number that has been matched; -1 when it has more digits than are read here. */
  private integerBehind(characters: number): number {
    this.scanner.at += characters;
    return this.scanner.integer();
  }

  /** A decimal that has been matched, up to its closing quote; -1 when it is off the grid. */
  private stepsBehind(characters: number, grid: DecimalGrid): number {
    const { scanner } = this;
    const steps = scanner.decimal(scanner.at + characters, grid);
    return scanner.text.charCodeAt(scanner.at) === QUOTE ? steps : -1;
  }

  /** USD-M has put `"st":0` behind its fields since 2026; it is not used. */
  private isAtEnd(): boolean {
    const { scanner } = this;
    if (this.isFutures && scanner.literal(',"st":') && scanner.integer() < 0) return false;
    return scanner.literal(TAIL) && scanner.isAtEnd();
  }

  /** Levels up to and with the closing bracket, written from `first`. */
  private levels({ tick, lot }: BinanceMarket, first: number): boolean {
    const { scanner } = this;
    const { text } = scanner;
    const { levels } = this.buffers;
    let { priceTicks, sizeLots } = levels.batch;
    let index = first;
    let at = scanner.at;
    if (text.charCodeAt(at) === CLOSE_BRACKET) {
      scanner.at = at + 1;
      this.levelsEnd = index;
      return true;
    }
    for (;;) {
      if (text.charCodeAt(at) !== OPEN_BRACKET || text.charCodeAt(at + 1) !== QUOTE) return false;
      const ticks = scanner.decimal(at + 2, tick);
      at = scanner.at;
      if (ticks <= 0 || text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + 1) !== COMMA || text.charCodeAt(at + 2) !== QUOTE)
        return false;
      const lots = scanner.decimal(at + 3, lot);
      at = scanner.at;
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
      scanner.at = at;
      this.levelsEnd = index;
      return code === CLOSE_BRACKET;
    }
  }
}

function codesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
