/** Losses prevented: a market that no longer is the one that models were trained on, or that can't be a market at all. */

import { beforeAll, describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import { GenerativeMarket, type MarketSink } from "../../core/simulation/generative-market.ts";
import type { PresetName } from "../../core/simulation/presets.ts";
import type { Side, TakerSide } from "../../core/units/side.ts";
import { type Facts, impactOf, recordSeconds, stylisedFacts } from "./stylised-facts.ts";

const PRESET_NAMES: readonly PresetName[] = ["large-tick", "small-tick"];
const HOUR_MS = 3_600_000;

/** The hash after the first simulated hour of seed 1. A change of these is a change of the market: models trained on it are to be made anew. */
const FIRST_HOUR: Readonly<Record<PresetName, string>> = { "large-tick": "d0555c5674001797", "small-tick": "2559798d8adf007b" };

describe.each(PRESET_NAMES)("the generative market, %s", (preset) => {
  it("is the same run for the same seed, however its time is cut, and another for another", () => {
    const whole = new GenerativeMarket({ preset, seed: 1 });
    whole.advance(HOUR_MS);
    expect(whole.eventHash).toBe(FIRST_HOUR[preset]);

    const cut = new GenerativeMarket({ preset, seed: 1 });
    for (let timeMs = 0, step = 1; timeMs < HOUR_MS; step = (step * 7) % 4_999) {
      timeMs = Math.min(HOUR_MS, timeMs + step);
      cut.advance(timeMs, new Rebuild(cut));
    }
    expect(cut.eventHash).toBe(whole.eventHash);
    expect(cut.eventCount).toBe(whole.eventCount);

    const other = new GenerativeMarket({ preset, seed: 2 });
    other.advance(HOUR_MS);
    expect(other.eventHash).not.toBe(whole.eventHash);
  });

  it("is never crossed, has positive sizes, runs forward, and a book built from its changes is its book", () => {
    const market = new GenerativeMarket({ preset, seed: 5 });
    const rebuild = new Rebuild(market);
    for (let minute = 1; minute <= 120; minute++) {
      market.advance(minute * 60_000, rebuild);
      expect(rebuild.levels()).toEqual(levelsOf(market));
    }
    expect(rebuild.faults).toEqual([]);
    expect(rebuild.trades).toBeGreaterThan(5_000);
    expect(rebuild.changes).toBeGreaterThan(300_000);
    expect(rebuild.book.bids.levelCount).toBeLessThanOrEqual(61);
  });

  it("turns round at the end of its price range instead of leaving it", () => {
    const market = new GenerativeMarket({ preset, seed: 9, centreTicks: 501 });
    const rebuild = new Rebuild(market);
    let lowest = Number.POSITIVE_INFINITY;
    for (let second = 1; second <= 7_200; second++) {
      market.advance(second * 1_000, rebuild);
      lowest = Math.min(lowest, market.book.midTicks);
    }
    expect(rebuild.faults).toEqual([]);
    expect(lowest).toBeLessThan(501);
    expect(lowest).toBeGreaterThan(470);
    expect(() => new GenerativeMarket({ preset, seed: 9, centreTicks: 40_000 })).toThrow(RangeError);
  });
});

/**
 * The table of the reference model (its form in C; 20 h run, or 10 h with seed 1 where only that was measured), held within a quarter: one run of
 * 10 h differs from the next by some 15 %. What swings more from run to run is held against REFERENCE.
 */
const TABLE = {
  "large-tick": {
    spreadShares: [0.838, 0.124, 0.027, 0.008],
    meanSpread: 1.21,
    bestQueue: 3.15,
    depthOf5: 16.7,
    profile: [2.7, 3.3, 3.3, 3.3, 3.4],
    eventsPerSecond: 90,
    tradesPerSecond: 2.2,
    variancePerSecond: { 1: 0.75, 10: 0.42, 60: 0.37, 300: 0.38 },
    kurtosis: { 1: 6.6, 10: 3.95, 60: 4.25 },
    returnAcf: { 1: -0.2, 10: -0.07, 60: 0 },
    ofiR2: { 1: 0.34, 10: 0.62 },
    zeroMoves: 0.51,
  },
  "small-tick": {
    spreadShares: [0.62, 0.2, 0.09, 0.04],
    meanSpread: 1.73,
    bestQueue: 2.2,
    depthOf5: 12.0,
    profile: [1.4, 1.8, 2.1, 2.4, 2.5],
    eventsPerSecond: 71,
    tradesPerSecond: 2.2,
    variancePerSecond: { 1: 1.94, 10: 1.12, 60: 1.07, 300: 1.01 },
    kurtosis: { 1: 5.9, 10: 4.7, 60: 4.7 },
    returnAcf: { 1: -0.25, 10: -0.07, 60: 0.03 },
    ofiR2: { 1: 0.31, 10: 0.39 },
    zeroMoves: 0.29,
  },
} as const;

/**
 * [mean, standard deviation from run to run] of the reference model's form in C, seeds 1 to 24, 10 h each: for the facts of which the table holds
 * one noisy run (it has 6.0 for the small tick's kurtosis at 300 s, of which a run holds 120 independent moves). By horizon or lag, in seconds.
 */
const REFERENCE = {
  "large-tick": {
    longKurtosis: [3.96, 0.8],
    absoluteAcf: {
      "1:1": [0.217, 0.0095],
      "1:5": [0.0608, 0.0097],
      "1:10": [0.053, 0.0098],
      "10:1": [0.112, 0.023],
      "10:5": [0.0833, 0.027],
      "10:10": [0.0793, 0.023],
    },
    flowSignAcf: { 1: [0.0295, 0.0061], 2: [0.0285, 0.0064], 5: [0.0254, 0.0058], 10: [0.0238, 0.0058], 30: [0.0135, 0.0052] },
    forecastR2: { 1: [0.112, 0.0055], 5: [0.0594, 0.0076], 10: [0.032, 0.0056], 30: [0.012, 0.0097], 60: [0.00477, 0.013] },
    hitRate: { 1: [0.691, 0.0078], 5: [0.611, 0.0095], 10: [0.577, 0.0069], 30: [0.545, 0.0075], 60: [0.534, 0.014] },
  },
  "small-tick": {
    longKurtosis: [3.87, 0.75],
    absoluteAcf: {
      "1:1": [0.244, 0.014],
      "1:5": [0.064, 0.011],
      "1:10": [0.0507, 0.012],
      "10:1": [0.117, 0.023],
      "10:5": [0.0986, 0.026],
      "10:10": [0.0886, 0.023],
    },
    flowSignAcf: { 1: [0.0304, 0.0054], 2: [0.0311, 0.0065], 5: [0.0265, 0.0057], 10: [0.0228, 0.006], 30: [0.0159, 0.0058] },
    forecastR2: { 1: [0.0894, 0.0055], 5: [0.0274, 0.0047], 10: [0.0137, 0.0043], 30: [0.00395, 0.0086], 60: [-0.00308, 0.013] },
    hitRate: { 1: [0.627, 0.007], 5: [0.563, 0.0056], 10: [0.543, 0.007], 30: [0.524, 0.015], 60: [0.516, 0.023] },
  },
} as const;

describe.each(PRESET_NAMES)("stylised facts, %s, three seeds of 10 hours", (preset) => {
  const table = TABLE[preset];
  const reference = REFERENCE[preset];
  let facts: Facts;

  beforeAll(() => {
    facts = meanOf([1, 2, 3].map((seed) => stylisedFacts(recordSeconds(preset, seed, 36_000))));
  }, 120_000);

  it("has the spread, the queues and the depth profile of the table", () => {
    expectWithin(facts.spreadShares, table.spreadShares, 0.25);
    expectWithin(facts.meanSpread, table.meanSpread, 0.05);
    expectWithin(facts.bestQueue, table.bestQueue, 0.1);
    expectWithin(facts.depthOf5, table.depthOf5, 0.1);
    expectWithin(facts.profile, table.profile, 0.1);
  });

  it("has its pace", () => {
    expectWithin(facts.eventsPerSecond, table.eventsPerSecond, 0.25);
    expectWithin(facts.tradesPerSecond, table.tradesPerSecond, 0.25);
    expectWithin(facts.zeroMoves, table.zeroMoves, 0.25);
  });

  it("diffuses: variance per second falls to a plateau, kurtosis falls with the horizon", () => {
    const { variancePerSecond, kurtosis } = facts;
    for (const horizon of [1, 10] as const) expectWithin(at(variancePerSecond, horizon), table.variancePerSecond[horizon], 0.25);
    for (const horizon of [60, 300] as const) expectWithin(at(variancePerSecond, horizon), table.variancePerSecond[horizon], 0.3);
    expect(at(variancePerSecond, 1)).toBeGreaterThan(at(variancePerSecond, 10));
    expectWithin(at(variancePerSecond, 60), at(variancePerSecond, 300), 0.3);
    expectWithin([at(kurtosis, 1), at(kurtosis, 10), at(kurtosis, 60)], values(table.kurtosis), 0.25);
    expectLike({ 300: at(kurtosis, 300) }, { 300: reference.longKurtosis });
    expect(at(kurtosis, 1)).toBeGreaterThan(at(kurtosis, 10));
    expect(at(kurtosis, 300)).toBeLessThan(at(kurtosis, 1));
  });

  it("bounces, clusters its volatility, and remembers its signs", () => {
    const { returnAcf, absoluteAcf, flowSignAcf } = facts;
    expect(at(returnAcf, 1)).toBeGreaterThan(-0.3);
    expectWithin(at(returnAcf, 1), at(table.returnAcf, 1), 0.25);
    for (const horizon of [10, 60]) expect(Math.abs(at(returnAcf, horizon) - at(table.returnAcf, horizon))).toBeLessThan(0.06);
    expect(at(absoluteAcf, "1:1")).toBeGreaterThan(0.1);
    expect(at(absoluteAcf, "10:1")).toBeGreaterThan(0.05);
    expectLike(absoluteAcf, reference.absoluteAcf);
    expectLike(flowSignAcf, reference.flowSignAcf);
    for (const value of values(flowSignAcf)) expect(value).toBeGreaterThan(0);
  });

  it("moves with its order flow, and can be forecast a little, for a few seconds", () => {
    const { ofiR2, forecast } = facts;
    const r2 = mapValues(forecast, (each) => each.r2);
    const hitRate = mapValues(forecast, (each) => each.hitRate);
    expectWithin(values(ofiR2), values(table.ofiR2), 0.25);
    for (const explained of values(ofiR2)) {
      expect(explained).toBeGreaterThan(0.25);
      expect(explained).toBeLessThan(0.7);
    }
    expectLike(r2, reference.forecastR2);
    expectLike(hitRate, reference.hitRate);
    for (const horizon of [5, 10]) {
      expect(at(r2, horizon)).toBeGreaterThan(0.01);
      expect(at(r2, horizon)).toBeLessThan(0.12);
    }
    expect(at(r2, 60)).toBeLessThan(0.03);
  });

  it("buys as often as it sells", () => {
    expect(Math.abs(facts.signBalance)).toBeLessThan(0.02);
  });
});

/** The reference's mid after a sell of 2, 8 and 30 units, in ticks down: at once, after 5 and 30 s (its form in C, 3,000 runs). The table has the large tick's alone. */
const IMPACT = { 2: [0.28, 0.08, 0.03], 8: [1.25, 0.27, 0.16], 30: [10.67, 0.88, 0.84] } as const;
const SHOCKS = 800;
/** Three standard errors of the mean move over 5 and 30 s: the mid's variance a second there is 0.42 and 0.38. */
const IMPACT_BANDS = [3 * Math.sqrt((0.42 * 5) / SHOCKS), 3 * Math.sqrt((0.38 * 30) / SHOCKS)];

describe("a market order from outside, large-tick", () => {
  it.each([2, 8, 30] as const)(
    "of %d units moves the mid as far as in the table, and lets it come back as far",
    (units) => {
      const [now = 0, ...later] = impactOf(units, { preset: "large-tick", shocks: SHOCKS, delaysS: [5, 30] });
      const [wantedNow, ...wantedLater] = IMPACT[units];
      expect(Math.abs(now - wantedNow)).toBeLessThan(0.1 * wantedNow);
      for (const [index, wanted] of wantedLater.entries()) {
        expect(Math.abs((later[index] ?? Number.NaN) - wanted)).toBeLessThan(IMPACT_BANDS[index] ?? 0);
      }
    },
    60_000,
  );

  it("is refused when it is of no whole number of units", () => {
    const market = new GenerativeMarket({ preset: "large-tick", seed: 1 });
    for (const units of [0, -1, 1.5, Number.NaN]) expect(() => market.takeFromOutside("buy", units)).toThrow(RangeError);
  });
});

/** Applies what is emitted to an OrderBook of our own, and keeps what no market may do. */
class Rebuild implements MarketSink {
  readonly book = new OrderBook();
  readonly faults: string[] = [];
  trades = 0;
  changes = 0;
  private timeMs = 0;

  constructor(market: GenerativeMarket) {
    for (const [side, price, units] of levelsOf(market)) this.book.side(side).set(price, units);
  }

  begin(timeMs: number): void {
    if (timeMs < this.timeMs || !Number.isInteger(timeMs)) this.faults.push(`time ${timeMs} after ${this.timeMs}`);
    this.timeMs = timeMs;
  }

  level(side: Side, priceTicks: number, units: number): void {
    if (units < 0 || !Number.isInteger(units)) this.faults.push(`size ${units}`);
    this.book.side(side).set(priceTicks, units);
    this.changes++;
    if (this.book.state !== "normal") this.faults.push(`${this.book.state} at ${this.timeMs}`);
  }

  trade(takerSide: TakerSide, priceTicks: number, units: number): void {
    this.trades++;
    const ladder = takerSide === "buy" ? this.book.asks : this.book.bids;
    if (priceTicks !== ladder.bestTicks) this.faults.push(`a trade at ${priceTicks}, best ${ladder.bestTicks}`);
    if (units < 1 || units > (ladder.bestLots ?? 0)) this.faults.push(`a trade of ${units}, resting ${ladder.bestLots}`);
  }

  end(): void {}

  levels(): [Side, number, number][] {
    return (["bid", "ask"] as const).flatMap((side) => {
      const ladder = this.book.side(side);
      return Array.from({ length: ladder.levelCount }, (_, depth): [Side, number, number] => [
        side,
        ladder.ticksAt(depth),
        ladder.lotsAt(depth),
      ]);
    });
  }
}

/** Every price of the range, asked one by one, best first. */
function levelsOf(market: GenerativeMarket): [Side, number, number][] {
  const { book } = market;
  const levels: [Side, number, number][] = [];
  for (const side of ["bid", "ask"] as const) {
    const step = side === "bid" ? -1 : 1;
    for (let price = book.bestTicks(side); price > 0 && price <= 40_000; price += step) {
      const units = book.units(side, price);
      if (units > 0) levels.push([side, price, units]);
    }
  }
  return levels;
}

function expectWithin(actual: number | readonly number[], wanted: number | readonly number[], share: number): void {
  const pairs = [actual].flat().map((value, index) => [value, [wanted].flat()[index] ?? Number.NaN] as const);
  expect([wanted].flat()).toHaveLength(pairs.length);
  for (const [value, target] of pairs) {
    expect(Math.abs(value - target), `${value} against ${target}`).toBeLessThan(share * Math.abs(target));
  }
}

/** Means over three runs of ours against the reference's over 24: within three standard errors of their difference. */
function expectLike(actual: Readonly<Record<string, number>>, reference: Readonly<Record<string, readonly [number, number]>>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(reference).sort());
  for (const [key, [mean, deviation]] of Object.entries(reference)) {
    const band = 3 * deviation * Math.sqrt(1 / 3 + 1 / 24);
    expect(Math.abs(at(actual, key) - mean), `${at(actual, key)} against ${mean} ± ${band} at ${key}`).toBeLessThan(band);
  }
}

function mapValues<T>(record: Readonly<Record<string, T>>, value: (item: T) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, value(item)]));
}

function values(record: Readonly<Record<number, number>>): number[] {
  return Object.values(record);
}

function at(record: Readonly<Record<string, number>>, key: string | number): number {
  const value = record[String(key)];
  if (value === undefined) throw new Error(`no fact at ${key}`);
  return value;
}

/** The mean of each number of equally shaped objects. */
function meanOf(all: readonly Facts[]): Facts {
  return meanOfValues(all) as Facts;
}

function meanOfValues(all: readonly unknown[]): unknown {
  const first = all[0];
  if (typeof first === "number") return all.reduce<number>((sum, value) => sum + (value as number), 0) / all.length;
  if (Array.isArray(first)) return first.map((_, index) => meanOfValues(all.map((value) => (value as unknown[])[index])));
  return Object.fromEntries(
    Object.keys(first as object).map((key) => [key, meanOfValues(all.map((value) => (value as Record<string, unknown>)[key]))]),
  );
}
