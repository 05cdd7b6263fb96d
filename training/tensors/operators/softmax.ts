/** Softmax and its logarithm along one axis. Both take logits of any size: the largest is taken off first, by the runtime. */

import { emitMultiply, emitSubtract, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { ShapeError, showShape } from "../shape.ts";

/** s = exp(x) / Σ exp(x); dx = s g - s Σ s g. */
export function softmax(graph: GraphBuilder, x: Value, axis: number): Value {
  const s = graph.emit("Softmax", [x], shapeWith(axis, x), { axis: { int: axis } });
  return graph.differentiable(s, [x], (gradient) => {
    const weighted = emitMultiply(graph, s, gradient);
    return [emitSubtract(graph, weighted, emitMultiply(graph, s, emitSum(graph, weighted, [axis])))];
  });
}

/** l = ln softmax(x); dx = g - exp(l) Σ g. */
export function logSoftmax(graph: GraphBuilder, x: Value, axis: number): Value {
  const l = graph.emit("LogSoftmax", [x], shapeWith(axis, x), { axis: { int: axis } });
  return graph.differentiable(l, [x], (gradient) => {
    const s = graph.emit("Exp", [l], l.shape);
    return [emitSubtract(graph, gradient, emitMultiply(graph, s, emitSum(graph, gradient, [axis])))];
  });
}

/** @returns the shape of `x`, which has that axis. */
function shapeWith(axis: number, x: Value): Value["shape"] {
  if (x.shape[axis] === undefined) throw new ShapeError(`${showShape(x.shape)} has no axis ${axis}`);
  return x.shape;
}
