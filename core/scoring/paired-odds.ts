/**
 * The odds of two models on the very same ticks: the difference of their Brier scores, with its interval, and Diebold and Mariano's test of equal losses, as paired-comparison.ts has it of moves.
 *
 * What is flat each model's training rows told it, so that two seldom ask the very same question. What came is judged by the active model's threshold, tick by tick: a challenger that is
 * better at another's question than the one who was taught it is better.
 */

import { directionOf } from "../labels/classes.ts";
import type { PriceRows } from "../labels/moves.ts";
import { Random } from "../math/random.ts";
import { blockIntervals } from "../metrics/block-interval.ts";
import { brierOf } from "../metrics/brier.ts";
import { dieboldMariano } from "../metrics/diebold-mariano.ts";
import { MS_PER_HOUR } from "../units/time.ts";
import type { ForecastAnswer, HorizonAnswer, MoveOdds } from "./forecast-answer.ts";
import type { PairedTick } from "./paired-comparison.ts";
import { realisedMoves } from "./realised-moves.ts";
import { FEWEST_HOURS } from "./scorecard.ts";

const BOOTSTRAP_SEED = 20_261_130;

/** Of one horizon, in order of time: Brier's score of either. */
export interface OddsRow {
  readonly featureTime: number;
  readonly active: number;
  readonly challenger: number;
}

export type OddsRows = Map<number, OddsRow[]>;

export interface PairedOdds {
  readonly horizonMs: number;
  readonly target: "mid";
  readonly ticks: number;
  readonly hours: number;
  readonly brierActive: number;
  readonly brierChallenger: number;
  /** Of the active model less of the challenger: above 0 the challenger is better. Its interval is null from fewer than FEWEST_HOURS hours. */
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided; null where there is no test. */
  readonly dmP: number | null;
}

/** Adds the outcomes of these ticks, in order of time, to `rows`. @returns how many ticks had one. */
export function addOddsPairs(rows: OddsRows, ticks: readonly PairedTick[], path: PriceRows): number {
  const both = ticks.filter(({ active, challenger }) => bothSay(active, challenger).length > 0);
  const made = both.map(({ active, challenger, ...tick }) => ({ ...tick, answer: { ...active, horizons: bothSay(active, challenger) } }));
  const outcomes = realisedMoves(made, path);
  let compared = 0;
  both.forEach(({ featureTime, challenger }, at) => {
    let isCompared = false;
    made[at]?.answer.horizons.forEach(({ horizonMs, odds }, index) => {
      const move = outcomes[at]?.[index]?.mid;
      const other = oddsAt(challenger, horizonMs);
      if (move === undefined || odds === null || other === null) return;
      isCompared = true;
      const came = directionOf(move, odds.thresholdBps);
      const own = rows.get(horizonMs) ?? [];
      own.push({ featureTime, active: brierOf(probabilitiesOf(odds), came), challenger: brierOf(probabilitiesOf(other), came) });
      rows.set(horizonMs, own);
    });
    if (isCompared) compared++;
  });
  return compared;
}

/** @param spacingMs of the ticks: forecasts overlap as many of them as their horizon spans. */
export function compareOdds(rows: OddsRows, spacingMs: number): PairedOdds[] {
  const horizons = [...rows].sort(([one], [other]) => one - other);
  return horizons.map(([horizonMs, own]) => {
    const [brierActive, brierChallenger] = [meanOf(own, "active"), meanOf(own, "challenger")];
    const difference = brierActive - brierChallenger;
    const hours = byHour(own);
    const interval = intervalOf(hours);
    const losses = own.map(({ active, challenger }) => active - challenger);
    return {
      ...{ horizonMs, target: "mid", ticks: own.length, hours: hours.length, brierActive, brierChallenger, difference },
      // Where each hour says the same, the drawn ones differ from it by rounding alone.
      low: interval === null ? null : Math.min(interval.low, difference),
      high: interval === null ? null : Math.max(interval.high, difference),
      dmP: dieboldMariano(losses, Math.max(1, Math.ceil(horizonMs / spacingMs)))?.pValue ?? null,
    };
  });
}

function bothSay(active: ForecastAnswer, challenger: ForecastAnswer): HorizonAnswer[] {
  if (active.label !== challenger.label) return [];
  return active.horizons.filter(({ horizonMs, odds }) => odds !== null && oddsAt(challenger, horizonMs) !== null);
}

function oddsAt({ horizons }: ForecastAnswer, horizonMs: number): MoveOdds | null {
  return horizons.find((each) => each.horizonMs === horizonMs)?.odds ?? null;
}

function probabilitiesOf({ down, up }: MoveOdds): readonly number[] {
  return [down, 1 - down - up, up];
}

function meanOf(rows: readonly OddsRow[], of: "active" | "challenger"): number {
  return rows.reduce((sum, row) => sum + row[of], 0) / rows.length;
}

type HourOfPairs = readonly [difference: number, ticks: number];

function byHour(rows: readonly OddsRow[]): HourOfPairs[] {
  const hours = new Map<number, HourOfPairs>();
  for (const { featureTime, active, challenger } of rows) {
    const hour = Math.floor(featureTime / MS_PER_HOUR);
    const [difference, ticks] = hours.get(hour) ?? [0, 0];
    hours.set(hour, [difference + active - challenger, ticks + 1]);
  }
  return [...hours.values()];
}

function intervalOf(hours: readonly HourOfPairs[]): { low: number; high: number } | null {
  if (hours.length < FEWEST_HOURS) return null;
  const random = new Random(BOOTSTRAP_SEED);
  const rows = { rows: hours.length, width: 2, add: (row: number, out: Float64Array) => out.set(hours[row] ?? []) };
  const statistic = ([difference = 0, ticks = 0]: Float64Array): number | null => (ticks === 0 ? null : difference / ticks);
  return blockIntervals(rows, { difference: statistic }, { uniform: () => random.uniform(), blockRows: 1 }).difference;
}
