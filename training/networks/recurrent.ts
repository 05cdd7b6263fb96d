/**
 * The families `lstm`, `gru` and `bilstm`: recurrent layers over the window, the last state through dense layers.
 *
 * `lstm` is Tsantekidis et al. 2017, LSTM 40 and 64 leaky units; its large form is that of Sirignano and Cont 2018, three layers of 150 and a ReLU layer.
 * `bilstm` is 128 units each way, then 64 and 32 (bhulston/Time-Series-Prediction-with-LSTM-and-XGB). `gru` has 64 units, as the other networks' LSTMs do.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { leakyRelu, relu } from "../tensors/operators/activations.ts";
import { bidirectional } from "../tensors/operators/bidirectional.ts";
import { transpose } from "../tensors/operators/layout.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, dense, gruLayer, lstmLayer, type RecurrentLayerOptions } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

interface Sizes {
  /** Of each recurrent layer. */
  readonly hidden: readonly number[];
  readonly dense: readonly number[];
}

type Layer = (graph: GraphBuilder, x: Value, options: RecurrentLayerOptions) => Value;
type Activation = (graph: GraphBuilder, x: Value) => Value;

/** Of leaky units where a source doesn't say: Keras' and PyTorch's papers both use it. */
const LEAK = 0.01;

const LSTM_SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { hidden: [16], dense: [16] },
  paper: { hidden: [40], dense: [64] },
  large: { hidden: [150, 150, 150], dense: [150] },
};

const GRU_SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { hidden: [16], dense: [16] },
  paper: { hidden: [64], dense: [64] },
  large: { hidden: [150, 150, 150], dense: [150] },
};

const BILSTM_SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { hidden: [16], dense: [16] },
  paper: { hidden: [128], dense: [64, 32] },
  large: { hidden: [128, 128], dense: [64, 32] },
};

export const lstmOf: NetworkOf = ({ outputs, size }) =>
  recurrentNetwork({ layer: lstmLayer, activation: leaky, outputs, sizes: LSTM_SIZES[size] });

export const gruOf: NetworkOf = ({ outputs, size }) =>
  recurrentNetwork({ layer: gruLayer, activation: leaky, outputs, sizes: GRU_SIZES[size] });

export const bilstmOf: NetworkOf = ({ outputs, size }) => {
  const bothWays: Layer = (graph, x, { name, hidden, states }) =>
    graph.scope(name, () => bidirectional(graph, (direction) => lstmLayer(graph, x, { name: "lstm", hidden, direction, states })));
  return recurrentNetwork({ layer: bothWays, activation: relu, outputs, sizes: BILSTM_SIZES[size] });
};

/** [rows, steps, columns] as recurrent layers take it, [steps, rows, columns]. */
export function timeFirst(graph: GraphBuilder, x: Value): Value {
  return transpose(graph, x, [1, 0, 2]);
}

function recurrentNetwork(parts: { layer: Layer; activation: Activation; outputs: number; sizes: Sizes }): ReturnType<NetworkOf> {
  const { layer, activation, outputs, sizes } = parts;
  return (graph, input) => {
    let value = timeFirst(graph, input);
    for (const [index, hidden] of sizes.hidden.entries()) {
      const states = index === sizes.hidden.length - 1 ? "last" : "all";
      value = layer(graph, value, { name: `recurrent${index + 1}`, hidden, direction: "forward", states });
    }
    for (const [index, width] of sizes.dense.entries())
      value = activation(graph, dense(graph, value, { name: `hidden${index + 1}`, width }));
    return answerLayer(graph, value, outputs);
  };
}

function leaky(graph: GraphBuilder, x: Value): Value {
  return leakyRelu(graph, x, LEAK);
}
