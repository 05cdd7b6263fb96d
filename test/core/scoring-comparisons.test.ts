/** Which of two models is better, and whether one is any good: a wrong mark sells luck as skill. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { dieboldMariano } from "../../core/metrics/diebold-mariano.ts";
import type { ForecastAnswer } from "../../core/scoring/forecast-answer.ts";
import { addPairs, comparePairs, type PairedRows, type PairedTick } from "../../core/scoring/paired-comparison.ts";
import { addOddsPairs, compareOdds, type OddsRows } from "../../core/scoring/paired-odds.ts";
import { type SkillHour, skillOf } from "../../core/scoring/skill.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10);

function answer(mids: Readonly<Record<number, number | null>>, label: ForecastAnswer["label"] = "point"): ForecastAnswer {
  const horizons = Object.entries(mids).map(([horizonMs, mid]) => ({
    ...{ horizonMs: Number(horizonMs), movesBps: { bid: null, mid, ask: 1 }, interval: null, odds: null },
  }));
  return { label, horizons };
}

/** A minute's path each hour or minute: at the tick and a second later, when the mid has moved by so many ticks of ten thousand: so many bps. */
function market(moves: readonly number[], spacingMs: number): { path: Parameters<typeof addPairs>[2]; times: number[] } {
  const times = moves.map((_, at) => START + at * spacingMs);
  return {
    times,
    path: {
      times: times.flatMap((time) => [time, time + 1_000]),
      bidTicks: moves.flatMap((move) => [9_999, 9_999 + move]),
      askTicks: moves.flatMap((move) => [10_001, 10_001 + move]),
      segments: times.flatMap((_, at) => [at, at]),
    },
  };
}

function tick(featureTime: number, active: ForecastAnswer, challenger: ForecastAnswer): PairedTick {
  return { featureTime, bidTicks: 9_999, askTicks: 10_001, active, challenger };
}

describe("two models on the same ticks", () => {
  it("are compared by what came, and the test is that of their losses", () => {
    const moves = [4, -2, 2, 0, 3, -4, 1, -3];
    const { path, times } = market(moves, 60_000);
    const said = moves.map((move, at) => [move * 0.25, at % 2 === 0 ? move : 0] as const);
    const rows: PairedRows = new Map();
    const ticks = times.map((time, at) => tick(time, answer({ 1000: said[at]?.[0] ?? 0 }), answer({ 1000: said[at]?.[1] ?? 0 })));
    // In two parts, as day by day.
    expect([addPairs(rows, ticks.slice(0, 3), path), addPairs(rows, ticks.slice(3), path)]).toEqual([3, 5]);
    const [compared] = comparePairs(rows, 60_000);
    const squares = moves.map((move) => move * move);
    const total = squares.reduce((sum, square) => sum + square, 0);
    const missed = squares.filter((_, at) => at % 2 === 1).reduce((sum, square) => sum + square, 0);
    expect(compared).toMatchObject({ horizonMs: 1_000, target: "mid", ticks: 8, low: null, high: null });
    expect(compared?.r2Active).toBeCloseTo(1 - 0.75 * 0.75, 12);
    expect(compared?.r2Challenger).toBeCloseTo(1 - missed / total, 12);
    expect(compared?.difference).toBeCloseTo(0.5625 - missed / total, 12);
    const losses = squares.map((square, at) => 0.5625 * square - (at % 2 === 0 ? 0 : square));
    expect(compared?.dmP).toBeCloseTo(dieboldMariano(losses, 1)?.pValue ?? Number.NaN, 10);
  });

  it("test forecasts of five minutes, a tick a minute, as five that overlap", () => {
    const random = new Random(3);
    const own = Array.from({ length: 300 }, (_, at) => ({
      featureTime: START + at * 60_000,
      move: random.normal(),
      active: 0,
      challenger: 0.3 * random.normal(),
    }));
    const [compared] = comparePairs(new Map([[300_000, own]]), 60_000);
    const losses = own.map(({ move, challenger }) => move * move - (move - challenger) * (move - challenger));
    expect(compared?.dmP).toBeCloseTo(dieboldMariano(losses, 5)?.pValue ?? Number.NaN, 12);
    expect(compared?.dmP).not.toBeCloseTo(dieboldMariano(losses, 1)?.pValue ?? Number.NaN, 6);
  });

  it("have an interval of the difference from six hours on, above 0 for who is better in each", () => {
    const random = new Random(9);
    const moves = Array.from({ length: 7 * 60 }, () => Math.round(random.normal() * 5));
    const { path, times } = market(moves, 60_000);
    const compare = (hours: number) => {
      const rows: PairedRows = new Map();
      const ticks = times.map((time, at) => tick(time, answer({ 1000: 0 }), answer({ 1000: 0.5 * (moves[at] ?? 0) })));
      addPairs(rows, ticks.slice(0, hours * 60), path);
      return comparePairs(rows, 60_000)[0];
    };
    const seven = compare(7);
    expect(seven?.difference).toBeCloseTo(0.75, 12);
    expect(seven?.low).toBeCloseTo(0.75, 12);
    // Each hour says 0.75, give or take a rounding: an interval beside its own difference would be refused as evidence.
    expect(seven?.low).toBeLessThanOrEqual(seven?.difference ?? Number.NaN);
    expect(seven?.high).toBeGreaterThanOrEqual(seven?.difference ?? Number.NaN);
    expect(compare(5)).toMatchObject({ low: null, high: null });
    expect(compare(5)?.dmP).toBeLessThan(1e-6);
  });

  it("are not compared where one has no word, another label, or nothing is known of what came", () => {
    const { path, times } = market([2, 2, 2, 2], HOUR);
    const [a = 0, b = 0, c = 0] = times;
    const ticks = [
      tick(a, answer({ 1000: 1, 5000: 1 }), answer({ 1000: null, 5000: 1 })),
      tick(b, answer({ 1000: 1 }, "anchored"), answer({ 1000: 1 })),
      { ...tick(c, answer({ 1000: 1 }), answer({ 1000: 1 })), bidTicks: 9_998 },
    ];
    const rows: PairedRows = new Map();
    expect(addPairs(rows, ticks, path)).toBe(0);
    expect(comparePairs(rows, 60_000)).toEqual([]);
    expect(addPairs(rows, [tick(times[3] ?? 0, answer({ 1000: 1 }), answer({ 1000: 2 }))], path)).toBe(1);
    expect(comparePairs(rows, 60_000)).toEqual([
      { horizonMs: 1_000, target: "mid", ticks: 1, r2Active: 0.75, r2Challenger: 1, difference: 0.25, low: null, high: null, dmP: null },
    ]);
  });
});

