/**
 * The fast reading of a frame: one pass over the exact text that BitMEX sends for changes of its books and for quotes, straight into the columns.
 *
 * No object, substring or array is made. The scanner accepts only a complete frame in a known layout whose values it can hold, and
 * answers null for anything else: the parser then says what that is. What it does accept must be exactly what the parser would have read
 * (test/exchanges/bitmex-decoder.test.ts holds the two together).
 *
 * Layouts: recorded frames of 2021 (no price in update and delete, no times); since July 2023 each row has its price and `timestamp`
 * (https://blog.bitmex.com/site_announcement/potentially-breaking-api-update-to-id-generation-on-websocket-orderbook-feeds), since 2026 a `pool`
 * (https://www.bitmex.com/blog/api-change-03-02-2026), and a `transactTime` (all read 2026-11-27). Invariant: a scanned frame ends with
 * `]}`, which no run of digits and no row matches, so no character is read past its end.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { PRICE_UNITS_BOUND } from "../decoding/json-numbers.ts";
import type { BookAction, BookRows } from "./book-rows.ts";
import { type EventList, MAX_EVENTS_PER_MESSAGE } from "./event-list.ts";
import { BOOK, type Reading } from "./frame-parser.ts";
import type { BitmexMarket } from "./markets.ts";
import { timeAt } from "./timestamp.ts";

const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
/** Digits that a double holds whatever they are: 10^15 < 2^53. */
const MAX_INTEGER_DIGITS = 15;
const MAX_SYMBOL = 40;
const TIME_CHARACTERS = 24;
/** `2026-09-02T07:48:` */
const MINUTE_CHARACTERS = 17;
const LETTER_Z = 90;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15] as const;

const BOOK_HEAD = '{"table":"orderBookL2","action":"';
const QUOTE_HEAD = '{"table":"quote","action":"insert","data":[';
const ROW_HEAD = '{"symbol":"';
const TIMED_ROW_HEAD = '{"timestamp":"';
const SYMBOL_FIELD = ',"symbol":"';

/** A market with the pieces of text that its rows hold, joined once. */
interface ScannedMarket {
  readonly market: BitmexMarket;
  /** e.g. `{"symbol":"XBTUSD","id":` */
  readonly levelHead: string;
  /** e.g. `XBTUSD",` */
  readonly symbolEnd: string;
}

export class FrameScanner {
  private readonly rows: BookRows;
  private readonly events: EventList;
  /** By hash of the symbol; two that collide leave one to the parser. */
  private readonly markets = new Map<number, ScannedMarket>();
  /** The market of the row before: nearly always that of the next. */
  private last: ScannedMarket | null = null;
  /** The minute named last, as text and as epoch ms: most times differ from it in their seconds alone. */
  private minuteText = "";
  private minute = 0;
  private text = "";
  /** Where the next character is read. */
  private at = 0;
  /** What `integer` read last. */
  private value = 0;

  constructor(buffers: { readonly rows: BookRows; readonly events: EventList }, markets: Iterable<BitmexMarket>) {
    this.rows = buffers.rows;
    this.events = buffers.events;
    for (const market of markets) {
      if (market.tick.decimals >= POWERS_OF_TEN.length || market.lot.decimals !== 0) continue;
      const { symbol } = market;
      this.markets.set(hashUpToQuote(`${symbol}"`, 0), { market, levelHead: `${ROW_HEAD}${symbol}","id":`, symbolEnd: `${symbol}",` });
    }
  }

