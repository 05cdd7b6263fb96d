/**
 * Feature sets v1, r70, v2, a and b once more, written without a thought for speed: the whole event log is kept, and each column of each row is computed from
 * it anew, by the definition. Shares no code with core/features. Also the arbitrary markets that the property tests run on.
 */

import fc from "fast-check";
import { OrderBook } from "../../core/book/order-book.ts";
import type { FeatureRow, FeatureSet } from "../../core/features/contract.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { TradeEvent } from "../../core/market/event.ts";

export type Level = readonly [ticks: number, lots: number];

/** One event: a change of the book (absolute sizes, 0 removes) or a trade. */
export type LogEvent =
  | { kind: "book"; venueTime: number; bids: readonly Level[]; asks: readonly Level[] }
  | { kind: "trade"; venueTime: number; takerSide: "buy" | "sell"; lots: number; ticks?: number };

export interface MarketLog {
  startTime: number;
  bids: readonly Level[];
  asks: readonly Level[];
  events: readonly LogEvent[];
}

export interface KeptRow {
  featureTime: number;
  row: number[];
  bidTicks: number;
  askTicks: number;
  isWarm: boolean;
  segment: number;
}

export function keep(row: FeatureRow): KeptRow {
  return { ...row, row: Array.from(row.row) };
}

export function applyLevels(book: OrderBook, bids: readonly Level[], asks: readonly Level[]): void {
  const levels = [...bids, ...asks];
  book.apply({
    bidCount: bids.length,
    askCount: asks.length,
    priceTicks: Float64Array.from(levels, ([ticks]) => ticks),
    sizeLots: Float64Array.from(levels, ([, lots]) => lots),
  });
}

export function tradeEvent(event: { venueTime: number; takerSide: "buy" | "sell"; lots: number; ticks?: number }): TradeEvent {
  const { venueTime, takerSide, lots, ticks = 1 } = event;
  return { kind: "trade", symbol: "X", venueTime, tradeId: 1, priceTicks: ticks, sizeLots: lots, takerSide };
}

export function feedEvent(pipeline: FeaturePipeline, book: OrderBook, event: LogEvent): void {
  pipeline.advance(event.venueTime);
  if (event.kind === "trade") {
    pipeline.onTrade(tradeEvent(event));
    return;
  }
  applyLevels(book, event.bids, event.asks);
  pipeline.onBook(event.venueTime);
}

/** The rows that the pipeline writes for a log. */
export function streamedRows(log: MarketLog, featureSet: FeatureSet = featureSetV1, phaseMs = 0): { rows: KeptRow[]; rowsHash: string } {
  const rows: KeptRow[] = [];
  const book = new OrderBook();
  const pipeline = new FeaturePipeline(featureSet, { onRow: (row) => rows.push(keep(row)), phaseMs });
  applyLevels(book, log.bids, log.asks);
  pipeline.start(log.startTime, book);
  for (const event of log.events) feedEvent(pipeline, book, event);
  return { rows, rowsHash: pipeline.rowsHash };
}

interface PlainBook {
  /** Best first. */
  bids: Level[];
  asks: Level[];
}

/** The book after each event; [0] is the book at the start. */
function booksOf(log: MarketLog): PlainBook[] {
  const bids = new Map<number, number>(log.bids);
  const asks = new Map<number, number>(log.asks);
  const books = [plainBook(bids, asks)];
  for (const event of log.events) {
    if (event.kind === "book") {
      for (const [ticks, lots] of event.bids) setLevel(bids, ticks, lots);
      for (const [ticks, lots] of event.asks) setLevel(asks, ticks, lots);
    }
    books.push(plainBook(bids, asks));
  }
  return books;
}

function plainBook(bids: Map<number, number>, asks: Map<number, number>): PlainBook {
  return { bids: [...bids].sort((a, b) => b[0] - a[0]), asks: [...asks].sort((a, b) => a[0] - b[0]) };
}

