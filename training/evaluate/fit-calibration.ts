/**
 * What a run's forecasts of the mid have been worth on its validation rows, for its manifest: by bins of the forecast the quantiles of what came less what
 * was said, and the shares of down, flat and up (core/calibration/by-bins.ts). What is flat the training rows say: a third of their moves are smaller.
 *
 * Of validation rows alone: the training rows know too much, and the test rows are to judge it. Validation also chose the model, so that intervals come out a
 * little too narrow; `evaluate` counts on the test rows what they hold.
 *
 * Rows that share their horizon count as one: a bin holds so many horizons that its ends are more than chance, and a horizon that goes too few times into
 * the validation part has no calibration.
 */

import { type BinnedCalibration, fitBins } from "../../core/calibration/by-bins.ts";
import { DIRECTIONS } from "../../core/labels/classes.ts";
import type { CalibratedOutput, ModelCalibration, MovesOutput } from "../../models/contract.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import type { Runtime } from "../runtime/contract.ts";
import { answerRun, type RunAnswers } from "../train/answer-run.ts";
import { fitThresholds } from "../train/class-targets.ts";
import { rowsWithHistory } from "../train/prepared-rows.ts";
import type { Run } from "../train/run-folder.ts";
import { familyOf, seenByRun } from "../train/run-rows.ts";
import { splitByTime } from "../train/split.ts";

/** Of the intervals. */
export const COVERAGE = 0.9;
/** Bid and ask move with it. */
const CALIBRATED_TARGET = "mid";
const MOST_BINS = 10;
/** A twentieth of the outcomes lies beyond either end: of fewer horizons than this that is none. */
const HORIZONS_A_BIN = 20;

/** @param dataset the run's own. @returns null for answers other than moves, and where there are too few rows for any horizon. */
export async function fitCalibration(run: Run, data: Dataset, { runtime }: { runtime: Runtime }): Promise<ModelCalibration | null> {
  const dataset = seenByRun(run.card, data);
  const { family, settings } = familyOf(run.card.family, dataset, run.card.model);
  if (settings.answer !== "moves") return null;
  const { train, validation } = splitByTime(dataset.times, run.card.split);
  const rows = rowsWithHistory(dataset, validation, family);
  const answers = await answerRun(run, dataset, { rows, runtime });
  if (answers.output.unit !== "bps") return null;
  const { output } = answers;
  const outputs = output.columns.flatMap((_, at) => calibratedOutput(run, dataset, { answers, output, rows, train, at }) ?? []);
  if (outputs.length === 0) return null;
  const times = rows.reduce(
    ({ from, to }, row) => ({ from: Math.min(from, dataset.times[row] as number), to: Math.max(to, dataset.times[row] as number) }),
    { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY },
  );
  return { ...times, rows: rows.length, coverage: COVERAGE, outputs };
}

interface ValidationAnswers {
  readonly answers: RunAnswers;
  readonly output: MovesOutput;
  /** Of the dataset, those that were answered. */
  readonly rows: Uint32Array;
  readonly train: Uint32Array;
  /** Which output. */
  readonly at: number;
}

/** Null: of another price, not trained for, or known of too few rows. */
function calibratedOutput(run: Run, dataset: Dataset, { answers, output, rows, train, at }: ValidationAnswers): CalibratedOutput | null {
  const { target, horizonMs } = output.columns[at] as MovesOutput["columns"][number];
  if (target !== CALIBRATED_TARGET || answers.isAnswered[at] === false) return null;
  const { outputs, targets, mask, card } = dataset;
  const scale = run.card.targetScale[at] as number;
  const known = Array.from(rows.keys()).filter((index) => mask[(rows[index] as number) * outputs + at] === 1);
  const bins = binsFor(known.length, horizonMs / card.intervalMs);
  const [thresholdBps] = fitThresholds(dataset, train, [{ asks: "move", target, horizonMs, labels: DIRECTIONS }]);
  if (bins === 0 || thresholdBps === undefined) return null;
  const fitted: BinnedCalibration | null = fitBins(
    Float64Array.from(known, (index) => (answers.model[index * outputs + at] as number) * scale),
    Float64Array.from(known, (index) => targets[(rows[index] as number) * outputs + at] as number),
    { coverage: COVERAGE, thresholdBps, bins },
  );
  return fitted === null ? null : { target, horizonMs, ...fitted };
}

/** @param horizonRows rows that a forecast looks ahead. @returns 0 where they are too few for one. */
export function binsFor(rows: number, horizonRows: number): number {
  return Math.min(MOST_BINS, Math.floor(rows / Math.max(1, horizonRows) / HORIZONS_A_BIN));
}
