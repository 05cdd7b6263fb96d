import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { correlation } from "../../core/metrics/correlation.ts";
import { dieboldMariano } from "../../core/metrics/diebold-mariano.ts";
import { directionScore } from "../../core/metrics/direction.ts";
import { maeScore } from "../../core/metrics/mae.ts";
import { countOf, momentsOf, summedByMoment } from "../../core/metrics/moments.ts";
import { r2AgainstPersistence } from "../../core/metrics/r2.ts";
import { r2Interval } from "../../core/metrics/r2-interval.ts";
import { rmseScore } from "../../core/metrics/rmse.ts";

const moves = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.double({ min: -50, max: 50, noNaN: true })), {
  minLength: 2,
  maxLength: 80,
});

describe("against persistence", () => {
  it("known answers by hand", () => {
    const rows = { actual: [1, -2, 0, 3], predicted: [1, -1, 1, 1] };
    // Squared errors 0 + 1 + 1 + 4 of 1 + 4 + 0 + 9; absolute 0 + 1 + 1 + 2 of 1 + 2 + 0 + 3.
    expect(r2AgainstPersistence(rows)).toBeCloseTo(1 - 6 / 14, 15);
    expect(rmseScore(rows)?.rmse).toBeCloseTo(Math.sqrt(1.5), 15);
    expect(rmseScore(rows)?.persistenceRmse).toBeCloseTo(Math.sqrt(3.5), 15);
    expect(maeScore(rows)).toEqual({ mae: 1, persistenceMae: 1.5, skill: 1 - 4 / 6 });
    expect(directionScore(rows)).toEqual({ hitRate: 1, hits: 3, moves: 3, rows: 4 });
  });

  it("forecasting no move scores nought and forecasting the move scores one, or the scale of every score is off", () => {
    fc.assert(
      fc.property(moves, (pairs) => {
        const actual = pairs.map(([move]) => move);
        fc.pre(actual.some((move) => move !== 0));
        const none = { actual, predicted: actual.map(() => 0) };
        const all = { actual, predicted: actual };
        expect([r2AgainstPersistence(none), rmseScore(none)?.skill, maeScore(none)?.skill]).toEqual([0, 0, 0]);
        expect([r2AgainstPersistence(all), rmseScore(all)?.skill, maeScore(all)?.skill]).toEqual([1, 1, 1]);
        expect(directionScore(all).hitRate).toBe(1);
        expect(directionScore(none).hitRate).toBe(0);
      }),
    );
  });

  it("R² is about zero, not about the mean: a drift that nobody forecast is not skill lost twice", () => {
    const actual = [2, 3, 4];
    expect(r2AgainstPersistence({ actual, predicted: [3, 3, 3] })).toBeCloseTo(1 - 2 / 29, 15);
  });

  it("skill = 1 - √(1 - R²): 5.1 % at R² .10, 1.5 % at .03, .5 % at .01", () => {
    fc.assert(
      fc.property(moves, (pairs) => {
        const rows = { actual: pairs.map(([move]) => move), predicted: pairs.map(([, forecast]) => forecast) };
        const r2 = r2AgainstPersistence(rows);
        if (r2 === null) expect(rmseScore(rows)?.skill).toBeNull();
        else expect(rmseScore(rows)?.skill).toBeCloseTo(1 - Math.sqrt(1 - r2), 9);
      }),
    );
    const skillAt = (r2: number): number | null | undefined => rmseScore({ actual: [1], predicted: [1 - Math.sqrt(1 - r2)] })?.skill;
    expect(skillAt(0.1)).toBeCloseTo(0.051, 3);
    expect(skillAt(0.03)).toBeCloseTo(0.015, 3);
    expect(skillAt(0.01)).toBeCloseTo(0.005, 3);
  });

  it("where nothing moved, or there are no rows, there is no score: not 0, not NaN", () => {
    const still = { actual: [0, 0], predicted: [1, -1] };
    const empty = { actual: [], predicted: [] };
    expect([r2AgainstPersistence(still), rmseScore(still)?.skill, maeScore(still)?.skill]).toEqual([null, null, null]);
    expect([r2AgainstPersistence(empty), rmseScore(empty), maeScore(empty)]).toEqual([null, null, null]);
    expect(directionScore(still)).toEqual({ hitRate: null, hits: 0, moves: 0, rows: 2 });
    expect(() => r2AgainstPersistence({ actual: [1], predicted: [] })).toThrow(RangeError);
  });
});

