/**
 * Feature set v2 as its definitions read, the peer of `bench features`: a copy of the book is kept for each event of the last 31 seconds, and a row computes each column
 * anew from that log. Shares with the pipeline the order book, so that both pay the same for it, and nothing of the features.
 *
 * For events in order of time, of a market whose book is never one-sided or crossed: what the pipeline does about others is not done here.
 */

import type { OrderBook } from "../../core/book/order-book.ts";
import type { TradeEvent } from "../../core/market/event.ts";

type Level = readonly [ticks: number, lots: number];

interface PlainBook {
  /** Best first. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** What had happened, and the books around it: `after` is `before` itself for a trade. */
interface Logged {
  readonly time: number;
  readonly trade: TradeEvent | null;
  readonly before: PlainBook;
  readonly after: PlainBook;
}

const STEP_MS = 1_000;
/** The longest window is 30 s, and begins up to a step before its first row. */
const KEPT_MS = 31_000;
const BPS = 10_000;

export class NaiveV2 {
  readonly rows: Float64Array[] = [];
  private readonly names: readonly string[];
  private readonly book: OrderBook;
  private readonly startTime: number;
  private readonly firstTime: number;
  private nextTime: number;
  private log: Logged[] = [];
  private now: PlainBook;
  private bookTime: number;

  /** @param names of the columns, in their order. */
  constructor(names: readonly string[], book: OrderBook, startTime: number) {
    this.names = names;
    this.book = book;
    this.startTime = startTime;
    this.bookTime = startTime;
    this.firstTime = Math.floor(startTime / STEP_MS) * STEP_MS + STEP_MS;
    this.nextTime = this.firstTime;
    this.now = copyOf(book);
  }

  /** Writes the rows that are due before an event of this time. */
  advance(time: number): void {
    for (; this.nextTime <= time; this.nextTime += STEP_MS) {
      const columns = this.columnsAt(this.nextTime);
      this.rows.push(Float64Array.from(this.names, (name) => columns.get(name) ?? Number.NaN));
      this.log = this.log.filter((logged) => logged.time >= this.nextTime - KEPT_MS);
    }
  }

  onBook(time: number): void {
    this.bookTime = time;
    const after = copyOf(this.book);
    this.log.push({ time, trade: null, before: this.now, after });
    this.now = after;
  }

  onTrade(trade: TradeEvent): void {
    this.log.push({ time: trade.venueTime, trade, before: this.now, after: this.now });
  }

  private during(time: number, seconds: number): Logged[] {
    const from = time - seconds * STEP_MS;
    return this.log.filter((logged) => from < this.firstTime || logged.time >= from);
  }

  /** As a row of that time saw it; before the first row, as the first did. */
  private bookAt(time: number): PlainBook {
    const at = Math.max(this.firstTime, time);
    return this.log.find((logged) => logged.time >= at)?.before ?? this.now;
  }

  private columnsAt(time: number): Map<string, number> {
    const grid = Array.from({ length: 30 }, (_, back) => time - back * STEP_MS).filter((at) => at >= this.firstTime);
    const depths = grid.map((at) => sumLots(this.bookAt(at).bids.slice(0, 5)) + sumLots(this.bookAt(at).asks.slice(0, 5)));
    const usual = depths.reduce((sum, lots) => sum + lots, 0) / depths.length / 2;
    const squares = grid.map((at) => (BPS * Math.log(midOf(this.bookAt(at)) / midOf(this.bookAt(at - STEP_MS)))) ** 2);
    const columns = new Map([
      ...bookColumns(this.now, usual),
      ...[1, 2, 5].map((s) =>
        named(`weighted_log_ratio_1bps_change_${s}s`, ratioOf(this.now, usual) - ratioOf(this.bookAt(time - s * STEP_MS), usual)),
      ),
      ...[1, 2, 5, 10, 20, 30].map((s) =>
        named(`mid_return_${s}s`, BPS * Math.log(midOf(this.now) / midOf(this.bookAt(time - s * STEP_MS)))),
      ),
      ...[1, 3, 5, 10].map((s) =>
        named(`vamp_return_${s}s`, BPS * Math.log(vampOf(this.now, 10) / vampOf(this.bookAt(time - s * STEP_MS), 10))),
      ),
      named("realised_volatility_30s", Math.sqrt(squares.reduce((sum, square) => sum + square, 0))),
      named("seconds_since_gap", Math.min(60, (time - this.startTime) / STEP_MS)),
      ...[1, 5, 10, 30].flatMap((s) => flowColumns(this.during(time, s), s, usual)),
      ...[1, 2, 5, 10, 30].map((s) => named(`signed_volume_${s}s`, squash(signedLots(tradesOf(this.during(time, s))) / usual))),
      ...[1, 10].map((s) => named(`trades_${s}s`, Math.log(1 + tradesOf(this.during(time, s)).length))),
      ...this.tradeColumns(time, usual),
    ]);
    const factor = Math.min(5, columns.get("realised_volatility_30s") ?? Number.NaN);
    for (const [name, value] of [...columns]) columns.set(`${name}_by_volatility`, value * factor);
    return columns;
  }

