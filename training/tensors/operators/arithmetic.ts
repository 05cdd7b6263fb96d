/** Element-wise arithmetic. Operators of two values broadcast; the gradient of what was repeated is summed over the repetitions. */

import { emitAdd, emitDivide, emitMultiply, emitNegate, emitScaled, emitSquare, emitSubtract, emitUnbroadcast } from "../emit.ts";
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
    b.isDifferentiable ? emitUnbroadcast(graph, emitNegate(graph, gradient), b.shape) : null,
  ]);
}

export function multiply(graph: GraphBuilder, a: Value, b: Value): Value {
  return graph.differentiable(emitMultiply(graph, a, b), [a, b], (gradient) => [
    a.isDifferentiable ? emitUnbroadcast(graph, emitMultiply(graph, gradient, b), a.shape) : null,
    b.isDifferentiable ? emitUnbroadcast(graph, emitMultiply(graph, gradient, a), b.shape) : null,
  ]);
}

/** q = a / b; dq/da = 1 / b, dq/db = -q / b. */
export function divide(graph: GraphBuilder, a: Value, b: Value): Value {
  const quotient = emitDivide(graph, a, b);
  return graph.differentiable(quotient, [a, b], (gradient) => {
    const ofA = emitDivide(graph, gradient, b);
    return [
      a.isDifferentiable ? emitUnbroadcast(graph, ofA, a.shape) : null,
      b.isDifferentiable ? emitUnbroadcast(graph, emitNegate(graph, emitMultiply(graph, ofA, quotient)), b.shape) : null,
    ];
  });
}

export function negate(graph: GraphBuilder, x: Value): Value {
  return graph.differentiable(emitNegate(graph, x), [x], (gradient) => [emitNegate(graph, gradient)]);
}

/** Times a fixed number. */
export function scale(graph: GraphBuilder, x: Value, factor: number): Value {
  if (factor === 1) return x;
  return graph.differentiable(emitScaled(graph, x, factor), [x], (gradient) => [emitScaled(graph, gradient, factor)]);
}

/** Plus a fixed number. */
export function shift(graph: GraphBuilder, x: Value, distance: number): Value {
  return graph.differentiable(emitAdd(graph, x, graph.scalar(distance)), [x], (gradient) => [gradient]);
}

export function square(graph: GraphBuilder, x: Value): Value {
  return graph.differentiable(emitSquare(graph, x), [x], (gradient) => [emitMultiply(graph, emitScaled(graph, gradient, 2), x)]);
}

/** r = √x of x above 0, where the slope 1 / 2r is finite. */
export function squareRoot(graph: GraphBuilder, x: Value): Value {
  const root = graph.emit("Sqrt", [x], x.shape);
  return graph.differentiable(root, [x], (gradient) => [emitDivide(graph, emitScaled(graph, gradient, 0.5), root)]);
}

export function exponential(graph: GraphBuilder, x: Value): Value {
  const power = graph.emit("Exp", [x], x.shape);
  return graph.differentiable(power, [x], (gradient) => [emitMultiply(graph, gradient, power)]);
}

/** ln x of x above 0. */
export function logarithm(graph: GraphBuilder, x: Value): Value {
  return graph.differentiable(graph.emit("Log", [x], x.shape), [x], (gradient) => [emitDivide(graph, gradient, x)]);
}

/** The slope at 0 is 0. */
export function absolute(graph: GraphBuilder, x: Value): Value {
  return graph.differentiable(graph.emit("Abs", [x], x.shape), [x], (gradient) => [
    emitMultiply(graph, gradient, graph.emit("Sign", [x], x.shape)),
  ]);
}
