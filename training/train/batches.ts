/**
 * Minibatches of a fixed size, since a graph has fixed shapes. Each epoch visits every row once, in an order drawn from the run's seed; the
 * last batch is filled up with cells of mask 0, which add nothing to loss or gradient.
 */

import type { Tensor } from "../runtime/contract.ts";
import type { Random } from "../tensors/initialisers.ts";
import type { PreparedRows } from "./prepared-rows.ts";

export interface Batch {
  readonly features: Tensor;
  readonly targets: Tensor;
  readonly mask: Tensor;
  /** [1] how many cells have a target; at least 1. */
  readonly cells: Tensor;
  readonly rows: number;
}

/** Buffers are reused: a batch is valid until the next one. */
export function* shuffledBatches(source: PreparedRows, size: number, random: Random): Generator<Batch> {
  const { rows, columns, outputs } = source;
  const order = shuffledOrder(rows, random);
  const features = new Float32Array(size * columns);
  const targets = new Float32Array(size * outputs);
  const mask = new Float32Array(size * outputs);
  for (let first = 0; first < rows; first += size) {
    const filled = Math.min(size, rows - first);
    let cells = 0;
    for (let index = 0; index < filled; index++) {
      const row = order[first + index] as number;
      features.set(source.inputs.subarray(row * columns, (row + 1) * columns), index * columns);
      targets.set(source.targets.subarray(row * outputs, (row + 1) * outputs), index * outputs);
      mask.set(source.mask.subarray(row * outputs, (row + 1) * outputs), index * outputs);
    }
    mask.fill(0, filled * outputs);
    for (const cell of mask) cells += cell;
    // A batch whose rows all lie before a gap has no target at all; its loss is 0 / 1.
    yield {
      features: { shape: [size, columns], data: features },
      targets: { shape: [size, outputs], data: targets },
      mask: { shape: [size, outputs], data: mask },
      cells: { shape: [1], data: Float32Array.of(Math.max(cells, 1)) },
      rows: filled,
    };
  }
}

/** Fisher and Yates, in Durstenfeld's form. */
function shuffledOrder(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last] as number;
    order[last] = order[other] as number;
    order[other] = kept;
  }
  return order;
}
