/**
 * From a raw row to what a network eats: `clip((x - mean) / scale)`, computed in float64 and stored as float32.
 * One implementation for training, evaluation, golden vectors and the edge; the statistics travel in the manifest.
 */

/** The manifest's normaliser, its statistics in arrays of whatever kind. */
export interface Statistics {
  readonly mean: ArrayLike<number>;
  readonly scale: ArrayLike<number>;
  readonly clip: number;
}

/**
 * Writes `row` (raw, [columns]) normalised into `out[offset, offset + columns)`.
 * Throws on a row of another length than the normaliser's: callers check the fingerprint first, so that is a bug.
 */
export function prepareInput(row: ArrayLike<number>, normaliser: Statistics, out: Float32Array, offset: number): void {
  const columns = normaliser.mean.length;
  if (row.length !== columns) throw new RangeError(`a row of ${row.length} columns for a normaliser of ${columns}`);
  prepareRow({ numbers: row, from: 0 }, normaliser, { out, offset });
}

/** The same for windows, raw [vectors][window x columns], one after the other. @returns [vectors x window x columns] */
export function prepareWindows(vectors: readonly ArrayLike<number>[], normaliser: Statistics, window: number): Float32Array {
  const columns = normaliser.mean.length;
  const size = window * columns;
  const out = new Float32Array(vectors.length * size);
  for (const [index, vector] of vectors.entries()) {
    if (vector.length !== size) throw new RangeError(`a window of ${vector.length} numbers for ${window} rows of ${columns} columns`);
    for (let row = 0; row < window; row++) {
      prepareRow({ numbers: vector, from: row * columns }, normaliser, { out, offset: index * size + row * columns });
    }
  }
  return out;
}

/** The row that begins at `from`: read where it lies, since a copy of each row of a window takes longer than the model does. */
function prepareRow(
  { numbers, from }: { readonly numbers: ArrayLike<number>; readonly from: number },
  { mean, scale, clip }: Statistics,
  { out, offset }: { readonly out: Float32Array; readonly offset: number },
): void {
  for (let column = 0; column < mean.length; column++) {
    const value = ((numbers[from + column] as number) - (mean[column] as number)) / (scale[column] as number);
    out[offset + column] = Math.min(Math.max(value, -clip), clip);
  }
}