function setLevel(levels: Map<number, number>, ticks: number, lots: number): void {
  if (lots === 0) levels.delete(ticks);
  else levels.set(ticks, lots);
}

function best(levels: readonly Level[]): Level {
  const level = levels[0];
  if (level === undefined) throw new Error("the reference knows books with both sides only");
  return level;
}

function sumLots(levels: readonly Level[]): number {
  return levels.reduce((sum, [, lots]) => sum + lots, 0);
}

/** e_n as the paper prints it. */
function eventImbalance(before: PlainBook, after: PlainBook): number {
  const [b0, qb0] = best(before.bids);
  const [a0, qa0] = best(before.asks);
  const [b1, qb1] = best(after.bids);
  const [a1, qa1] = best(after.asks);
  return (b1 >= b0 ? qb1 : 0) - (b1 <= b0 ? qb0 : 0) - (a1 <= a0 ? qa1 : 0) + (a1 >= a0 ? qa0 : 0);
}

/** Column name to value, for each grid time from the first whole second after the start to the largest venueTime. */
export function referenceRows(log: MarketLog): { featureTime: number; columns: Map<string, number> }[] {
  const books = booksOf(log);
  const first = Math.floor(log.startTime / 1000) * 1000 + 1000;
  const last = Math.max(log.startTime, ...log.events.map((event) => event.venueTime));
  const rows: { featureTime: number; columns: Map<string, number> }[] = [];
  for (let time = first; time <= last; time += 1000) rows.push({ featureTime: time, columns: columnsAt(log, books, time) });
  return rows;
}

