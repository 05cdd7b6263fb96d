/**
 * Dropout (Srivastava et al. 2014): while training each number is 0 with probability `rate`, and the others are larger by 1 / (1 - rate), so that the
 * served graph needs nothing of it.
 */

import { emitMultiply, emitScaled } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { sizeOf } from "../shape.ts";

export function dropout(graph: GraphBuilder, x: Value, rate: number): Value {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`a dropout rate lies in [0, 1); it was ${rate}`);
  if (!graph.isTraining || rate === 0) return x;
  sizeOf(x.shape);
  const noise = graph.noise(x.shape as readonly number[]);
  // Whether noise is above the rate, in one node: HardSigmoid of so steep a slope is a step.
  const isKept = graph.emit("HardSigmoid", [noise], x.shape, { alpha: { float: STEEP }, beta: { float: -rate * STEEP } });
  const mask = emitScaled(graph, isKept, 1 / (1 - rate));
  return graph.differentiable(emitMultiply(graph, x, mask), [x], (gradient) => [emitMultiply(graph, gradient, mask)]);
}

/** Two numbers of single precision on [0, 1) are 2^-24 apart, or more near 1: times this that is far above 1. */
const STEEP = 1e30;
