/** Columns that take weights from data. Losses prevented: a fit in the wrong unit, columns of another fit under the same fingerprint, and a fit to nothing that looks like one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIntegratedFlow } from "../../core/features/columns/integrated-flow.ts";
import { createMicroPriceDeviation } from "../../core/features/columns/micro-price-deviation.ts";
import type { Feature } from "../../core/features/contract.ts";
import { defineFeatureSet } from "../../core/features/define.ts";
import { type FeatureFit, type FitRows, fitFeatures, hashOfFit } from "../../core/features/fitted/fit-features.ts";
import { fitInputs } from "../../core/features/fitted/fit-inputs.ts";
import { fitMicroPrice, microPriceAdjustment } from "../../core/features/fitted/micro-price.ts";
import { featureSets, featureSetV2, findFeatureSet } from "../../core/features/registry.ts";
import { featureSetV2Fitted } from "../../core/features/v2-fitted/feature-set.ts";
import { Random } from "../../core/math/random.ts";
import { arbitraryMarket, type MarketLog, streamedRows } from "./features-reference.ts";

const LEVELS = 10;

/** Two states of the book, and where the mid goes by them: the limit of quant.md's example, ±0.15625. */
const FIT: FeatureFit = {
  unitTicks: 10,
  microPrice: { shareCuts: [0.5], spreadBuckets: 2, adjustments: [-0.15625, 0.15625, -0.25, 0.25] },
  integratedFlow: { weights: [0.3, 0.25, 0.2, 0.1, 0.05, 0.04, 0.03, 0.02, 0.01, 0], explainedShare: 0.9 },
};

function rowsOf(log: MarketLog, ...features: (() => Feature)[]): number[][] {
  const set = defineFeatureSet("test", 1, () => features.map((create) => create()));
  return streamedRows(log, set).rows.map(({ row }) => row);
}

const tick = (venueTime: number): MarketLog["events"][number] => ({ kind: "trade", venueTime, takerSide: "buy", lots: 1 });

/** A mid that steps up with a chance of the bids' share. A spread is `grid` ticks, and twice that in one of `wideEvery` rows; 0: in none. */
function marketOf(rows: number, { grid = 1, wideEvery = 0 } = {}): FitRows {
  const random = new Random(7);
  const [shares, spreadTicks, midTicks, flows]: [number[], number[], number[], number[]] = [[], [], [], []];
  let mid = 1_000;
  for (let row = 0; row < rows; row++) {
    shares.push(random.uniform());
    spreadTicks.push(grid * (row % wideEvery === 1 ? 2 : 1));
    midTicks.push(grid * mid);
    const force = random.normal();
    flows.push(...Array.from({ length: LEVELS }, (_, level) => force * (level + 1) + random.normal()));
    mid += random.uniform() < 0.2 ? (random.uniform() < (shares[row] as number) ? 1 : -1) : 0;
  }
  return { shares, spreadTicks, midTicks, flows, segments: new Uint8Array(rows) };
}

function fitOf(rows: FitRows): FeatureFit {
  const fit = fitFeatures(rows);
  if ("refusal" in fit) throw new Error(fit.refusal);
  return fit;
}

describe("the micro-price, from rows to its column", () => {
  it("counts the steps of the worked example, whose sums go to ±0.15625 of the second state", () => {
    // Of a hundred steps from high: 60 stay and 20 go low without a move; 15 up and 5 down, 12 of these to low.
    const fromHigh = [
      [60, 0.75, 0],
      [20, 0.25, 0],
      [9, 0.25, 1],
      [6, 0.75, 1],
      [3, 0.25, -1],
      [2, 0.75, -1],
    ] as const;
    const steps = fromHigh.flatMap(([count, to, move]) => Array.from({ length: count }, () => ({ to, move })));
    // Each step is a segment of its own: two rows, from high as it is and from low turned over.
    const pairs = steps.flatMap(({ to, move }) => [
      { shares: [0.75, to], mids: [100, 100 + move] },
      { shares: [0.25, 1 - to], mids: [100, 100 - move] },
    ]);
    const rows = {
      shares: pairs.flatMap(({ shares }) => shares),
      midTicks: pairs.flatMap(({ mids }) => mids),
      spreadTicks: pairs.flatMap(() => [1, 1]),
      segments: pairs.flatMap((_, index) => [index, index]),
    };
    const fitted = fitMicroPrice(rows, { shareBuckets: 2, spreadBuckets: 1 });
    expect(fitted && microPriceAdjustment(fitted, 0.9, 1)).toBeCloseTo(0.15625, 6);
    expect(fitted && microPriceAdjustment(fitted, 0.1, 1)).toBeCloseTo(-0.15625, 6);
  });

  it("is told in bps of the mid, its spread in the fit's unit: by ticks it would be another state, and ten times too small", () => {
    const column = (bid: number, ask: number, lots: readonly [number, number]): number =>
      rowsOf({ startTime: 500, bids: [[bid, lots[0]]], asks: [[ask, lots[1]]], events: [tick(1_000)] }, () =>
        createMicroPriceDeviation(FIT),
      )[0]?.[0] ?? Number.NaN;
    // One unit of ten ticks wide, heavier bids: 0.15625 units up, of a mid of 10,000 ticks.
    expect(column(9_995, 10_005, [3, 1])).toBeCloseTo((1e4 * 1.5625) / 10_000, 12);
    expect(column(9_995, 10_005, [1, 3])).toBeCloseTo((-1e4 * 1.5625) / 10_000, 12);
    // A tick wider is in the next bucket; a locked book has the smallest spread there is.
    expect(column(9_994, 10_005, [3, 1])).toBeCloseTo((1e4 * 2.5) / 9_999.5, 12);
    expect(column(10_000, 10_000, [3, 1])).toBeCloseTo((1e4 * 1.5625) / 10_000, 12);
  });
});