function columnsAt(log: MarketLog, books: readonly PlainBook[], time: number): Map<string, number> {
  const first = Math.floor(log.startTime / 1000) * 1000 + 1000;
  /** How many events had been received when the row for `at` was written: all before the first at or after it. */
  const received = (at: number): number => {
    const index = log.events.findIndex((event) => event.venueTime >= at);
    return index < 0 ? log.events.length : index;
  };
  const bookAt = (at: number): PlainBook => books[received(Math.max(first, at))] as PlainBook;
  const midAt = (at: number): number => (best(bookAt(at).bids)[0] + best(bookAt(at).asks)[0]) / 2;
  const grid = (seconds: number): number[] => {
    const times = [];
    for (let at = Math.max(first, time - (seconds - 1) * 1000); at <= time; at += 1000) times.push(at);
    return times;
  };
  const during = (seconds: number): number[] => {
    const from = time - seconds * 1000 < first ? 0 : received(time - seconds * 1000);
    return Array.from({ length: received(time) - from }, (_, index) => from + index);
  };
  const book = bookAt(time);
  const [bid, bidLots] = best(book.bids);
  const [ask, askLots] = best(book.asks);
  const mid = (bid + ask) / 2;
  const depths = grid(30).map((at) => sumLots(bookAt(at).bids.slice(0, 5)) + sumLots(bookAt(at).asks.slice(0, 5)));
  const usual = depths.reduce((a, b) => a + b, 0) / depths.length / 2;
  const squash = (x: number): number => Math.sign(x) * Math.log(1 + 10 * Math.abs(x));

  const columns = new Map<string, number>();
  columns.set("log_return_bid", 1e4 * Math.log(bid / best(bookAt(time - 1000).bids)[0]));
  columns.set("log_return_ask", 1e4 * Math.log(ask / best(bookAt(time - 1000).asks)[0]));
  columns.set("log_volume_bid", Math.log(bidLots / usual));
  columns.set("log_volume_ask", Math.log(askLots / usual));
  columns.set("spread_bps", (1e4 * (ask - bid)) / mid);
  for (const levels of [1, 3, 5, 10, 20]) {
    const bids = sumLots(book.bids.slice(0, levels));
    const asks = sumLots(book.asks.slice(0, levels));
    columns.set(`imbalance_${levels}`, (bids - asks) / (bids + asks));
  }
  const share = bidLots / (bidLots + askLots);
  columns.set("weighted_mid_deviation_bps", (1e4 * (share * ask + (1 - share) * bid - mid)) / mid);
  for (const reach of [1, 2, 5, 20, 33, 100, 300, 500]) {
    const near = ([ticks]: Level): boolean => Math.abs(ticks - mid) <= (mid * reach) / 1e4;
    columns.set(`depth_bid_${reach}bps`, Math.log(1 + sumLots(book.bids.filter(near)) / usual));
    columns.set(`depth_ask_${reach}bps`, Math.log(1 + sumLots(book.asks.filter(near)) / usual));
    const [nearBids, nearAsks] = [sumLots(book.bids.filter(near)), sumLots(book.asks.filter(near))];
    columns.set(`depth_imbalance_${reach}bps`, nearBids + nearAsks === 0 ? 0 : (nearBids - nearAsks) / (nearBids + nearAsks));
  }
  for (const [name, value] of wideColumns(log, { books, book, mid, usual, during, bookAt, time })) columns.set(name, value);
  for (const seconds of [1, 2, 5, 10, 30]) {
    let ofi = 0;
    let volume = 0;
    for (const index of during(seconds)) {
      const event = log.events[index] as LogEvent;
      if (event.kind === "book") ofi += eventImbalance(books[index] as PlainBook, books[index + 1] as PlainBook);
      else volume += event.takerSide === "buy" ? event.lots : -event.lots;
    }
    columns.set(`ofi_${seconds}s`, squash(ofi / usual));
    columns.set(`signed_volume_${seconds}s`, squash(volume / usual));
  }
  for (const seconds of [1, 2, 5, 10, 20, 30]) columns.set(`mid_return_${seconds}s`, 1e4 * Math.log(mid / midAt(time - seconds * 1000)));
  const squares = grid(30).map((at) => {
    const move = 1e4 * Math.log(midAt(at) / midAt(at - 1000));
    return move * move;
  });
  columns.set("realised_volatility_30s", Math.sqrt(squares.reduce((a, b) => a + b, 0)));
  const before = Array.from({ length: 7 }, (_, back) => time - (back + 1) * 1000).filter((at) => at >= first);
  const usualMid = before.reduce((sum, at) => sum + midAt(at), 0) / before.length;
  columns.set("mid_direction_7s", before.length === 0 ? 0 : (1e4 * (mid - usualMid)) / usualMid);
  for (const [name, value] of classifierColumns(log, { books, book, mid, usual, during, bookAt, time })) columns.set(name, value);
  columns.set("seconds_since_gap", Math.min(60, (time - log.startTime) / 1000));
  const factor = Math.min(5, columns.get("realised_volatility_30s") ?? Number.NaN);
  for (const [name, value] of [...columns]) columns.set(`${name}_by_volatility`, value * factor);
  return columns;
}

interface Moment {
  readonly books: readonly PlainBook[];
  readonly book: PlainBook;
  readonly mid: number;
  readonly usual: number;
  readonly during: (seconds: number) => number[];
  readonly bookAt: (at: number) => PlainBook;
  readonly time: number;
}

