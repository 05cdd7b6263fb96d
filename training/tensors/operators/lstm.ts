/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers 2000), as PyTorch and ONNX have it:
 * i, o, f = σ(x W + h R + b), g = tanh(x W + h R + b), c ← f c + i g, h ← o tanh(c); the columns of W, R, b in ONNX's order i, o, f, g.
 *
 * Training: one Scan forwards and one backwards. Given dh and dc of a step, u = dh · o (1 - t²) + dc with t = tanh(c), and
 * d(pre-activations) = [u · ig (1-i), dh · h (1-o), u · fc (1-f), u · (i - ig g)], dc ← u f, dh ← d(pre-activations) Rᵀ:
 * each factor is known in the forward pass and computed there. The gradients of all weights are one product after it, [x, h]ᵀ d.
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
    const ofGates = backwardPass(graph, pass, { gradient, recurrence, options });
    const rows = fixedSize(x.shape[0]) * fixedSize(x.shape[1]);
    const flat = emitReshape(graph, ofGates, [rows, 4 * sizes.hidden]);
    const read = emitReshape(graph, pass.read, [rows, sizes.inputs + sizes.hidden]);
    const ofWeights = emitSplit(graph, emitProduct(graph, read, flat, { transposeA: true }), {
      axis: 0,
      sizes: [sizes.inputs, sizes.hidden],
    });
    return [
      x.isDifferentiable ? emitReshape(graph, emitProduct(graph, flat, weights, { transposeB: true }), x.shape) : null,
      ...ofWeights,
      emitReshape(graph, emitSum(graph, flat, [0]), bias.shape),
    ];
  });
}

/** What the backward pass needs of each step: [steps, batch, …]. */
interface ForwardPass {
  readonly states: Value;
  /** What the gates read: x and the hidden state before, side by side. */
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
  const gates = { axis: 1, sizes: [3 * hidden, hidden] };
  const [gateWeights, cellWeights] = emitSplit(graph, emitConcat(graph, [layer.weights, layer.recurrence], 0), gates) as [Value, Value];
  const [gateBias, cellBias] = emitSplit(graph, layer.bias, { ...gates, axis: 0 }) as [Value, Value];
  const start = zerosOf(graph, [batch, hidden]);
  const { final, stacked } = emitScan(graph, {
    initial: [start, start],
    inputs: [x],
    isReversed: options.direction === "reverse",
    step: ([before, cellBefore], [input]) => {
      const read = emitConcat(graph, [input as Value, before as Value], 1);
      // Two products, since the runtime fuses each with the activation that follows it.
      const squashed = graph.emit("Sigmoid", [graph.emit("Gemm", [read, gateWeights, gateBias], [batch, 3 * hidden])], [batch, 3 * hidden]);
      const g = graph.emit("Tanh", [graph.emit("Gemm", [read, cellWeights, cellBias], [batch, hidden])], [batch, hidden]);
      const [i, o, f] = emitSplit(graph, squashed, { axis: 1, sizes: [hidden, hidden, hidden] }) as [Value, Value, Value];
      const kept = emitMultiply(graph, f, cellBefore as Value);
      const written = emitMultiply(graph, i, g);
      const cell = emitAdd(graph, kept, written);
      const t = graph.emit("Tanh", [cell], cell.shape);
      const next = emitMultiply(graph, o, t);
      const slopes = emitMultiply(graph, emitConcat(graph, [written, next, kept], 1), emitSubtract(graph, graph.scalar(1), squashed));
      const ofCell = emitSubtract(graph, i, emitMultiply(graph, written, g));
      const ofHidden = emitSubtract(graph, o, emitMultiply(graph, next, t));
      const stackedHidden = options.states === "all" ? [next] : [];
      return { states: [next, cell], stacked: [read, ofHidden, f, emitConcat(graph, [slopes, ofCell], 1), ...stackedHidden] };
    },
  });
  const [read, ofHidden, forget, ofGates, all] = stacked as [Value, Value, Value, Value, Value?];
  return { states: all ?? (final[0] as Value), read, ofHidden, forget, ofGates };
}

/** @returns the gradients of the pre-activations, [steps, batch, 4 · hidden]. */
function backwardPass(
  graph: GraphBuilder,
  pass: ForwardPass,
  { gradient, recurrence, options }: { gradient: Value; recurrence: Value; options: RecurrentOptions },
): Value {
  const { first, before } = hiddenGradients(graph, gradient, options);
  const transposed = emitTranspose(graph, recurrence, [1, 0]);
  const { stacked } = emitScan(graph, {
    initial: [first, zerosOf(graph, first.shape as readonly number[])],
    inputs: [pass.ofHidden, pass.forget, pass.ofGates, ...(before === null ? [] : [before])],
    isReversed: options.direction === "forward",
    step: (states, inputs) => {
      const [ofState, ofCell] = states as [Value, Value];
      const [ofHidden, forget, ofGates, outside] = inputs as [Value, Value, Value, Value?];
      const u = emitAdd(graph, emitMultiply(graph, ofState, ofHidden), ofCell);
      const gates = emitMultiply(graph, emitConcat(graph, [u, ofState, u, u], 1), ofGates);
      const next = graph.emit("Gemm", outside === undefined ? [gates, transposed] : [gates, transposed, outside], ofState.shape);
      return { states: [next, emitMultiply(graph, u, forget)], stacked: [gates] };
    },
  });
  return stacked[0] as Value;
}
