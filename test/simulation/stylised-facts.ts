/**
 * The stylised facts of a generative market, measured second by second over a long run.
 *
 * Order-flow imbalance as in R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events" (J. Fin. Econometrics 12, 2014):
 * per event, what was added at or above the best bid less what was taken from it, and the mirror of it at the ask.
 */

import { GenerativeMarket, type MarketSink } from "../../core/simulation/generative-market.ts";
import type { PresetName } from "../../core/simulation/presets.ts";
import type { Side, TakerSide } from "../../core/units/side.ts";

/** One entry a second: the state at its end, the flow within it. */
export interface Seconds {
  readonly mid: Float64Array;
  readonly spread: Float64Array;
  readonly bestBidUnits: Float64Array;
  readonly bestAskUnits: Float64Array;
  readonly bidDepth: Float64Array;
  readonly askDepth: Float64Array;
  /** [5][seconds] bids at distance 1..5 from the best ask. */
  readonly profile: readonly Float64Array[];
  readonly ofi: Float64Array;
  readonly signedUnits: Float64Array;
  readonly eventsPerSecond: number;
  readonly tradesPerSecond: number;
  /** (bought - sold) / (bought + sold), counting market orders. */
  readonly signBalance: number;
}

const WARM_UP_S = 300;
const SHOCK_AT_MS = 60_000;

export function recordSeconds(preset: PresetName, seed: number, seconds: number): Seconds {
  const market = new GenerativeMarket({ preset, seed });
  market.advance(WARM_UP_S * 1_000);
  const eventsBefore = market.eventCount;
  const flow = new FlowSink(market);
  const column = () => new Float64Array(seconds);
  const profile = Array.from({ length: 5 }, column);
  const rows = { mid: column(), spread: column(), bestBidUnits: column(), bestAskUnits: column() };
  const depth = { bidDepth: column(), askDepth: column(), ofi: column(), signedUnits: column() };
  const { book } = market;
  for (let second = 0; second < seconds; second++) {
    flow.ofi = 0;
    flow.signedUnits = 0;
    market.advance((WARM_UP_S + second + 1) * 1_000, flow);
    const { bestBidTicks: bid, bestAskTicks: ask } = book;
    rows.mid[second] = (bid + ask) / 2;
    rows.spread[second] = ask - bid;
    rows.bestBidUnits[second] = book.units("bid", bid);
    rows.bestAskUnits[second] = book.units("ask", ask);
    for (let level = 0; level < 5; level++) {
      depth.bidDepth[second] = (depth.bidDepth[second] ?? 0) + book.units("bid", bid - level);
      depth.askDepth[second] = (depth.askDepth[second] ?? 0) + book.units("ask", ask + level);
      (profile[level] as Float64Array)[second] = book.units("bid", ask - 1 - level);
    }
    depth.ofi[second] = flow.ofi;
    depth.signedUnits[second] = flow.signedUnits;
  }
  return {
    ...rows,
    ...depth,
    profile,
    eventsPerSecond: (market.eventCount - eventsBefore) / seconds,
    tradesPerSecond: (flow.buys + flow.sells) / seconds,
    signBalance: (flow.buys - flow.sells) / (flow.buys + flow.sells),
  };
}

/** Sums the order-flow imbalance and the taker flow of each event. */
class FlowSink implements MarketSink {
  ofi = 0;
  signedUnits = 0;
  buys = 0;
  sells = 0;
  private readonly market: GenerativeMarket;
  private bid = 0;
  private bidUnits = 0;
  private ask = 0;
  private askUnits = 0;
  private taker: TakerSide | null = null;

  constructor(market: GenerativeMarket) {
    this.market = market;
    this.readTop();
  }

  begin(): void {
    this.taker = null;
  }

  level(_side: Side, _priceTicks: number, _units: number): void {}

  trade(takerSide: TakerSide, _priceTicks: number, units: number): void {
    this.taker = takerSide;
    this.signedUnits += takerSide === "buy" ? units : -units;
  }

  end(): void {
    if (this.taker === "buy") this.buys++;
    else if (this.taker === "sell") this.sells++;
    const { bid, bidUnits, ask, askUnits } = this;
    this.readTop();
    if (this.bid >= bid) this.ofi += this.bidUnits;
    if (this.bid <= bid) this.ofi -= bidUnits;
    if (this.ask <= ask) this.ofi -= this.askUnits;
    if (this.ask >= ask) this.ofi += askUnits;
  }

  private readTop(): void {
    const { book } = this.market;
    this.bid = book.bestBidTicks;
    this.ask = book.bestAskTicks;
    this.bidUnits = book.sizeAt(this.bid);
    this.askUnits = book.sizeAt(this.ask);
  }
}