describe("the odds of two models on the same ticks", () => {
  const saying = (down: number, up: number, thresholdBps = 1): ForecastAnswer => ({
    label: "point",
    horizons: [{ horizonMs: 1_000, movesBps: { bid: null, mid: null, ask: null }, interval: null, odds: { down, up, thresholdBps } }],
  });

  function comparedOf(moves: readonly number[], spacingMs: number, said: (move: number) => readonly [ForecastAnswer, ForecastAnswer]) {
    const { path, times } = market(moves, spacingMs);
    const rows: OddsRows = new Map();
    const compared = addOddsPairs(
      rows,
      times.map((time, at) => tick(time, ...said(moves[at] ?? 0))),
      path,
    );
    return { compared, odds: compareOdds(rows, 60_000) };
  }

  it("are compared by Brier's score of what came, by the active model's threshold", () => {
    // Of three bps: up to the active model, flat to one whose threshold is four.
    const { compared, odds } = comparedOf([3, 0, -3, 3, 0, 3], 60_000, () => [saying(0.2, 0.5), saying(0, 1, 4)]);
    expect(compared).toBe(6);
    const active = (0.38 * 3 + 0.98 + 2 * 0.78) / 6;
    const challenger = (0 * 3 + 2 + 2 * 2) / 6;
    expect(odds).toMatchObject([{ horizonMs: 1_000, target: "mid", ticks: 6, hours: 1, low: null, high: null }]);
    expect(odds[0]?.brierActive).toBeCloseTo(active, 12);
    expect(odds[0]?.brierChallenger).toBeCloseTo(challenger, 12);
    expect(odds[0]?.difference).toBeCloseTo(active - challenger, 12);
  });

  it("have an interval above 0 for who is better in each of six hours", () => {
    const { odds } = comparedOf([3, -3, 3, -3, 3, -3], HOUR, (move) => [saying(0.3, 0.3), move > 0 ? saying(0.1, 0.6) : saying(0.6, 0.1)]);
    expect(odds[0]?.low).toBeGreaterThan(0);
    expect(odds[0]?.low).toBeLessThanOrEqual(odds[0]?.difference ?? 0);
    expect(odds[0]?.high).toBeGreaterThanOrEqual(odds[0]?.difference ?? 1);
  });

  it("are not compared where one says none, of another label, or nothing is known of what came", () => {
    const anchored = { ...saying(0.5, 0.5), label: "anchored" as const };
    for (const other of [answer({ 1000: 1 }), anchored])
      expect(comparedOf([1, 2], 60_000, () => [saying(0.1, 0.1), other])).toEqual({ compared: 0, odds: [] });
    const rows: OddsRows = new Map();
    expect(addOddsPairs(rows, [tick(START + HOUR, saying(0.1, 0.1), saying(0.1, 0.1))], market([1], 60_000).path)).toBe(0);
  });
});

