/**
 * A task that can be learnt, computed alike here and by the peer (bench/peers/learnable_task.py): an item is noise over the pattern of its class, one number
 * a channel, so weak that no single number tells the class.
 */

import { createRowSource, type RowSource } from "../../training/engine/row-source.ts";
import type { BenchNetwork } from "../networks/registry.ts";
import { seededBits, seededUniform } from "../seeded-numbers.ts";

const SEEDS = { labels: 11, noise: 12, pattern: 13 };

/** Items [from, to) of the task. @param strength of the pattern, beside noise on [-1, 1). */
export function learnableRows(network: BenchNetwork, strength: number, { from, to }: { from: number; to: number }): RowSource {
  const { shape, classes, channels } = network;
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const items = to - from;
  const values = new Float32Array(items * size);
  const targets = new Float32Array(items * classes);
  const weak = Math.fround(strength);
  for (let row = 0; row < items; row++) {
    const item = from + row;
    const label = seededBits(SEEDS.labels, item) % classes;
    targets[row * classes + label] = 1;
    const pattern = Float32Array.from(
      { length: channels.count },
      (_, at) => weak * seededUniform(SEEDS.pattern, label * channels.count + at),
    );
    for (let at = 0; at < size; at++) {
      const channel = Math.floor(at / channels.stride) % channels.count;
      values[row * size + at] = seededUniform(SEEDS.noise, item * size + at) + (pattern[channel] as number);
    }
  }
  return createRowSource({
    table: { kind: "memory", values },
    tableRows: items,
    columns: size,
    window: 1,
    ends: Uint32Array.from({ length: items }, (_, row) => row),
    outputs: classes,
    targets,
    weights: new Float32Array(items).fill(1),
    weightsPer: "row",
  });
}