  private tradeColumns(time: number, usual: number): [string, number][] {
    const mid = midOf(this.now);
    const within = (ticks: number): number => Math.min(20, Math.max(-20, (BPS * (ticks - mid)) / mid));
    const prices = tradesOf(this.during(time, 30)).map((trade) => trade.priceTicks);
    const age = Array.from({ length: 30 }, (_, back) => back).find((back) => tradesOf(this.during(time, back + 1)).length > 0) ?? 30;
    const newer = tradesOf(this.during(time, 5)).filter(({ venueTime }) => venueTime > this.bookTime);
    const newerLots = newer.reduce((sum, { sizeLots }) => sum + sizeLots, 0);
    const vwap = newer.reduce((sum, { sizeLots, priceTicks }) => sum + sizeLots * priceTicks, 0) / newerLots;
    const moves = (seconds: number): number[] =>
      this.during(time, seconds)
        .map(({ before, after }) => midOf(after) - midOf(before))
        .filter((move) => move !== 0);
    const moveAge = Array.from({ length: 30 }, (_, back) => back).find((back) => moves(back + 1).length > 0) ?? 30;
    const net = moves(5).reduce((sum, move) => sum + Math.sign(move), 0);
    return [
      ...[1, 5, 20].map((count) => {
        const last = prices.slice(-count);
        return named(
          `last_trades_deviation_${count}`,
          last.length === 0 ? 0 : within(last.reduce((sum, ticks) => sum + ticks, 0) / last.length),
        );
      }),
      named("last_trade_age", Math.log(1 + age)),
      named("trades_newer", Math.log(1 + newer.length)),
      named("signed_volume_newer", squash(signedLots(newer) / usual)),
      named("trade_deviation_newer", newer.length === 0 ? 0 : within((newer.at(-1) as TradeEvent).priceTicks)),
      named("trade_vwap_deviation_newer", newer.length === 0 ? 0 : within(vwap)),
      ...[1, 3].flatMap((s) => {
        const paid = tradesOf(this.during(time, s)).map(({ priceTicks }) => priceTicks);
        const at = (ticks: number): number => (paid.length === 0 ? 0 : within(ticks));
        return [named(`trade_high_${s}s`, at(Math.max(...paid))), named(`trade_low_${s}s`, at(Math.min(...paid)))];
      }),
      named("mid_move_last", Math.min(3, Math.max(-3, (BPS * (moves(30).at(-1) ?? 0)) / mid))),
      named("mid_move_age", Math.log(1 + moveAge)),
      ...[1, 5].map((s) => named(`mid_moves_${s}s`, Math.log(1 + moves(s).length))),
      named("mid_moves_net_5s", net === 0 ? 0 : net / moves(5).length),
    ];
  }
}

function bookColumns(book: PlainBook, usual: number): [string, number][] {
  const { bids, asks } = book;
  const [bid, bidLots] = bids[0] as Level;
  const [ask, askLots] = asks[0] as Level;
  const mid = midOf(book);
  const bps = (ticks: number): number => (BPS * ticks) / mid;
  const share = bidLots / (bidLots + askLots);
  const away = ([ticks]: Level): number => bps(Math.abs(ticks - mid));
  const priceOf = (levels: readonly Level[], level: number): number => (levels[Math.min(level, levels.length) - 1] as Level)[0];
  return [
    named("spread_bps", bps(ask - bid)),
    named("weighted_mid_deviation_bps", bps(share * ask + (1 - share) * bid - mid)),
    ...[1, 3, 5, 10, 20].map((count) => named(`imbalance_${count}`, balance(sumLots(bids.slice(0, count)), sumLots(asks.slice(0, count))))),
    ...[5, 10, 20].flatMap((count) => [
      named(`vwap_deviation_${count}`, bps((averageOf(bids.slice(0, count)) + averageOf(asks.slice(0, count))) / 2 - mid)),
      named(`vamp_deviation_${count}`, bps(vampOf(book, count) - mid)),
    ]),
    ...[1, 2, 5].map((reach) => {
      const near = (mid * reach) / BPS;
      const [b, a] = [bids.filter(([ticks]) => ticks >= mid - near), asks.filter(([ticks]) => ticks <= mid + near)];
      return named(`depth_imbalance_${reach}bps`, balance(sumLots(b), sumLots(a)));
    }),
    ...[0.3, 1, 3].flatMap((tau) => {
      const weigh = (levels: readonly Level[]): number =>
        levels
          .slice(0, 200)
          .filter((level) => away(level) <= 21)
          .reduce((sum, level) => sum + level[1] * Math.exp(-away(level) / tau), 0);
      const [b, a] = [weigh(bids), weigh(asks)];
      const end = `${String(tau).replace(".", "_")}bps`;
      return [
        named(`weighted_imbalance_${end}`, balance(b, a)),
        named(`weighted_log_ratio_${end}`, Math.log((b + usual / 1000) / (a + usual / 1000))),
      ];
    }),
    ...[0.25, 1, 4].flatMap((multiple) => {
      const [sell, buy] = [takenAt(bids, usual * multiple), takenAt(asks, usual * multiple)];
      const end = String(multiple).replace(".", "_");
      return [named(`walk_mid_${end}`, bps((sell + buy) / 2 - mid)), named(`walk_spread_${end}`, bps(buy - sell))];
    }),
    ...[2, 3, 5, 10].flatMap((level) => {
      const [toBid, toAsk] = [bps(mid - priceOf(bids, level)), bps(priceOf(asks, level) - mid)];
      return [named(`gap_bid_${level}`, toBid), named(`gap_ask_${level}`, toAsk), named(`gap_difference_${level}`, toAsk - toBid)];
    }),
  ];
}

/** Of depth that counts e^(-1) a basis point. */
function ratioOf(book: PlainBook, usual: number): number {
  const mid = midOf(book);
  const away = ([ticks]: Level): number => (BPS * Math.abs(ticks - mid)) / mid;
  const weigh = (levels: readonly Level[]): number =>
    levels
      .slice(0, 200)
      .filter((level) => away(level) <= 21)
      .reduce((sum, level) => sum + level[1] * Math.exp(-away(level)), usual / 1000);
  return Math.log(weigh(book.bids) / weigh(book.asks));
}

function flowColumns(logged: readonly Logged[], seconds: number, usual: number): [string, number][] {
  const changes = logged.filter(({ trade }) => trade === null);
  const flow = (level: number): number => changes.reduce((sum, { before, after }) => sum + levelFlow(before, after, level), 0);
  const all = Array.from({ length: 10 }, (_, index) => flow(index + 1)).reduce((sum, lots) => sum + lots, 0);
  return [
    ...[1, 2, 3, 5].map((level) => named(`ofi_level_${level}_${seconds}s`, squash(flow(level) / usual))),
    named(`ofi_all_${seconds}s`, squash(all / usual)),
  ];
}

/** e_n of the m-th best prices; a level that isn't there is a price worse than any. */
function levelFlow(before: PlainBook, after: PlainBook, level: number): number {
  const [b0, qb0] = before.bids[level - 1] ?? [Number.NEGATIVE_INFINITY, 0];
  const [a0, qa0] = before.asks[level - 1] ?? [Number.POSITIVE_INFINITY, 0];
  const [b1, qb1] = after.bids[level - 1] ?? [Number.NEGATIVE_INFINITY, 0];
  const [a1, qa1] = after.asks[level - 1] ?? [Number.POSITIVE_INFINITY, 0];
  return (b1 >= b0 ? qb1 : 0) - (b1 <= b0 ? qb0 : 0) - (a1 <= a0 ? qa1 : 0) + (a1 >= a0 ? qa0 : 0);
}

function named(name: string, value: number): [string, number] {
  return [name, value];
}

function copyOf(book: OrderBook): PlainBook {
  const [bids, asks] = [book.bids, book.asks].map((ladder) =>
    Array.from({ length: ladder.levelCount }, (_, depth): Level => [ladder.ticksAt(depth), ladder.lotsAt(depth)]),
  );
  return { bids: bids as Level[], asks: asks as Level[] };
}

function midOf({ bids, asks }: PlainBook): number {
  return ((bids[0] as Level)[0] + (asks[0] as Level)[0]) / 2;
}

function sumLots(levels: readonly Level[]): number {
  return levels.reduce((sum, [, lots]) => sum + lots, 0);
}

function averageOf(levels: readonly Level[]): number {
  return levels.reduce((sum, [ticks, lots]) => sum + ticks * lots, 0) / sumLots(levels);
}

function vampOf({ bids, asks }: PlainBook, count: number): number {
  const [b, a] = [bids.slice(0, count), asks.slice(0, count)];
  return (averageOf(b) * sumLots(a) + averageOf(a) * sumLots(b)) / (sumLots(a) + sumLots(b));
}

/** The average price of taking so many lots. */
function takenAt(levels: readonly Level[], lots: number): number {
  let left = lots;
  return averageOf(
    levels.map(([ticks, resting]): Level => {
      const taken = Math.min(left, resting);
      left -= taken;
      return [ticks, taken];
    }),
  );
}

function tradesOf(logged: readonly Logged[]): TradeEvent[] {
  return logged.flatMap(({ trade }) => (trade === null ? [] : [trade]));
}

function signedLots(trades: readonly TradeEvent[]): number {
  return trades.reduce((sum, { takerSide, sizeLots }) => sum + (takerSide === "buy" ? sizeLots : -sizeLots), 0);
}

function balance(bid: number, ask: number): number {
  return bid + ask === 0 ? 0 : (bid - ask) / (bid + ask);
}

function squash(x: number): number {
  return Math.sign(x) * Math.log(1 + 10 * Math.abs(x));
}
