/**
 * The fast reading of a frame: the exact text that BitMEX sends for changes of its books, their best levels, quotes, trades and instruments, straight into the columns.
 *
 * No object, substring or array is made. A row is matched whole (layouts.ts), then its numbers are read where they must stand. The scanner accepts
 * only a complete frame in a known layout whose values it can hold, and answers null for anything else: the parser then says what that is. What
 * it does accept must be exactly what the parser would have read (test/exchanges/bitmex-decoder.test.ts holds the two together).
 */

import type { LevelBatch } from "../../core/market/event.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import { PRICE_UNITS_BOUND } from "../decoding/json-numbers.ts";
import { ScannedMarkets } from "../decoding/scanned-markets.ts";
import { TextScanner, wholeSteps } from "../decoding/text-scanner.ts";
import type { BookAction, BookRows } from "./book-rows.ts";
import { type EventList, MAX_EVENTS_PER_MESSAGE, MAX_TOPS_PER_MESSAGE, TOP_LEVELS } from "./event-list.ts";
import { BOOK, type Reading } from "./frame-parser.ts";
import {
  FIRST_INSTRUMENT,
  FIRST_LEVEL,
  FIRST_QUOTE,
  FIRST_TOP,
  FIRST_TRADE,
  NEXT_INSTRUMENT,
  NEXT_LEVEL,
  NEXT_QUOTE,
  NEXT_TOP,
  NEXT_TRADE,
} from "./layouts.ts";
import type { BitmexMarket } from "./markets.ts";
import { TimeReader } from "./timestamp.ts";

const TAIL = "]}";
/** `{"table":"`: what follows tells the tables apart. */
const TABLE_AT = 10;
const BOOK_ACTION_AT = '{"table":"orderBookL2","action":"'.length;
/** `orderBookL2` and `orderBook10` differ here. */
const BOOK_KIND_AT = TABLE_AT + "orderBook".length;
/** Where a first row begins; the three actions have as many letters. */
const FIRST_LEVEL_AT = '{"table":"orderBookL2","action":"update","data":['.length;
const FIRST_QUOTE_AT = '{"table":"quote","action":"insert","data":['.length;
const FIRST_TRADE_AT = '{"table":"trade","action":"insert","data":['.length;
const FIRST_INSTRUMENT_AT = '{"table":"instrument","action":"update","data":['.length;
const FIRST_TOP_AT = '{"table":"orderBook10","action":"update","data":['.length;

const SYMBOL = '{"symbol":"'.length;
const TIMESTAMP = '{"timestamp":"'.length;
const TIME = "2021-07-22T22:36:10.014Z".length;
const UUID = "39744121-c20e-44ba-8cc8-a6b8cdf72885".length;
const UUID_DASHES = [8, 13, 18, 23] as const;
const UUID_TAIL = "39744121-c20e-44ba-8cc8-".length;
/** Hex digits behind the uuid's last dash. */
const UUID_TAIL_DIGITS = 12;

const COMMA = 44;
const DASH = 45;
const ZERO = 48;
const DIGIT_L = 76;
const LETTER_B = 66;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
const SMALL_A = 97;
const SMALL_B = 98;
const SMALL_I = 105;
const SMALL_O = 111;
const SMALL_P = 112;
const SMALL_Q = 113;
const SMALL_R = 114;
const SMALL_S = 115;
const SMALL_T = 116;
const SMALL_U = 117;

export class FrameScanner {
  private readonly scanner = new TextScanner();
  private readonly times = new TimeReader();
  private readonly rows: BookRows;
  private readonly events: EventList;
  private readonly markets: ScannedMarkets<BitmexMarket>;

  constructor(buffers: { readonly rows: BookRows; readonly events: EventList }, markets: Iterable<BitmexMarket>) {
    this.rows = buffers.rows;
    this.events = buffers.events;
    // Sizes are read as whole numbers.
    this.markets = new ScannedMarkets([...markets].filter(({ lot }) => lot.decimals === 0));
  }

