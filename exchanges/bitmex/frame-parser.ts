/**
 * The slow and complete reading of a frame: JSON.parse, then every field that we use checked for its type, range and grid. It defines what
 * a frame means; the scanner (frame-scanner.ts) is a shortcut through the layouts that make up nearly all traffic.
 *
 * https://www.bitmex.com/app/wsAPI (read 2026-11-27) and recorded frames of 2021; `pool` since 2026:
 * https://www.bitmex.com/blog/api-change-03-02-2026 (read 2026-11-27). Fields that we don't use are not looked at, so the venue may add some.
 *
 * Pools: since 2026 a market has two books, Primary and Secondary (a protected one, thin), and an Aggregated view of both. topics.ts asks for
 * Primary. Rows of Secondary are passed over wherever they come, so that an older subscription's tape (whose book is Aggregated, and whose
 * quotes and trades are of both) is not compared with the wrong pool's quotes.
 *
 * Only orderBookL2 waits for its partial: quotes, trades and orderBook10 are whole in themselves. A partial of quotes is the current quote; one of
 * trades is of before the subscription, and ignored. A row of orderBook10 is a market's ten best levels a side, however little of them has changed
 * ("full book push"); one that has not both sides says nothing that could be compared. A row of instrument says what has changed, most often prices, of which
 * nothing is kept; a row that is deleted is of an instrument that is not listed any more.
 */

import type { LevelBatch } from "../../core/market/event.ts";
import { type DecimalGrid, gridStep, parseGrid } from "../../core/units/decimal.ts";
import type { Channel, Decoded } from "../contract.ts";
import { arrayField, FieldError, integerField, isObject, type JsonObject, parseJson, shown, textField } from "../decoding/json-fields.ts";
import { lotsOfNumber, plainDecimal, ticksOfNumber } from "../decoding/json-numbers.ts";
import { type BookAction, type BookRows, MAX_ROWS_PER_MESSAGE } from "./book-rows.ts";
import { type EventList, MAX_EVENTS_PER_MESSAGE, MAX_TOPS_PER_MESSAGE, TOP_LEVELS } from "./event-list.ts";
import type { BitmexMarket } from "./markets.ts";
import { refusalOf } from "./refusals.ts";
import { timeOf } from "./timestamp.ts";

/** `book`: the rows of one orderBookL2 message are in `rows`. A clock: what the venue says of the time in a message of no market. */
export type Reading = Decoded | { readonly kind: "book" } | { readonly kind: "clock"; readonly time: number; readonly decoded: Decoded };

export const BOOK: Reading = { kind: "book" };

export class FrameParser {
  private readonly rows: BookRows;
  private readonly events: EventList;
  private readonly markets: ReadonlyMap<string, BitmexMarket>;
  private readonly newTradeId: (time: number) => number;

  /** @param newTradeId an id for a trade that the venue gives none. */
  constructor(
    buffers: { readonly rows: BookRows; readonly events: EventList },
    markets: ReadonlyMap<string, BitmexMarket>,
    newTradeId: (time: number) => number,
  ) {
    this.rows = buffers.rows;
    this.events = buffers.events;
    this.markets = markets;
    this.newTradeId = newTradeId;
  }

  parse(frame: string): Reading {
    if (frame === "pong") return { kind: "control", control: "heartbeat", detail: "pong" };
    const root = parseJson(frame);
    if (!isObject(root)) return this.malformed(root === undefined ? "not JSON" : `not an object: ${shown(root)}`, frame);
    try {
      return this.readRoot(root);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return this.malformed(error.message, frame);
    }
  }

  private readRoot(root: JsonObject): Reading {
    if ("table" in root) return this.readTable(textField(root, "table"), root);
    if ("error" in root || root.success === false) return refusalOf(root);
    if (root.success === true) return acknowledged(`${shown(root.subscribe ?? root.unsubscribe)}, pool ${shown(root.pool)}`);
    if ("info" in root) {
      const time = typeof root.timestamp === "string" ? timeOf(root.timestamp) : -1;
      const decoded = acknowledged(shown(root.info));
      return time < 0 ? decoded : { kind: "clock", time, decoded };
    }
    throw new FieldError("neither a table's message nor an answer to a request");
  }

