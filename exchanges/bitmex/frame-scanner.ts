/**
 * The fast reading of a frame: one pass over the exact text that BitMEX sends for changes of its books, their best levels and quotes, straight into the columns.
 *
 * No object, substring or array is made. The scanner accepts only a complete frame in a known layout whose values it can hold, and
 * answers null for anything else: the parser then says what that is. What it does accept must be exactly what the parser would have read
 * (test/exchanges/bitmex-decoder.test.ts holds the two together).
 *
 * Layouts: recorded frames of 2021 (no price in update and delete, no times); since July 2023 each row has its price and `timestamp`
 * (https://blog.bitmex.com/site_announcement/potentially-breaking-api-update-to-id-generation-on-websocket-orderbook-feeds), since 2026 a `pool`
 * (https://www.bitmex.com/blog/api-change-03-02-2026), and a `transactTime` (all read 2026-11-27). The fields of
 * an orderBook10 row come in any order: they have been recorded in two.
 */

import type { LevelBatch } from "../../core/market/event.ts";
import type { BookAction, BookRows } from "./book-rows.ts";
import { type EventList, MAX_EVENTS_PER_MESSAGE, MAX_TOPS_PER_MESSAGE, TOP_LEVELS } from "./event-list.ts";
import { BOOK, type Reading } from "./frame-parser.ts";
import type { BitmexMarket } from "./markets.ts";
import { MAX_DECIMALS, RowScanner } from "./row-scanner.ts";

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const MAX_SYMBOL = 40;

const BOOK_HEAD = '{"table":"orderBookL2","action":"';
const QUOTE_HEAD = '{"table":"quote","action":"insert","data":[';
const TOP_LEVELS_HEAD = '{"table":"orderBook10","action":"update","data":[';
const ROW_HEAD = '{"symbol":"';
const TIMED_ROW_HEAD = '{"timestamp":"';
const SYMBOL_FIELD = ',"symbol":"';

/** A market with the pieces of text that its rows hold, joined once. */
interface ScannedMarket {
  readonly market: BitmexMarket;
  /** e.g. `{"symbol":"XBTUSD","id":` */
  readonly levelHead: string;
  /** e.g. `{"symbol":"XBTUSD"` */
  readonly topHead: string;
  /** e.g. `XBTUSD",` */
  readonly symbolEnd: string;
}

export class FrameScanner extends RowScanner {
  private readonly rows: BookRows;
  private readonly events: EventList;
  /** By hash of the symbol; two that collide leave one to the parser. */
  private readonly markets = new Map<number, ScannedMarket>();
  /** The market of the row before: nearly always that of the next. */
  private last: ScannedMarket | null = null;

  constructor(buffers: { readonly rows: BookRows; readonly events: EventList }, markets: Iterable<BitmexMarket>) {
    super();
    this.rows = buffers.rows;
    this.events = buffers.events;
    for (const market of markets) {
      if (market.tick.decimals > MAX_DECIMALS || market.lot.decimals !== 0) continue;
      const { symbol } = market;
      this.markets.set(hashUpToQuote(`${symbol}"`, 0), {
        market,
        levelHead: `${ROW_HEAD}${symbol}","id":`,
        topHead: `${ROW_HEAD}${symbol}"`,
        symbolEnd: `${symbol}",`,
      });
    }
  }

  /** @returns what was read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Reading | null {
    if (!this.begin(frame)) return null;
    if (this.literal(BOOK_HEAD)) return this.scanBook();
    if (this.literal(TOP_LEVELS_HEAD)) return this.scanTopLevels();
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

  private scanTopLevels(): Reading | null {
    const { events } = this;
    events.begin("top-levels");
    let count = 0;
    do {
      if (++count > MAX_TOPS_PER_MESSAGE || !this.scanTop()) return null;
    } while (this.isNextRow());
    return this.isAtEnd() ? events.answer("") : null;
  }

  /** A row of orderBook10: each field once, in any order. */
  private scanTop(): boolean {
    const market = this.topMarket();
    if (market === null) return false;
    const top = this.events.addTopLevels();
    let bidCount = -1;
    let askCount = -1;
    let time = -1;
    let hasPool = false;
    for (;;) {
      if (bidCount < 0 && this.literal(',"bids":[')) {
        bidCount = this.scanSide(top.levels, market, 0);
        if (bidCount < 0) return false;
      } else if (askCount < 0 && this.literal(',"asks":[')) {
        askCount = this.scanSide(top.levels, market, TOP_LEVELS);
        if (askCount < 0) return false;
      } else if (time < 0 && this.literal(',"timestamp":"')) {
        time = this.time();
        if (time < 0) return false;
      } else if (!hasPool && this.pool()) hasPool = true;
      else break;
    }
    top.symbol = market.symbol;
    top.venueTime = time;
    fitAsks(top.levels, bidCount, askCount);
    return bidCount >= 0 && askCount >= 0 && time >= 0 && this.literal("}");
  }

  /** `[price,size],…]`, to the places from `first` on. @returns how many levels; -1 when that is not what is here. */
  private scanSide({ priceTicks, sizeLots }: LevelBatch, market: BitmexMarket, first: number): number {
    if (this.character(CLOSE_BRACKET)) return 0;
    for (let count = 0; count < TOP_LEVELS; count++) {
      const ticks = this.character(OPEN_BRACKET) ? this.decimal(market.tick) : -1;
      if (ticks <= 0 || !this.character(COMMA) || !this.integer()) return -1;
      const lots = this.value / market.lot.mantissa;
      if (!Number.isInteger(lots) || !this.character(CLOSE_BRACKET)) return -1;
      priceTicks[first + count] = ticks;
      sizeLots[first + count] = lots;
      if (this.character(CLOSE_BRACKET)) return count + 1;
      if (!this.character(COMMA)) return -1;
    }
    return -1;
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

  /** The market of an orderBook10 row, up to the quote behind its symbol; null when it is none of ours. */
  private topMarket(): BitmexMarket | null {
    if (this.last !== null && this.literal(this.last.topHead)) return this.last.market;
    const found = this.markets.get(hashUpToQuote(this.text, this.at + ROW_HEAD.length));
    if (found === undefined || !this.literal(found.topHead)) return null;
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
}

/** Asks are read to the places behind all of the bids that there may be: where there are fewer, they move up. */
function fitAsks(levels: LevelBatch, bidCount: number, askCount: number): void {
  levels.bidCount = bidCount;
  levels.askCount = askCount;
  if (bidCount < 0 || bidCount === TOP_LEVELS) return;
  levels.priceTicks.copyWithin(bidCount, TOP_LEVELS, TOP_LEVELS + askCount);
  levels.sizeLots.copyWithin(bidCount, TOP_LEVELS, TOP_LEVELS + askCount);
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