/** What b has beside the others. */
function classifierColumns(log: MarketLog, { book, mid, usual, bookAt, time }: Moment): Map<string, number> {
  const first = Math.floor(log.startTime / 1000) * 1000 + 1000;
  const columns = new Map<string, number>();
  const bps = (ticks: number): number => (1e4 * ticks) / mid;
  const midAt = (at: number): number => (best(bookAt(at).bids)[0] + best(bookAt(at).asks)[0]) / 2;
  for (const side of ["bid", "ask"] as const) {
    const levels = side === "bid" ? book.bids : book.asks;
    for (let level = 1; level <= 5; level++) {
      const lots = levels[level - 1]?.[1] ?? 0;
      if (level <= 3) columns.set(`volume_${side}_${level}`, lots / usual);
      columns.set(`log_volume_${side}_${level}`, Math.log(0.001 + lots / usual));
    }
    const ten = levels.slice(0, 10);
    const average = ten.reduce((sum, [ticks, lots]) => sum + ticks * lots, 0) / sumLots(ten);
    columns.set(`average_distance_${side}_10`, bps(Math.abs(average - mid)));
  }
  const tenth = (levels: readonly Level[]): number => (levels[9] ?? (levels.at(-1) as Level))[0];
  columns.set("level_range_10", bps(tenth(book.asks) - tenth(book.bids)));
  const [before, longBefore] = [midAt(time - 1000), midAt(time - 2000)];
  columns.set("mid_velocity", bps(mid - before));
  columns.set("mid_acceleration", bps(mid - before - (before - longBefore)));
  for (const count of [2, 5, 10]) {
    const mids = Array.from({ length: count }, (_, back) => time - back * 1000).flatMap((at) => (at < first ? [] : [midAt(at)]));
    const mean = mids.reduce((a, b) => a + b, 0) / mids.length;
    const squares = mids.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    columns.set(`mid_deviation_${count}`, mids.length < 2 ? 0 : bps(Math.sqrt(squares / (mids.length - 1))));
  }
  const moves = Array.from({ length: 14 }, (_, back) => midAt(time - back * 1000) - midAt(time - (back + 1) * 1000));
  const up = moves.reduce((sum, move) => sum + Math.max(0, move), 0);
  const down = moves.reduce((sum, move) => sum - Math.min(0, move), 0);
  // As the textbook has it, from 0 to 100.
  const index = up + down === 0 ? 50 : 100 - 100 / (1 + up / down);
  columns.set("relative_strength_14s", index / 50 - 1);
  // Each second is looked at for a change, from the newest back; the start of the feed is one.
  let still = 0;
  for (let end = time; still < 30 && end >= first; end -= 1000, still++) {
    const changed = log.events.some(
      (event, at) =>
        event.kind === "book" &&
        receivedBy(log, at, end) &&
        !receivedBy(log, at, end - 1000 < first ? Number.NEGATIVE_INFINITY : end - 1000),
    );
    if (changed || end === first) break;
  }
  columns.set("seconds_since_change", still);
  return columns;
}

/** Whether an event had been received when the row for `at` was written: it and all before it lie before that time. */
function receivedBy(log: MarketLog, index: number, at: number): boolean {
  return log.events.slice(0, index + 1).every((event) => event.venueTime < at);
}

