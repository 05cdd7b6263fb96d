/** Element-wise sums and products with broadcasting. The gradient of what was repeated is summed over the repetitions. */

import { emitAdd, emitMultiply, emitSubtract, emitUnbroadcast } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";

export function add(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.differentiable(emitAdd(graph, a, b), [a, b], (gradient) => [
    a.isDifferentiable ? emitUnbroadcast(graph, gradient, a.shape) : null,
    b.isDifferentiable ? emitUnbroadcast(graph, gradient, b.shape) : null,
  ]);
}

export function subtract(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.differentiable(emitSubtract(graph, a, b), [a, b], (gradient) => [
    a.isDifferentiable ? emitUnbroadcast(graph, gradient, a.shape) : null,
    b.isDifferentiable ? emitUnbroadcast(graph, graph.emit("Neg", [gradient], gradient.shape), b.shape) : null,
  ]);
}

export function multiply(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.differentiable(emitMultiply(graph, a, b), [a, b], (gradient) => [
    a.isDifferentiable ? emitUnbroadcast(graph, emitMultiply(graph, gradient, b), a.shape) : null,
    b.isDifferentiable ? emitUnbroadcast(graph, emitMultiply(graph, gradient, a), b.shape) : null,
  ]);
}