export interface LinearForecast {
  /** Against no change. */
  readonly r2: number;
  /** Share of right signs where the mid moved. */
  readonly hitRate: number;
}

export interface Facts {
  readonly eventsPerSecond: number;
  readonly tradesPerSecond: number;
  readonly signBalance: number;
  /** Share of seconds with a spread of 1, 2, 3, 4 ticks. */
  readonly spreadShares: readonly number[];
  readonly meanSpread: number;
  readonly bestQueue: number;
  readonly depthOf5: number;
  readonly profile: readonly number[];
  /** By horizon in seconds. */
  readonly variancePerSecond: Readonly<Record<number, number>>;
  readonly kurtosis: Readonly<Record<number, number>>;
  readonly returnAcf: Readonly<Record<number, number>>;
  /** Of absolute returns, by `horizon:lag`. */
  readonly absoluteAcf: Readonly<Record<string, number>>;
  /** Of the sign of a second's taker flow, by lag in seconds. */
  readonly flowSignAcf: Readonly<Record<number, number>>;
  readonly ofiR2: Readonly<Record<number, number>>;
  readonly forecast: Readonly<Record<number, LinearForecast>>;
  readonly zeroMoves: number;
}

export function stylisedFacts(seconds: Seconds): Facts {
  const { mid } = seconds;
  const returns1 = returnsOf(mid, 1);
  const returns10 = returnsOf(mid, 10);
  const signs = seconds.signedUnits.map(Math.sign);
  const over = (horizons: readonly number[], fact: (horizon: number) => number) =>
    Object.fromEntries(horizons.map((horizon) => [horizon, fact(horizon)]));
  return {
    eventsPerSecond: seconds.eventsPerSecond,
    tradesPerSecond: seconds.tradesPerSecond,
    signBalance: seconds.signBalance,
    spreadShares: [1, 2, 3, 4].map((ticks) => mean(seconds.spread.map((spread) => (spread === ticks ? 1 : 0)))),
    meanSpread: mean(seconds.spread),
    bestQueue: (mean(seconds.bestBidUnits) + mean(seconds.bestAskUnits)) / 2,
    depthOf5: (mean(seconds.bidDepth) + mean(seconds.askDepth)) / 2,
    profile: seconds.profile.map(mean),
    variancePerSecond: over([1, 10, 60, 300], (horizon) => variance(overlapping(mid, horizon)) / horizon),
    kurtosis: over([1, 10, 60, 300], (horizon) => kurtosis(overlapping(mid, horizon))),
    returnAcf: over([1, 10, 60], (horizon) => autocorrelation(returnsOf(mid, horizon), 1)),
    absoluteAcf: Object.fromEntries(
      [returns1, returns10].flatMap((returns, index) =>
        [1, 5, 10].map((lag) => [`${index === 0 ? 1 : 10}:${lag}`, autocorrelation(returns.map(Math.abs), lag)]),
      ),
    ),
    flowSignAcf: over([1, 2, 5, 10, 30], (lag) => autocorrelation(signs, lag)),
    ofiR2: over([1, 10], (horizon) => squaredCorrelation(sums(seconds.ofi, horizon), returnsOf(mid, horizon))),
    forecast: Object.fromEntries([1, 5, 10, 30, 60].map((horizon) => [horizon, linearForecast(seconds, horizon)])),
    zeroMoves: mean(returns1.map((move) => (move === 0 ? 1 : 0))),
  };
}

/**
 * Least squares on the regressors of the reference table: imbalance of the best and of five levels, order-flow imbalance of 1 and 10 s, signed
 * taker volume of 1 and 30 s. First half to fit, second half to score. (Recent moves of the mid beside them would find a third more.)
 */