  private readTable(table: string, root: JsonObject): Reading {
    const action = textField(root, "action");
    const filter = isObject(root.filter) ? root.filter : {};
    switch (table) {
      case "orderBookL2":
        if (!isBookAction(action)) throw new FieldError(`"action" is ${shown(action)}, not one of a book`);
        if (isOtherPool(filter)) return otherPool();
        return this.readBook(action, filter, rowsOf(root, MAX_ROWS_PER_MESSAGE));
      case "quote":
        if (action !== "partial" && action !== "insert") return { kind: "ignored", reason: `${shown(action)} of quotes` };
        return this.readQuotes(rowsOf(root, MAX_EVENTS_PER_MESSAGE));
      case "trade":
        if (action !== "insert") return { kind: "ignored", reason: `${shown(action)} of trades` };
        return this.readTrades(rowsOf(root, MAX_EVENTS_PER_MESSAGE));
      case "orderBook10":
        if (!isBookAction(action) || action === "delete") return { kind: "ignored", reason: `${shown(action)} of best levels` };
        return this.readTopLevels(rowsOf(root, MAX_TOPS_PER_MESSAGE));
      case "instrument":
        if (!isBookAction(action)) return { kind: "ignored", reason: `${shown(action)} of instruments` };
        return this.readInstruments(action, rowsOf(root, MAX_EVENTS_PER_MESSAGE));
      default:
        return { kind: "ignored", reason: `table ${shown(table)} is not one we keep` };
    }
  }

  private readBook(action: BookAction, filter: JsonObject, data: readonly JsonObject[]): Reading {
    const { rows } = this;
    rows.begin(action);
    if (typeof filter.symbol === "string") {
      rows.partialOf = this.markets.get(filter.symbol) ?? null;
      if (rows.partialOf === null) return notOurs(filter.symbol);
    }
    for (const [at, row] of data.entries()) {
      const market = this.markets.get(textField(row, "symbol"));
      if (rows.partialOf !== null && market !== rows.partialOf) {
        throw new FieldError(`a partial of ${rows.partialOf.symbol} carries ${shown(row.symbol)}`);
      }
      if (market !== undefined && !isOtherPool(row)) this.readLevel(market, row, `row ${at}`);
    }
    // Told by its rows alone, where an older partial's filter names no pool.
    return rows.count === 0 && data.some(isOtherPool) ? otherPool() : BOOK;
  }

  private readLevel(market: BitmexMarket, row: JsonObject, name: string): void {
    const { rows } = this;
    const isNew = rows.action === "partial" || rows.action === "insert";
    const place = rows.add(market);
    rows.ids[place] = integerField(row, "id");
    rows.isBid[place] = sideOf(row) === "buy" ? 1 : 0;
    if (isNew || isThere(row.price)) rows.ticks[place] = ticksOfNumber(row.price, `price of ${name}`, market.tick);
    // The size that a deleted level had is of no use.
    if (isNew || (rows.action === "update" && isThere(row.size))) rows.lots[place] = lotsOfNumber(row.size, `size of ${name}`, market.lot);
    if (isThere(row.timestamp)) rows.times[place] = timeField(row);
  }

  private readQuotes(data: readonly JsonObject[]): Decoded {
    this.events.begin("quote");
    for (const [at, row] of data.entries()) {
      const market = this.markets.get(textField(row, "symbol"));
      // A side that is empty is absent (until 2023: null): that is no quote.
      if (market === undefined || isOtherPool(row) || !isThere(row.bidPrice) || !isThere(row.askPrice)) continue;
      const quote = this.events.addQuote();
      quote.symbol = market.symbol;
      quote.venueTime = timeField(row);
      quote.bidTicks = ticksOfNumber(row.bidPrice, `bidPrice of row ${at}`, market.tick);
      quote.bidLots = lotsOfNumber(row.bidSize, `bidSize of row ${at}`, market.lot);
      quote.askTicks = ticksOfNumber(row.askPrice, `askPrice of row ${at}`, market.tick);
      quote.askLots = lotsOfNumber(row.askSize, `askSize of row ${at}`, market.lot);
    }
    return this.events.answer("no quote of ours with both sides");
  }

