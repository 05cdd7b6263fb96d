/** Element-wise activations, their gradients written in terms of what the forward pass already has. */

import { emitAdd, emitMultiply, emitSubtract } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";

/** s = 1 / (1 + exp(-x)); ds/dx = s (1 - s). */
export function sigmoid(graph: GraphBuilder, x: Value): Value {
  const s = graph.emit("Sigmoid", [x], x.shape);
  return graph.differentiable(s, [x], (gradient) => [emitMultiply(graph, gradient, sigmoidSlope(graph, s))]);
}

/** t = tanh(x); dt/dx = 1 - t². */
export function tanh(graph: GraphBuilder, x: Value): Value {
  const t = graph.emit("Tanh", [x], x.shape);
  return graph.differentiable(t, [x], (gradient) => {
    const slope = emitSubtract(graph, graph.scalar(1), emitMultiply(graph, t, t));
    return [emitMultiply(graph, gradient, slope)];
  });
}

/** SiLU: x s(x) with s the sigmoid; d/dx = s + x s (1 - s). */
export function silu(graph: GraphBuilder, x: Value): Value {
  const s = graph.emit("Sigmoid", [x], x.shape);
  return graph.differentiable(emitMultiply(graph, x, s), [x], (gradient) => {
    const slope = emitAdd(graph, s, emitMultiply(graph, x, sigmoidSlope(graph, s)));
    return [emitMultiply(graph, gradient, slope)];
  });
}

function sigmoidSlope(graph: GraphBuilder, s: Value): Value {
  return emitMultiply(graph, s, emitSubtract(graph, graph.scalar(1), s));
}