  /** @returns what was read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Reading | null {
    const end = frame.length;
    if (end < 2 || frame.charCodeAt(end - 1) !== CLOSE_BRACE || frame.charCodeAt(end - 2) !== CLOSE_BRACKET) return null;
    this.text = frame;
    this.at = 0;
    if (this.literal(BOOK_HEAD)) return this.scanBook();
    return this.literal(QUOTE_HEAD) ? this.scanQuotes() : null;
  }

  private scanBook(): Reading | null {
    const action = this.action();
    if (action === null) return null;
    this.rows.begin(action);
    do {
      if (!this.scanLevel(action)) return null;
    } while (this.isNextRow());
    return this.isAtEnd() ? BOOK : null;
  }

  /** The actions of changes; an image comes once, and is the parser's. */
  private action(): BookAction | null {
    if (this.literal('update","data":[')) return "update";
    if (this.literal('insert","data":[')) return "insert";
    return this.literal('delete","data":[') ? "delete" : null;
  }

  private scanLevel(action: BookAction): boolean {
    const { rows } = this;
    const market = this.levelMarket();
    if (market === null || !this.integer()) return false;
    const row = rows.add(market);
    if (row < 0) return false;
    rows.ids[row] = this.value;
    if (this.literal(',"side":"Buy"')) rows.isBid[row] = 1;
    else if (this.literal(',"side":"Sell"')) rows.isBid[row] = 0;
    else return false;
    const hasSize = this.literal(',"size":');
    if (hasSize) {
      if (!this.integer()) return false;
      const lots = this.value / market.lot.mantissa;
      // Off the grid it is the parser's, unless nobody needs it.
      if (action !== "delete") rows.lots[row] = lots;
      if (action !== "delete" && !Number.isInteger(lots)) return false;
    }
    const hasPrice = this.literal(',"price":');
    if (hasPrice) {
      const ticks = this.decimal(market.tick);
      if (ticks <= 0) return false;
      rows.ticks[row] = ticks;
    }
    if (action === "insert" && !(hasSize && hasPrice)) return false;
    return this.scanRowEnd(row);
  }

  /** Pool and times, as far as they are there, and the closing brace. */
  private scanRowEnd(row: number): boolean {
    if (this.literal("}")) return true;
    const hasPool = this.pool();
    if (this.literal(',"timestamp":"')) {
      const time = this.time();
      if (time < 0) return false;
      this.rows.times[row] = time;
      // Not used: any text in its place would do.
      if (this.literal(',"transactTime":"') && this.time() < 0) return false;
    }
    if (!hasPool) this.pool();
    return this.literal("}");
  }

  private scanQuotes(): Reading | null {
    const { events } = this;
    events.begin("quote");
    let count = 0;
    do {
      if (++count > MAX_EVENTS_PER_MESSAGE || !this.scanQuote()) return null;
    } while (this.isNextRow());
    return this.isAtEnd() ? events.answer("") : null;
  }

  private scanQuote(): boolean {
    if (!this.literal(TIMED_ROW_HEAD)) return false;
    const time = this.time();
    if (time < 0 || !this.literal(SYMBOL_FIELD)) return false;
    const market = this.quoteMarket();
    if (market === null) return false;
    const quote = this.events.addQuote();
    quote.symbol = market.symbol;
    quote.venueTime = time;
    quote.bidLots = this.lots('"bidSize":', market);
    quote.bidTicks = this.literal(',"bidPrice":') ? this.decimal(market.tick) : -1;
    quote.askTicks = this.literal(',"askPrice":') ? this.decimal(market.tick) : -1;
    quote.askLots = this.lots(',"askSize":', market);
    if (quote.bidTicks <= 0 || quote.askTicks <= 0 || quote.bidLots < 0 || quote.askLots < 0) return false;
    this.pool();
    return this.literal("}");
  }

  /** `expected` and a whole number of lots. @returns -1 when that is not what is here. */
  private lots(expected: string, { lot }: BitmexMarket): number {
    if (!this.literal(expected) || !this.integer()) return -1;
    return this.value % lot.mantissa === 0 ? this.value / lot.mantissa : -1;
  }

  /** The market of an orderBookL2 row, up to its id; null when it is none of ours. */
  private levelMarket(): BitmexMarket | null {
    if (this.last !== null && this.literal(this.last.levelHead)) return this.last.market;
    const found = this.markets.get(hashUpToQuote(this.text, this.at + ROW_HEAD.length));
    if (found === undefined || !this.literal(found.levelHead)) return null;
    this.last = found;
    return found.market;
  }