  /** @returns what was read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Reading | null {
    this.scanner.begin(frame);
    switch (frame.charCodeAt(TABLE_AT)) {
      case SMALL_O:
        return frame.charCodeAt(BOOK_KIND_AT) === DIGIT_L ? this.scanBook() : this.scanTopLevels();
      case SMALL_Q:
        return this.scanQuotes();
      case SMALL_T:
        return this.scanTrades();
      case SMALL_I:
        return this.scanInstruments();
      default:
        return null;
    }
  }

  private scanBook(): Reading | null {
    const { scanner, rows } = this;
    if (!scanner.matches(FIRST_LEVEL)) return null;
    const action = actionOf(scanner.text.charCodeAt(BOOK_ACTION_AT));
    rows.begin(action);
    let start = FIRST_LEVEL_AT;
    do {
      const end = scanner.at;
      if (!this.readLevel(start, action)) return null;
      scanner.at = end;
      start = end + 1;
    } while (scanner.text.charCodeAt(scanner.at) === COMMA && scanner.matches(NEXT_LEVEL));
    return this.isAtTail() ? BOOK : null;
  }

  /** A row that has been matched. */
  private readLevel(start: number, action: BookAction): boolean {
    const { scanner, rows } = this;
    const { text } = scanner;
    const market = this.marketAt(start + SYMBOL);
    if (market === null) return false;
    scanner.at += ',"id":'.length;
    const id = scanner.integer();
    const row = id < 0 ? -1 : rows.add(market);
    if (row < 0) return false;
    rows.ids[row] = id;
    scanner.at += ',"side":"'.length;
    const isBuy = text.charCodeAt(scanner.at) === LETTER_B;
    rows.isBid[row] = isBuy ? 1 : 0;
    scanner.at += isBuy ? 'Buy"'.length : 'Sell"'.length;
    const hasSize = this.fieldIs(SMALL_S);
    // Off the grid it is the parser's, unless nobody needs it.
    if (hasSize && !this.readSize(row, action)) return false;
    const hasPrice = this.fieldIs(SMALL_P) && text.charCodeAt(scanner.at + 3) === SMALL_R;
    if (hasPrice) {
      scanner.at += ',"price":'.length;
      const ticks = this.price(market.tick);
      if (ticks < 0) return false;
      rows.ticks[row] = ticks;
    }
    if (action === "insert" && !(hasSize && hasPrice)) return false;
    return text.charCodeAt(scanner.at) === CLOSE_BRACE || this.readRowTime(row);
  }

  private readSize(row: number, action: BookAction): boolean {
    const { scanner, rows } = this;
    scanner.at += ',"size":'.length;
    const size = scanner.integer();
    if (size < 0) return false;
    if (action === "delete") return true;
    const lots = wholeSteps(size, (rows.markets[row] as BitmexMarket).lot.mantissa);
    rows.lots[row] = lots;
    return lots >= 0;
  }

  /** The time of a row of a book, behind its pool or before it. */
  private readRowTime(row: number): boolean {
    const { scanner } = this;
    if (this.fieldIs(SMALL_P)) this.passPool();
    if (!this.fieldIs(SMALL_T)) return true;
    const time = this.times.read(scanner.text, scanner.at + TIMESTAMP);
    this.rows.times[row] = time;
    return time >= 0;
  }

  private scanQuotes(): Reading | null {
    const { scanner, events } = this;
    if (!scanner.matches(FIRST_QUOTE)) return null;
    events.begin("quote");
    let start = FIRST_QUOTE_AT;
    let count = 0;
    do {
      const end = scanner.at;
      if (++count > MAX_EVENTS_PER_MESSAGE || !this.readQuote(start)) return null;
      scanner.at = end;
      start = end + 1;
    } while (scanner.text.charCodeAt(scanner.at) === COMMA && scanner.matches(NEXT_QUOTE));
    return this.isAtTail() ? events.answer("") : null;
  }

  private readQuote(start: number): boolean {
    const { scanner } = this;
    const venueTime = this.times.read(scanner.text, start + TIMESTAMP);
    const market = this.marketAt(start + TIMESTAMP + TIME + '","symbol":"'.length);
    if (market === null || venueTime < 0) return false;
    const quote = this.events.addQuote();
    quote.symbol = market.symbol;
    quote.venueTime = venueTime;
    quote.bidLots = this.lotsBehind(',"bidSize":'.length, market);
    quote.bidTicks = this.priceBehind(',"bidPrice":'.length, market);
    quote.askTicks = this.priceBehind(',"askPrice":'.length, market);
    quote.askLots = this.lotsBehind(',"askSize":'.length, market);
    return quote.bidTicks > 0 && quote.askTicks > 0 && quote.bidLots >= 0 && quote.askLots >= 0;
  }