  private readTrades(data: readonly JsonObject[]): Decoded {
    this.events.begin("trade");
    for (const [at, row] of data.entries()) {
      const market = this.markets.get(textField(row, "symbol"));
      if (market === undefined || isOtherPool(row)) continue;
      const trade = this.events.addTrade();
      const time = timeField(row);
      trade.symbol = market.symbol;
      trade.venueTime = time;
      trade.tradeId = tradeIdOf(row) ?? this.newTradeId(time);
      trade.priceTicks = ticksOfNumber(row.price, `price of row ${at}`, market.tick);
      trade.sizeLots = lotsOfNumber(row.size, `size of row ${at}`, market.lot);
      if (trade.sizeLots === 0) throw new FieldError(`size of row ${at} is ${shown(row.size)}, not above zero`);
      trade.takerSide = sideOf(row);
    }
    return this.events.answer("no trade of ours");
  }

  private readTopLevels(data: readonly JsonObject[]): Decoded {
    this.events.begin("top-levels");
    for (const [at, row] of data.entries()) {
      const market = this.markets.get(textField(row, "symbol"));
      if (market === undefined || isOtherPool(row) || !isThere(row.bids) || !isThere(row.asks)) continue;
      const top = this.events.addTopLevels();
      const { levels } = top;
      top.symbol = market.symbol;
      top.venueTime = timeField(row);
      levels.bidCount = readSide(arrayField(row, "bids"), `bids of row ${at}`, { market, levels, first: 0 });
      levels.askCount = readSide(arrayField(row, "asks"), `asks of row ${at}`, { market, levels, first: levels.bidCount });
    }
    return this.events.answer("no best levels of ours");
  }

  private readInstruments(action: BookAction, data: readonly JsonObject[]): Decoded {
    this.events.begin("instrument");
    for (const [at, row] of data.entries()) {
      const market = this.markets.get(textField(row, "symbol"));
      if (market === undefined) continue;
      const event = this.events.addInstrument();
      event.symbol = market.symbol;
      event.venueState = action === "delete" ? UNLISTED : isThere(row.state) ? stateOf(row.state, `state of row ${at}`) : null;
      event.hasOtherGrids =
        (isThere(row.tickSize) && isOtherGrid(row.tickSize, `tickSize of row ${at}`, market.tick)) ||
        (isThere(row.lotSize) && isOtherGrid(row.lotSize, `lotSize of row ${at}`, market.lot));
    }
    return this.events.answer("no instrument of ours");
  }

  private malformed(reason: string, frame: string): Decoded {
    return { kind: "malformed", reason, symbol: this.symbolNamedIn(frame), channel: channelNamedIn(frame) };
  }

  /** The one symbol of ours that an unusable frame names; null when it names none, or more. */
  private symbolNamedIn(frame: string): string | null {
    let named: string | null = null;
    for (const [, symbol = ""] of frame.matchAll(/"symbol"\s*:\s*"([^"]{1,40})"/g)) {
      if (symbol === named || !this.markets.has(symbol)) continue;
      if (named !== null) return null;
      named = symbol;
    }
    return named;
  }
}

const CHANNEL_OF_TABLE: ReadonlyMap<string, Channel> = new Map([
  ["orderBookL2", "depth"],
  ["trade", "trades"],
  ["quote", "quotes"],
  // What is said of a book, like a quote: without it the book is as good as before.
  ["orderBook10", "quotes"],
  ["instrument", "quotes"],
]);

