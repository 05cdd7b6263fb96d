/**
 * Two models on the very same ticks: the difference of their R² of the mid, with its interval, and whether one's losses are smaller by more than luck (Diebold and Mariano, with the
 * correction of Harvey, Leybourne and Newbold). Scores of models that answered at different times are never compared: an hour that only one of them saw may be the easy one.
 *
 * Compared are horizons that both answered in the same tick, of the same label. The interval draws whole hours, as a scorecard's.
 */

import type { PriceRows } from "../labels/moves.ts";
import { Random } from "../math/random.ts";
import { blockIntervals } from "../metrics/block-interval.ts";
import { dieboldMariano } from "../metrics/diebold-mariano.ts";
import { r2AgainstPersistence } from "../metrics/r2.ts";
import { MS_PER_HOUR } from "../units/time.ts";
import type { ForecastAnswer, HorizonAnswer, MadeForecast } from "./forecast-answer.ts";
import { realisedMoves } from "./realised-moves.ts";
import { FEWEST_HOURS, r2Of } from "./scorecard.ts";

const BOOTSTRAP_SEED = 20_261_128;

/** What both said at one tick. */
export interface PairedTick extends Omit<MadeForecast, "answer"> {
  readonly active: ForecastAnswer;
  readonly challenger: ForecastAnswer;
}

/** Of one horizon, in order of time: what came and what either said, in bps. */
export interface PairedRow {
  readonly featureTime: number;
  readonly move: number;
  readonly active: number;
  readonly challenger: number;
}

export type PairedRows = Map<number, PairedRow[]>;

export interface PairedHorizon {
  readonly horizonMs: number;
  readonly target: "mid";
  readonly ticks: number;
  readonly r2Active: number | null;
  readonly r2Challenger: number | null;
  /** Of the challenger less of the active; its interval is null from fewer than FEWEST_HOURS hours. */
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided; null where there is no test. */
  readonly dmP: number | null;
}

/** Adds the outcomes of these ticks, in order of time, to `rows`. @returns how many ticks had one. */
export function addPairs(rows: PairedRows, ticks: readonly PairedTick[], path: PriceRows): number {
  const made = ticks.map(({ active, challenger, ...tick }) => ({ ...tick, answer: { ...active, horizons: bothSay(active, challenger) } }));
  const outcomes = realisedMoves(made, path);
  let compared = 0;
  ticks.forEach(({ featureTime, challenger }, at) => {
    let isCompared = false;
    made[at]?.answer.horizons.forEach(({ horizonMs, movesBps }, index) => {
      const move = outcomes[at]?.[index]?.mid;
      const other = challenger.horizons.find((horizon) => horizon.horizonMs === horizonMs)?.movesBps.mid;
      if (move === undefined || movesBps.mid === null || other == null) return;
      isCompared = true;
      const own = rows.get(horizonMs) ?? [];
      own.push({ featureTime, move, active: movesBps.mid, challenger: other });
      rows.set(horizonMs, own);
    });
    if (isCompared) compared++;
  });
  return compared;
}

/** @param spacingMs of the ticks: forecasts overlap as many of them as their horizon spans. */
export function comparePairs(rows: PairedRows, spacingMs: number): PairedHorizon[] {
  const horizons = [...rows].sort(([one], [other]) => one - other);
  return horizons.map(([horizonMs, own]) => {
    const actual = own.map(({ move }) => move);
    const r2Active = r2AgainstPersistence({ actual, predicted: own.map(({ active }) => active) });
    const r2Challenger = r2AgainstPersistence({ actual, predicted: own.map(({ challenger }) => challenger) });
    const losses = own.map(({ move, active, challenger }) => squared(move - active) - squared(move - challenger));
    const difference = r2Active === null || r2Challenger === null ? null : r2Challenger - r2Active;
    const interval = difference === null ? null : differenceInterval(own);
    return {
      ...{ horizonMs, target: "mid", ticks: own.length, r2Active, r2Challenger, difference },
      // Where each hour says the same, the drawn ones differ from it by rounding alone.
      low: interval === null || difference === null ? null : Math.min(interval.low, difference),
      high: interval === null || difference === null ? null : Math.max(interval.high, difference),
      dmP: dieboldMariano(losses, Math.max(1, Math.ceil(horizonMs / spacingMs)))?.pValue ?? null,
    };
  });
}

function bothSay(active: ForecastAnswer, challenger: ForecastAnswer): HorizonAnswer[] {
  if (active.label !== challenger.label) return [];
  const others = new Set(challenger.horizons.filter(({ movesBps }) => movesBps.mid !== null).map(({ horizonMs }) => horizonMs));
  return active.horizons.filter(({ horizonMs, movesBps }) => movesBps.mid !== null && others.has(horizonMs));
}

/** (1 - challenger / persistence) - (1 - active / persistence), over drawn hours. */
function differenceInterval(own: readonly PairedRow[]): { low: number; high: number } | null {
  const hours = new Map<number, [active: number, challenger: number, persistence: number]>();
  for (const { featureTime, move, active, challenger } of own) {
    const hour = Math.floor(featureTime / MS_PER_HOUR);
    const [one, other, still] = hours.get(hour) ?? [0, 0, 0];
    hours.set(hour, [one + squared(move - active), other + squared(move - challenger), still + squared(move)]);
  }
  if (hours.size < FEWEST_HOURS) return null;
  const sums = [...hours.values()];
  const random = new Random(BOOTSTRAP_SEED);
  const rows = { rows: sums.length, width: 3, add: (row: number, out: Float64Array) => out.set(sums[row] ?? []) };
  const statistic = ([active, challenger, persistence]: Float64Array): number | null => {
    const [one, other] = [r2Of(active, persistence), r2Of(challenger, persistence)];
    return one === null || other === null ? null : other - one;
  };
  return blockIntervals(rows, { difference: statistic }, { uniform: () => random.uniform(), blockRows: 1 }).difference;
}

function squared(value: number): number {
  return value * value;
}
