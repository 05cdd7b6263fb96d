/** What odds are worth beside the shares that came before: a reference that knows the scored hours, or shares of elsewhere, would take skill away or give it for nothing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brierScore } from "../../core/metrics/brier.ts";
import { logLoss } from "../../core/metrics/log-loss.ts";
import { type OddsHour, type OddsSkill, oddsSkills } from "../../core/scoring/odds-skill.ts";
import type { OddsSums } from "../../core/scoring/score-sums.ts";
import { skillOf } from "../../core/scoring/skill.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10);
const KEY = "point 5000";
type Counts = readonly [down: number, flat: number, up: number];

function hourOf(
  at: number,
  [down, flat, up]: Counts,
  { brier, surprise = brier, key = KEY }: { brier: number; surprise?: number; key?: string },
): OddsHour {
  const rows = down + flat + up;
  const sums: OddsSums = { brier: brier * rows, surprise: surprise * rows, down, flat, up };
  return { hour: START + at * HOUR, odds: new Map([[key, sums]]) };
}

function skillsOf(hours: readonly OddsHour[], from = 0, to = 1_000): OddsSkill[] {
  return oddsSkills(hours, { from: START + from * HOUR, to: START + to * HOUR });
}

describe("the skill of odds", () => {
  it("is what the shares of the hours before would have scored less: a third each, one row a class added", () => {
    const hours = Array.from({ length: 10 }, (_, at) => hourOf(at, [20, 20, 20], { brier: 0.5, surprise: 0.8 }));
    const [skill] = skillsOf(hours);
    // Shares of a third: 2/3 by Brier, ln 3 nats. The first two hours have none before them whose outcomes were known.
    expect(skill).toMatchObject({ label: "point", horizonMs: 5_000, scored: 480 });
    expect(skill?.brierSkill).toBeCloseTo(0.25, 12);
    expect(skill?.logLossSkill).toBeCloseTo(1 - 0.8 / Math.log(3), 12);
    for (const [one, other] of [
      [skill?.brierLow, skill?.brierHigh],
      [skill?.logLossLow, skill?.logLossHigh],
    ])
      expect(one).toBeCloseTo(other ?? Number.NaN, 9);
  });

  it("is that of rows written out one by one, whatever came", () => {
    const counts = fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(fc.array(counts, { minLength: 3, maxLength: 30 }), (came) => {
        const hours = came.map((each, at) => hourOf(at, each, { brier: 0.4, surprise: 0.9 }));
        const rows: { shares: number[]; label: number }[] = [];
        came.forEach((each, at) => {
          const before = came.filter((_, other) => other >= at - 25 && other <= at - 2);
          const sums = [0, 1, 2].map((label) => before.reduce((sum, own) => sum + (own[label] as number), 0));
          const all = sums.reduce((sum, own) => sum + own, 0);
          if (all < 30) return;
          const shares = sums.map((own) => (own + 1) / (all + 3));
          each.forEach((count, label) => {
            for (let row = 0; row < count; row++) rows.push({ shares, label });
          });
        });
        const [said, labels] = [Float64Array.from(rows.flatMap(({ shares }) => shares)), rows.map(({ label }) => label)];
        const [skill] = skillsOf(hours);
        expect(skill?.scored).toBe(rows.length);
        if (rows.length === 0) expect(skill).toMatchObject({ brierSkill: null, logLossSkill: null, brierLow: null });
        else {
          expect(skill?.brierSkill).toBeCloseTo(1 - 0.4 / (brierScore(said, labels, 3) ?? Number.NaN), 9);
          expect(skill?.logLossSkill).toBeCloseTo(1 - 0.9 / (logLoss(said, labels, 3) ?? Number.NaN), 9);
        }
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it("sees nothing of the scored hour, of the one before, whose last outcomes came in it, nor of later ones", () => {
    const others = (counts: Counts): OddsHour[] => [
      ...[0, 1, 2, 3].map((at) => hourOf(at, [30, 0, 30], { brier: 0.5 })),
      hourOf(4, counts, { brier: 0.5 }),
      hourOf(5, [10, 10, 10], { brier: 0.5 }),
      hourOf(6, counts, { brier: 0.5 }),
    ];
    const scored = (counts: Counts) => skillsOf(others(counts), 5, 6)[0]?.brierSkill;
    expect(scored([0, 500, 0])).toBe(scored([1, 0, 0]));
    // A horizon of two hours reaches over more of them.
    const long = [0, 1, 2, 3].map((at) => hourOf(at, [20, 0, 20], { brier: 0.5, key: "point 7200000" }));
    expect(skillsOf(long)[0]).toMatchObject({ scored: 40 });
  });

  it("of a class that had never come is no infinity", () => {
    const [skill] = skillsOf([hourOf(0, [50, 0, 0], { brier: 0.1 }), hourOf(2, [0, 0, 5], { brier: 0.1, surprise: 0.1 })]);
    expect(skill?.logLossSkill).toBeCloseTo(1 - 0.1 / Math.log(53), 12);
  });

  it("has no interval from fewer than six hours, and is unknown; from six it marks a model that makes no moves", () => {
    const mark = (count: number, brier: number): string =>
      skillOf([], skillsOf(Array.from({ length: count + 2 }, (_, at) => hourOf(at, [20, 20, 20], { brier })))).mark;
    expect([mark(5, 0.5), mark(6, 0.5), mark(6, 0.7), mark(6, 2 / 3)]).toEqual(["unknown", "skilled", "none", "none"]);
  });
});
