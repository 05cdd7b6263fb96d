/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000), as PyTorch and ONNX have it:
 * i, o, f = σ(x W + h R + b), g = tanh(x W + h R + b), c ← f c + i g, h ← o tanh(c); the columns of W, R, b in ONNX's order i, o, f, g.
 *
 * Training: one Scan forwards and one backwards. Given dh and dc of a step, u = dh · o (1 - t²) + dc with t = tanh(c), and
 * d(pre-activations) = [u · ig (1-i), dh · h (1-o), u · fc (1-f), u · (i - ig g)], dc ← u f, dh ← d(pre-activations) Rᵀ:
 * each factor is known in the forward pass and computed there. The gradients of all weights are one product after it, [x, h]ᵀ d.
 * Inside, a step is [numbers, batch]: weights on the left of a product are read as they lie, on the right they are packed anew at each step, and
 * gates are cut and joined along the first axis, in one piece.
 * Elsewhere: ONNX's fused node.
 */

import { emitAdd, emitConcat, emitMultiply, emitProduct, emitReshape, emitSplit, emitSubtract, emitSum, emitTranspose } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { emitScan } from "../scan.ts";
import { fixedSize } from "../shape.ts";
import {
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

export interface LstmLayer {
  /** [inputs, 4 · hidden] */
  readonly weights: Value;
  /** [hidden, 4 · hidden] */
  readonly recurrence: Value;
  /** [4 · hidden]; PyTorch's two, added. */
  readonly bias: Value;
}

/**
 * @param x [steps, batch, inputs]: time first, so that a step lies together in memory.
 * @returns [steps, batch, hidden], or [batch, hidden] of the last step. Starts from zeros.
 */
export function lstm(graph: GraphBuilder, x: Value, layer: LstmLayer, options: RecurrentOptions): Value {
  const sizes = recurrentSizes(x, 4, layer);
  return graph.isTraining ? trainedLstm(graph, x, { layer, options, sizes }) : fusedLstm(graph, x, { layer, options, sizes });
}

interface Lstm {
  readonly layer: LstmLayer;
  readonly options: RecurrentOptions;
  readonly sizes: RecurrentSizes;
}

function fusedLstm(graph: GraphBuilder, x: Value, { layer, options, sizes }: Lstm): Value {
  const { steps, hidden } = sizes;
  const batch = x.shape[1] ?? 0;
  const bias = emitReshape(graph, emitConcat(graph, [layer.bias, zerosOf(graph, [4 * hidden])], 0), [1, 8 * hidden]);
  const outputs = graph.emitMany("LSTM", [x, fusedWeights(graph, layer.weights), fusedWeights(graph, layer.recurrence), bias], {
    shapes: [
      [steps, 1, batch, hidden],
      [1, batch, hidden],
    ],
    attributes: { hidden_size: { int: hidden }, direction: { text: options.direction } },
  });
  return fusedStates(graph, outputs, options.states);
}

function trainedLstm(graph: GraphBuilder, x: Value, { layer, options, sizes }: Lstm): Value {
  const { weights, recurrence, bias } = layer;
  const pass = forwardPass(graph, x, { layer, options, sizes });
  return graph.differentiable(pass.states, [x, weights, recurrence, bias], (gradient) => {
    const flat = inRows(graph, backwardPass(graph, pass, { gradient, recurrence, options }));
    const ofBoth = emitProduct(graph, inRows(graph, pass.read), flat, { transposeB: true });
    return [
      x.isDifferentiable ? ofInput(graph, x, { weights, flat }) : null,
      ...emitSplit(graph, ofBoth, { axis: 0, sizes: [sizes.inputs, sizes.hidden] }),
      emitReshape(graph, emitSum(graph, flat, [1]), bias.shape),
    ];
  });
}

/** What the backward pass needs of each step: [steps, …, batch], but for `states`. */
interface ForwardPass {
  readonly states: Value;
  /** What the gates read: x and the hidden state before, one under the other. */
  readonly read: Value;
  /** du/d(dh) */
  readonly ofHidden: Value;
  /** The forget gate. */
  readonly forget: Value;
  /** Factors of [u, dh, u, u] that make the gradients of the pre-activations. */
  readonly ofGates: Value;
}

function forwardPass(graph: GraphBuilder, x: Value, { layer, options, sizes }: Lstm): ForwardPass {
  const { hidden } = sizes;
  const batch = fixedSize(x.shape[1]);
  const parts = { axis: 0, sizes: [3 * hidden, hidden] };
  const both = emitTranspose(graph, emitConcat(graph, [layer.weights, layer.recurrence], 0), [1, 0]);
  const [gateWeights, cellWeights] = emitSplit(graph, both, parts) as [Value, Value];
  const [gateBias, cellBias] = emitSplit(graph, emitReshape(graph, layer.bias, [4 * hidden, 1]), parts) as [Value, Value];
  const start = zerosOf(graph, [hidden, batch]);
  const { final, stacked } = emitScan(graph, {
    initial: [start, start],
    inputs: [emitTranspose(graph, x, [0, 2, 1])],
    isReversed: options.direction === "reverse",
    step: ([before, cellBefore], [input]) => {
      const read = emitConcat(graph, [input as Value, before as Value], 0);
      // Two products, since the runtime fuses each with the activation that follows it.
      const squashed = graph.emit("Sigmoid", [graph.emit("Gemm", [gateWeights, read, gateBias], [3 * hidden, batch])], [3 * hidden, batch]);
      const g = graph.emit("Tanh", [graph.emit("Gemm", [cellWeights, read, cellBias], [hidden, batch])], [hidden, batch]);
      const [i, o, f] = emitSplit(graph, squashed, { axis: 0, sizes: [hidden, hidden, hidden] }) as [Value, Value, Value];
      const kept = emitMultiply(graph, f, cellBefore as Value);
      const written = emitMultiply(graph, i, g);
      const cell = emitAdd(graph, kept, written);
      const t = graph.emit("Tanh", [cell], cell.shape);
      const next = emitMultiply(graph, o, t);
      const shut = emitSubtract(graph, graph.scalar(1), squashed);
      const slopes = emitMultiply(graph, emitConcat(graph, [written, next, kept], 0), shut);
      const ofCell = emitSubtract(graph, i, emitMultiply(graph, written, g));
      const ofHidden = emitSubtract(graph, o, emitMultiply(graph, next, t));
      const stackedHidden = options.states === "all" ? [next] : [];
      return { states: [next, cell], stacked: [read, ofHidden, f, emitConcat(graph, [slopes, ofCell], 0), ...stackedHidden] };
    },
  });
  const [read, ofHidden, forget, ofGates, all] = stacked as [Value, Value, Value, Value, Value?];
  const states = all === undefined ? emitTranspose(graph, final[0] as Value, [1, 0]) : emitTranspose(graph, all, [0, 2, 1]);
  return { states, read, ofHidden, forget, ofGates };
}

/** @returns the gradients of the pre-activations, [steps, 4 · hidden, batch]. */
function backwardPass(
  graph: GraphBuilder,
  pass: ForwardPass,
  { gradient, recurrence, options }: { gradient: Value; recurrence: Value; options: RecurrentOptions },
): Value {
  const { first, before } = hiddenGradients(graph, gradient, options);
  const start = emitTranspose(graph, first, [1, 0]);
  const { stacked } = emitScan(graph, {
    initial: [start, zerosOf(graph, start.shape as readonly number[])],
    inputs: [pass.ofHidden, pass.forget, pass.ofGates, ...(before === null ? [] : [emitTranspose(graph, before, [0, 2, 1])])],
    isReversed: options.direction === "forward",
    step: (states, inputs) => {
      const [ofState, ofCell] = states as [Value, Value];
      const [ofHidden, forget, ofGates, outside] = inputs as [Value, Value, Value, Value?];
      const u = emitAdd(graph, emitMultiply(graph, ofState, ofHidden), ofCell);
      const gates = emitMultiply(graph, emitConcat(graph, [u, ofState, u, u], 0), ofGates);
      const next = graph.emit("Gemm", outside === undefined ? [recurrence, gates] : [recurrence, gates, outside], ofState.shape);
      return { states: [next, emitMultiply(graph, u, forget)], stacked: [gates] };
    },
  });
  return stacked[0] as Value;
}
