/** Zeros before and behind an axis. The gradient of what was padded is what lies between. */

import { emitSlice } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize } from "../shape.ts";

/** @param sides.before, sides.after how many, 0 or more. */
export function zeroPad(graph: GraphBuilder, x: Value, sides: { axis: number; before: number; after: number }): Value {
  const { axis, before, after } = sides;
  if (before === 0 && after === 0) return x;
  const size = fixedSize(x.shape[axis]);
  const shape = x.shape.map((dimension, index) => (index === axis ? before + size + after : dimension));
  const pads = [before, after].flatMap((count) => x.shape.map((_, index) => (index === axis ? count : 0)));
  return graph.differentiable(graph.emit("Pad", [x, graph.integers(pads)], shape), [x], (gradient) => [
    emitSlice(graph, gradient, { axis, from: before, to: before + size }),
  ]);
}
