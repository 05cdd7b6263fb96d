/**
 * A scorecard from the sums of hours (score-sums.ts): skill against persistence and how sure it is, errors, signs, correlation, what intervals and odds held.
 * What too little is known of is null.
 *
 * The interval of R² is a bootstrap over hours (core/metrics/block-interval.ts): whole hours are drawn, since neighbouring forecasts share most of their horizon and hours of one
 * kind. It is drawn from one seed, so that a card doesn't change by looking again. From six hours it is narrower than it should be; from fewer there is none.
 */

import { LABEL_TARGETS, type LabelTarget } from "../labels/moves.ts";
import { naturalLog } from "../math/elementary.ts";
import { Random } from "../math/random.ts";
import { blockIntervals } from "../metrics/block-interval.ts";
import type { R2Interval } from "../metrics/r2-interval.ts";
import type { ServedLabel } from "./forecast-answer.ts";
import {
  addSums,
  emptySums,
  horizonKey,
  type IntervalSums,
  type MoveSums,
  ODDS_BINS,
  type OddsDirection,
  type OddsSums,
  readKey,
  type ScoreSums,
} from "./score-sums.ts";

/** With fewer blocks an interval says nothing: one block gives it no width. */
export const FEWEST_HOURS = 6;
const BOOTSTRAP_SEED = 20_261_127;

export interface Scorecard {
  readonly forecasts: number;
  /** Forecasts of which no horizon had an unbroken path. */
  readonly uncovered: number;
  /** Hours in which something was scored. */
  readonly hours: number;
  /** By label, horizon, and in each bid, mid, ask. */
  readonly moves: readonly MoveScore[];
  /** Of the mid, by label and horizon; of calibrated models. */
  readonly intervals: readonly IntervalScore[];
  readonly odds: readonly OddsScore[];
}

export interface ScoredHorizon {
  readonly label: ServedLabel;
  readonly horizonMs: number;
}

export interface MoveScore extends ScoredHorizon {
  readonly target: LabelTarget;
  readonly scored: number;
  readonly uncovered: number;
  /** 1 - MSE / MSE of persistence; null where nothing moved. */
  readonly r2: number | null;
  readonly r2Low: number | null;
  readonly r2High: number | null;
  readonly rmse: number | null;
  readonly persistenceRmse: number | null;
  readonly mae: number | null;
  readonly persistenceMae: number | null;
  readonly hits: number;
  readonly moved: number;
  readonly directionHitRate: number | null;
  readonly correlation: number | null;
  /** Of what came on what was forecast, through zero: 1 is calibrated, less is too bold. */
  readonly slope: number | null;
}

export interface IntervalScore extends ScoredHorizon {
  readonly scored: number;
  readonly inside: number;
  readonly below: number;
  readonly above: number;
  /** inside / scored. */
  readonly coverage: number;
}

export interface OddsScore extends ScoredHorizon {
  readonly scored: number;
  readonly brier: number;
  readonly logLoss: number;
  /** The same of whoever always says the shares that came in these very rows: hard to beat, since nobody knows them before. */
  readonly sharesBrier: number;
  readonly sharesLogLoss: number;
  readonly down: number;
  readonly flat: number;
  readonly up: number;
  /** Where something was said. */
  readonly bins: readonly OddsBin[];
}

