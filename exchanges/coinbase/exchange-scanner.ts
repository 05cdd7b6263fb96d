/**
 * The fast reading of the Exchange feed: changes, whole books, matches and tickers in the exact text that the venue sends, straight into the buffers.
 *
 * No object, substring or array is made. It accepts only a complete frame in a known layout whose values it can hold, changes nothing that is
 * remembered before it has, and answers null for anything else: the parser then says what that is. What it accepts is exactly what the
 * parser would have read (test/exchanges/coinbase-exchange-decoder.test.ts holds the two together).
 * Layouts: the capture of 2021-04-17, and https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (read 2026-11-27).
 */

import type { Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import { parseIsoTime } from "../decoding/iso-time.ts";
import { DECIMAL, INTEGER, layout, NAME } from "../decoding/layout-patterns.ts";
import { ScannedMarkets } from "../decoding/scanned-markets.ts";
import { TextScanner } from "../decoding/text-scanner.ts";
import { type ExchangeMarket, OLD_TICKER, sawTicker, sawTrade } from "./exchange-markets.ts";
import type { SidedLevels } from "./messages.ts";

const HEAD = '{"type":"';
const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
const LETTER_B = 98;
const LETTER_L = 108;
const LETTER_M = 109;
const LETTER_S = 115;
const LETTER_T = 116;
/** `["buy","` */
const BUY_HEAD = 8;
/** A UUID: 32 hex digits and four dashes. */
const ORDER_ID = 36;
/** A ticker from its beginning: of 2021 without the sizes of its best prices, of today with them. Statistics of the day are not used. */
const STATISTICS = ["price", "open_24h", "volume_24h", "low_24h", "high_24h", "volume_30d"]
  .map((name) => `"${name}":"${DECIMAL}",`)
  .join("");
const TICKER = layout(
  `\\{"type":"ticker","sequence":${INTEGER},"product_id":"${NAME}",${STATISTICS}"best_bid":"${DECIMAL}"(?:,"best_bid_size":"${DECIMAL}")?` +
    `,"best_ask":"${DECIMAL}"(?:,"best_ask_size":"${DECIMAL}")?,"side":"(?:buy|sell)","time":"[-.\\d:TZ]+","trade_id":${INTEGER},` +
    `"last_size":"${DECIMAL}"\\}$`,
);
const TICKER_SEQUENCE_AT = '{"type":"ticker","sequence":'.length;
const SECOND_UNDERSCORE_AT = '","best_bid'.length;
const UNDERSCORE = 95;

export class ExchangeScanner {
  private readonly scanner = new TextScanner();
  private readonly markets: ScannedMarkets<ExchangeMarket>;
  private readonly buffers: EventBuffers;
  private readonly levels: SidedLevels;

  constructor(buffers: EventBuffers, levels: SidedLevels, markets: Iterable<ExchangeMarket>) {
    this.buffers = buffers;
    this.levels = levels;
    this.markets = new ScannedMarkets(markets);
  }

  /** @returns the event read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Decoded | null {
    const { scanner } = this;
    if (frame.charCodeAt(frame.length - 1) !== CLOSE_BRACE) return null;
    scanner.begin(frame);
    if (!scanner.literal(HEAD)) return null;
    switch (frame.charCodeAt(scanner.at)) {
      case LETTER_L:
        return this.scanChanges();
      case LETTER_M:
        return this.scanMatch();
      case LETTER_S:
        return this.scanSnapshot();
      case LETTER_T:
        return this.scanTicker();
      default:
        return null;
    }
  }

  private scanChanges(): Decoded | null {
    const { scanner, levels } = this;
    const { depth } = this.buffers;
    if (!scanner.literal('l2update","product_id":"')) return null;
    const market = this.markets.read(scanner);
    if (market === null || !scanner.literal(',"changes":[')) return null;
    levels.begin();
    if (!this.changes(market) || !scanner.literal(',"time":"')) return null;
    const venueTime = this.timeToEnd();
    if (venueTime < 0 || !levels.end()) return null;
    depth.symbol = market.symbol;
    depth.venueTime = venueTime;
    market.changes++;
    depth.firstSequence = market.changes;
    depth.lastSequence = market.changes;
    return this.buffers.depthDecoded;
  }

  /** `["buy","price","size"]` and its like, up to and with the closing bracket. */
  private changes(market: ExchangeMarket): boolean {
    const { scanner, levels } = this;
    const { text } = scanner;
    let at = scanner.at;
    if (text.charCodeAt(at) === CLOSE_BRACKET) {
      scanner.at = at + 1;
      return true;
    }
    for (;;) {
      const isBid = text.charCodeAt(at + 2) === LETTER_B;
      if (!text.startsWith(isBid ? '["buy","' : '["sell","', at)) return false;
      const ticks = scanner.decimal(at + (isBid ? BUY_HEAD : BUY_HEAD + 1), market.tick);
      at = scanner.at;
      if (ticks <= 0 || !isSeparator(text, at)) return false;
      const lots = scanner.decimal(at + 3, market.lot);
      at = scanner.at;
      if (lots < 0 || text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + 1) !== CLOSE_BRACKET) return false;
      if (!(isBid ? levels.addBid(ticks, lots) : levels.addAsk(ticks, lots))) return false;
      const code = text.charCodeAt(at + 2);
      at += 3;
      if (code === COMMA) continue;
      scanner.at = at;
      return code === CLOSE_BRACKET;
    }
  }

  private scanSnapshot(): Decoded | null {
    const { scanner, levels } = this;
    const { snapshot } = this.buffers;
    if (!scanner.literal('snapshot","product_id":"')) return null;
    const market = this.markets.read(scanner);
    if (market === null) return null;
    levels.begin();
    const isAsksFirst = scanner.text.startsWith(',"asks"', scanner.at);
    if (!this.side(market, !isAsksFirst) || !this.side(market, isAsksFirst)) return null;
    let venueTime: number | null = null;
    if (scanner.literal(',"time":"')) {
      venueTime = this.timeToEnd();
      if (venueTime < 0) return null;
    } else if (!scanner.literal("}") || !scanner.isAtEnd()) {
      return null;
    }
    if (!levels.end()) return null;
    snapshot.symbol = market.symbol;
    snapshot.venueTime = venueTime;
    snapshot.lastSequence = 0;
    market.changes = 0;
    market.hasSnapshot = true;
    return this.buffers.snapshotDecoded;
  }

  /** `,"bids":[["price","size"],…]` */
  private side(market: ExchangeMarket, isBid: boolean): boolean {
    const { scanner, levels } = this;
    const { text } = scanner;
    if (!scanner.literal(isBid ? ',"bids":[' : ',"asks":[')) return false;
    let at = scanner.at;
    if (text.charCodeAt(at) === CLOSE_BRACKET) {
      scanner.at = at + 1;
      return true;
    }
    for (;;) {
      if (text.charCodeAt(at) !== OPEN_BRACKET || text.charCodeAt(at + 1) !== QUOTE) return false;
      const ticks = scanner.decimal(at + 2, market.tick);
      at = scanner.at;
      if (ticks <= 0 || !isSeparator(text, at)) return false;
      const lots = scanner.decimal(at + 3, market.lot);
      at = scanner.at;
      if (lots < 0 || text.charCodeAt(at) !== QUOTE || text.charCodeAt(at + 1) !== CLOSE_BRACKET) return false;
      if (!(isBid ? levels.addBid(ticks, lots) : levels.addAsk(ticks, lots))) return false;
      const code = text.charCodeAt(at + 2);
      at += 3;
      if (code === COMMA) continue;
      scanner.at = at;
      return code === CLOSE_BRACKET;
    }
  }

  /** The product stands behind price and size: these are passed over once, and read when it is known. */
  private scanMatch(): Decoded | null {
    const { scanner } = this;
    const { trade } = this.buffers;
    if (!scanner.literal('match","trade_id":')) return null;
    const tradeId = scanner.integer();
    if (tradeId < 0 || !this.orderId(',"maker_order_id":"') || !this.orderId(',"taker_order_id":"')) return null;
    const isMakerBuy = scanner.literal(',"side":"buy"');
    if (!isMakerBuy && !scanner.literal(',"side":"sell"')) return null;
    const sizeAt = this.passDecimal(',"size":"');
    const priceAt = this.passDecimal(',"price":"');
    if (sizeAt < 0 || priceAt < 0 || !scanner.literal(',"product_id":"')) return null;
    const market = this.markets.read(scanner);
    if (market === null || !scanner.literal(',"sequence":') || scanner.integer() < 0 || !scanner.literal(',"time":"')) return null;
    const venueTime = this.timeToEnd();
    if (venueTime < 0) return null;
    const sizeLots = this.decimalAt(sizeAt, market.lot);
    const priceTicks = this.decimalAt(priceAt, market.tick);
    if (sizeLots <= 0 || priceTicks <= 0) return null;
    trade.symbol = market.symbol;
    trade.tradeId = tradeId;
    trade.venueTime = venueTime;
    trade.priceTicks = priceTicks;
    trade.sizeLots = sizeLots;
    trade.takerSide = isMakerBuy ? "sell" : "buy";
    sawTrade(market, tradeId);
    return this.buffers.tradeDecoded;
  }

  private scanTicker(): Decoded | null {
    const { scanner } = this;
    const { text } = scanner;
    const { quote } = this.buffers;
    scanner.at = 0;
    if (!scanner.matches(TICKER)) return null;
    scanner.at = TICKER_SEQUENCE_AT;
    if (scanner.integer() < 0) return null;
    scanner.at += ',"product_id":"'.length;
    const market = this.markets.read(scanner);
    if (market === null) return null;
    scanner.at = text.indexOf('"best_bid":"', scanner.at);
    const bidTicks = this.decimalAt(scanner.at + '"best_bid":"'.length, market.tick);
    const bidLots = this.sizeOfTop(market);
    const askTicks = this.decimalAt(scanner.at + '","best_ask":"'.length, market.tick);
    const askLots = this.sizeOfTop(market);
    if (bidTicks <= 0 || askTicks <= 0 || (bidLots !== null && bidLots < 0) || (askLots !== null && askLots < 0)) return null;
    const timeAt = text.indexOf('"time":"', scanner.at) + '"time":"'.length;
    scanner.at = text.indexOf('"', timeAt);
    const venueTime = parseIsoTime(text, timeAt, scanner.at);
    scanner.at += '","trade_id":'.length;
    const tradeId = scanner.integer();
    if (venueTime < 0 || tradeId < 0) return null;
    if (!sawTicker(market, tradeId)) return OLD_TICKER;
    quote.symbol = market.symbol;
    quote.venueTime = venueTime;
    // The book has no numbers that a quote could share.
    quote.sequence = null;
    quote.bidTicks = bidTicks;
    quote.bidLots = bidLots;
    quote.askTicks = askTicks;
    quote.askLots = askLots;
    return this.buffers.quoteDecoded;
  }

  /** The size behind a price whose closing quote is here; null where the message has none, -1 when it is off the grid. */
  private sizeOfTop({ lot }: ExchangeMarket): number | null {
    const { text, at } = this.scanner;
    // `","best_bid_size":"`, whose second underscore the next price's name has not.
    const hasSize = text.charCodeAt(at + SECOND_UNDERSCORE_AT) === UNDERSCORE;
    return hasSize ? this.decimalAt(at + '","best_bid_size":"'.length, lot) : null;
  }

  /** A time and the end of the frame. @returns -1 when that is not what is here. */
  private timeToEnd(): number {
    const { text, at } = this.scanner;
    const end = text.length - 2;
    return text.charCodeAt(end) === QUOTE ? parseIsoTime(text, at, end) : -1;
  }

  private orderId(expected: string): boolean {
    const { scanner } = this;
    if (!scanner.literal(expected)) return false;
    const { text, at } = scanner;
    for (let index = at; index < at + ORDER_ID; index++) if (!isOrderIdCode(text.charCodeAt(index))) return false;
    scanner.at = at + ORDER_ID;
    return scanner.literal('"');
  }

  /** @returns where the decimal begins; -1 when none is here. */
  private passDecimal(expected: string): number {
    const { scanner } = this;
    if (!scanner.literal(expected)) return -1;
    const start = scanner.at;
    const { text } = scanner;
    let at = start;
    let code = text.charCodeAt(at);
    while ((code >= 48 && code <= 57) || code === 46) code = text.charCodeAt(++at);
    scanner.at = at;
    return scanner.literal('"') ? start : -1;
  }

  /** The decimal at `start`, which must end with a quote. */
  private decimalAt(start: number, grid: ExchangeMarket["tick"]): number {
    const steps = this.scanner.decimal(start, grid);
    return steps >= 0 && this.scanner.text.charCodeAt(this.scanner.at) === QUOTE ? steps : -1;
  }
}

/** `","` between two decimals. */
function isSeparator(text: string, at: number): boolean {
  return text.charCodeAt(at) === QUOTE && text.charCodeAt(at + 1) === COMMA && text.charCodeAt(at + 2) === QUOTE;
}

function isOrderIdCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || code === 45;
}
