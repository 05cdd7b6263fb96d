/**
 * Probabilities of down, flat and up, and an interval, for every model alike: read off its forecast by bins of the validation rows (core/calibration),
 * but for whoever says probabilities itself. Thresholds of "flat" are of the fit rows.
 */

import { applyBins, fitBins } from "../../../core/calibration/by-bins.ts";
import { balancedThreshold, DIRECTIONS, directionOf } from "../../../core/labels/classes.ts";
import type { CalibratedRows } from "../../evaluate/calibrated-rows.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { Fold } from "../folds.ts";
import { knownMoves } from "../prepared.ts";
import type { ModelAnswers, ScoredCells } from "./scored-cells.ts";

const COVERAGE = 0.9;
const CLASSES = DIRECTIONS.length;

/** Fold by fold, from its validation rows. @returns null where a fold has too few of them. */
export function calibratedRows(
  { data, folds }: { data: AlignedData; folds: readonly Fold[] },
  model: ModelAnswers,
  { cells, output }: { cells: ScoredCells; output: number },
): CalibratedRows | null {
  const calibrations = folds.map((fold, index) => calibrationOfFold(data, fold, { model, index, output }));
  if (calibrations.some((one) => one === null)) return null;
  const rows = cells.cellOf.length;
  const out = {
    wanted: COVERAGE,
    probabilities: new Float64Array(CLASSES * rows),
    low: new Float64Array(rows),
    high: new Float64Array(rows),
    came: new Int8Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const fold = cells.foldOf[row] as number;
    const calibration = calibrations[fold];
    const answers = model.folds[fold];
    if (calibration === null || calibration === undefined || answers === undefined) continue;
    const cell = cells.cellOf[row] as number;
    const { lowBps, highBps, down, flat, up } = applyBins(calibration, answers.test[cell] as number);
    out.low[row] = lowBps;
    out.high[row] = highBps;
    out.came[row] = directionOf(cells.moves[row] as number, calibration.thresholdBps);
    const own = answers.probabilities?.test.subarray(CLASSES * cell, CLASSES * (cell + 1));
    out.probabilities.set(own ?? [down, flat, up], CLASSES * row);
  }
  return out;
}

function calibrationOfFold(
  data: AlignedData,
  fold: Fold,
  { model, index, output }: { model: ModelAnswers; index: number; output: number },
): ReturnType<typeof fitBins> {
  const outputs = data.columns.length;
  const known = Uint32Array.from(fold.validation, (_, at) => at).filter(
    (at) => data.mask[(fold.validation[at] as number) * outputs + output] === 1,
  );
  const answers = model.folds[index]?.validation;
  const thresholdBps = balancedThreshold(knownMoves(data, fold.fit, output));
  if (answers === undefined || thresholdBps === null) return null;
  return fitBins(
    Float64Array.from(known, (at) => answers[at * outputs + output] as number),
    Float64Array.from(known, (at) => data.targets[(fold.validation[at] as number) * outputs + output] as number),
    { coverage: COVERAGE, thresholdBps },
  );
}
