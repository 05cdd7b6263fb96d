/**
 * Gated recurrent unit (Cho et al. 2014), in the form of cuDNN and PyTorch, where the reset gate multiplies the product (ONNX's linear_before_reset):
 * z, r = σ(x W + h R + b), q = h R + b', n = tanh(x W + b + r q), h ← (1-z) n + z h; the columns of W, R, b in ONNX's order z, r, n.
 *
 * Training: one Scan forwards and one backwards. All gradients of a step are multiples of that of its state, dh:
 * dn = dh (1-z) (1-n²) before the tanh, dq = dn r, dr = dn q r (1-r), dz = dh (h - n) z (1-z), and dh ← dh z + [dz, dr, dq] Rᵀ.
 * The gradients of all weights are products after it. Inside, a step is [numbers, batch], for what lstm.ts says. Elsewhere: ONNX's fused node.
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
  inRows,
  ofInput,
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
  const { hidden } = sizes;
  const pass = forwardPass(graph, x, { layer, options, sizes });
  return graph.differentiable(pass.states, [x, weights, recurrence, bias, candidateBias], (gradient) => {
    const all = inRows(graph, backwardPass(graph, pass, { gradient, recurrence, options }));
    const parts = emitSplit(graph, all, { axis: 0, sizes: [2 * hidden, hidden, hidden] }) as [Value, Value, Value];
    const [gates, product, candidate] = parts;
    const ofInputs = emitConcat(graph, [gates, candidate], 0);
    const ofStates = emitConcat(graph, [gates, product], 0);
    return [
      x.isDifferentiable ? ofInput(graph, x, { weights, flat: ofInputs }) : null,
      emitProduct(graph, inRows(graph, pass.turned), ofInputs, { transposeB: true }),
      emitProduct(graph, inRows(graph, pass.before), ofStates, { transposeB: true }),
      emitReshape(graph, emitSum(graph, ofInputs, [1]), bias.shape),
      emitReshape(graph, emitSum(graph, product, [1]), candidateBias.shape),
    ];
  });
}

/** What the backward pass needs of each step: [steps, …, batch], but for `states`. */
interface ForwardPass {
  readonly states: Value;
  /** x */
  readonly turned: Value;
  /** The hidden state before. */
  readonly before: Value;
  /** z, by which the state before is kept. */
  readonly kept: Value;
  /** dz, dr, dq, dn over dh, one under the other. */
  readonly factors: Value;
}

function forwardPass(graph: GraphBuilder, x: Value, { layer, options, sizes }: Gru): ForwardPass {
  const { hidden } = sizes;
  const batch = fixedSize(x.shape[1]);
  const parts = (value: Value): [Value, Value] => emitSplit(graph, value, { axis: 0, sizes: [2 * hidden, hidden] }) as [Value, Value];
  const [gateInput, candidateInput] = parts(emitTranspose(graph, layer.weights, [1, 0]));
  const [gateRecurrence, candidateRecurrence] = parts(emitTranspose(graph, layer.recurrence, [1, 0]));
  const [gateBias, inputBias] = parts(emitReshape(graph, layer.bias, [3 * hidden, 1]));
  const productBias = emitReshape(graph, layer.candidateBias, [hidden, 1]);
  const gateWeights = emitConcat(graph, [gateInput, gateRecurrence], 1);
  const one = graph.scalar(1);
  const turned = emitTranspose(graph, x, [0, 2, 1]);
  const { final, stacked } = emitScan(graph, {
    initial: [zerosOf(graph, [hidden, batch])],
    inputs: [turned],
    isReversed: options.direction === "reverse",
    step: ([state], [input]) => {
      const before = state as Value;
      const read = emitConcat(graph, [input as Value, before], 0);
      const gates = graph.emit("Sigmoid", [graph.emit("Gemm", [gateWeights, read, gateBias], [2 * hidden, batch])], [2 * hidden, batch]);
      const [z, r] = emitSplit(graph, gates, { axis: 0, sizes: [hidden, hidden] }) as [Value, Value];
      const q = graph.emit("Gemm", [candidateRecurrence, before, productBias], before.shape);
      const reset = emitMultiply(graph, r, q);
      const fromInput = graph.emit("Gemm", [candidateInput, input as Value, inputBias], before.shape);
      const n = graph.emit("Tanh", [emitAdd(graph, fromInput, reset)], before.shape);
      const moved = emitMultiply(graph, z, emitSubtract(graph, before, n));
      const next = emitAdd(graph, n, moved);
      const open = emitSubtract(graph, one, z);
      const ofCandidate = emitMultiply(graph, open, emitSubtract(graph, one, emitMultiply(graph, n, n)));
      const ofProduct = emitMultiply(graph, ofCandidate, r);
      const ofReset = emitMultiply(graph, emitMultiply(graph, ofCandidate, reset), emitSubtract(graph, one, r));
      const factors = emitConcat(graph, [emitMultiply(graph, moved, open), ofReset, ofProduct, ofCandidate], 0);
      return { states: [next], stacked: [before, z, factors, ...(options.states === "all" ? [next] : [])] };
    },
  });
  const [before, kept, factors, all] = stacked as [Value, Value, Value, Value?];
  const states = all === undefined ? emitTranspose(graph, final[0] as Value, [1, 0]) : emitTranspose(graph, all, [0, 2, 1]);
  return { states, turned, before, kept, factors };
}

/** @returns the gradients of z and r before the sigmoid, of q, and of n before the tanh: [steps, 4 · hidden, batch]. */
function backwardPass(
  graph: GraphBuilder,
  pass: ForwardPass,
  { gradient, recurrence, options }: { gradient: Value; recurrence: Value; options: RecurrentOptions },
): Value {
  const { first, before } = hiddenGradients(graph, gradient, options);
  const hidden = fixedSize(recurrence.shape[0]);
  const { stacked } = emitScan(graph, {
    initial: [emitTranspose(graph, first, [1, 0])],
    inputs: [pass.kept, pass.factors, ...(before === null ? [] : [emitTranspose(graph, before, [0, 2, 1])])],
    isReversed: options.direction === "forward",
    step: (states, inputs) => {
      const [ofState] = states as [Value];
      const [kept, factors, outside] = inputs as [Value, Value, Value?];
      const all = emitMultiply(graph, emitConcat(graph, [ofState, ofState, ofState, ofState], 0), factors);
      const [ofRecurrence] = emitSplit(graph, all, { axis: 0, sizes: [3 * hidden, hidden] }) as [Value, Value];
      const carried = emitMultiply(graph, ofState, kept);
      const beside = outside === undefined ? carried : emitAdd(graph, carried, outside);
      return { states: [graph.emit("Gemm", [recurrence, ofRecurrence, beside], ofState.shape)], stacked: [all] };
    },
  });
  return stacked[0] as Value;
}
