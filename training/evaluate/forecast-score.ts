/**
 * Scores of one model's forecasts of one output, beside persistence and beside ridge on the very same rows. Metrics are those of core/metrics; intervals
 * and the test against ridge allow for horizons that overlap.
 */

import { Random } from "../../core/math/random.ts";
import { correlation } from "../../core/metrics/correlation.ts";
import { dieboldMariano } from "../../core/metrics/diebold-mariano.ts";
import { directionScore } from "../../core/metrics/direction.ts";
import { maeScore } from "../../core/metrics/mae.ts";
import { countOf, momentsOf, summedByMoment } from "../../core/metrics/moments.ts";
import { r2AgainstPersistence } from "../../core/metrics/r2.ts";
import { r2Interval } from "../../core/metrics/r2-interval.ts";
import { rmseScore } from "../../core/metrics/rmse.ts";
import type { OutputColumn } from "../../models/contract.ts";
import { type CalibratedRows, coverageOf, type DirectionMeasures, directionMeasures } from "./calibrated-rows.ts";
import { type CalibrationBin, calibrationOf } from "./calibration.ts";
import { BOOTSTRAP_SEED, blockRowsFor, FEWEST_BLOCKS, RESAMPLES } from "./scores.ts";

export interface ForecastScore extends OutputColumn {
  readonly rows: number;
  /** 1 - MSE / MSE of persistence. */
  readonly r2: number;
  /** 95 % by block bootstrap; null: too few rows for blocks. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  readonly rmseSkill: number;
  /** 1 - MAE / MAE of persistence: at a few seconds most moves are 0, and "no move" has the smaller error. */
  readonly maeSkill: number;
  /** Null: the forecasts don't vary. */
  readonly correlation: number | null;
  /** Share of right signs among rows that moved, and how many those are. */
  readonly directionHitRate: number | null;
  readonly moves: number;
  /** Squared errors against ridge's (Diebold and Mariano, corrected by Harvey, Leybourne, Newbold); positive is better than ridge. Null: it is ridge. */
  readonly againstRidge: { readonly statistic: number; readonly pValue: number } | null;
  /** Down, flat, up, by the threshold that a third of the fit rows' moves stay within; null: too few validation rows to calibrate by. */
  readonly classes: DirectionMeasures | null;
  /** How often the interval that validation calibrated held what came, and how often it should. */
  readonly coverage: { readonly wanted: number; readonly held: number } | null;
  /** Mean outcome by mean forecast. */
  readonly calibration: readonly CalibrationBin[];
}

/** [rows] of one output, bps, market after market; rows without a target are left out. */
export interface ScoredRows {
  /** Epoch ms: rows of one moment are no independent ones. */
  readonly times: Float64Array;
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  /** Null: there is no ridge beside it, or it is ridge. */
  readonly ridge: Float64Array | null;
  /** What calibration made of them; null: there is none. */
  readonly said: CalibratedRows | null;
}

/** @returns null where nothing moved. */
export function scoreForecasts(
  column: OutputColumn,
  { times, actual, predicted, ridge, said }: ScoredRows,
  intervalMs: number,
): ForecastScore | null {
  const rows = { actual, predicted };
  const [r2, rmse, mae] = [r2AgainstPersistence(rows), rmseScore(rows), maeScore(rows)];
  if (r2 === null || rmse?.skill == null || mae?.skill == null) return null;
  const horizonRows = column.horizonMs / intervalMs;
  const moments = momentsOf(times);
  const { hitRate, moves } = directionScore(rows);
  return {
    ...column,
    rows: actual.length,
    r2,
    interval: intervalOf(rows, moments, { horizonMs: column.horizonMs, intervalMs }),
    rmseSkill: rmse.skill,
    maeSkill: mae.skill,
    correlation: correlation(rows),
    directionHitRate: hitRate,
    moves,
    againstRidge: ridge === null ? null : testAgainst(ridge, { ...rows, moments }, horizonRows),
    classes: said === null ? null : directionMeasures(said),
    coverage: said === null ? null : coverageOf(actual, said),
    calibration: calibrationOf(rows, { horizonRows }),
  };
}

function intervalOf(
  rows: { actual: Float64Array; predicted: Float64Array },
  moments: Uint32Array | null,
  { horizonMs, intervalMs }: { horizonMs: number; intervalMs: number },
): ForecastScore["interval"] {
  const count = countOf(moments) ?? rows.actual.length;
  const blockRows = blockRowsFor(count, horizonMs, intervalMs);
  if (count < FEWEST_BLOCKS * blockRows) return null;
  const random = new Random(BOOTSTRAP_SEED);
  return r2Interval(rows, { uniform: () => random.uniform(), blockRows, moments, resamples: RESAMPLES });
}

function testAgainst(
  ridge: Float64Array,
  { actual, predicted, moments }: { actual: Float64Array; predicted: Float64Array; moments: Uint32Array | null },
  horizonRows: number,
): ForecastScore["againstRidge"] {
  const differences = actual.map((move, row) => {
    const [own, line] = [move - (predicted[row] as number), move - (ridge[row] as number)];
    return line * line - own * own;
  });
  const test = dieboldMariano(summedByMoment(differences, moments), horizonRows);
  return test === null ? null : { statistic: test.correctedStatistic, pValue: test.pValue };
}