  /** The market of a quote, from its symbol to the comma behind it; null when it is none of ours. */
  private quoteMarket(): BitmexMarket | null {
    if (this.last !== null && this.literal(this.last.symbolEnd)) return this.last.market;
    const found = this.markets.get(hashUpToQuote(this.text, this.at));
    if (found === undefined || !this.literal(found.symbolEnd)) return null;
    this.last = found;
    return found.market;
  }

  /** @returns whether a pool that is ours was named; another is left where it is, and nothing matches it. */
  private pool(): boolean {
    return this.literal(',"pool":"Primary"') || this.literal(',"pool":"Aggregated"');
  }

  /** A time and its closing quote; -1 when that is not what is here. */
  private time(): number {
    const { text, at } = this;
    const isSameMinute = this.minuteText !== "" && text.startsWith(this.minuteText, at);
    const seconds = isSameMinute ? this.secondsAt(at + MINUTE_CHARACTERS) : -1;
    const time = seconds < 0 ? this.anyTime(at) : this.minute + seconds;
    this.at = at + TIME_CHARACTERS;
    return time >= 0 && this.literal('"') ? time : -1;
  }

  private anyTime(at: number): number {
    const { text } = this;
    const time = timeAt(text, at);
    if (time < 0) return -1;
    // Joined, so that it is a text of its own: a slice would keep the whole frame.
    this.minuteText = [...text.slice(at, at + MINUTE_CHARACTERS)].join("");
    this.minute = minuteOf(time);
    return time;
  }

  /** `ss.mmmZ` as ms; -1 when it is none. */
  private secondsAt(at: number): number {
    const { text } = this;
    if (text.charCodeAt(at + 2) !== POINT || text.charCodeAt(at + 6) !== LETTER_Z) return -1;
    let ms = 0;
    for (let digit = 0; digit < 5; digit++) {
      const value = text.charCodeAt(at + digit + (digit < 2 ? 0 : 1)) - ZERO;
      if (!(value >= 0 && value <= 9)) return -1;
      ms = ms * 10 + value;
    }
    return ms < MS_PER_MINUTE ? ms : -1;
  }

  /** Whether another row follows; the comma before it is read. */
  private isNextRow(): boolean {
    if (this.text.charCodeAt(this.at) !== COMMA) return false;
    this.at++;
    return true;
  }

  private isAtEnd(): boolean {
    return this.at === this.text.length - 2;
  }

  private literal(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
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

  /** A JSON number without an exponent, as whole steps of its grid. @returns -1 when it is none, is off the grid, or has more digits than fit. */
  private decimal({ decimals, mantissa }: DecimalGrid): number {
    const { text } = this;
    if (!this.integer()) return -1;
    let units = this.value;
    let at = this.at;
    let missing = decimals;
    if (text.charCodeAt(at) === POINT) {
      const first = ++at;
      let digit = text.charCodeAt(at) - ZERO;
      while (missing > 0 && digit >= 0 && digit <= 9) {
        units = units * 10 + digit;
        missing--;
        digit = text.charCodeAt(++at) - ZERO;
      }
      while (digit === 0) digit = text.charCodeAt(++at) - ZERO;
      if (at === first) return -1;
    }
    // A further digit is off the grid, and an exponent is the parser's: no literal that may follow matches either.
    this.at = at;
    units *= POWERS_OF_TEN[missing] as number;
    if (units >= PRICE_UNITS_BOUND) return -1;
    return units % mantissa === 0 ? units / mantissa : -1;
  }
}

/** A hash of what stands from `start` to the next quote; -1 when there is none near. */
function hashUpToQuote(text: string, start: number): number {
  const end = Math.min(text.length, start + MAX_SYMBOL + 1);
  let hash = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return hash & 0x3fffffff;
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  return -1;
}
