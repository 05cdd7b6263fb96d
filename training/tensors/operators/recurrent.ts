/** What LSTM and GRU share: shapes, the gradients of all hidden states or of the last alone, and the weights as ONNX's fused nodes want them. */

import { emitConcat, emitProduct, emitReshape, emitSlice, emitTranspose } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, isSameShape, type Shape, ShapeError, showShape } from "../shape.ts";

/** "forward" reads from the first step to the last. */
export type Direction = "forward" | "reverse";

/** "all": the hidden states [steps, batch, hidden], in the order of time. "last": [batch, hidden], after the step that was read last. */
export type HiddenStates = "all" | "last";

export interface RecurrentOptions {
  readonly direction: Direction;
  readonly states: HiddenStates;
}

export interface RecurrentSizes {
  readonly steps: number;
  readonly inputs: number;
  readonly hidden: number;
}

/** Throws a ShapeError when the weights can't take x or disagree about the hidden size. */
export function recurrentSizes(x: Value, gates: number, layer: { weights: Value; recurrence: Value; bias: Value }): RecurrentSizes {
  const [steps, batch, inputs] = x.shape;
  const hidden = fixedSize(layer.recurrence.shape[0]);
  if (x.shape.length !== 3 || batch === undefined) throw new ShapeError(`takes [steps, batch, inputs], not ${showShape(x.shape)}`);
  expectShape("weights", layer.weights, [inputs ?? 0, gates * hidden]);
  expectShape("recurrence", layer.recurrence, [hidden, gates * hidden]);
  expectShape("bias", layer.bias, [gates * hidden]);
  return { steps: fixedSize(steps), inputs: fixedSize(inputs), hidden };
}

export function expectShape(name: string, value: Value, shape: Shape): void {
  if (!isSameShape(value.shape, shape)) throw new ShapeError(`${name} of ${showShape(value.shape)} where ${showShape(shape)} is wanted`);
}

/**
 * The gradient of the hidden states as the backward recurrence takes it.
 * @returns `first`: of the state that was computed last. `before`: for each step the gradient that the state before it got from outside,
 * [steps, batch, hidden]; null when only the last state was given out.
 */
export function hiddenGradients(graph: GraphBuilder, gradient: Value, options: RecurrentOptions): { first: Value; before: Value | null } {
  if (options.states === "last") return { first: gradient, before: null };
  const [steps, ...one] = gradient.shape.map(fixedSize) as [number, ...number[]];
  const isReversed = options.direction === "reverse";
  const end = isReversed ? 0 : steps - 1;
  const first = emitReshape(graph, emitSlice(graph, gradient, { axis: 0, from: end, to: end + 1 }), one);
  const nothing = zerosOf(graph, [1, ...one]);
  if (steps === 1) return { first, before: nothing };
  const rest = emitSlice(graph, gradient, { axis: 0, from: isReversed ? 1 : 0, to: isReversed ? steps : steps - 1 });
  return { first, before: emitConcat(graph, isReversed ? [rest, nothing] : [nothing, rest], 0) };
}

/** [steps, rows, batch] to [rows, steps · batch] */
export function inRows(graph: GraphBuilder, value: Value): Value {
  const [steps, rows, batch] = value.shape.map(fixedSize) as [number, number, number];
  return emitReshape(graph, emitTranspose(graph, value, [1, 0, 2]), [rows, steps * batch]);
}

/** The gradient of x, of those before the activations: `flat` is [gates · hidden, steps · batch]. */
export function ofInput(graph: GraphBuilder, x: Value, { weights, flat }: { weights: Value; flat: Value }): Value {
  const [steps, batch, inputs] = x.shape.map(fixedSize) as [number, number, number];
  return emitTranspose(graph, emitReshape(graph, emitProduct(graph, weights, flat), [inputs, steps, batch]), [1, 2, 0]);
}

/** [1, gates · hidden, in] from [in, gates · hidden] */
export function fusedWeights(graph: GraphBuilder, weights: Value): Value {
  const [inputs, outputs] = weights.shape.map(fixedSize) as [number, number];
  return emitReshape(graph, emitTranspose(graph, weights, [1, 0]), [1, outputs, inputs]);
}

/** What a fused node gave, [steps, 1, batch, hidden] and [1, batch, hidden], without the axis of directions. */
export function fusedStates(graph: GraphBuilder, outputs: readonly Value[], states: HiddenStates): Value {
  const [all, last] = outputs as [Value, Value];
  if (states === "last") return emitReshape(graph, last, last.shape.slice(1));
  return emitReshape(graph, all, [all.shape[0] ?? 0, ...all.shape.slice(2)]);
}

export function zerosOf(graph: GraphBuilder, shape: readonly number[]): Value {
  return graph.constant(new Float32Array(shape.reduce((product, size) => product * size, 1)), shape);
}