/** What r70 and v2 have beside v1. */
function wideColumns(log: MarketLog, moment: Moment): Map<string, number> {
  const { books, book, mid, usual, during, bookAt, time } = moment;
  const columns = new Map<string, number>();
  const bps = (ticks: number): number => (1e4 * ticks) / mid;
  const squash = (x: number): number => Math.sign(x) * Math.log(1 + 10 * Math.abs(x));
  const averagePrice = (levels: readonly Level[]): number => levels.reduce((sum, [ticks, lots]) => sum + ticks * lots, 0) / sumLots(levels);
  const vamp = ({ bids, asks }: PlainBook, count: number): number => {
    const [b, a] = [bids.slice(0, count), asks.slice(0, count)];
    return (averagePrice(b) * sumLots(a) + averagePrice(a) * sumLots(b)) / (sumLots(a) + sumLots(b));
  };
  for (const count of [5, 10, 20]) {
    columns.set(
      `vwap_deviation_${count}`,
      bps((averagePrice(book.bids.slice(0, count)) + averagePrice(book.asks.slice(0, count))) / 2 - mid),
    );
    columns.set(`vamp_deviation_${count}`, bps(vamp(book, count) - mid));
  }
  for (const level of [2, 3, 5, 10]) {
    const price = (levels: readonly Level[]): number => (levels[level - 1] ?? (levels.at(-1) as Level))[0];
    columns.set(`gap_bid_${level}`, bps(mid - price(book.bids)));
    columns.set(`gap_ask_${level}`, bps(price(book.asks) - mid));
    columns.set(`gap_difference_${level}`, bps(price(book.asks) - mid - (mid - price(book.bids))));
  }
  for (const tau of [0.3, 1, 3]) {
    const weigh = (levels: readonly Level[]): number =>
      levels
        .slice(0, 200)
        .filter(([ticks]) => bps(Math.abs(ticks - mid)) <= 21)
        .reduce((sum, [ticks, lots]) => sum + lots * Math.exp(-bps(Math.abs(ticks - mid)) / tau), 0);
    const [b, a] = [weigh(book.bids), weigh(book.asks)];
    const name = `${String(tau).replace(".", "_")}bps`;
    columns.set(`weighted_imbalance_${name}`, b + a === 0 ? 0 : (b - a) / (b + a));
    columns.set(`weighted_log_ratio_${name}`, Math.log((b + usual / 1000) / (a + usual / 1000)));
  }
  for (const seconds of [1, 2, 5]) {
    const ratio = (then: PlainBook): number => {
      const own = (best(then.bids)[0] + best(then.asks)[0]) / 2;
      const away = ([ticks]: Level): number => (1e4 * Math.abs(ticks - own)) / own;
      const [b, a] = [then.bids, then.asks].map((levels) =>
        levels
          .slice(0, 200)
          .filter((level) => away(level) <= 21)
          .reduce((sum, level) => sum + level[1] * Math.exp(-away(level)), usual / 1000),
      );
      return Math.log((b as number) / (a as number));
    };
    columns.set(`weighted_log_ratio_1bps_change_${seconds}s`, ratio(book) - ratio(bookAt(time - seconds * 1000)));
  }
  for (const multiple of [0.25, 1, 4]) {
    const take = (levels: readonly Level[]): number => {
      let left = usual * multiple;
      const taken = levels.map(([ticks, lots]): Level => {
        const own = Math.min(left, lots);
        left -= own;
        return [ticks, own];
      });
      return averagePrice(taken);
    };
    const name = String(multiple).replace(".", "_");
    columns.set(`walk_mid_${name}`, bps((take(book.bids) + take(book.asks)) / 2 - mid));
    columns.set(`walk_spread_${name}`, bps(take(book.asks) - take(book.bids)));
  }
  for (const seconds of [1, 5, 10, 30]) {
    const changes = during(seconds).filter((index) => log.events[index]?.kind === "book");
    const flow = (level: number): number =>
      changes.reduce((sum, index) => sum + levelImbalance(books[index] as PlainBook, books[index + 1] as PlainBook, level), 0);
    for (const level of [1, 2, 3, 5]) columns.set(`ofi_level_${level}_${seconds}s`, squash(flow(level) / usual));
    const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].reduce((sum, level) => sum + flow(level), 0);
    columns.set(`ofi_all_${seconds}s`, squash(all / usual));
  }
  for (const seconds of [1, 3, 5, 10])
    columns.set(`vamp_return_${seconds}s`, 1e4 * Math.log(vamp(book, 10) / vamp(bookAt(time - seconds * 1000), 10)));
  for (const seconds of [1, 10])
    columns.set(`trades_${seconds}s`, Math.log(1 + during(seconds).filter((index) => log.events[index]?.kind === "trade").length));
  const within = (ticks: number): number => Math.min(20, Math.max(-20, bps(ticks - mid)));
  const prices = during(30).flatMap((index) => tradesOf(log.events[index]).map(({ ticks = 1 }) => ticks));
  for (const count of [1, 5, 20]) {
    const last = prices.slice(-count);
    columns.set(
      `last_trades_deviation_${count}`,
      last.length === 0 ? 0 : within(last.reduce((sum, ticks) => sum + ticks, 0) / last.length),
    );
  }
  const age = Array.from({ length: 30 }, (_, seconds) => seconds).find((seconds) =>
    during(seconds + 1).some((index) => log.events[index]?.kind === "trade"),
  );
  columns.set("last_trade_age", Math.log(1 + (age ?? 30)));
  const lastChange = log.events.slice(0, during(1_000_000).length).findLast(({ kind }) => kind === "book");
  const newer = during(5)
    .flatMap((index) => tradesOf(log.events[index]))
    .filter(({ venueTime }) => venueTime > (lastChange?.venueTime ?? log.startTime));
  const newerLots = newer.reduce((sum, { lots }) => sum + lots, 0);
  columns.set("trades_newer", Math.log(1 + newer.length));
  columns.set(
    "signed_volume_newer",
    squash(newer.reduce((sum, { takerSide, lots }) => sum + (takerSide === "buy" ? lots : -lots), 0) / usual),
  );
  columns.set("trade_deviation_newer", newer.length === 0 ? 0 : within(newer.at(-1)?.ticks ?? 1));
  const vwap = newer.reduce((sum, { lots, ticks = 1 }) => sum + lots * ticks, 0) / newerLots;
  columns.set("trade_vwap_deviation_newer", newer.length === 0 ? 0 : within(vwap));
  for (const seconds of [1, 3]) {
    const paid = during(seconds).flatMap((index) => tradesOf(log.events[index]).map(({ ticks = 1 }) => ticks));
    columns.set(`trade_high_${seconds}s`, paid.length === 0 ? 0 : within(Math.max(...paid)));
    columns.set(`trade_low_${seconds}s`, paid.length === 0 ? 0 : within(Math.min(...paid)));
  }
  const midOf = (index: number): number => (best((books[index] as PlainBook).bids)[0] + best((books[index] as PlainBook).asks)[0]) / 2;
  const movesIn = (seconds: number): number[] =>
    during(seconds)
      .map((index) => midOf(index + 1) - midOf(index))
      .filter((move) => move !== 0);
  const lastMove = movesIn(30).at(-1);
  columns.set("mid_move_last", lastMove === undefined ? 0 : Math.min(3, Math.max(-3, bps(lastMove))));
  const moveAge = Array.from({ length: 30 }, (_, seconds) => seconds).find((seconds) => movesIn(seconds + 1).length > 0);
  columns.set("mid_move_age", Math.log(1 + (moveAge ?? 30)));
  for (const seconds of [1, 5]) columns.set(`mid_moves_${seconds}s`, Math.log(1 + movesIn(seconds).length));
  const net = movesIn(5).reduce((sum, move) => sum + Math.sign(move), 0);
  columns.set("mid_moves_net_5s", net === 0 ? 0 : net / movesIn(5).length);
  return columns;
}

