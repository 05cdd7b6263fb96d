/**
 * The families `mlplob` and `tlob` (Berti and Kasneci 2025, "TLOB"): bilinear normalisation, a dense embedding, then layers that mix features and layers that
 * mix time by turns, the last pair narrowing both to a quarter, and dense layers that quarter what is left until 128 numbers remain.
 *
 * mlplob mixes by MLPs of one hidden layer, GELU, a shortcut and layer norm; tlob by self-attention of one head, with sinusoidal positions, and such an MLP
 * behind it. Attention over features takes each feature's whole window as its vector.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { gelu } from "../tensors/operators/activations.ts";
import { add } from "../tensors/operators/arithmetic.ts";
import { attention } from "../tensors/operators/attention.ts";
import { reshape, transpose } from "../tensors/operators/layout.ts";
import { sinusoidalPositions } from "../tensors/operators/positions.ts";
import { fixedSize } from "../tensors/shape.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, dense } from "./layers.ts";
import { bilinearNormalised, normalisedRows } from "./normalisation.ts";
import type { NetworkSize } from "./settings.ts";

interface Sizes {
  /** Of the embedding. */
  readonly hidden: number;
  /** Pairs of layers, the narrowing one among them. */
  readonly pairs: number;
  /** Times the width: the hidden layer of each MLP. */
  readonly expansion: number;
}

const MLPLOB_SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { hidden: 16, pairs: 2, expansion: 1 },
  paper: { hidden: 40, pairs: 3, expansion: 4 },
  large: { hidden: 128, pairs: 3, expansion: 4 },
};

const TLOB_SIZES: Readonly<Record<NetworkSize, Sizes>> = {
  small: { hidden: 16, pairs: 2, expansion: 1 },
  paper: { hidden: 40, pairs: 4, expansion: 4 },
  large: { hidden: 128, pairs: 4, expansion: 4 },
};

/** Of width and of time in the last pair. */
const NARROWING = 4;
/** Dense layers end here. */
const MOST_BEFORE_ANSWER = 128;

/** From [rows, steps, width] to [rows, steps, narrowed or the same]: over the last axis alone. */
type Mixer = (graph: GraphBuilder, x: Value, options: { width: number; expansion: number }) => Value;

export const mlplobOf: NetworkOf = ({ size, outputs }) => {
  const sizes = MLPLOB_SIZES[size];
  return (graph, input) => {
    const embedded = dense(graph, bilinearNormalised(graph, input, "normalisation"), { name: "embedding", width: sizes.hidden });
    return answerLayer(graph, reduced(graph, mixed(graph, embedded, { sizes, mixer: perceptron })), outputs);
  };
};

export const tlobOf: NetworkOf = ({ size, window, outputs }) => {
  const sizes = TLOB_SIZES[size];
  return (graph, input) => {
    const embedded = dense(graph, bilinearNormalised(graph, input, "normalisation"), { name: "embedding", width: sizes.hidden });
    const placed = add(graph, embedded, sinusoidalPositions(graph, window, sizes.hidden));
    return answerLayer(graph, reduced(graph, mixed(graph, placed, { sizes, mixer: attentive })), outputs);
  };
};

function mixed(graph: GraphBuilder, x: Value, { sizes, mixer }: { sizes: Sizes; mixer: Mixer }): Value {
  const { pairs, expansion } = sizes;
  let value = x;
  for (let pair = 1; pair <= pairs; pair++) {
    // The first turn sees a row of features for each step, the second a row of steps for each feature.
    for (const turn of ["plain", "turned"]) {
      const width = fixedSize(value.shape[2]);
      const next = graph.scope(`pair${pair}.${turn}`, () =>
        mixer(graph, value, { width: pair === pairs ? Math.max(1, Math.floor(width / NARROWING)) : width, expansion }),
      );
      value = transpose(graph, next, [0, 2, 1]);
    }
  }
  return value;
}

/** Dense, GELU, dense; a shortcut and layer norm where the width stays. */
function perceptron(graph: GraphBuilder, x: Value, { width, expansion }: { width: number; expansion: number }): Value {
  const hidden = gelu(graph, dense(graph, x, { name: "open", width: expansion * fixedSize(x.shape[2]) }));
  const closed = dense(graph, hidden, { name: "close", width });
  return width === x.shape[2] ? normalisedRows(graph, add(graph, x, closed), "norm") : gelu(graph, closed);
}

function attentive(graph: GraphBuilder, x: Value, options: { width: number; expansion: number }): Value {
  const width = fixedSize(x.shape[2]);
  const project = (name: string): Value => dense(graph, x, { name, width });
  const inputs = { queries: project("queries"), keys: project("keys"), values: project("values") };
  const attended = dense(graph, attention(graph, inputs, { heads: 1 }), { name: "joined", width });
  const settled = normalisedRows(graph, add(graph, x, attended), "attention_norm");
  return graph.scope("perceptron", () => perceptron(graph, settled, options));
}

/** [rows, …] in one row each, quartered by dense layers until few numbers are left. */
function reduced(graph: GraphBuilder, x: Value): Value {
  const [rows = "batch", ...sizes] = x.shape;
  let width = sizes.reduce<number>((product, size) => product * fixedSize(size), 1);
  let value = reshape(graph, x, [rows, width]);
  for (let layer = 1; width > MOST_BEFORE_ANSWER; layer++) {
    width = Math.floor(width / NARROWING);
    value = gelu(graph, dense(graph, value, { name: `reduced${layer}`, width }));
  }
  return value;
}
