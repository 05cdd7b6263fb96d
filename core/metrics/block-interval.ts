/**
 * How sure a score is that follows from sums over rows (counts, losses): an interval by circular block bootstrap, as r2-interval.ts tells and for the same
 * reason: neighbouring rows share most of their horizon.
 */

import { quantile } from "../math/quantile.ts";
import type { BootstrapOptions, R2Interval } from "./r2-interval.ts";

export interface RowSums {
  readonly rows: number;
  /** How many numbers a row adds. */
  readonly width: number;
  /** Writes what row `row` adds into `out` [width], which holds zeros. */
  readonly add: (row: number, out: Float64Array) => void;
}

export type Statistic<Name extends string> = Readonly<Record<Name, (sums: Float64Array) => number | null>>;

const DEFAULT_RESAMPLES = 1_000;
const DEFAULT_LEVEL = 0.95;

/**
 * @param statistics each from the sums [width] over the drawn rows; null where those say nothing. All are of the same draws.
 * @returns of each its interval; null without rows, or where no draw said anything.
 */
export function blockIntervals<Name extends string>(
  sums: RowSums,
  statistics: Statistic<Name>,
  options: BootstrapOptions,
): Record<Name, R2Interval | null> {
  const { uniform, blockRows, resamples = DEFAULT_RESAMPLES, level = DEFAULT_LEVEL } = options;
  if (!Number.isSafeInteger(blockRows) || blockRows < 1) throw new RangeError(`blocks of ${blockRows} rows`);
  const names = Object.keys(statistics) as Name[];
  const drawn = new Map<Name, number[]>(names.map((name) => [name, []]));
  const cumulative = cumulate(sums);
  for (let resample = 0; sums.rows > 0 && resample < resamples; resample++) {
    const total = draw(cumulative, sums, { blockRows: Math.min(blockRows, sums.rows), uniform });
    for (const name of names) {
      const value = statistics[name](total);
      if (value !== null) drawn.get(name)?.push(value);
    }
  }
  const interval = (values: readonly number[]): R2Interval | null => {
    const sample = Float64Array.from(values);
    const [low, high] = [quantile(sample, (1 - level) / 2), quantile(sample, (1 + level) / 2)];
    return low === null || high === null ? null : { low, high };
  };
  return Object.fromEntries(names.map((name) => [name, interval(drawn.get(name) ?? [])])) as Record<Name, R2Interval | null>;
}

/** [2 rows + 1, width] sums up to each row, over the circle gone round twice, so that any block is one difference. */
function cumulate({ rows, width, add }: RowSums): Float64Array {
  const cumulative = new Float64Array((2 * rows + 1) * width);
  const own = new Float64Array(width);
  for (let at = 0; at < 2 * rows; at++) {
    own.fill(0);
    add(at % rows, own);
    for (let part = 0; part < width; part++)
      cumulative[(at + 1) * width + part] = (cumulative[at * width + part] as number) + (own[part] as number);
  }
  return cumulative;
}

/** As many rows as there are, block by block; the last block is cut to fit. */
function draw(
  cumulative: Float64Array,
  { rows, width }: RowSums,
  { blockRows, uniform }: { blockRows: number; uniform: () => number },
): Float64Array {
  const total = new Float64Array(width);
  for (let filled = 0; filled < rows; filled += blockRows) {
    const start = Math.floor(uniform() * rows);
    const end = start + Math.min(blockRows, rows - filled);
    for (let part = 0; part < width; part++)
      total[part] = (total[part] as number) + (cumulative[end * width + part] as number) - (cumulative[start * width + part] as number);
  }
  return total;
}