  private scanTrades(): Reading | null {
    const { scanner, events } = this;
    if (!scanner.matches(FIRST_TRADE)) return null;
    events.begin("trade");
    let start = FIRST_TRADE_AT;
    let count = 0;
    do {
      const end = scanner.at;
      if (++count > MAX_EVENTS_PER_MESSAGE || !this.readTrade(start)) return null;
      scanner.at = end;
      start = end + 1;
    } while (scanner.text.charCodeAt(scanner.at) === COMMA && scanner.matches(NEXT_TRADE));
    return this.isAtTail() ? events.answer("") : null;
  }

  private readTrade(start: number): boolean {
    const { scanner } = this;
    const { text } = scanner;
    const venueTime = this.times.read(text, start + TIMESTAMP);
    const market = this.marketAt(start + TIMESTAMP + TIME + '","symbol":"'.length);
    if (market === null || venueTime < 0) return false;
    const isBuy = text.charCodeAt(scanner.at + ',"side":"'.length) === LETTER_B;
    scanner.at += isBuy ? ',"side":"Buy"'.length : ',"side":"Sell"'.length;
    const sizeLots = this.lotsBehind(',"size":'.length, market);
    const priceTicks = this.priceBehind(',"price":'.length, market);
    const uuidAt = text.indexOf('"', scanner.at + ',"tickDirection":"'.length) + '","trdMatchID":"'.length;
    const tradeId = isUuid(text, uuidAt) ? tradeIdAt(text, uuidAt) : 0;
    // The parser numbers those of which the venue says none.
    if (sizeLots <= 0 || priceTicks <= 0 || tradeId === 0) return false;
    const trade = this.events.addTrade();
    trade.symbol = market.symbol;
    trade.venueTime = venueTime;
    trade.tradeId = tradeId;
    trade.priceTicks = priceTicks;
    trade.sizeLots = sizeLots;
    trade.takerSide = isBuy ? "buy" : "sell";
    return true;
  }

  /** Rows that say nothing which is kept, nearly all of them: that they came is all. */
  private scanInstruments(): Reading | null {
    const { scanner, events } = this;
    if (!scanner.matches(FIRST_INSTRUMENT)) return null;
    events.begin("instrument");
    let start = FIRST_INSTRUMENT_AT;
    let count = 0;
    do {
      const end = scanner.at;
      const market = this.marketAt(start + SYMBOL);
      if (++count > MAX_EVENTS_PER_MESSAGE || market === null) return null;
      const event = events.addInstrument();
      event.symbol = market.symbol;
      event.venueState = null;
      event.hasOtherGrids = false;
      scanner.at = end;
      start = end + 1;
    } while (scanner.text.charCodeAt(scanner.at) === COMMA && scanner.matches(NEXT_INSTRUMENT));
    return this.isAtTail() ? events.answer("") : null;
  }

  private scanTopLevels(): Reading | null {
    const { scanner, events } = this;
    if (!scanner.matches(FIRST_TOP)) return null;
    events.begin("top-levels");
    let start = FIRST_TOP_AT;
    let count = 0;
    do {
      const end = scanner.at;
      if (++count > MAX_TOPS_PER_MESSAGE || !this.readTop(start)) return null;
      scanner.at = end;
      start = end + 1;
    } while (scanner.text.charCodeAt(scanner.at) === COMMA && scanner.matches(NEXT_TOP));
    return this.isAtTail() ? events.answer("") : null;
  }

  /** A row of orderBook10: each field once, in any order. */
  private readTop(start: number): boolean {
    const { scanner } = this;
    const { text } = scanner;
    const market = this.marketAt(start + SYMBOL);
    if (market === null) return false;
    const top = this.events.addTopLevels();
    let bidCount = -1;
    let askCount = -1;
    let time = -1;
    while (text.charCodeAt(scanner.at) !== CLOSE_BRACE) {
      if (this.fieldIs(SMALL_B)) {
        if (bidCount >= 0) return false;
        bidCount = this.readSide(top.levels, market, 0);
        if (bidCount < 0) return false;
      } else if (this.fieldIs(SMALL_A)) {
        if (askCount >= 0) return false;
        askCount = this.readSide(top.levels, market, TOP_LEVELS);
        if (askCount < 0) return false;
      } else if (this.fieldIs(SMALL_T)) {
        if (time >= 0) return false;
        time = this.times.read(text, scanner.at + TIMESTAMP);
        if (time < 0) return false;
        scanner.at += TIMESTAMP + TIME + 1;
      } else this.passPool();
    }
    top.symbol = market.symbol;
    top.venueTime = time;
    fitAsks(top.levels, bidCount, askCount);
    return bidCount >= 0 && askCount >= 0 && time >= 0;
  }

