/**
 * What a calibration made of one output's forecasts, row by row: probabilities of down, flat and up, and an interval; and how good they were. Who
 * calibrated, and on which rows, is the asker's: a manifest, or the validation rows of a fold.
 */

import { DIRECTIONS } from "../../core/labels/classes.ts";
import { brierScore } from "../../core/metrics/brier.ts";
import { confusionCounts } from "../../core/metrics/confusion.ts";
import { logLoss } from "../../core/metrics/log-loss.ts";
import { macroF1 } from "../../core/metrics/macro-f1.ts";
import { matthewsCorrelation } from "../../core/metrics/mcc.ts";

const CLASSES = DIRECTIONS.length;

/** [rows] */
export interface CalibratedRows {
  /** How often the interval should hold what comes. */
  readonly wanted: number;
  /** [rows, down | flat | up] */
  readonly probabilities: Float64Array;
  /** bps */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Index of the class that came. */
  readonly came: Int8Array;
}

export interface DirectionMeasures {
  readonly macroF1: number;
  /** Null: one class alone came, or was said. */
  readonly mcc: number | null;
  readonly logLoss: number;
  readonly brier: number;
}

/** @returns null without rows. */
export function directionMeasures({ probabilities, came }: CalibratedRows): DirectionMeasures | null {
  const said = Int8Array.from(came, (_, row) => {
    const own = probabilities.subarray(CLASSES * row, CLASSES * (row + 1));
    return own.indexOf(Math.max(...own));
  });
  const counts = confusionCounts({ actual: came, predicted: said }, CLASSES);
  const [f1, loss, brier] = [macroF1(counts, CLASSES), logLoss(probabilities, came, CLASSES), brierScore(probabilities, came, CLASSES)];
  if (f1 === null || loss === null || brier === null) return null;
  return { macroF1: f1, mcc: matthewsCorrelation(counts, CLASSES), logLoss: loss, brier };
}

export function coverageOf(actual: Float64Array, { low, high, wanted }: CalibratedRows): { wanted: number; held: number } {
  const held = actual.reduce((sum, move, row) => sum + (move >= (low[row] as number) && move <= (high[row] as number) ? 1 : 0), 0);
  return { wanted, held: held / Math.max(1, actual.length) };
}