function linearForecast(seconds: Seconds, horizon: number): LinearForecast {
  const { mid, ofi, signedUnits, bestBidUnits, bestAskUnits, bidDepth, askDepth } = seconds;
  const first = 30;
  const count = mid.length - horizon;
  const ofiTotal = cumulative(ofi);
  const flowTotal = cumulative(signedUnits);
  const at = (values: Float64Array, index: number) => values[index] as number;
  const rowOf = (t: number): number[] => {
    const bid = at(bestBidUnits, t);
    const ask = at(bestAskUnits, t);
    const bids = at(bidDepth, t);
    const asks = at(askDepth, t);
    const back = (total: Float64Array, lag: number) => at(total, t) - at(total, t - lag);
    const flows = [back(ofiTotal, 1), back(ofiTotal, 10), back(flowTotal, 1), back(flowTotal, 30)];
    return [1, (bid - ask) / (bid + ask), (bids - asks) / (bids + asks), ...flows];
  };
  const middle = Math.floor(count / 2);
  const width = rowOf(first).length;
  const gram = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  const moment = new Array<number>(width).fill(0);
  for (let t = first; t < middle - horizon; t++) {
    const row = rowOf(t);
    const target = at(mid, t + horizon) - at(mid, t);
    for (let i = 0; i < width; i++) {
      const gramRow = gram[i] as number[];
      for (let j = 0; j < width; j++) gramRow[j] = (gramRow[j] as number) + (row[i] as number) * (row[j] as number);
      moment[i] = (moment[i] as number) + (row[i] as number) * target;
    }
  }
  const weights = solve(gram, moment);
  let left = 0;
  let total = 0;
  let moves = 0;
  let hits = 0;
  for (let t = middle; t < count; t++) {
    const target = at(mid, t + horizon) - at(mid, t);
    const forecast = rowOf(t).reduce((sum, value, index) => sum + value * (weights[index] as number), 0);
    left += (target - forecast) * (target - forecast);
    total += target * target;
    if (target === 0) continue;
    moves++;
    if (Math.sign(target) === Math.sign(forecast)) hits++;
  }
  return { r2: 1 - left / total, hitRate: hits / moves };
}

/**
 * What a market order from outside does to the mid, in ticks, its own direction positive: at once, and after each delay. The mean over markets of
 * the seeds 1 to `shocks`, buys and sells by turns, a minute after their start (as the reference was measured).
 */
export function impactOf(units: number, options: { preset: PresetName; shocks: number; delaysS: readonly number[] }): number[] {
  const { preset, shocks, delaysS } = options;
  const delays = [0, ...delaysS];
  const sums = delays.map(() => 0);
  for (let seed = 1; seed <= shocks; seed++) {
    const market = new GenerativeMarket({ preset, seed });
    market.advance(SHOCK_AT_MS);
    const before = market.book.midTicks;
    const sign = seed % 2 === 0 ? 1 : -1;
    market.takeFromOutside(sign > 0 ? "buy" : "sell", units);
    for (const [index, delay] of delays.entries()) {
      market.advance(SHOCK_AT_MS + delay * 1_000);
      sums[index] = (sums[index] as number) + sign * (market.book.midTicks - before);
    }
  }
  return sums.map((sum) => sum / shocks);
}

/** Gauss-Jordan elimination with pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] as number]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let best = column;
    for (let row = column; row < size; row++) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0)) best = row;
    }
    const pivotRow = rows[best] as number[];
    rows[best] = rows[column] as number[];
    rows[column] = pivotRow;
    const pivot = pivotRow[column] as number;
    for (let j = column; j <= size; j++) pivotRow[j] = (pivotRow[j] as number) / pivot;
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const row = rows[i] as number[];
      const factor = row[column] as number;
      for (let j = column; j <= size; j++) row[j] = (row[j] as number) - factor * (pivotRow[j] as number);
    }
  }
  return rows.map((row) => row[size] as number);
}

function overlapping(values: Float64Array, horizon: number): Float64Array {
  return Float64Array.from({ length: values.length - horizon }, (_, t) => (values[t + horizon] as number) - (values[t] as number));
}

/** Moves over adjoining stretches. */
function returnsOf(values: Float64Array, horizon: number): Float64Array {
  const count = Math.floor((values.length - 1) / horizon);
  return Float64Array.from({ length: count }, (_, k) => (values[(k + 1) * horizon] as number) - (values[k * horizon] as number));
}

/** Sums of the seconds that returnsOf covers. */
function sums(values: Float64Array, horizon: number): Float64Array {
  const total = cumulative(values);
  return returnsOf(total, horizon);
}

function cumulative(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function variance(values: Float64Array): number {
  return moment(values, 2);
}

function kurtosis(values: Float64Array): number {
  const second = moment(values, 2);
  return moment(values, 4) / (second * second);
}

function moment(values: Float64Array, order: number): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** order));
}

function autocorrelation(values: Float64Array, lag: number): number {
  const centre = mean(values);
  let product = 0;
  for (let t = lag; t < values.length; t++) product += ((values[t] as number) - centre) * ((values[t - lag] as number) - centre);
  return product / values.length / variance(values);
}

function squaredCorrelation(left: Float64Array, right: Float64Array): number {
  const leftMean = mean(left);
  const rightMean = mean(right);
  const covariance = mean(left.map((value, t) => (value - leftMean) * ((right[t] as number) - rightMean)));
  return (covariance * covariance) / (variance(left) * variance(right));
}
