import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anchoredMove, freeHitRate, freeR2, pointMove, smoothedMove } from "../../core/labels/averaged.ts";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/horizons.ts";
import { LABEL_KINDS, labelColumns, labelMoves, type PriceRows } from "../../core/labels/moves.ts";
import { Random } from "../../core/math/random.ts";

const KAT_MIDS = [100, 100, 101, 101, 102, 101, 100, 100, 99, 99, 100, 101];

function rowsOf(parts: { times: number[]; bidTicks: number[]; askTicks: number[]; segments?: number[] }): PriceRows {
  return { ...parts, segments: parts.segments ?? parts.times.map(() => 1) };
}

describe("moves of bid, mid and ask", () => {
  it("are of each target's own price, horizon by horizon, in bps", () => {
    const { columns, values, mask } = labelMoves(
      rowsOf({ times: [0, 1000, 2000], bidTicks: [100, 101, 99], askTicks: [104, 105, 104] }),
      [1000, 2000],
    );
    expect(columns.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual([
      "bid@1000",
      "mid@1000",
      "ask@1000",
      "bid@2000",
      "mid@2000",
      "ask@2000",
    ]);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const answers = [1 / 100, 1 / 102, 1 / 104, -1 / 100, -0.5 / 102, 0, -2 / 101, -1.5 / 103, -1 / 105].map((move) => move * 1e4);
    answers.forEach((answer, at) => {
      expect(values[at]).toBeCloseTo(answer, 10);
    });
    expect([...values.subarray(9)].every((value) => value === 0)).toBe(true);
  });

  it("never span a gap: not another segment, not a missing second, not the end of the data", () => {
    const { mask } = labelMoves(
      rowsOf({
        times: [0, 1000, 2000, 4000, 5000, 6000],
        bidTicks: [1, 1, 1, 1, 1, 1],
        askTicks: [2, 2, 2, 2, 2, 2],
        segments: [1, 1, 1, 1, 2, 2],
      }),
      [1000, 2000],
    );
    const labelled = Array.from({ length: 6 }, (_, row) => [mask[row * 6], mask[row * 6 + 3]]);
    expect(labelled).toEqual([
      [1, 1],
      [1, 0],
      [0, 0],
      [0, 0],
      [1, 0],
      [0, 0],
    ]);
  });

  it("are what looking each row's future up by its time gives, whatever is missing", () => {
    const row = fc.record({
      step: fc.constantFrom(1000, 1000, 1000, 1000, 3000),
      isNewSegment: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
      bid: fc.integer({ min: 90, max: 110 }),
      spread: fc.integer({ min: 0, max: 4 }),
    });
    let labelled = 0;
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 120, size: "max" }), (steps) => {
        let time = 0;
        let segment = 0;
        const rows = steps.map((step) => {
          time += step.step;
          if (step.isNewSegment) segment++;
          return { time, segment, bid: step.bid, ask: step.bid + step.spread };
        });
        const labels = labelMoves(
          {
            times: rows.map(({ time: at }) => at),
            bidTicks: rows.map(({ bid }) => bid),
            askTicks: rows.map(({ ask }) => ask),
            segments: rows.map(({ segment: of }) => of),
          },
          DEFAULT_HORIZONS_MS,
        );
        rows.forEach((now, index) => {
          labels.columns.forEach(({ target, horizonMs }, column) => {
            const path = rows.filter((other) => other.time > now.time && other.time <= now.time + horizonMs);
            const isWhole = path.length === horizonMs / 1000 && path.every((other) => other.segment === now.segment);
            const at = index * labels.columns.length + column;
            expect(labels.mask[at]).toBe(isWhole ? 1 : 0);
            if (!isWhole) return;
            const price = (of: { bid: number; ask: number }): number =>
              target === "bid" ? of.bid : target === "ask" ? of.ask : (of.bid + of.ask) / 2;
            const then = path.at(-1) ?? now;
            expect(labels.values[at]).toBeCloseTo((1e4 * (price(then) - price(now))) / price(now), 9);
            labelled++;
          });
        });
      }),
      { numRuns: 50 },
    );
    expect(labelled).toBeGreaterThan(5_000);
  });

  it("refuse a horizon that the grid does not have, instead of labelling with another", () => {
    const rows = rowsOf({ times: [0], bidTicks: [1], askTicks: [2] });
    for (const horizon of [0, -1000, 1500, Number.NaN]) expect(() => labelMoves(rows, [horizon])).toThrow(RangeError);
    expect(() => labelMoves({ ...rows, askTicks: [] }, [1000])).toThrow(RangeError);
    expect(labelColumns(DEFAULT_HORIZONS_MS)).toHaveLength(18);
  });
});

