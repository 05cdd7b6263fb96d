/**
 * Gated recurrent unit (Cho et al. 2014), in the form of cuDNN and PyTorch, where the reset gate multiplies the product (ONNX's linear_before_reset):
 * z, r = σ(x W + h R + b), q = h R + b', n = tanh(x W + b + r q), h ← (1-z) n + z h; the columns of W, R, b in ONNX's order z, r, n.
 *
 * Training: one Scan forwards and one backwards. All gradients of a step are multiples of that of its state, dh:
 * dn = dh (1-z) (1-n²) before the tanh, dq = dn r, dr = dn q r (1-r), dz = dh (h - n) z (1-z), and dh ← dh z + [dz, dr, dq] Rᵀ.
 * The gradients of all weights are products after it. Elsewhere: ONNX's fused node.
 */

import { emitAdd, emitConcat, emitMultiply, emitProduct, emitReshape, emitSplit, emitSubtract, emitSum, emitTranspose } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { emitScan } from "../scan.ts";
import { fixedSize } from "../shape.ts";
import {
  expectShape,
  fusedStates,
  fusedWeights,
  hiddenGradients,
  type RecurrentOptions,
  type RecurrentSizes,
  recurrentSizes,
  zerosOf,
} from "./recurrent.ts";

export interface GruLayer {
  /** [inputs, 3 · hidden] */
  readonly weights: Value;
  /** [hidden, 3 · hidden] */
  readonly recurrence: Value;
  /** [3 · hidden]; PyTorch's two added for z and r, that of the input for n. */
  readonly bias: Value;
  /** [hidden] b', PyTorch's bias of the hidden state for n. */
  readonly candidateBias: Value;
}

/**
 * @param x [steps, batch, inputs]: time first, so that a step lies together in memory.
 * @returns [steps, batch, hidden], or [batch, hidden] of the last step. Starts from zeros.
 */
export function gru(graph: GraphBuilder, x: Value, layer: GruLayer, options: RecurrentOptions): Value {
  const sizes = recurrentSizes(x, 3, layer);
  expectShape("candidate bias", layer.candidateBias, [sizes.hidden]);
  return graph.isTraining ? trainedGru(graph, x, { layer, options, sizes }) : fusedGru(graph, x, { layer, options, sizes });
}

interface Gru {
  readonly layer: GruLayer;
  readonly options: RecurrentOptions;
  readonly sizes: RecurrentSizes;
}

function fusedGru(graph: GraphBuilder, x: Value, { layer, options, sizes }: Gru): Value {
  const { steps, hidden } = sizes;
  const batch = x.shape[1] ?? 0;
  const biases = emitConcat(graph, [layer.bias, zerosOf(graph, [2 * hidden]), layer.candidateBias], 0);
  const inputs = [
    x,
    fusedWeights(graph, layer.weights),
    fusedWeights(graph, layer.recurrence),
    emitReshape(graph, biases, [1, 6 * hidden]),
  ];
  const outputs = graph.emitMany("GRU", inputs, {
    shapes: [
      [steps, 1, batch, hidden],
      [1, batch, hidden],
    ],
    attributes: { hidden_size: { int: hidden }, direction: { text: options.direction }, linear_before_reset: { int: 1 } },
  });
  return fusedStates(graph, outputs, options.states);
}

function trainedGru(graph: GraphBuilder, x: Value, { layer, options, sizes }: Gru): Value {
  const { weights, recurrence, bias, candidateBias } = layer;
  const { inputs, hidden } = sizes;
  const rows = fixedSize(x.shape[0]) * fixedSize(x.shape[1]);
  const pass = forwardPass(graph, x, { layer, options, sizes });
  return graph.differentiable(pass.states, [x, weights, recurrence, bias, candidateBias], (gradient) => {
    const backward = backwardPass(graph, pass, { gradient, recurrence, options });
    const [gates, candidate, product] = backward.map((value) => emitReshape(graph, value, [rows, fixedSize(value.shape[2])])) as [
      Value,
      Value,
      Value,
    ];
    const read = emitReshape(graph, pass.read, [rows, inputs + hidden]);
    const parts = { axis: 0, sizes: [inputs, hidden] };
    const [weightsOfGates, recurrenceOfGates] = emitSplit(graph, emitProduct(graph, read, gates, { transposeA: true }), parts) as [
      Value,
      Value,
    ];
    const [, recurrenceOfProduct] = emitSplit(graph, emitProduct(graph, read, product, { transposeA: true }), parts) as [Value, Value];
    const weightsOfCandidate = emitProduct(graph, emitReshape(graph, x, [rows, inputs]), candidate, { transposeA: true });
    const biases = [gates, candidate, product].map((value) => emitReshape(graph, emitSum(graph, value, [0]), value.shape.slice(1)));
    const [biasOfGates, biasOfCandidate, biasOfProduct] = biases as [Value, Value, Value];
    return [
      x.isDifferentiable ? emitReshape(graph, ofInput(graph, weights, { gates, candidate }), x.shape) : null,
      emitConcat(graph, [weightsOfGates, weightsOfCandidate], 1),
      emitConcat(graph, [recurrenceOfGates, recurrenceOfProduct], 1),
      emitConcat(graph, [biasOfGates, biasOfCandidate], 0),
      biasOfProduct,
    ];
  });
}

