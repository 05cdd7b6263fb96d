/**
 * What a calibration holds on rows that neither it nor the model has seen: how often the outcome lay in its interval, and how good its probabilities of down,
 * flat and up were, beside the shares of all the rows that it was made of, which know nothing of the row.
 *
 * By bin of the forecast, what was said stands beside what came: a probability that doesn't mean what it says shows there.
 */

import { applyBins, type BinnedCalibration } from "../../core/calibration/by-bins.ts";
import { DIRECTIONS, directionOf } from "../../core/labels/classes.ts";
import { Random } from "../../core/math/random.ts";
import { blockIntervals, type RowSums } from "../../core/metrics/block-interval.ts";
import { brierOf } from "../../core/metrics/brier.ts";
import { surpriseOf } from "../../core/metrics/log-loss.ts";
import type { R2Interval } from "../../core/metrics/r2-interval.ts";
import type { CalibratedOutput, ForecastTarget } from "../../models/contract.ts";
import { BOOTSTRAP_SEED, blockRowsFor, FEWEST_BLOCKS, RESAMPLES } from "./scores.ts";

export interface CalibratedScore {
  readonly target: ForecastTarget;
  readonly horizonMs: number;
  readonly rows: number;
  /** Share of the outcomes that the interval shall hold, */
  readonly coverage: number;
  /** and of those that it held, with the interval of that by blocks (as all here). */
  readonly held: number;
  readonly heldInterval: R2Interval | null;
  /** Mean width of the interval. */
  readonly widthBps: number;
  /** Nats, of the probabilities, */
  readonly logLoss: number;
  /** of the shares that know nothing of the row, */
  readonly sharesLogLoss: number;
  /** and the interval of how much less the first is: above 0, the probabilities say something. */
  readonly gainInterval: R2Interval | null;
  readonly brier: number;
  readonly sharesBrier: number;
  /** In the order of the forecast; without those that no forecast fell into. */
  readonly bins: readonly CalibratedBin[];
}

export interface CalibratedBin {
  /** As in the calibration. */
  readonly upToBps: number | null;
  readonly rows: number;
  readonly held: number;
  /** Probabilities of down, flat, up. */
  readonly said: readonly number[];
  /** Shares. */
  readonly came: readonly number[];
}

/** What a row adds: each a column of the sums. */
const PARTS = ["rows", "held", "width", "logLoss", "sharesLogLoss", "brier", "sharesBrier"] as const;
type Part = (typeof PARTS)[number];

/** @param rows [rows] of its output in order of time, in bps. @returns null where there are too few rows for their horizon to say how sure the score is. */
export function scoreCalibration(
  { target, horizonMs, ...calibration }: CalibratedOutput,
  rows: { readonly actual: Float64Array; readonly predicted: Float64Array },
  { coverage, intervalMs }: { coverage: number; intervalMs: number },
): CalibratedScore | null {
  const { actual, predicted } = rows;
  const blockRows = blockRowsFor(actual.length, horizonMs, intervalMs);
  if (actual.length < FEWEST_BLOCKS * blockRows) return null;
  const shares = sharesOf(calibration);
  const add = (row: number, out: Float64Array): void => {
    out.set(partsOf(calibration, shares, { actual: actual[row] as number, predicted: predicted[row] as number }));
  };
  const sums: RowSums = { rows: actual.length, width: PARTS.length, add };
  const random = new Random(BOOTSTRAP_SEED);
  const { held, gain } = blockIntervals(
    sums,
    { held: (of) => meanOf(of, "held"), gain: (of) => meanOf(of, "sharesLogLoss") - meanOf(of, "logLoss") },
    { uniform: () => random.uniform(), blockRows, resamples: RESAMPLES },
  );
  const total = totalOf(sums);
  return {
    target,
    horizonMs,
    rows: actual.length,
    coverage,
    held: meanOf(total, "held"),
    heldInterval: held,
    widthBps: meanOf(total, "width"),
    logLoss: meanOf(total, "logLoss"),
    sharesLogLoss: meanOf(total, "sharesLogLoss"),
    gainInterval: gain,
    brier: meanOf(total, "brier"),
    sharesBrier: meanOf(total, "sharesBrier"),
    bins: binsOf(calibration, rows),
  };
}

/** Of all the rows that the calibration was made of: down, flat, up. */
function sharesOf({ bins }: BinnedCalibration): number[] {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  return DIRECTIONS.map((direction) => bins.reduce((sum, bin) => sum + (bin[direction] * bin.rows) / rows, 0));
}

/** In the order of PARTS. */
function partsOf(
  calibration: BinnedCalibration,
  shares: readonly number[],
  { actual, predicted }: { actual: number; predicted: number },
): number[] {
  const read = applyBins(calibration, predicted);
  const said = DIRECTIONS.map((direction) => read[direction]);
  const came = directionOf(actual, calibration.thresholdBps);
  const isHeld = actual >= read.lowBps && actual <= read.highBps;
  return [
    1,
    isHeld ? 1 : 0,
    read.highBps - read.lowBps,
    surpriseOf(said[came] as number),
    surpriseOf(shares[came] as number),
    brierOf(said, came),
    brierOf(shares, came),
  ];
}

function totalOf({ rows, width, add }: RowSums): Float64Array {
  const total = new Float64Array(width);
  const own = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    add(row, own);
    for (let part = 0; part < width; part++) total[part] = (total[part] as number) + (own[part] as number);
  }
  return total;
}

function meanOf(sums: Float64Array, part: Part): number {
  return (sums[PARTS.indexOf(part)] as number) / (sums[PARTS.indexOf("rows")] as number);
}

function binsOf(
  calibration: BinnedCalibration,
  { actual, predicted }: { readonly actual: Float64Array; readonly predicted: Float64Array },
): CalibratedBin[] {
  const found = calibration.bins.map(({ upToBps, down, flat, up }) => ({
    upToBps,
    said: [down, flat, up],
    rows: 0,
    held: 0,
    came: [0, 0, 0],
  }));
  for (const [row, forecast] of predicted.entries()) {
    const bin = found.find(({ upToBps }) => upToBps === null || forecast <= upToBps);
    if (bin === undefined) continue;
    const outcome = actual[row] as number;
    const { lowBps, highBps } = applyBins(calibration, forecast);
    const came = directionOf(outcome, calibration.thresholdBps);
    bin.rows++;
    bin.held += outcome >= lowBps && outcome <= highBps ? 1 : 0;
    bin.came[came] = (bin.came[came] as number) + 1;
  }
  return found
    .filter(({ rows }) => rows > 0)
    .map(({ rows, held, came, ...bin }) => ({ ...bin, rows, held: held / rows, came: came.map((count) => count / rows) }));
}