function channelNamedIn(frame: string): Channel | null {
  const table = /^\s*\{\s*"table"\s*:\s*"(\w{1,40})"/.exec(frame.slice(0, 100))?.[1];
  return CHANNEL_OF_TABLE.get(table ?? "") ?? null;
}

function rowsOf(root: JsonObject, most: number): readonly JsonObject[] {
  const data = arrayField(root, "data");
  if (data.length > most) throw new FieldError(`too many rows: ${data.length}, at most ${most}`);
  return data.map((row) => {
    if (!isObject(row)) throw new FieldError(`a row is ${shown(row)}, not an object`);
    return row;
  });
}

function isBookAction(action: string): action is BookAction {
  return action === "partial" || action === "insert" || action === "update" || action === "delete";
}

/** Reads `[[price, size], …]` to `levels`, from `first` on. @returns how many there were. */
function readSide(
  side: readonly unknown[],
  name: string,
  { market, levels, first }: { market: BitmexMarket; levels: LevelBatch; first: number },
): number {
  if (side.length > TOP_LEVELS) throw new FieldError(`${name} are ${side.length}, more than ${TOP_LEVELS}`);
  for (const [at, level] of side.entries()) {
    if (!Array.isArray(level) || level.length !== 2) throw new FieldError(`level ${at} of ${name} is ${shown(level)}, not [price, size]`);
    levels.priceTicks[first + at] = ticksOfNumber(level[0], `price ${at} of ${name}`, market.tick);
    levels.sizeLots[first + at] = lotsOfNumber(level[1], `size ${at} of ${name}`, market.lot);
  }
  return side.length;
}

/** The venue's word for an instrument that is not listed. */
const UNLISTED = "Unlisted";

/** Open, Closed, Unlisted, Settled: one word, whichever it will be. */
function stateOf(value: unknown, name: string): string {
  if (typeof value !== "string" || !/^\w{1,40}$/.test(value)) throw new FieldError(`${name} is ${shown(value)}, not a word`);
  return value;
}

function isOtherGrid(value: unknown, name: string, known: DecimalGrid): boolean {
  const grid = parseGrid(plainDecimal(value) ?? "");
  if (grid === null) throw new FieldError(`${name} is ${shown(value)}, not a number above zero`);
  return gridStep(grid) !== gridStep(known);
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isOtherPool(row: JsonObject): boolean {
  return row.pool === "Secondary";
}

function otherPool(): Decoded {
  return { kind: "ignored", reason: "the Secondary pool's book" };
}

function notOurs(symbol: string): Decoded {
  return { kind: "ignored", reason: `symbol ${shown(symbol)} is not one of this feed's` };
}

function sideOf(row: JsonObject): "buy" | "sell" {
  if (row.side === "Buy") return "buy";
  if (row.side === "Sell") return "sell";
  throw new FieldError(`"side" is ${shown(row.side)}, neither Buy nor Sell`);
}

function timeField(row: JsonObject): number {
  const time = typeof row.timestamp === "string" ? timeOf(row.timestamp) : -1;
  if (time < 0) throw new FieldError(`"timestamp" is ${shown(row.timestamp)}, not a time such as 2021-07-22T22:36:10.014Z`);
  return time;
}

/**
 * The last 52 bits of the trade's uuid: it was random throughout in 2021, and counts up at its end in 2026 (00000000-006d-1000-0000-00367d215623),
 * where its beginning is the same for every trade. Null for the zero uuid, which the venue has sent for many trades (June 2026).
 */
function tradeIdOf(row: JsonObject): number | null {
  const id = textField(row, "trdMatchID");
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw new FieldError(`"trdMatchID" is ${shown(id)}, not a uuid`);
  const bits = Number.parseInt(`${id.slice(22, 23)}${id.slice(24)}`, 16);
  return bits === 0 ? null : bits;
}

function acknowledged(detail: string): Decoded {
  return { kind: "control", control: "acknowledged", detail };
}
