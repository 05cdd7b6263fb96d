/**
 * What came, given what was forecast, from rows that the model wasn't fitted to: the forecasts are cut into bins of as many rows each, and of each bin
 * are kept the quantiles of (outcome - forecast) and the shares of down, flat and up. A forecast is then read in its bin: an interval around it, and
 * three probabilities.
 *
 * The interval is the split conformal one (Lei et al. 2018, "Distribution-free predictive inference for regression", §2.2), taken on either side with
 * half of what may be missed: of n exchangeable outcomes the next lies within with the probability `coverage` at least. Serial dependence and a
 * market that changes take from that; the ledger counts what it really holds.
 *
 * Shares are by Laplace's rule, (count + 1) / (rows + 3): what never came in a bin isn't impossible, and no logarithm of 0 is ever scored.
 *
 * The threshold of "flat" is not fitted here: it is a statistic of training rows (core/labels/classes.ts).
 */

import { DIRECTIONS, directionOf } from "../labels/classes.ts";

export interface CalibrationBin {
  /** Forecasts up to and with this one are in the bin, in bps; of the last bin null: all that are above. */
  readonly upToBps: number | null;
  /** Of (outcome - forecast), in bps. */
  readonly lowBps: number;
  readonly highBps: number;
  /** Shares, adding up to 1. */
  readonly down: number;
  readonly flat: number;
  readonly up: number;
  /** How many rows say so. */
  readonly rows: number;
}

export interface BinnedCalibration {
  /** A move of at most so many bps, either way, is flat. */
  readonly thresholdBps: number;
  /** At least one; `upToBps` rises from each to the next. */
  readonly bins: readonly CalibrationBin[];
}

/** What a calibration says of one forecast. */
export interface CalibratedForecast {
  /** The outcome lies between them with the probability that the calibration covers. */
  readonly lowBps: number;
  readonly highBps: number;
  readonly down: number;
  readonly flat: number;
  readonly up: number;
  readonly thresholdBps: number;
}

export interface FitSettings {
  /** Probability that an interval holds its outcome, in (0, 1). */
  readonly coverage: number;
  readonly thresholdBps: number;
  /** As many bins at most; fewer where forecasts repeat or rows are few. */
  readonly bins?: number;
}

/** Enough to see a forecast's sign and size; more bins are more noise in each. */
const DEFAULT_BINS = 10;
/** Fewer rows than these say nothing of the 5 % at either end. */
const LEAST_ROWS_A_BIN = 100;

/** @param forecastBps finite. */
export function applyBins({ bins, thresholdBps }: BinnedCalibration, forecastBps: number): CalibratedForecast {
  const bin = bins.find(({ upToBps }) => upToBps === null || forecastBps <= upToBps);
  if (bin === undefined) throw new RangeError(`no bin for a forecast of ${forecastBps} bps`);
  const { lowBps, highBps, down, flat, up } = bin;
  return { lowBps: forecastBps + lowBps, highBps: forecastBps + highBps, down, flat, up, thresholdBps };
}

/**
 * Of forecasts and what came, both in bps, [rows]. O(n log n).
 * @returns null where there are too few rows to say anything. @throws on arrays of different lengths, numbers that are not finite, and settings out of range.
 */
export function fitBins(forecasts: ArrayLike<number>, outcomes: ArrayLike<number>, settings: FitSettings): BinnedCalibration | null {
  const { coverage, thresholdBps, bins: wanted = DEFAULT_BINS } = settings;
  judgeSettings({ coverage, thresholdBps, wanted });
  const rows = sortedRows(forecasts, outcomes);
  if (rows.length < LEAST_ROWS_A_BIN) return null;
  const count = Math.min(wanted, Math.floor(rows.length / LEAST_ROWS_A_BIN));
  const cuts = cutsOf(rows, count);
  const bins = cuts.map((end, index) => {
    const inside = rows.slice(cuts[index - 1] ?? 0, end);
    const upToBps = end === rows.length ? null : (inside.at(-1)?.forecast ?? null);
    return { upToBps, ...intervalOf(inside, coverage), ...sharesOf(inside, thresholdBps), rows: inside.length };
  });
  return { thresholdBps, bins };
}

interface Row {
  readonly forecast: number;
  readonly outcome: number;
}

function judgeSettings({ coverage, thresholdBps, wanted }: { coverage: number; thresholdBps: number; wanted: number }): void {
  if (!(coverage > 0 && coverage < 1)) throw new RangeError(`a coverage of ${coverage}`);
  if (!(thresholdBps >= 0 && Number.isFinite(thresholdBps))) throw new RangeError(`a threshold of ${thresholdBps} bps`);
  if (!(Number.isSafeInteger(wanted) && wanted >= 1)) throw new RangeError(`${wanted} bins`);
}

function sortedRows(forecasts: ArrayLike<number>, outcomes: ArrayLike<number>): Row[] {
  if (forecasts.length !== outcomes.length) throw new RangeError(`${forecasts.length} forecasts beside ${outcomes.length} outcomes`);
  const rows = Array.from(forecasts, (forecast, row) => ({ forecast, outcome: outcomes[row] as number }));
  const wrong = rows.findIndex(({ forecast, outcome }) => !(Number.isFinite(forecast) && Number.isFinite(outcome)));
  if (wrong >= 0) throw new RangeError(`row ${wrong}: ${outcomes[wrong]} came where ${forecasts[wrong]} was forecast`);
  return rows.sort((one, other) => one.forecast - other.forecast || one.outcome - other.outcome);
}

/**
 * The ends of the bins. Rows of one forecast are never parted, and a bin of too few rows is joined to the next, so that there may be fewer than asked
 * for; the last end is that of the rows.
 */
function cutsOf(rows: readonly Row[], count: number): number[] {
  const cuts: number[] = [];
  for (let bin = 1; bin < count; bin++) {
    let end = Math.round((bin * rows.length) / count);
    while (end < rows.length && rows[end]?.forecast === rows[end - 1]?.forecast) end++;
    const isWhole = end - (cuts.at(-1) ?? 0) >= LEAST_ROWS_A_BIN && rows.length - end >= LEAST_ROWS_A_BIN;
    if (isWhole) cuts.push(end);
  }
  return [...cuts, rows.length];
}

/** Half of what may be missed on either side; beyond the least and the greatest that came, those. */
function intervalOf(rows: readonly Row[], coverage: number): { lowBps: number; highBps: number } {
  const misses = Float64Array.from(rows, ({ forecast, outcome }) => outcome - forecast).sort();
  const beyond = Math.floor(((rows.length + 1) * (1 - coverage)) / 2);
  const at = Math.max(beyond - 1, 0);
  return { lowBps: misses[at] as number, highBps: misses[rows.length - 1 - at] as number };
}

function sharesOf(rows: readonly Row[], thresholdBps: number): { down: number; flat: number; up: number } {
  const counts = DIRECTIONS.map(() => 1);
  for (const { outcome } of rows) {
    const direction = directionOf(outcome, thresholdBps);
    counts[direction] = (counts[direction] as number) + 1;
  }
  const [down, flat, up] = counts.map((count) => count / (rows.length + DIRECTIONS.length));
  return { down: down as number, flat: flat as number, up: up as number };
}