describe("correlation", () => {
  it("known answer, and the two-pass formula on any sample", () => {
    expect(correlation({ actual: [1, 2, 3, 4, 5], predicted: [2, 4, 5, 4, 5] })).toBeCloseTo(6 / Math.sqrt(60), 14);
    fc.assert(
      fc.property(moves, (pairs) => {
        const x = pairs.map(([move]) => move);
        const y = pairs.map(([, forecast]) => Math.round(forecast));
        const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
        const along = (a: number[], b: number[]): number =>
          a.reduce((sum, value, at) => sum + (value - mean(a)) * ((b[at] ?? Number.NaN) - mean(b)), 0);
        const measured = correlation({ actual: x, predicted: y });
        if (new Set(x).size === 1 || new Set(y).size === 1) expect(measured).toBeNull();
        else expect(measured).toBeCloseTo(along(x, y) / Math.sqrt(along(x, x) * along(y, y)), 9);
      }),
    );
  });
});

describe("Diebold-Mariano", () => {
  const differences = [0.3, -0.1, 0.2, 0.4, -0.2, 0.1, 0.5, 0, 0.3, -0.1];

  it("one row ahead: DM 1.972027, corrected 1.870829, p .094174", () => {
    const test = dieboldMariano(differences, 1);
    expect(test?.longRunVariance).toBeCloseTo(0.0504, 12);
    expect(test?.statistic).toBeCloseTo(1.972027, 6);
    expect(test?.correctedStatistic).toBeCloseTo(1.870829, 6);
    expect(test?.pValue).toBeCloseTo(0.094174, 6);
    expect(test?.weights).toBe("rectangular");
  });

  it("three rows ahead the variance would be negative: Bartlett's weights, 4.139187, instead of a NaN taken for a result", () => {
    const test = dieboldMariano(differences, 3);
    expect(test?.weights).toBe("bartlett");
    expect(test?.statistic).toBeCloseTo(4.139187, 6);
    expect((test?.correctedStatistic ?? 0) / (test?.statistic ?? 1)).toBeCloseTo(0.748331, 6);
  });

  it("turns its sign when the models change places", () => {
    const turned = dieboldMariano(
      differences.map((value) => -value),
      2,
    );
    const test = dieboldMariano(differences, 2);
    expect(turned?.statistic).toBeCloseTo(-(test?.statistic ?? 0), 12);
    expect(turned?.pValue).toBeCloseTo(test?.pValue ?? 0, 12);
  });

  it("finds nothing in noise about as often as it says", () => {
    const random = new Random(3);
    let found = 0;
    const tries = 2_000;
    for (let attempt = 0; attempt < tries; attempt++) {
      const noise = Array.from({ length: 30 }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
      if ((dieboldMariano(noise, 1)?.pValue ?? 1) < 0.05) found++;
    }
    // Four standard errors of a share of 5 % in 2,000.
    expect(Math.abs(found / tries - 0.05)).toBeLessThan(0.02);
  });

  it("where there is no test it says so: too few rows, or differences that do not vary", () => {
    expect(dieboldMariano([0.1], 1)).toBeNull();
    expect(dieboldMariano([0.1, 0.2, 0.3], 3)).toBeNull();
    expect(dieboldMariano([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 2)).toBeNull();
    expect(() => dieboldMariano(differences, 0)).toThrow(RangeError);
  });
});

describe("interval of R²", () => {
  const sample = (rows: number, seed: number): { actual: number[]; predicted: number[] } => {
    const random = new Random(seed);
    const noise = (): number => random.uniform() + random.uniform() + random.uniform() - 1.5;
    const predicted = Array.from({ length: rows }, () => 0.5 * noise());
    return { actual: predicted.map((forecast) => forecast + noise()), predicted };
  };
  const seeded = (seed: number): (() => number) => {
    const random = new Random(seed);
    return () => random.uniform();
  };

  it("the same seed gives the same interval, and it holds the estimate", () => {
    const rows = sample(500, 1);
    const interval = r2Interval(rows, { uniform: seeded(5), blockRows: 20 });
    expect(interval).toEqual(r2Interval(rows, { uniform: seeded(5), blockRows: 20 }));
    const r2 = r2AgainstPersistence(rows) ?? Number.NaN;
    expect(interval?.low).toBeLessThan(r2);
    expect(interval?.high).toBeGreaterThan(r2);
  });

  it("agrees with drawing whole blocks row by row", () => {
    const rows = sample(90, 2);
    const uniform = seeded(9);
    const draws = Array.from({ length: 200 }, () => {
      const picked: number[] = [];
      while (picked.length < 90) {
        const start = Math.floor(uniform() * 90);
        for (let at = 0; at < 25 && picked.length < 90; at++) picked.push((start + at) % 90);
      }
      return r2AgainstPersistence({
        actual: picked.map((at) => rows.actual[at] ?? Number.NaN),
        predicted: picked.map((at) => rows.predicted[at] ?? Number.NaN),
      });
    }).sort((a, b) => (a ?? 0) - (b ?? 0));
    const interval = r2Interval(rows, { uniform: seeded(9), blockRows: 25, resamples: 200, level: 1 });
    expect(interval?.low).toBeCloseTo(draws[0] ?? Number.NaN, 10);
    expect(interval?.high).toBeCloseTo(draws[199] ?? Number.NaN, 10);
  });

  it("leaves out as many draws below as above: 5 % at each end of a level of .9, 2.5 % of .95, or a lucky score looks sure", () => {
    // Of 21 rows that moved by 1, row k is forecast with R² k / 20; draw k takes row k alone, 21 times: the draws are 0, .05, … 1.
    const rows = { actual: new Array<number>(21).fill(1), predicted: Array.from({ length: 21 }, (_, k) => 1 - Math.sqrt(1 - k / 20)) };
    const interval = (level?: number) => {
      let asked = 0;
      const uniform = (): number => (Math.floor(asked++ / 21) + 0.5) / 21;
      return r2Interval(rows, { uniform, blockRows: 1, resamples: 21, ...(level === undefined ? {} : { level }) });
    };
    expect(interval(0.9)).toEqual({ low: expect.closeTo(0.05, 12), high: expect.closeTo(0.95, 12) });
    expect(interval()).toEqual({ low: expect.closeTo(0.025, 12), high: expect.closeTo(0.975, 12) });
  });

  it("covers the true R² about as often as it says, on rows that do not depend on each other", () => {
    // Var(forecast) = .25/4, Var(noise) = 1/4: R² = .0625 / (.0625 + .25) = .2.
    let covered = 0;
    for (let attempt = 0; attempt < 100; attempt++) {
      const interval = r2Interval(sample(400, 100 + attempt), { uniform: seeded(attempt), blockRows: 10, resamples: 200 });
      if (interval !== null && interval.low <= 0.2 && interval.high >= 0.2) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(85);
  });

  it("draws whole moments: rows that share theirs are one observation, in whatever order they stand", () => {
    const rows = sample(120, 7);
    const options = { blockRows: 10, resamples: 200 };
    const alone = r2Interval(rows, { uniform: seeded(3), ...options });
    const twice = { actual: [...rows.actual, ...rows.actual], predicted: [...rows.predicted, ...rows.predicted] };
    const times = Array.from({ length: 240 }, (_, row) => 1_000 * (row % 120));
    const moments = momentsOf(times);
    expect(moments?.slice(118, 122)).toEqual(Uint32Array.of(118, 119, 0, 1));
    const together = r2Interval(twice, { uniform: seeded(3), ...options, moments });
    expect(together?.low).toBeCloseTo(alone?.low ?? Number.NaN, 10);
    expect(together?.high).toBeCloseTo(alone?.high ?? Number.NaN, 10);
    expect(momentsOf(times.slice(0, 120))).toBeNull();
    expect(summedByMoment(Float64Array.of(1, 2, 4, 8), Uint32Array.of(0, 1, 1, 0))).toEqual(Float64Array.of(9, 6));
    expect(countOf(moments)).toBe(120);
  });

  it("is wider where neighbours move together, which single rows would hide", () => {
    const independent = sample(100, 4);
    const repeat = (values: number[]): number[] => values.flatMap((value) => Array.from({ length: 20 }, () => value));
    const rows = { actual: repeat(independent.actual), predicted: repeat(independent.predicted) };
    const width = (blockRows: number): number => {
      const interval = r2Interval(rows, { uniform: seeded(6), blockRows });
      return (interval?.high ?? 0) - (interval?.low ?? 0);
    };
    expect(width(60)).toBeGreaterThan(2 * width(1));
  });

  it("where nothing moved there is none; a block longer than the data is the data", () => {
    expect(r2Interval({ actual: [0, 0], predicted: [1, 1] }, { uniform: () => 0, blockRows: 1 })).toBeNull();
    expect(r2Interval({ actual: [], predicted: [] }, { uniform: () => 0, blockRows: 1 })).toBeNull();
    const rows = sample(30, 8);
    const r2 = r2AgainstPersistence(rows) ?? Number.NaN;
    const whole = r2Interval(rows, { uniform: seeded(1), blockRows: 1000 });
    expect(whole?.low).toBeCloseTo(r2, 12);
    expect(whole?.high).toBeCloseTo(r2, 12);
    expect(() => r2Interval(rows, { uniform: () => 0, blockRows: 0 })).toThrow(RangeError);
  });
});
