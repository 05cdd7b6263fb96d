/**
 * Does a forecast of two basis points mean two? Rows are put in order of their forecast and cut into parts of equal size; of each, the mean
 * forecast stands beside the mean outcome. A calibrated model lies on the diagonal; one that is too bold lies flatter.
 */

export interface CalibrationBin {
  readonly rows: number;
  /** Means, basis points. */
  readonly forecast: number;
  readonly outcome: number;
  /** Standard error of the mean outcome. Rows that share their horizon count as one. */
  readonly outcomeError: number;
}

const BINS = 20;
/** A mean of fewer rows says nothing. */
const FEWEST_ROWS = 10;

/** @param options.horizonRows the rows that a forecast looks ahead. */
export function calibrationOf(
  rows: { readonly actual: Float64Array; readonly predicted: Float64Array },
  options: { horizonRows: number },
): CalibrationBin[] {
  const { actual, predicted } = rows;
  const order = Array.from(predicted.keys()).sort((one, other) => (predicted[one] as number) - (predicted[other] as number) || one - other);
  const bins = Math.max(1, Math.min(BINS, Math.floor(order.length / FEWEST_ROWS)));
  return Array.from({ length: bins }, (_, bin) => {
    const members = order.slice(Math.floor((bin * order.length) / bins), Math.floor(((bin + 1) * order.length) / bins));
    const outcome = meanOf(members, actual);
    const squares = members.reduce((sum, row) => sum + ((actual[row] as number) - outcome) * ((actual[row] as number) - outcome), 0);
    const independent = Math.max(1, members.length / Math.max(1, options.horizonRows));
    const outcomeError = Math.sqrt(squares / Math.max(1, members.length - 1) / independent);
    return { rows: members.length, forecast: meanOf(members, predicted), outcome, outcomeError };
  }).filter((bin) => bin.rows > 0);
}

function meanOf(rows: readonly number[], values: Float64Array): number {
  return rows.reduce((sum, row) => sum + (values[row] as number), 0) / Math.max(1, rows.length);
}
