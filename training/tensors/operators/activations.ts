/**
 * Element-wise activations, their gradients written in terms of what the forward pass already has. At a kink the slope is the one from the left, as in
 * PyTorch: relu and leaky relu at 0.
 */

import { beforeReshape, emitAdd, emitIsPositive, emitMultiply, emitNegate, emitScaled, emitSquare, emitSubtract } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { reshape } from "./layout.ts";

/** s = 1 / (1 + exp(-x)); ds/dx = s (1 - s). */
export function sigmoid(graph: GraphBuilder, x: Value): Value {
  const s = graph.emit("Sigmoid", [x], x.shape);
  return graph.differentiable(s, [x], (gradient) => [emitMultiply(graph, gradient, sigmoidSlope(graph, s))]);
}

/** t = tanh(x); dt/dx = 1 - t². */
export function tanh(graph: GraphBuilder, x: Value): Value {
  const t = graph.emit("Tanh", [x], x.shape);
  return graph.differentiable(t, [x], (gradient) => {
    const slope = emitSubtract(graph, graph.scalar(1), emitSquare(graph, t));
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

export function relu(graph: GraphBuilder, x: Value): Value {
  return behindArithmetic(graph, x, (inner) => {
    const y = graph.emit("Relu", [inner], inner.shape);
    return graph.differentiable(y, [inner], (gradient) => [emitMultiply(graph, gradient, emitIsPositive(graph, y))]);
  });
}

/** x above 0, else `slope` times x; 0 < slope < 1. */
export function leakyRelu(graph: GraphBuilder, x: Value, slope: number): Value {
  if (!(slope > 0 && slope < 1)) throw new RangeError(`the slope of a leaky relu lies between 0 and 1; it was ${slope}`);
  return behindArithmetic(graph, x, (inner) => {
    const y = graph.emit("LeakyRelu", [inner], inner.shape, { alpha: { float: slope } });
    return graph.differentiable(y, [inner], (gradient) => {
      const steep = emitScaled(graph, y, STEEP);
      return [emitMultiply(graph, gradient, graph.emit("Clip", [steep, graph.scalar(slope), graph.scalar(1)], y.shape))];
    });
  });
}

/** x above 0, else exp(x) - 1 (Clevert et al. 2015, α = 1); d/dx = min(y + 1, 1). */
export function elu(graph: GraphBuilder, x: Value): Value {
  const y = graph.emit("Elu", [x], x.shape);
  return graph.differentiable(y, [x], (gradient) => {
    const slope = graph.emit("Min", [emitAdd(graph, y, graph.scalar(1)), graph.scalar(1)], y.shape);
    return [emitMultiply(graph, gradient, slope)];
  });
}

/**
 * GELU (Hendrycks and Gimpel 2016): x Φ(x) with Φ the normal distribution, by the error function; d/dx = Φ + x φ.
 * With u = x / √2: Φ = (1 + erf u) / 2 and x φ = u exp(-u²) / √π.
 */
export function gelu(graph: GraphBuilder, x: Value): Value {
  const u = emitScaled(graph, x, Math.SQRT1_2);
  const erf = graph.emit("Erf", [u], x.shape);
  // erf stays within ±1, so HardSigmoid is (1 + erf) / 2 in one node.
  const phi = graph.emit("HardSigmoid", [erf], x.shape, { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  return graph.differentiable(emitMultiply(graph, x, phi), [x], (gradient) => {
    const bell = graph.emit("Exp", [emitNegate(graph, emitSquare(graph, u))], x.shape);
    const density = emitMultiply(graph, emitScaled(graph, u, 1 / Math.sqrt(Math.PI)), bell);
    return [emitMultiply(graph, gradient, emitAdd(graph, phi, density))];
  });
}

/** ln(1 + exp(x)), of any size; d/dx is the sigmoid. */
export function softplus(graph: GraphBuilder, x: Value): Value {
  return graph.differentiable(graph.emit("Softplus", [x], x.shape), [x], (gradient) => [
    emitMultiply(graph, gradient, graph.emit("Sigmoid", [x], x.shape)),
  ]);
}

/** max(0, min(1, x / 6 + 1/2)), as PyTorch has it; ONNX's own default slope is 0.2. */
export function hardSigmoid(graph: GraphBuilder, x: Value): Value {
  const y = graph.emit("HardSigmoid", [x], x.shape, { alpha: { float: HARD_SLOPE }, beta: { float: 0.5 } });
  return graph.differentiable(y, [x], (gradient) => {
    const isBetween = emitIsPositive(graph, sigmoidSlope(graph, y));
    return [emitMultiply(graph, gradient, emitScaled(graph, isBetween, HARD_SLOPE))];
  });
}

/** Any normal number above 0, times this, is above 1. */
const STEEP = 1e38;
const HARD_SLOPE = 1 / 6;

/** While training, an activation right behind a convolution or product runs inside of it: onnxruntime sees no reshape between them. */
function behindArithmetic(graph: GraphBuilder, x: Value, activate: (inner: Value) => Value): Value {
  return graph.isTraining ? reshape(graph, activate(beforeReshape(graph, x)), x.shape) : activate(x);
}

function sigmoidSlope(graph: GraphBuilder, s: Value): Value {
  return emitMultiply(graph, s, emitSubtract(graph, graph.scalar(1), s));
}