function tradesOf(event: LogEvent | undefined): Extract<LogEvent, { kind: "trade" }>[] {
  return event?.kind === "trade" ? [event] : [];
}

/** e_n of the m-th best prices; a level that isn't there is a price worse than any. */
function levelImbalance(before: PlainBook, after: PlainBook, level: number): number {
  const [b0, qb0] = before.bids[level - 1] ?? [Number.NEGATIVE_INFINITY, 0];
  const [a0, qa0] = before.asks[level - 1] ?? [Number.POSITIVE_INFINITY, 0];
  const [b1, qb1] = after.bids[level - 1] ?? [Number.NEGATIVE_INFINITY, 0];
  const [a1, qa1] = after.asks[level - 1] ?? [Number.POSITIVE_INFINITY, 0];
  return (b1 >= b0 ? qb1 : 0) - (b1 <= b0 ? qb0 : 0) - (a1 <= a0 ? qa1 : 0) + (a1 >= a0 ? qa0 : 0);
}

/** Prices of the arbitrary markets stay within 20 ticks of it; it is chosen so that no level ever lies just at 1, 2 or 5 bps of the mid. */
export const CENTRE_TICKS = 1_000_050;
const REACH_TICKS = 20;

type Action =
  | { kind: "set"; side: "bid" | "ask"; offset: number; lots: number }
  | { kind: "far"; side: "bid" | "ask"; away: number; lots: number }
  | { kind: "cut"; side: "bid" | "ask"; depth: number }
  | { kind: "trade"; takerSide: "buy" | "sell"; lots: number; offset: number };

