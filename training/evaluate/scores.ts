/**
 * Scores of one output on rows that training never saw, beside persistence ("the price stays") and ridge. All metrics are those of
 * core/metrics. Uncertainty is shown with every number: neighbouring rows share most of their horizon, so the interval of R² comes from
 * blocks, and the test against ridge (Diebold and Mariano) allows for the overlap.
 */

import { ticksOfMove } from "../../core/math/bps.ts";
import { Random } from "../../core/math/random.ts";
import { dieboldMariano } from "../../core/metrics/diebold-mariano.ts";
import { directionScore } from "../../core/metrics/direction.ts";
import { maeScore } from "../../core/metrics/mae.ts";
import { countOf, momentsOf, summedByMoment } from "../../core/metrics/moments.ts";
import { r2AgainstPersistence } from "../../core/metrics/r2.ts";
import { r2Interval } from "../../core/metrics/r2-interval.ts";
import { rmseScore } from "../../core/metrics/rmse.ts";
import type { OutputColumn, Score } from "../../models/contract.ts";
import { type CalibrationBin, calibrationOf } from "./calibration.ts";

/** Blocks of ten minutes: many times the usual horizons (twice the longest), so that what crosses their edges hardly counts. */
const BLOCK_MS = 600_000;
/** Of few rows there are shorter blocks, so that there are this many if their horizon allows it. */
const WANTED_BLOCKS = 20;
/** With fewer blocks than this an interval says nothing (one gives it no width), and a score without one is none. */
export const FEWEST_BLOCKS = 5;
/** And never shorter than this many horizons. */
export const HORIZONS_A_BLOCK = 2;
export const RESAMPLES = 1_000;
/** The same draws at each evaluation: a score must not change by looking again. */
export const BOOTSTRAP_SEED = 20_190_417;

/** A score with what `evaluate` shows beyond the manifest. */
export interface DetailedScore extends Score {
  /** 1 - RMSE / RMSE of persistence. */
  readonly rmseSkill: number;
  /** Of the model's squared errors against ridge's, two-sided, with the sign of who is better; null where there is no test. */
  readonly againstRidge: { readonly pValue: number; readonly isModelBetter: boolean } | null;
  /** Left out in what was written before there was one. */
  readonly calibration?: readonly CalibrationBin[];
  /** Likewise. */
  readonly errors?: MoveErrors;
}

/** How far off the model is. */
export interface MoveErrors {
  readonly rmseBps: number;
  readonly maeBps: number;
  /** 1 - MAE / MAE of persistence. */
  readonly maeSkill: number | null;
  /** The same errors on each market's own grid; null where its prices aren't known. */
  readonly rmseTicks: number | null;
  readonly maeTicks: number | null;
}

/** [rows] of one output, in order of time, rows without a target left out. Moves in basis points. */
export interface OutputRows {
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly ridge: Float64Array;
  /** What a price is in ticks, row by row; null or absent: not known. */
  readonly priceTicks?: Float64Array | null;
  /** Epoch ms: rows of one moment are no independent ones. Absent: each row is of its own. */
  readonly times?: Float64Array;
}

/** @returns null when there is nothing to score: no rows, or no move in any, or too few for their horizon to say how sure the score is. */
export function scoreOutput(column: OutputColumn, rows: OutputRows, intervalMs: number): DetailedScore | null {
  const { actual, predicted, ridge } = rows;
  const model = { actual, predicted };
  const r2 = r2AgainstPersistence(model);
  const ridgeR2 = r2AgainstPersistence({ actual, predicted: ridge });
  const random = new Random(BOOTSTRAP_SEED);
  const moments = momentsOf(rows.times ?? []);
  const count = countOf(moments) ?? actual.length;
  const blockRows = blockRowsFor(count, column.horizonMs, intervalMs);
  if (count < FEWEST_BLOCKS * blockRows) return null;
  const interval = r2Interval(model, { uniform: () => random.uniform(), blockRows, moments, resamples: RESAMPLES });
  const rmse = rmseScore(model);
  if (r2 === null || ridgeR2 === null || interval === null || rmse?.skill == null) return null;
  const direction = directionScore(model);
  return {
    ...column,
    rows: actual.length,
    r2,
    r2Low: interval.low,
    r2High: interval.high,
    ridgeR2,
    directionHitRate: direction.hitRate,
    moves: direction.moves,
    rmseSkill: rmse.skill,
    againstRidge: compareWithRidge(rows, moments, column.horizonMs / intervalMs),
    calibration: calibrationOf(model, { horizonRows: column.horizonMs / intervalMs }),
    errors: errorsOf(rows),
  };
}

function errorsOf({ actual, predicted, priceTicks = null }: OutputRows): MoveErrors {
  const [rmse, mae] = [rmseScore({ actual, predicted }), maeScore({ actual, predicted })];
  if (rmse === null || mae === null) throw new Error("errors of no rows");
  const inTicks = (moves: Float64Array): Float64Array => moves.map((move, row) => ticksOfMove(move, priceTicks?.[row] ?? Number.NaN));
  const ticks = priceTicks === null ? null : { actual: inTicks(actual), predicted: inTicks(predicted) };
  return {
    rmseBps: rmse.rmse,
    maeBps: mae.mae,
    maeSkill: mae.skill,
    rmseTicks: ticks === null ? null : (rmseScore(ticks)?.rmse ?? null),
    maeTicks: ticks === null ? null : (maeScore(ticks)?.mae ?? null),
  };
}

/** Rows a block of the bootstrap. */
export function blockRowsFor(rows: number, horizonMs: number, intervalMs: number): number {
  const shortest = Math.ceil((HORIZONS_A_BLOCK * horizonMs) / intervalMs);
  return Math.max(shortest, Math.min(Math.ceil(BLOCK_MS / intervalMs), Math.ceil(rows / WANTED_BLOCKS)));
}

function compareWithRidge(
  { actual, predicted, ridge }: OutputRows,
  moments: Uint32Array | null,
  horizonRows: number,
): DetailedScore["againstRidge"] {
  const differences = actual.map((move, row) => {
    const own = move - (predicted[row] as number);
    const line = move - (ridge[row] as number);
    return line * line - own * own;
  });
  const test = dieboldMariano(summedByMoment(differences, moments), horizonRows);
  return test === null ? null : { pValue: test.pValue, isModelBetter: test.statistic > 0 };
}