export interface OddsBin {
  readonly direction: OddsDirection;
  /** Of the probability that was said. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly meanSaid: number;
  readonly cameShare: number;
}

/** @param hours each once. */
export function scorecardOf(hours: readonly ScoreSums[]): Scorecard {
  const total = emptySums();
  for (const hour of hours) addSums(total, hour);
  const scored = hours.filter(({ moves, odds }) => odds.size > 0 || [...moves.values()].some((sums) => sums.scored > 0));
  const intervals = r2Intervals(hours, [...total.moves.keys()]);
  return {
    forecasts: total.counts.forecasts,
    uncovered: total.counts.uncovered,
    hours: scored.length,
    moves: inOrder(total.moves).map(([key, sums]) => moveScore(key, sums, intervals[key] ?? null)),
    intervals: inOrder(total.intervals).map(([key, sums]) => intervalScore(key, sums)),
    odds: inOrder(total.odds).map(([key, sums]) => oddsScore(key, sums, total)),
  };
}

/**
 * Of each key of `moves` the interval of R², all of the same draws of hours.
 * @returns null for a key that fewer than FEWEST_HOURS hours have scores of.
 */
export function r2Intervals(
  hours: readonly { readonly moves: ReadonlyMap<string, Pick<MoveSums, "scored" | "squaredError" | "squaredMove">> }[],
  keys: readonly string[],
): Record<string, R2Interval | null> {
  const random = new Random(BOOTSTRAP_SEED);
  const known = keys.filter((key) => hours.filter(({ moves }) => (moves.get(key)?.scored ?? 0) > 0).length >= FEWEST_HOURS);
  const statistics = Object.fromEntries(known.map((key, at) => [key, (sums: Float64Array) => r2Of(sums[2 * at], sums[2 * at + 1])]));
  const rows = {
    rows: known.length === 0 ? 0 : hours.length,
    width: 2 * known.length,
    add: (row: number, out: Float64Array) => {
      known.forEach((key, at) => {
        out[2 * at] = hours[row]?.moves.get(key)?.squaredError ?? 0;
        out[2 * at + 1] = hours[row]?.moves.get(key)?.squaredMove ?? 0;
      });
    },
  };
  return blockIntervals(rows, statistics, { uniform: () => random.uniform(), blockRows: 1 });
}

export function r2Of(squaredError: number | undefined, squaredMove: number | undefined): number | null {
  return squaredError === undefined || squaredMove === undefined || squaredMove <= 0 ? null : 1 - squaredError / squaredMove;
}

/** By label, horizon, target. */
function inOrder<T>(group: ReadonlyMap<string, T>): [string, T][] {
  const rank = (key: string): readonly [string, number, number] => {
    const { label, horizonMs, rest } = readKey(key);
    return [label, horizonMs, LABEL_TARGETS.indexOf(rest as LabelTarget)];
  };
  return [...group].sort(([one], [other]) => {
    const [a, b] = [rank(one), rank(other)];
    if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
    return a[1] - b[1] || a[2] - b[2];
  });
}

function moveScore(key: string, sums: MoveSums, interval: R2Interval | null): MoveScore {
  const { label, horizonMs, rest } = readKey(key);
  const { scored, uncovered, hits, moved } = sums;
  const mean = (sum: number): number | null => (scored === 0 ? null : sum / scored);
  const root = (sum: number): number | null => (scored === 0 ? null : Math.sqrt(sum / scored));
  return {
    ...{ label, horizonMs, target: rest as LabelTarget, scored, uncovered },
    r2: r2Of(sums.squaredError, sums.squaredMove),
    r2Low: interval?.low ?? null,
    r2High: interval?.high ?? null,
    rmse: root(sums.squaredError),
    persistenceRmse: root(sums.squaredMove),
    mae: mean(sums.absoluteError),
    persistenceMae: mean(sums.absoluteMove),
    ...{ hits, moved, directionHitRate: moved === 0 ? null : hits / moved },
    correlation: correlationOf(sums),
    slope: sums.squaredForecast === 0 ? null : sums.product / sums.squaredForecast,
  };
}

/** Pearson's. Moves over seconds have means near 0 beside what they scatter, so the plain sums lose no digits that matter. */
function correlationOf({ scored, forecast, move, squaredForecast, squaredMove, product }: MoveSums): number | null {
  if (scored < 2) return null;
  const varianceForecast = squaredForecast - (forecast * forecast) / scored;
  const varianceMove = squaredMove - (move * move) / scored;
  // Equal values leave what rounding leaves.
  if (varianceForecast <= 1e-12 * squaredForecast || varianceMove <= 1e-12 * squaredMove) return null;
  return (product - (forecast * move) / scored) / Math.sqrt(varianceForecast) / Math.sqrt(varianceMove);
}

function intervalScore(key: string, sums: IntervalSums): IntervalScore {
  const { label, horizonMs } = readKey(key);
  const scored = sums.inside + sums.below + sums.above;
  return { label, horizonMs, scored, ...sums, coverage: sums.inside / scored };
}

function oddsScore(key: string, { brier, surprise, down, flat, up }: OddsSums, total: ScoreSums): OddsScore {
  const { label, horizonMs } = readKey(key);
  const scored = down + flat + up;
  const shares = [down, flat, up].map((came) => came / scored);
  return {
    ...{ label, horizonMs, scored, brier: brier / scored, logLoss: surprise / scored },
    sharesBrier: 1 - shares.reduce((sum, share) => sum + share * share, 0),
    sharesLogLoss: shares.reduce((sum, share) => sum - (share === 0 ? 0 : share * naturalLog(share)), 0),
    ...{ down, flat, up },
    bins: (["down", "up"] as const).flatMap((direction) => oddsBins(total, horizonKey(label, horizonMs), direction)),
  };
}

function oddsBins({ bins }: ScoreSums, horizon: string, direction: OddsDirection): OddsBin[] {
  return Array.from({ length: ODDS_BINS }, (_, bin) => bin).flatMap((bin) => {
    const sums = bins.get(`${horizon} ${direction} ${bin}`);
    if (sums === undefined) return [];
    const { rows, said, came } = sums;
    return [{ direction, from: bin / ODDS_BINS, to: (bin + 1) / ODDS_BINS, rows, meanSaid: said / rows, cameShare: came / rows }];
  });
}
