/**
 * Whether a model has lately been better than "the price stays", from the sums of its last hours: said with every forecast that it makes. A horizon is skilled where the whole
 * interval of its R² (of the mid) lies above 0, and none where it doesn't; of too little it isn't known. A model is skilled where more than half of its horizons are, as `promote` has it:
 * of six horizons that are worth nothing one would be above 0 by luck too often.
 *
 * Odds have a skill of their own (odds-skill.ts): a horizon's are skilled where the interval of its Brier skill lies above 0. It is the mark of a model that makes no moves.
 */

import type { ServedLabel } from "./forecast-answer.ts";
import type { OddsSkill } from "./odds-skill.ts";
import { type MoveSums, readKey } from "./score-sums.ts";
import { r2Intervals, r2Of } from "./scorecard.ts";

export type SkillMark = "skilled" | "none" | "unknown";

export interface HorizonSkill {
  readonly label: ServedLabel;
  readonly horizonMs: number;
  readonly scored: number;
  readonly r2: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly mark: SkillMark;
}

export interface OddsHorizonSkill extends OddsSkill {
  readonly mark: SkillMark;
}

export interface Skill {
  /** Of the moves; of a model without any of the odds. Skilled: more than half of the horizons are. None: half or more are none, so that it can't be skilled, whatever those that aren't known turn out to be. */
  readonly mark: SkillMark;
  /** Rising by label and horizon. */
  readonly horizons: readonly HorizonSkill[];
  /** Likewise; of models that say odds. */
  readonly odds: readonly OddsHorizonSkill[];
}

/** By `moveKey`. */
export type SkillHour = Pick<MoveSums, "scored" | "squaredError" | "squaredMove">;

/** Fewer say nothing, whatever they say. */
export const LEAST_SCORED = 30;

/** @param hours each once, of one market and model. @param said of its odds in the same hours. */
export function skillOf(hours: readonly { readonly moves: ReadonlyMap<string, SkillHour> }[], said: readonly OddsSkill[] = []): Skill {
  const keys = [...new Set(hours.flatMap(({ moves }) => [...moves.keys()]))].filter((key) => readKey(key).rest === "mid");
  const intervals = r2Intervals(hours, keys);
  const horizons = keys.map((key): HorizonSkill => {
    const { label, horizonMs } = readKey(key);
    const own = hours.flatMap(({ moves }) => moves.get(key) ?? []);
    const sum = (name: keyof SkillHour): number => own.reduce((total, each) => total + each[name], 0);
    const scored = sum("scored");
    const { low, high } = intervals[key] ?? { low: null, high: null };
    return { label, horizonMs, scored, r2: r2Of(sum("squaredError"), sum("squaredMove")), low, high, mark: markAt(scored, low) };
  });
  horizons.sort((one, other) => (one.label === other.label ? one.horizonMs - other.horizonMs : one.label < other.label ? -1 : 1));
  const odds = said.map((each): OddsHorizonSkill => ({ ...each, mark: markAt(each.scored, each.brierLow) }));
  return { mark: markOf(horizons.length > 0 ? horizons : odds), horizons, odds };
}

function markAt(scored: number, low: number | null): SkillMark {
  if (scored < LEAST_SCORED || low === null) return "unknown";
  return low > 0 ? "skilled" : "none";
}

function markOf(horizons: readonly { readonly mark: SkillMark }[]): SkillMark {
  const share = (of: SkillMark): number => horizons.filter(({ mark }) => mark === of).length / Math.max(1, horizons.length);
  if (share("skilled") > 0.5) return "skilled";
  return horizons.length > 0 && share("none") >= 0.5 ? "none" : "unknown";
}