describe("integrated order flow", () => {
  it("worked by hand: the six events of the papers' example give -5 at the best level, weighted and over the depth scale", () => {
    const quotes = [
      [100, 5, 101, 4],
      [100, 7, 101, 4],
      [100, 7, 101, 1],
      [100, 7, 102, 3],
      [101, 2, 102, 3],
      [100, 6, 102, 3],
      [99, 6, 101, 5],
    ] as const;
    const [first, ...rest] = quotes;
    const events = rest.map(([bid, bidLots, ask, askLots], index) => {
      const [oldBid, , oldAsk] = quotes[index] ?? first;
      return {
        ...{ kind: "book" as const, venueTime: 1_100 + index * 100 },
        bids: [...(oldBid === bid ? [] : [[oldBid, 0] as const]), [bid, bidLots] as const],
        asks: [...(oldAsk === ask ? [] : [[oldAsk, 0] as const]), [ask, askLots] as const],
      };
    });
    const log: MarketLog = { startTime: 1_050, bids: [[100, 5]], asks: [[101, 4]], events: [...events, tick(2_000)] };
    const [row] = rowsOf(log, () => createIntegratedFlow({ weights: [0.4, 0.6, 0, 0, 0, 0, 0, 0, 0, 0], explainedShare: 1 }, [1]));
    // Six and five lots rest then: 5.5 a side.
    expect(row?.[0]).toBeCloseTo(-Math.log(1 + (10 * 0.4 * 5) / 5.5), 12);
  });

  it("with a tenth of each level is a tenth of all, and with one level alone is that level's: on any market", () => {
    const unlogged = (value: number): number => (Math.sign(value) * Math.expm1(Math.abs(value))) / 10;
    const weighing = (weightOf: (level: number) => number) => () =>
      createIntegratedFlow({ weights: Array.from({ length: LEVELS }, (_, level) => weightOf(level)), explainedShare: 1 }, [1, 10]);
    const at = (name: string): number => featureSetV2.columns.indexOf(name);
    let compared = 0;
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const v2 = streamedRows(log, featureSetV2).rows;
        const [even, third] = [
          rowsOf(
            log,
            weighing(() => 0.1),
          ),
          rowsOf(
            log,
            weighing((level) => (level === 2 ? 1 : 0)),
          ),
        ];
        for (const [index, { row }] of v2.entries()) {
          for (const [column, window] of [1, 10].entries()) {
            const [all, one] = [row[at(`ofi_all_${window}s`)] ?? Number.NaN, row[at(`ofi_level_3_${window}s`)] ?? Number.NaN];
            expect(unlogged(even[index]?.[column] ?? Number.NaN)).toBeCloseTo(unlogged(all) / 10, 9);
            expect(third[index]?.[column]).toBeCloseTo(one, 12);
            compared++;
          }
        }
      }),
      { numRuns: 20 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it("is fitted to the very flows that its column weighs: else the weights are of other numbers", () => {
    const one = (at: number) => () =>
      createIntegratedFlow({ weights: Array.from({ length: LEVELS }, (_, level) => (level === at ? 1 : 0)), explainedShare: 1 }, [1]);
    fc.assert(
      fc.property(arbitraryMarket, fc.integer({ min: 0, max: LEVELS - 1 }), (log, level) => {
        const column = rowsOf(log, one(level)).map(([value]) => value);
        const flows = streamedRows(log, fitInputs).rows.map(({ row }) => row[1 + level] ?? Number.NaN);
        for (const [index, flow] of flows.entries())
          expect(column[index]).toBeCloseTo(Math.sign(flow) * Math.log1p(10 * Math.abs(flow)), 9);
      }),
      { numRuns: 20 },
    );
  });
});

describe("v2-fitted", () => {
  const set = featureSetV2Fitted(FIT);

  it("is v2 and nine columns more, and changes no bit of v2's", () => {
    expect(set.columns.slice(0, featureSetV2.columns.length)).toEqual(featureSetV2.columns);
    expect(set.columns.slice(featureSetV2.columns.length)).toEqual([
      ...["micro_price_deviation_bps", "ofi_integrated_1s", "ofi_integrated_5s", "ofi_integrated_10s", "ofi_integrated_30s"],
      ...["micro_price_deviation_bps_by_volatility", "ofi_integrated_1s_by_volatility"],
      ...["ofi_integrated_5s_by_volatility", "ofi_integrated_10s_by_volatility"],
    ]);
    fc.assert(
      fc.property(arbitraryMarket, (log) => {
        const fitted = streamedRows(log, set).rows.map(({ row }) => row.slice(0, featureSetV2.columns.length));
        expect(fitted).toEqual(streamedRows(log, featureSetV2).rows.map(({ row }) => row));
      }),
      { numRuns: 10 },
    );
  });

  it("has a fingerprint of its fit's every bit: rows of one fit are never taken for another's", () => {
    const changed: FeatureFit[] = [
      { ...FIT, unitTicks: 5 },
      { ...FIT, microPrice: { ...FIT.microPrice, adjustments: [-0.15625, 0.15625, -0.25, 0.25 * (1 + 2 ** -52)] } },
      { ...FIT, microPrice: { ...FIT.microPrice, shareCuts: [0.25] } },
      { ...FIT, integratedFlow: { ...FIT.integratedFlow, weights: [0.25, 0.3, 0.2, 0.1, 0.05, 0.04, 0.03, 0.02, 0.01, 0] } },
    ];
    const fingerprints = [FIT, ...changed].map((fit) => featureSetV2Fitted(fit).fingerprint);
    expect(new Set(fingerprints).size).toBe(5);
    expect(featureSetV2Fitted(structuredClone(FIT)).fingerprint).toBe(set.fingerprint);
    // A card is JSON, which has no negative zero.
    expect(hashOfFit({ ...FIT, microPrice: { ...FIT.microPrice, shareCuts: [-0] } })).toBe(
      hashOfFit({ ...FIT, microPrice: { ...FIT.microPrice, shareCuts: [0] } }),
    );
  });

  it("is in no list of sets: a feed that was asked for it would have no fit", () => {
    expect(featureSets.map(({ id }) => id)).not.toContain("v2-fitted");
    expect(findFeatureSet(set.fingerprint)).toBeNull();
  });
});

describe("a fit", () => {
  it("on a grid ten times finer is the same in its unit: a venue's tick is no spread of its book", () => {
    const [plain, fine] = [fitOf(marketOf(4_000)), fitOf(marketOf(4_000, { grid: 10 }))];
    expect([plain.unitTicks, fine.unitTicks]).toEqual([1, 10]);
    expect(fine.microPrice).toEqual(plain.microPrice);
    expect(hashOfFit(fine)).not.toBe(hashOfFit(plain));
  });

  it("of a market whose spread is always one tick tells of that, and of wider ones says the mid", () => {
    const { microPrice } = fitOf(marketOf(4_000));
    expect(microPrice.adjustments.slice(10)).toEqual(Array.from({ length: 10 }, () => 0));
    // A step in five, up with the chance of the share: 0.2·(2·0.95 - 1), and what comes then has nothing left of it.
    expect(Math.abs(microPriceAdjustment(microPrice, 0.95, 1) - 0.18)).toBeLessThan(0.06);
    expect(Math.abs(microPriceAdjustment(microPrice, 0.05, 1) + 0.18)).toBeLessThan(0.06);
    // Were some spreads wider, something would be known of them.
    expect(microPriceAdjustment(fitOf(marketOf(4_000, { wideEvery: 3 })).microPrice, 0.95, 2)).toBeGreaterThan(0.08);
  });

  it("to too few rows, to no numbers, to a locked book or to one that never changes is refused with the reason", () => {
    const rows = marketOf(1_000);
    const all = (value: number, width = 1): Float64Array => new Float64Array(1_000 * width).fill(value);
    expect(fitFeatures(marketOf(999))).toEqual({ refusal: "999 rows are too few to fit columns to: 1000 are wanted" });
    expect(fitFeatures(rows)).not.toHaveProperty("refusal");
    for (const column of ["shares", "spreadTicks", "midTicks", "flows"] as const) {
      const nothing = all(Number.NaN, column === "flows" ? LEVELS : 1);
      expect(fitFeatures({ ...rows, [column]: nothing }), column).toEqual({ refusal: "a row to fit columns to holds what is no number" });
    }
    expect(fitFeatures({ ...rows, spreadTicks: all(0) })).toHaveProperty("refusal", expect.stringContaining("locked"));
    expect(fitFeatures({ ...rows, midTicks: all(7) })).toHaveProperty("refusal", expect.stringContaining("never"));
    expect(fitFeatures({ ...rows, flows: all(0, LEVELS) })).toHaveProperty("refusal", expect.stringContaining("no order flowed"));
  });
});
