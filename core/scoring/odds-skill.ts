/**
 * What odds of down, flat and up are worth beside climatology: whoever always says the shares in which the classes came before. 1 - Brier / Brier of the shares, and the same of log-loss:
 * above 0 is better than knowing nothing of the moment.
 *
 * The shares of an hour are those of the same model's earlier hours in the same market, a day of them at most, and only of hours whose every outcome was known when the scored hour
 * began. Not those of the training rows: shares of another market or month would be wrong here by themselves, and beating them no skill. Not those of the scored rows (`sharesBrier` of a
 * scorecard), which nobody knows before. One is added to each class, so that what never came yet isn't impossible. An hour with too few rows before it is in no skill.
 *
 * Nothing is stored for it: what shares would have scored follows from how often each class came (n): Σ n (1 - 2p + Σ p²), and -Σ n ln p.
 */

import { naturalLog } from "../math/elementary.ts";
import { Random } from "../math/random.ts";
import { blockIntervals } from "../metrics/block-interval.ts";
import type { R2Interval } from "../metrics/r2-interval.ts";
import { MS_PER_HOUR } from "../units/time.ts";
import { type OddsSums, readKey } from "./score-sums.ts";
import { FEWEST_HOURS, r2Of, type ScoredHorizon } from "./scorecard.ts";

/** How far back the shares of an hour go. The hour itself and the one before are none of them, so of horizons up to an hour these are 24. */
export const SHARES_REACH_MS = 25 * MS_PER_HOUR;
/** Shares of fewer rows are luck. */
const FEWEST_BEFORE = 30;
const BOOTSTRAP_SEED = 20_261_129;

export interface OddsHour {
  /** Its start. */
  readonly hour: number;
  /** By `horizonKey`. */
  readonly odds: ReadonlyMap<string, OddsSums>;
}

/** Of the mid. */
export interface OddsSkill extends ScoredHorizon {
  /** Rows of hours with shares from before. */
  readonly scored: number;
  /** Null where nothing was scored. The intervals are drawn over hours, and null from fewer than FEWEST_HOURS. */
  readonly brierSkill: number | null;
  readonly brierLow: number | null;
  readonly brierHigh: number | null;
  readonly logLossSkill: number | null;
  readonly logLossLow: number | null;
  readonly logLossHigh: number | null;
}

/**
 * @param hours of one market and model, each once: those that are scored, and those from SHARES_REACH_MS before the first of them.
 * @returns rising by label and horizon.
 */
export function oddsSkills(hours: readonly OddsHour[], { from, to }: { from: number; to: number }): OddsSkill[] {
  const scored = hours.filter(({ hour }) => hour >= from && hour < to);
  const keys = [...new Set(scored.flatMap(({ odds }) => [...odds.keys()]))].sort(byHorizon);
  const losses = keys.map((key) => scored.map(({ hour, odds }) => lossesOf(odds.get(key), sharesBefore(hours, hour, key))));
  const intervals = skillIntervals(losses);
  return keys.map((key, at) => {
    const { label, horizonMs } = readKey(key);
    const sum = total(losses[at] ?? []);
    const { brier = null, logLoss = null } = intervals[at] ?? {};
    return {
      ...{ label, horizonMs, scored: sum.rows },
      ...{ brierSkill: r2Of(sum.brier, sum.sharesBrier), brierLow: brier?.low ?? null, brierHigh: brier?.high ?? null },
      ...{ logLossSkill: r2Of(sum.surprise, sum.sharesSurprise), logLossLow: logLoss?.low ?? null, logLossHigh: logLoss?.high ?? null },
    };
  });
}

/** Sums of an hour. */
interface Losses {
  readonly rows: number;
  readonly brier: number;
  readonly sharesBrier: number;
  readonly surprise: number;
  readonly sharesSurprise: number;
}

const NOTHING: Losses = { rows: 0, brier: 0, sharesBrier: 0, surprise: 0, sharesSurprise: 0 };

/** Of down, flat, up; null: too little came before. */
function sharesBefore(hours: readonly OddsHour[], hour: number, key: string): readonly number[] | null {
  const { horizonMs } = readKey(key);
  const before = hours.filter((each) => each.hour >= hour - SHARES_REACH_MS && each.hour + MS_PER_HOUR + horizonMs <= hour);
  const counts = [0, 0, 0];
  for (const { odds } of before) {
    countsOf(odds.get(key)).forEach((count, at) => {
      counts[at] = (counts[at] as number) + count;
    });
  }
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return rows < FEWEST_BEFORE ? null : counts.map((count) => (count + 1) / (rows + counts.length));
}

function lossesOf(sums: OddsSums | undefined, shares: readonly number[] | null): Losses {
  if (sums === undefined || shares === null) return NOTHING;
  const counts = countsOf(sums);
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  const over = (loss: (share: number) => number): number => counts.reduce((sum, count, at) => sum + count * loss(shares[at] as number), 0);
  return {
    rows: over(() => 1),
    ...{ brier: sums.brier, sharesBrier: over((share) => 1 - 2 * share + squares) },
    ...{ surprise: sums.surprise, sharesSurprise: over((share) => -naturalLog(share)) },
  };
}

function countsOf(sums: OddsSums | undefined): readonly number[] {
  return sums === undefined ? [0, 0, 0] : [sums.down, sums.flat, sums.up];
}

function total(losses: readonly Losses[]): Losses {
  return losses.reduce(
    (sum, each) => ({
      rows: sum.rows + each.rows,
      ...{ brier: sum.brier + each.brier, sharesBrier: sum.sharesBrier + each.sharesBrier },
      ...{ surprise: sum.surprise + each.surprise, sharesSurprise: sum.sharesSurprise + each.sharesSurprise },
    }),
    NOTHING,
  );
}

/** Of each key its intervals, all of the same draws of hours; null for one that too few hours have scores of. @param losses [keys][hours] */
function skillIntervals(losses: readonly (readonly Losses[])[]): ({ brier: R2Interval | null; logLoss: R2Interval | null } | null)[] {
  const random = new Random(BOOTSTRAP_SEED);
  const isKnown = losses.map((own) => own.filter(({ rows }) => rows > 0).length >= FEWEST_HOURS);
  const statistics = Object.fromEntries(
    losses.flatMap((_, at) => [
      [`brier ${at}`, (sums: Float64Array) => r2Of(sums[4 * at], sums[4 * at + 1])],
      [`surprise ${at}`, (sums: Float64Array) => r2Of(sums[4 * at + 2], sums[4 * at + 3])],
    ]),
  );
  const rows = {
    rows: isKnown.includes(true) ? (losses[0]?.length ?? 0) : 0,
    width: 4 * losses.length,
    add: (hour: number, out: Float64Array) => {
      losses.forEach((own, at) => {
        const { brier, sharesBrier, surprise, sharesSurprise } = own[hour] ?? NOTHING;
        out.set([brier, sharesBrier, surprise, sharesSurprise], 4 * at);
      });
    },
  };
  const intervals = blockIntervals(rows, statistics, { uniform: () => random.uniform(), blockRows: 1 });
  return losses.map((_, at) =>
    isKnown[at] === true ? { brier: intervals[`brier ${at}`] ?? null, logLoss: intervals[`surprise ${at}`] ?? null } : null,
  );
}

function byHorizon(one: string, other: string): number {
  const [a, b] = [readKey(one), readKey(other)];
  return a.label === b.label ? a.horizonMs - b.horizonMs : a.label < b.label ? -1 : 1;
}
