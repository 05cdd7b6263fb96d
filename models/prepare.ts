/**
 * From a raw feature row to what the network eats: `clip((x - mean) / scale)`, computed in float64 and stored as float32.
 * One implementation for training, evaluation, golden vectors and the edge; the statistics travel in the manifest.
 */

import type { Normaliser } from "../contract.ts";

/**
 * Writes `row` (raw, [columns]) normalised into `out[offset, offset + columns)`.
 * Throws on a row of another length than the normaliser's: callers check the fingerprint first, so that is a bug.
 */
export function prepareInput(row: ArrayLike<number>, normaliser: Normaliser, out: Float32Array, offset: number): void {
  const { mean, scale, clip } = normaliser;
  if (row.length !== mean.length) throw new RangeError(`a row of ${row.length} columns for a normaliser of ${mean.length}`);
  for (let column = 0; column < mean.length; column++) {
    const value = ((row[column] as number) - (mean[column] as number)) / (scale[column] as number);
    out[offset + column] = Math.min(Math.max(value, -clip), clip);
  }
}
