/**
 * The fast reading of a frame: one pass over the exact text that Binance sends for depth, trades and quotes, straight into the buffers.
 *
 * No object, substring or array is made; a level costs its characters. The scanner accepts only a complete frame in a known layout whose
 * values it can hold, and answers null for anything else: the parser then says what that is. So it can be strict and short, and what
 * it does accept must be exactly what the parser would have read (test/exchanges/binance-decoder.test.ts holds the two together).
 *
 * Layouts: recorded frames of 2021 and 2024, and https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * (read 2026-11-21).
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import { layout } from "../decoding/layout-patterns.ts";
import { ScannedMarkets } from "../decoding/scanned-markets.ts";
import { TextScanner } from "../decoding/text-scanner.ts";
import type { BinanceMarket, BinanceProduct } from "./markets.ts";

const HEAD = '{"stream":"';
const TAIL = "}}";
/** What follows the stream's symbol, up to the event's time. The speed is as subscribed, or none. */
const DEPTH_HEAD = layout('depth(?:@\\d+ms)?","data":\\{"e":"depthUpdate","E":');
const TRADE_HEAD = layout('trade","data":\\{"e":"trade","E":');
/** USD-M names the event before the number, COIN-M behind it. */
const NAMED_QUOTE_HEAD = layout('bookTicker","data":\\{"e":"bookTicker","u":');
const QUOTE_HEAD = layout('bookTicker","data":\\{"u":');
/** Futures may name the pair behind the symbol. */
const PAIR = layout('"ps":"[A-Z0-9]*",');
const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const LETTER_B = 98;
const LETTER_D = 100;
const LETTER_T = 116;

/** A market with a piece of text that its frames hold, joined once. */
interface ScannedMarket extends BinanceMarket {
  /** e.g. `,"s":"BTCUSDT",` */
  readonly symbolField: string;
}

export class FrameScanner {
  private readonly buffers: EventBuffers;
  private readonly product: BinanceProduct;
  private readonly scanner = new TextScanner();
  private readonly markets: ScannedMarkets<ScannedMarket>;
  /** Behind the last level that `levels` read. */
  private levelsEnd = 0;

  constructor(buffers: EventBuffers, markets: Iterable<BinanceMarket>, product: BinanceProduct) {
    this.buffers = buffers;
    this.product = product;
    const scanned = Array.from(markets, (market) => ({ ...market, symbolField: `,"s":"${market.symbol}",` }));
    this.markets = new ScannedMarkets(scanned, { nameOf: ({ streamSymbol }) => streamSymbol, end: "@" });
  }

  /** @returns the event read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Decoded | null {
    const { scanner } = this;
    scanner.begin(frame);
    if (!scanner.literal(HEAD)) return null;
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
    const { scanner } = this;
    const { depth } = this.buffers;
    const isFutures = this.product === "futures";
    if (!scanner.matches(DEPTH_HEAD)) return null;
    const venueTime = scanner.integer();
    if (venueTime < 0 || (isFutures && this.field(',"T":') < 0)) return null;
    if (!scanner.literal(market.symbolField)) return null;
    if (isFutures) scanner.matches(PAIR);
    const first = this.field('"U":');
    const last = this.field(',"u":');
    if (first < 0 || last < first) return null;
    const previous = isFutures ? this.field(',"pu":') : null;
    if (previous !== null && previous < 0) return null;
    const { batch } = this.buffers.levels;
    if (!scanner.literal(',"b":[') || !this.levels(market, 0)) return null;
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
    const { scanner } = this;
    const { quote } = this.buffers;
    const isFutures = this.product === "futures";
    const isNamed = isFutures && scanner.matches(NAMED_QUOTE_HEAD);
    if (!isNamed && !scanner.matches(QUOTE_HEAD)) return null;
    const sequence = scanner.integer();
    if (sequence < 0 || (isFutures && !isNamed && !scanner.literal(',"e":"bookTicker"'))) return null;
    if (!scanner.literal(market.symbolField)) return null;
    if (isFutures) scanner.matches(PAIR);
    quote.symbol = market.symbol;
    quote.sequence = sequence;
    quote.bidTicks = this.steps('"b":"', market.tick);
    quote.bidLots = this.steps(',"B":"', market.lot);
    quote.askTicks = this.steps(',"a":"', market.tick);
    quote.askLots = this.steps(',"A":"', market.lot);
    if (quote.bidTicks <= 0 || quote.askTicks <= 0 || quote.bidLots < 0 || quote.askLots < 0) return null;
    quote.venueTime = null;
    if (isFutures) {
      if (this.field(',"T":') < 0) return null;
      const venueTime = this.field(',"E":');
      if (venueTime < 0) return null;
      quote.venueTime = venueTime;
    }
    return this.isAtEnd() ? this.buffers.quoteDecoded : null;
  }

  private scanTrade(market: ScannedMarket): Decoded | null {
    const { scanner } = this;
    const { trade } = this.buffers;
    const isFutures = this.product === "futures";
    if (!scanner.matches(TRADE_HEAD) || scanner.integer() < 0) return null;
    // Spot has it behind the size.
    let venueTime = isFutures ? this.field(',"T":') : 0;
    if (venueTime < 0 || !scanner.literal(market.symbolField)) return null;
    const tradeId = this.field('"t":');
    if (tradeId < 0) return null;
    trade.priceTicks = this.steps(',"p":"', market.tick);
    trade.sizeLots = this.steps(',"q":"', market.lot);
    if (trade.priceTicks <= 0 || trade.sizeLots <= 0) return null;
    if (isFutures) {
      if (!scanner.literal(',"X":"MARKET"')) return null;
    } else {
      venueTime = this.field(',"T":');
      if (venueTime < 0) return null;
    }
    // `m`: the buyer was the maker, so the taker sold. Spot repeats an obsolete `M` behind it.
    if (scanner.literal(',"m":true')) trade.takerSide = "sell";
    else if (scanner.literal(',"m":false')) trade.takerSide = "buy";
    else return null;
    if (!isFutures && !scanner.literal(',"M":true') && !scanner.literal(',"M":false')) return null;
    trade.symbol = market.symbol;
    trade.tradeId = tradeId;
    trade.venueTime = venueTime;
    return this.isAtEnd() ? this.buffers.tradeDecoded : null;
  }

  /** USD-M has put `"st":0` behind its fields since 2026; it is not used. */
  private isAtEnd(): boolean {
    const { scanner } = this;
    if (this.product === "futures" && scanner.literal(',"st":') && scanner.integer() < 0) return false;
    return scanner.literal(TAIL) && scanner.isAtEnd();
  }

  /** `expected` and a whole number. @returns -1 when that is not what is here. */
  private field(expected: string): number {
    return this.scanner.literal(expected) ? this.scanner.integer() : -1;
  }

  /** `expected`, a decimal on the grid and its closing quote. @returns -1 when that is not what is here. */
  private steps(expected: string, grid: DecimalGrid): number {
    const { scanner } = this;
    if (!scanner.literal(expected)) return -1;
    const steps = scanner.decimal(scanner.at, grid);
    return scanner.character(QUOTE) ? steps : -1;
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
