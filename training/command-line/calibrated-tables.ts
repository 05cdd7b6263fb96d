/** What a run's intervals and probabilities held on rows that neither it nor they were made of. */

import type { CalibratedScore } from "../evaluate/calibrated-scores.ts";
import { HELD_HEAD, heldCells, RELIABILITY_HEAD, reliabilityCells } from "../report/calibrated-texts.ts";
import { table } from "./report.ts";

export function calibratedTable(scores: readonly CalibratedScore[]): string {
  return table(HELD_HEAD, scores.map(heldCells));
}

/** By bin of the forecast. */
export function reliabilityTable(score: CalibratedScore): string {
  const [, ...head] = RELIABILITY_HEAD;
  return table([`${score.target} in ${score.horizonMs / 1_000} s, forecast`, ...head], reliabilityCells(score));
}