const side = fc.constantFrom("bid" as const, "ask" as const);
const lots = fc.integer({ min: 1, max: 500 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("set" as const), side, offset: fc.integer({ min: -19, max: 19 }), lots }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("far" as const), side, away: fc.integer({ min: 21, max: 700 }), lots }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("cut" as const), side, depth: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      takerSide: fc.constantFrom("buy" as const, "sell" as const),
      lots,
      // Some beyond what counts, on either side.
      offset: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: -25, max: 25 }) },
        { weight: 1, arbitrary: fc.integer({ min: -3000, max: 3000 }) },
      ),
    }),
  },
);
/** Mostly bursts; some seconds of silence; now and then an event older than the clock, as venues send across channels. */
const delay = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 2, arbitrary: fc.integer({ min: 400, max: 4000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -900, max: -1 }) },
);

/** Markets that are never crossed nor one-sided: a level set through the other side takes away what it meets. */
export const arbitraryMarket: fc.Arbitrary<MarketLog> = fc
  .record({
    phase: fc.integer({ min: 0, max: 999 }),
    steps: fc.array(fc.tuple(delay, action), { minLength: 40, maxLength: 300, size: "max" }),
  })
  .map(({ phase, steps }) => marketOf(1_700_000_000_000 + phase, steps));

function marketOf(startTime: number, steps: readonly (readonly [number, Action])[]): MarketLog {
  // A far level on each side is never removed, so that neither side is ever empty.
  const bids = new Map<number, number>([[CENTRE_TICKS - 1000, 7]]);
  const asks = new Map<number, number>([[CENTRE_TICKS + 1000, 7]]);
  bids.set(CENTRE_TICKS - 2, 40).set(CENTRE_TICKS - 3, 60);
  asks.set(CENTRE_TICKS + 2, 30).set(CENTRE_TICKS + 4, 90);
  const log = { startTime, bids: [...bids], asks: [...asks], events: [] as LogEvent[] };
  let time = startTime;
  for (const [wait, act] of steps) {
    time += wait;
    const event = eventOf(act, time, bids, asks);
    if (event.kind === "book") {
      for (const [ticks, size] of event.bids) setLevel(bids, ticks, size);
      for (const [ticks, size] of event.asks) setLevel(asks, ticks, size);
    }
    log.events.push(event);
  }
  return log;
}

function eventOf(act: Action, venueTime: number, bids: Map<number, number>, asks: Map<number, number>): LogEvent {
  if (act.kind === "trade") return { kind: "trade", venueTime, takerSide: act.takerSide, lots: act.lots, ticks: CENTRE_TICKS + act.offset };
  const isBid = act.side === "bid";
  const own: Level[] = [];
  const other: Level[] = [];
  if (act.kind === "cut") {
    const ladder = plainBook(bids, asks)[isBid ? "bids" : "asks"];
    const level = ladder[Math.min(act.depth, ladder.length - 2)];
    // Near levels only: the far backstop stays, and so does a top inside the reach of the centre.
    const near = ladder.filter(([ticks]) => Math.abs(ticks - CENTRE_TICKS) <= REACH_TICKS);
    if (level !== undefined && near.length > 1) own.push([level[0], 0]);
  } else if (act.kind === "far") {
    own.push([CENTRE_TICKS + (isBid ? -act.away : act.away), act.lots]);
  } else {
    const ticks = CENTRE_TICKS + act.offset;
    own.push([ticks, act.lots]);
    for (const price of (isBid ? asks : bids).keys()) if (isBid ? price <= ticks : price >= ticks) other.push([price, 0]);
    // Where that swept the whole near side, it is quoted anew one tick behind.
    const isSwept = ![...(isBid ? asks : bids).keys()].some(
      (price) => !other.some(([gone]) => gone === price) && Math.abs(price - CENTRE_TICKS) <= REACH_TICKS,
    );
    if (isSwept) other.push([ticks + (isBid ? 1 : -1), act.lots]);
  }
  return { kind: "book", venueTime, bids: isBid ? own : other, asks: isBid ? other : own };
}
