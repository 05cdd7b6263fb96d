/**
 * The buffers of one call: a lane is filled with rows while the kernels are busy with the other one. Rows that only fill up the batch repeat its first ones,
 * with weight 0: they add nothing to loss or gradient, and batch statistics see plausible rows.
 */

import type { Session, Tensor } from "../runtime/contract.ts";
import type { RowReader } from "./row-reader.ts";
import type { RowSource } from "./row-source.ts";

export interface Lane {
  /** [rows] which items; set before `fill`. */
  readonly items: Uint32Array;
  /** Feeds and runs the graph on what was filled in. @returns null when that is done already. */
  readonly run: () => Promise<void> | null;
  readonly noise: Float32Array;
  /** @param filled how many of `items` count. @param total of the weights of the whole batch. @returns null when the features are there already. */
  fill(filled: number, total: number): Promise<void> | null;
}

export interface LaneOptions {
  readonly rows: number;
  readonly shape: readonly number[];
  readonly noiseCount: number;
  /** Parameters, and statistics where there are any. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly outputs: Readonly<Record<string, Float32Array>>;
}

export function createLane(session: Session, rows: { source: RowSource; reader: RowReader }, options: LaneOptions): Lane {
  const { source, reader } = rows;
  const { outputs: width, weightWidth } = source;
  const items = new Uint32Array(options.rows);
  const features = new Float32Array(options.rows * source.window * source.columns);
  const targets = new Float32Array(options.rows * width);
  const weights = new Float32Array(options.rows * weightWidth);
  const total = new Float32Array(1);
  const noise = new Float32Array(options.noiseCount);
  const inputs: Record<string, Tensor> = {
    features: { shape: [options.rows, ...options.shape], data: features },
    targets: { shape: [options.rows, width], data: targets },
    weights: { shape: [options.rows, weightWidth], data: weights },
    total: flat(total),
    ...flatAll(options.inputs),
    ...(options.noiseCount > 0 ? { noise: flat(noise) } : {}),
  };
  return {
    items,
    noise,
    run: session.bind(inputs, flatAll(options.outputs)),
    fill(filled, sum) {
      gather(source.targets, { items, width, into: targets });
      gather(source.weights, { items, width: weightWidth, into: weights });
      weights.fill(0, filled * weightWidth);
      total[0] = sum;
      return reader.gather(items, features);
    },
  };
}

function gather(values: Float32Array, { items, width, into }: { items: Uint32Array; width: number; into: Float32Array }): void {
  for (let index = 0; index < items.length; index++) {
    const from = (items[index] as number) * width;
    for (let at = 0; at < width; at++) into[index * width + at] = values[from + at] as number;
  }
}

/** Vectors under their names; those of length 0 are left out, as the graph has none of them. Losses are [1]. */
function flatAll(vectors: Readonly<Record<string, Float32Array>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(vectors).flatMap(([name, data]) => (data.length === 0 ? [] : [[name, flat(data)]])));
}

function flat(data: Float32Array): Tensor {
  return { shape: [data.length], data };
}