describe("moves by kind of label", () => {
  it("known answers of all three at t = 4 and t = 2, of prices that stand for bid, mid and ask at once", () => {
    const times = KAT_MIDS.map((_, second) => second * 1_000);
    const answers = { point: [-196.07843, 0], anchored: [-163.39869, 33.0033], smoothed: [-98.68421, 99.66777] };
    for (const kind of LABEL_KINDS) {
      const { values, mask } = labelMoves(rowsOf({ times, bidTicks: KAT_MIDS, askTicks: KAT_MIDS }), [3_000], kind);
      for (const [index, row] of [4, 2].entries()) {
        for (const column of [0, 1, 2]) {
          expect(mask[row * 3 + column]).toBe(1);
          expect(values[row * 3 + column]).toBeCloseTo(answers[kind][index] ?? Number.NaN, 4);
        }
      }
    }
  });

  it("are those of each unbroken stretch by itself, window by window: a sum that ran on over a gap would hold prices of another time", () => {
    const formulas = { point: pointMove, anchored: anchoredMove, smoothed: smoothedMove };
    const labelled = { point: 0, anchored: 0, smoothed: 0 };
    const step = fc.record({
      step: fc.constantFrom(1000, 1000, 1000, 1000, 1000, 1000, 3000),
      isNewSegment: fc.integer({ min: 0, max: 14 }).map((draw) => draw === 0),
      bid: fc.integer({ min: 900_000, max: 1_100_000 }),
      spread: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 150, size: "max" }), (steps) => {
        let time = 0;
        let segment = 0;
        const stretches: { bid: number; ask: number }[][] = [];
        const rows = steps.map(({ step: ms, isNewSegment, bid, spread }) => {
          time += ms;
          if (isNewSegment) segment++;
          if (isNewSegment || ms > 1000 || stretches.length === 0) stretches.push([]);
          const stretch = stretches.at(-1) ?? [];
          stretch.push({ bid, ask: bid + spread });
          return { time, segment, bid, ask: bid + spread, stretch, at: stretch.length - 1 };
        });
        const columns = {
          times: rows.map((row) => row.time),
          bidTicks: rows.map((row) => row.bid),
          askTicks: rows.map((row) => row.ask),
          segments: rows.map((row) => row.segment),
        };
        for (const kind of LABEL_KINDS) {
          const labels = labelMoves(columns, [1_000, 2_000, 7_000], kind);
          rows.forEach(({ stretch, at }, row) => {
            labels.columns.forEach(({ target, horizonMs }, column) => {
              const prices = stretch.map(({ bid, ask }) => (target === "bid" ? bid : target === "ask" ? ask : (bid + ask) / 2));
              const expected = formulas[kind](prices, at, horizonMs / 1_000);
              const cell = row * labels.columns.length + column;
              expect(labels.mask[cell]).toBe(expected === null ? 0 : 1);
              expect(labels.values[cell]).toBeCloseTo(expected ?? 0, 8);
              if (expected !== null) labelled[kind]++;
            });
          });
        }
      }),
      { numRuns: 50 },
    );
    expect(Math.min(...Object.values(labelled))).toBeGreaterThan(5_000);
  });

  it("do not depend on how many rows went before, to the last bit: sums stay exact", () => {
    const random = new Random(5);
    const long = 20_000;
    const kept = 100;
    const prices = Array.from({ length: long }, () => 2 ** 40 + Math.floor(random.uniform() * 1e9));
    const labelsFrom = (first: number): number[] => {
      const bidTicks = prices.slice(first);
      const rows = rowsOf({ times: bidTicks.map((_, row) => row * 1_000), bidTicks, askTicks: bidTicks.map((bid) => bid + 1) });
      return [...labelMoves(rows, [30_000], "smoothed").values.slice(-3 * kept)];
    };
    expect(labelsFrom(long - kept - 29)).toEqual(labelsFrom(0));
  });

  it("refuse to average what is not whole ticks: the sums would not be exact", () => {
    const rows = rowsOf({ times: [0, 1_000], bidTicks: [1, 1.5], askTicks: [2, 2] });
    for (const kind of ["anchored", "smoothed"] as const) expect(() => labelMoves(rows, [1_000], kind)).toThrow(/row 1 .* whole ticks/);
    expect(() => labelMoves(rowsOf({ times: [0], bidTicks: [Number.NaN], askTicks: [1] }), [1_000], "anchored")).toThrow(RangeError);
  });
});