function ofInput(graph: GraphBuilder, weights: Value, { gates, candidate }: { gates: Value; candidate: Value }): Value {
  const both = emitConcat(graph, [gates, candidate], 1);
  return emitProduct(graph, both, weights, { transposeB: true });
}

/** What the backward pass needs of each step: [steps, batch, …]. */
interface ForwardPass {
  readonly states: Value;
  /** What the gates read: x and the hidden state before, side by side. */
  readonly read: Value;
  /** z, by which the state before is kept. */
  readonly kept: Value;
  /** dz, dr, dq over dh, side by side. */
  readonly ofGates: Value;
  /** dn over dh. */
  readonly ofCandidate: Value;
}

function forwardPass(graph: GraphBuilder, x: Value, { layer, options, sizes }: Gru): ForwardPass {
  const { hidden } = sizes;
  const batch = fixedSize(x.shape[1]);
  const parts = (value: Value, axis: number): [Value, Value] =>
    emitSplit(graph, value, { axis, sizes: [2 * hidden, hidden] }) as [Value, Value];
  const [gateInput, candidateInput] = parts(layer.weights, 1);
  const [gateRecurrence, candidateRecurrence] = parts(layer.recurrence, 1);
  const [gateBias, inputBias] = parts(layer.bias, 0);
  const gateWeights = emitConcat(graph, [gateInput, gateRecurrence], 0);
  const one = graph.scalar(1);
  const { final, stacked } = emitScan(graph, {
    initial: [zerosOf(graph, [batch, hidden])],
    inputs: [x],
    isReversed: options.direction === "reverse",
    step: ([state], [input]) => {
      const before = state as Value;
      const read = emitConcat(graph, [input as Value, before], 1);
      const gates = graph.emit("Sigmoid", [graph.emit("Gemm", [read, gateWeights, gateBias], [batch, 2 * hidden])], [batch, 2 * hidden]);
      const [z, r] = emitSplit(graph, gates, { axis: 1, sizes: [hidden, hidden] }) as [Value, Value];
      const q = graph.emit("Gemm", [before, candidateRecurrence, layer.candidateBias], before.shape);
      const reset = emitMultiply(graph, r, q);
      const fromInput = graph.emit("Gemm", [input as Value, candidateInput, inputBias], before.shape);
      const n = graph.emit("Tanh", [emitAdd(graph, fromInput, reset)], before.shape);
      const moved = emitMultiply(graph, z, emitSubtract(graph, before, n));
      const next = emitAdd(graph, n, moved);
      const open = emitSubtract(graph, one, z);
      const ofCandidate = emitMultiply(graph, open, emitSubtract(graph, one, emitMultiply(graph, n, n)));
      const ofProduct = emitMultiply(graph, ofCandidate, r);
      const ofReset = emitMultiply(graph, emitMultiply(graph, ofCandidate, reset), emitSubtract(graph, one, r));
      const ofGates = emitConcat(graph, [emitMultiply(graph, moved, open), ofReset, ofProduct], 1);
      return { states: [next], stacked: [read, z, ofGates, ofCandidate, ...(options.states === "all" ? [next] : [])] };
    },
  });
  const [read, kept, ofGates, ofCandidate, all] = stacked as [Value, Value, Value, Value, Value?];
  return { states: all ?? (final[0] as Value), read, kept, ofGates, ofCandidate };
}

/** @returns the gradients of z and r before the sigmoid, of n before the tanh, and of q: [steps, batch, …]. */
function backwardPass(
  graph: GraphBuilder,
  pass: ForwardPass,
  { gradient, recurrence, options }: { gradient: Value; recurrence: Value; options: RecurrentOptions },
): Value[] {
  const { first, before } = hiddenGradients(graph, gradient, options);
  const hidden = fixedSize(recurrence.shape[0]);
  const transposed = emitTranspose(graph, recurrence, [1, 0]);
  const { stacked } = emitScan(graph, {
    initial: [first],
    inputs: [pass.kept, pass.ofGates, pass.ofCandidate, ...(before === null ? [] : [before])],
    isReversed: options.direction === "forward",
    step: (states, inputs) => {
      const [ofState] = states as [Value];
      const [kept, ofGates, ofCandidate, outside] = inputs as [Value, Value, Value, Value?];
      const all = emitMultiply(graph, emitConcat(graph, [ofState, ofState, ofState], 1), ofGates);
      const carried = emitMultiply(graph, ofState, kept);
      const beside = outside === undefined ? carried : emitAdd(graph, carried, outside);
      const next = graph.emit("Gemm", [all, transposed, beside], ofState.shape);
      const [gates, product] = emitSplit(graph, all, { axis: 1, sizes: [2 * hidden, hidden] }) as [Value, Value];
      return { states: [next], stacked: [gates, emitMultiply(graph, ofState, ofCandidate), product] };
    },
  });
  return stacked;
}
