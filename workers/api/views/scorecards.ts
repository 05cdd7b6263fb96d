/** Scorecards and rows of the ledger as the API shows them. Pure. */

import { type OddsSkill, oddsSkills } from "../../../core/scoring/odds-skill.ts";
import type { RealisedMoves } from "../../../core/scoring/realised-moves.ts";
import { type ScoredHorizon, scorecardOf } from "../../../core/scoring/scorecard.ts";
import { MS_PER_DAY, MS_PER_HOUR } from "../../../core/units/time.ts";
import type { HourScores, LedgerForecast } from "../../ledger/read-ledger.ts";
import type { LedgerRowBody, ScorecardsBody } from "../scorecard-schemas.ts";

export type CardLength = "hour" | "day" | "all";

/**
 * One card of everything, also of nothing; by hour and day one for each that has something.
 * @param hours of one model, in order of time, and those from SHARES_REACH_MS before `from`, which odds are judged by.
 */
export function cardsOf(
  hours: readonly HourScores[],
  { from, to, by }: { from: number; to: number; by: CardLength },
): ScorecardsBody["models"][number]["cards"] {
  if (by === "all") return [card(hours, { from, to })];
  const length = by === "hour" ? MS_PER_HOUR : MS_PER_DAY;
  const starts = [...new Set(hours.filter(({ hour }) => hour >= from).map(({ hour }) => Math.floor(hour / length) * length))];
  return starts.map((start) => card(hours, { from: Math.max(from, start), to: Math.min(to, start + length) }));
}

function card(hours: readonly HourScores[], span: { from: number; to: number }): ScorecardsBody["models"][number]["cards"][number] {
  const own = hours.filter(({ hour }) => hour >= span.from && hour < span.to);
  const { moves, intervals, odds, ...counts } = scorecardOf(own.map(({ sums }) => sums));
  const skills = oddsSkills(
    hours.map(({ hour, sums }) => ({ hour, odds: sums.odds })),
    span,
  );
  return {
    ...span,
    ...counts,
    moves: [...moves],
    intervals: [...intervals],
    odds: odds.map((each) => ({ ...each, ...skillAmong(skills, each), bins: [...each.bins] })),
  };
}

function skillAmong(skills: readonly OddsSkill[], of: ScoredHorizon): Omit<OddsSkill, "scored"> & { skillScored: number } {
  const found = skills.find(({ label, horizonMs }) => label === of.label && horizonMs === of.horizonMs);
  if (found === undefined) throw new Error(`odds of ${of.label} ${of.horizonMs} have a score and no skill`);
  const { scored, ...skill } = found;
  return { ...skill, skillScored: scored };
}

/** @param came of each horizon, in its own order. */
export function ledgerRow(
  { made, ...row }: LedgerForecast,
  { came, scoredUpTo }: { came: readonly (RealisedMoves | null)[]; scoredUpTo: number | null },
): LedgerRowBody {
  const { featureTime } = row;
  if (made === null) return { ...row, state: "unreadable", label: null, horizons: [] };
  const state = scoredUpTo !== null && featureTime <= scoredUpTo ? "scored" : "pending";
  const horizons = made.answer.horizons.map((horizon, at) => ({
    ...horizon,
    targetTime: featureTime + horizon.horizonMs,
    came: came[at] ?? null,
  }));
  return { ...row, state, label: made.answer.label, horizons };
}