describe("averaged labels", () => {
  it("known answers of k = 3 at t = 4 and t = 2", () => {
    expect(anchoredMove(KAT_MIDS, 4, 3)).toBeCloseTo(-163.4, 1);
    expect(smoothedMove(KAT_MIDS, 4, 3)).toBeCloseTo(-98.68, 1);
    expect(pointMove(KAT_MIDS, 4, 3)).toBeCloseTo(-196.08, 2);
    expect(anchoredMove(KAT_MIDS, 2, 3)).toBeCloseTo(33.0, 1);
    expect(smoothedMove(KAT_MIDS, 2, 3)).toBeCloseTo(99.67, 2);
    expect(pointMove(KAT_MIDS, 2, 3)).toBe(0);
  });

  it("are absent where the stretch does not reach, so that no window is quietly shortened", () => {
    expect(anchoredMove(KAT_MIDS, 8, 3)).not.toBeNull();
    expect(anchoredMove(KAT_MIDS, 9, 3)).toBeNull();
    expect(pointMove(KAT_MIDS, 9, 3)).toBeNull();
    expect(smoothedMove(KAT_MIDS, 1, 3)).toBeNull();
    expect(smoothedMove(KAT_MIDS, 9, 3)).toBeNull();
    expect(anchoredMove(KAT_MIDS, -1, 1)).toBeNull();
    expect(anchoredMove(KAT_MIDS, 0, 0)).toBeNull();
  });

  it("free R² known answers, and its hit rate .7262 at k = 10", () => {
    const answers: [number, number][] = [
      [2, 0.1667],
      [5, 0.3529],
      [10, 0.4254],
      [20, 0.4625],
      [50, 0.485],
      [100, 0.4925],
    ];
    for (const [k, answer] of answers) expect(freeR2(k)).toBeCloseTo(answer, 4);
    expect(freeR2(1)).toBe(0);
    expect(freeHitRate(10)).toBeCloseTo(0.7262, 4);
  });

  it("on a pure random walk the past alone explains that much of the smoothed label, and none of the anchored", () => {
    const k = 10;
    const random = new Random(7);
    const prices = [1e6];
    for (let at = 1; at < 60_000; at++) prices.push((prices[at - 1] ?? 0) + (random.uniform() < 0.5 ? -1 : 1));
    const behind = (at: number): number => prices.slice(at - k + 1, at + 1).reduce((sum, price) => sum + price, 0) / k;
    const explained = (label: (prices: number[], at: number, k: number) => number | null): number => {
      let xy = 0;
      let xx = 0;
      let yy = 0;
      for (let at = k; at < prices.length - k; at++) {
        const x = (prices[at] ?? 0) - behind(at);
        const y = label(prices, at, k) ?? Number.NaN;
        xy += x * y;
        xx += x * x;
        yy += y * y;
      }
      return (xy * xy) / (xx * yy);
    };
    expect(explained(smoothedMove)).toBeCloseTo(freeR2(k), 1);
    expect(explained(anchoredMove)).toBeLessThan(0.01);
  });
});