describe("the skill of the last hours", () => {
  const hour = (sums: Readonly<Record<string, readonly [scored: number, squaredError: number, squaredMove: number]>>) => ({
    moves: new Map(
      Object.entries(sums).map(([key, [scored, squaredError, squaredMove]]): [string, SkillHour] => [
        key,
        { scored, squaredError, squaredMove },
      ]),
    ),
  });
  const hours = (count: number, r2: (at: number) => number, scored = 60) =>
    Array.from({ length: count }, (_, at) =>
      hour({ "point 1000 mid": [scored, 100 * (1 - r2(at)), 100], "point 1000 bid": [scored, 1, 100] }),
    );

  it("is skilled where the whole interval lies above 0, and of the mid alone", () => {
    const skill = skillOf(hours(12, (at) => 0.1 + 0.01 * (at % 3)));
    expect(skill).toMatchObject({ mark: "skilled", horizons: [{ label: "point", horizonMs: 1_000, scored: 720, mark: "skilled" }] });
    expect(skill.horizons[0]?.r2).toBeCloseTo(0.11, 12);
    expect(skill.horizons[0]?.low).toBeGreaterThan(0.1);
    expect(skill.horizons[0]?.high).toBeLessThan(0.12);
  });

  it("is none where luck may have been all of it, and where the forecast does harm", () => {
    // Good on the whole, by one hour alone.
    const lucky = skillOf(hours(12, (at) => (at === 0 ? 0.9 : -0.05)));
    expect(lucky.horizons[0]?.r2).toBeGreaterThan(0.02);
    expect(lucky.mark).toBe("none");
    expect(skillOf(hours(12, () => -0.2)).mark).toBe("none");
    expect(skillOf(hours(12, () => 0)).mark).toBe("none");
  });

  it("is unknown from fewer than six hours, from fewer than thirty forecasts, where nothing moved, and of nothing", () => {
    expect(skillOf(hours(5, () => 0.5)).mark).toBe("unknown");
    expect(skillOf(hours(7, () => 0.5, 4)).mark).toBe("unknown");
    expect(skillOf(hours(6, () => 0.5, 5)).mark).toBe("skilled");
    const still = Array.from({ length: 8 }, () => hour({ "point 1000 mid": [60, 0, 0] }));
    expect(skillOf(still)).toMatchObject({ mark: "unknown", horizons: [{ r2: null, low: null, mark: "unknown" }] });
    expect(skillOf([])).toEqual({ mark: "unknown", horizons: [], odds: [] });
  });

  it("of the model is that of more than half of its horizons: one of several is above 0 by luck too often", () => {
    const markOf = (...errors: readonly (number | null)[]): string => {
      const sums = (error: number | null) => (error === null ? ([1, 0, 1] as const) : ([60, error, 100] as const));
      const each = Object.fromEntries(errors.map((error, at) => [`point ${1_000 * (at + 1)} mid`, sums(error)]));
      return skillOf(Array.from({ length: 8 }, () => hour(each))).mark;
    };
    expect(markOf(80, 101)).toBe("none");
    expect(markOf(80, 80, 101)).toBe("skilled");
    expect(markOf(80, 101, 101, 101, 101, 101)).toBe("none");
    expect(markOf(80, 80, 80, 80, 101, 101)).toBe("skilled");
    // What isn't known yet may still be more than half.
    expect(markOf(80, 80, 80, null, null, null)).toBe("unknown");
    expect(markOf(80, 101, null)).toBe("unknown");
    expect(markOf(101, 101, 80, null)).toBe("none");
    const mixed = Array.from({ length: 8 }, () => hour({ "point 30000 mid": [60, 101, 100], "point 1000 mid": [60, 80, 100] }));
    expect(skillOf(mixed).horizons).toMatchObject([
      { horizonMs: 1_000, mark: "skilled" },
      { horizonMs: 30_000, mark: "none" },
    ]);
    const half = Array.from({ length: 8 }, () => hour({ "point 30000 mid": [60, 101, 100], "point 1000 mid": [1, 0, 1] }));
    expect(skillOf(half)).toMatchObject({ mark: "none", horizons: [{ mark: "unknown" }, { mark: "none" }] });
  });
});
