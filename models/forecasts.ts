/**
 * What forecasters answer, and in which order it stands. Training, export and serving all read the order here.
 *
 * Moves: horizon by horizon, and in each bid, mid, ask, as core/labels has them. Classes: horizon by horizon which way the mid goes.
 */

import { DIRECTIONS } from "../core/labels/classes.ts";
import { DEFAULT_HORIZONS_MS, labelColumns } from "../core/labels/moves.ts";
import type { ClassQuestion, FamilyAnswer, OutputColumn } from "./contract.ts";

/** Multiples of the feature grid, so that every target is the price of a row that is on the grid itself. */
export const FORECAST_HORIZONS_MS: readonly number[] = DEFAULT_HORIZONS_MS;

/** @returns [horizons x targets] the columns of the output, in order. */
export function forecastColumns(): readonly OutputColumn[] {
  return labelColumns(FORECAST_HORIZONS_MS);
}

/** @returns [horizons] */
export function directionQuestions(): readonly ClassQuestion[] {
  return FORECAST_HORIZONS_MS.map((horizonMs) => ({ asks: "move", target: "mid", horizonMs, labels: DIRECTIONS }));
}

/** Of every family that forecasts from feature rows. */
export const FORECAST_ANSWERS: readonly [FamilyAnswer, ...FamilyAnswer[]] = [
  { kind: "moves", columns: forecastColumns() },
  { kind: "classes", questions: directionQuestions() },
];
