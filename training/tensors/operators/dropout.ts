/**
 * Dropout (Srivastava et al. 2014): while training each number is 0 with probability `rate`, and the others are larger by 1 / (1 - rate), so that the
 * served graph needs nothing of it.
 */

import { emitMultiply, emitScaled } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, type Shape } from "../shape.ts";

export function dropout(graph: GraphBuilder, x: Value, rate: number): Value {
  const mask = emitDropoutMask(graph, x.shape, rate);
  if (mask === null) return x;
  return graph.differentiable(emitMultiply(graph, x, mask), [x], (gradient) => [emitMultiply(graph, gradient, mask)]);
}

/** What numbers are multiplied by: 0, or 1 / (1 - rate). Null where none are dropped. */
export function emitDropoutMask(graph: GraphBuilder, shape: Shape, rate: number): Value | null {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`a dropout rate lies in [0, 1); it was ${rate}`);
  if (!graph.isTraining || rate === 0) return null;
  const noise = graph.noise(shape.map(fixedSize));
  // Whether noise is above the rate, in one node: HardSigmoid of so steep a slope is a step.
  const isKept = graph.emit("HardSigmoid", [noise], shape, { alpha: { float: STEEP }, beta: { float: -rate * STEEP } });
  return emitScaled(graph, isKept, 1 / (1 - rate));
}

/** Two numbers of single precision on [0, 1) are 2^-24 apart, or more near 1: times this that is far above 1. */
const STEEP = 1e30;
