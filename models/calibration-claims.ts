/**
 * What a manifest's calibration must not say: intervals and probabilities are served as it has them, so one that contradicts itself is refused.
 *
 * Refused: a calibration of answers other than moves, of an output that the model doesn't have or has twice, of more rows in its bins than it has in
 * all, bins that don't rise or don't cover every forecast, intervals turned around, and shares that don't add up to 1.
 */

import type { CalibrationBin } from "../core/calibration/by-bins.ts";
import type { CalibratedOutput, ModelCalibration, ModelManifest } from "./contract.ts";

/** Of the sum of three shares written in decimal. */
const SUM_TOLERANCE = 1e-6;

/** @returns the first contradiction, by its place in the manifest; null where there is none. */
export function findCalibrationContradiction({ calibration, output }: Pick<ModelManifest, "calibration" | "output">): string | null {
  if (calibration === undefined) return null;
  if (output.unit !== "bps") return `calibration: of moves, and the model answers in ${output.unit}`;
  const { from, to } = calibration;
  if (from > to) return `calibration: from ${from} lies after to ${to}`;
  const answered = new Set(output.columns.map(nameOf));
  for (const [index, each] of calibration.outputs.entries()) {
    const at = `calibration.outputs.${index}`;
    // Deleted when seen: a second one of the same output isn't answered any more.
    if (!answered.delete(nameOf(each))) return `${at}: ${nameOf(each)}, which this model doesn't answer, or which stands twice`;
    const wrong = findInBins(each, calibration);
    if (wrong !== null) return `${at}.${wrong}`;
  }
  return null;
}

function nameOf({ target, horizonMs }: Pick<CalibratedOutput, "target" | "horizonMs">): string {
  return `${target} at ${horizonMs} ms`;
}

function findInBins({ bins }: CalibratedOutput, { rows }: ModelCalibration): string | null {
  const counted = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (counted > rows) return `bins: ${counted} rows, of ${rows} in all`;
  for (const [index, bin] of bins.entries()) {
    const wrong = findEdge(bins, index) ?? findInBin(bin);
    if (wrong !== null) return `bins.${index}.${wrong}`;
  }
  return null;
}

function findEdge(bins: readonly CalibrationBin[], index: number): string | null {
  const upToBps = bins[index]?.upToBps ?? null;
  const isLast = index === bins.length - 1;
  if (isLast !== (upToBps === null)) return `upToBps: ${upToBps}, and the last bin alone has no upper edge`;
  const before = bins[index - 1]?.upToBps ?? null;
  return upToBps !== null && before !== null && upToBps <= before ? `upToBps: ${upToBps}, not above ${before}` : null;
}

function findInBin({ lowBps, highBps, down, flat, up }: CalibrationBin): string | null {
  if (lowBps > highBps) return `lowBps: ${lowBps}, above ${highBps}`;
  const sum = down + flat + up;
  return Math.abs(sum - 1) > SUM_TOLERANCE ? `down, flat, up: ${sum} in all` : null;
}