  /** `,"bids":[[price,size],…]` that has been matched, to the places from `first` on. @returns how many levels; -1 when one is off the grid. */
  private readSide({ priceTicks, sizeLots }: LevelBatch, market: BitmexMarket, first: number): number {
    const { scanner } = this;
    const { text } = scanner;
    scanner.at += ',"bids":['.length;
    let at = first;
    while (text.charCodeAt(scanner.at) !== CLOSE_BRACKET) {
      if (at > first) scanner.at++;
      const ticks = this.priceBehind(1, market);
      const lots = this.lotsBehind(1, market);
      if (ticks <= 0 || lots < 0) return -1;
      priceTicks[at] = ticks;
      sizeLots[at] = lots;
      at++;
      scanner.at++;
    }
    scanner.at++;
    return at - first;
  }

  /** The market that is named at `start`, read up to and with the closing quote; null when it is none of ours. */
  private marketAt(start: number): BitmexMarket | null {
    this.scanner.at = start;
    return this.markets.read(this.scanner);
  }

  /** Whether the field behind the comma here begins with this letter. */
  private fieldIs(letter: number): boolean {
    const { text, at } = this.scanner;
    return text.charCodeAt(at) === COMMA && text.charCodeAt(at + 2) === letter;
  }

  /** `,"pool":"Primary"`, or Aggregated. */
  private passPool(): void {
    const { scanner } = this;
    scanner.at = scanner.text.indexOf('"', scanner.at + ',"pool":"'.length) + 1;
  }

  /** A price here as ticks; -1 when it is off the grid, too large, or none. */
  private price(grid: DecimalGrid): number {
    const { scanner } = this;
    const ticks = scanner.decimal(scanner.at, grid);
    if (isDigit(scanner.text.charCodeAt(scanner.at))) return -1;
    return ticks > 0 && ticks * grid.mantissa < PRICE_UNITS_BOUND ? ticks : -1;
  }

  private priceBehind(characters: number, { tick }: BitmexMarket): number {
    this.scanner.at += characters;
    return this.price(tick);
  }

  /** A whole number of lots; -1 when it is off the grid. */
  private lotsBehind(characters: number, { lot }: BitmexMarket): number {
    this.scanner.at += characters;
    const size = this.scanner.integer();
    return size < 0 ? -1 : wholeSteps(size, lot.mantissa);
  }

  private isAtTail(): boolean {
    return this.scanner.literal(TAIL) && this.scanner.isAtEnd();
  }
}

function actionOf(letter: number): BookAction {
  return letter === SMALL_U ? "update" : letter === SMALL_I ? "insert" : "delete";
}

/** Whether the dashes and the end of what has been matched as the parts of a uuid stand where a uuid has them. */
function isUuid(text: string, start: number): boolean {
  for (const dash of UUID_DASHES) if (text.charCodeAt(start + dash) !== DASH) return false;
  return text.indexOf('"', start) === start + UUID;
}

/** The last 52 bits of the uuid at `start` (frame-parser.ts says why): the digit before its last dash but three, and the twelve at its end. */
function tradeIdAt(text: string, start: number): number {
  let bits = hexDigit(text.charCodeAt(start + UUID_TAIL - 2));
  for (let at = start + UUID_TAIL; at < start + UUID_TAIL + UUID_TAIL_DIGITS; at++) bits = bits * 16 + hexDigit(text.charCodeAt(at));
  return bits;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

function hexDigit(code: number): number {
  return code < SMALL_A ? code - ZERO : code - SMALL_A + 10;
}

/** Asks are read to the places behind all of the bids that there may be: where there are fewer, they move up. */
function fitAsks(levels: LevelBatch, bidCount: number, askCount: number): void {
  levels.bidCount = bidCount;
  levels.askCount = askCount;
  if (bidCount < 0 || bidCount === TOP_LEVELS) return;
  levels.priceTicks.copyWithin(bidCount, TOP_LEVELS, TOP_LEVELS + askCount);
  levels.sizeLots.copyWithin(bidCount, TOP_LEVELS, TOP_LEVELS + askCount);
}
