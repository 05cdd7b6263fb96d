/**
 * The layer stack of the model family `binctabl`: bilinear normalisation, two bilinear layers, one with temporal attention; X is [features, time].
 *
 * BL: φ(W₁ X W₂ + B), 40 x 10 to 60 x 10 to 120 x 5. TABL: X̄ = W₁ X, E = X̄ W with W's diagonal fixed at 1/T, A = softmax of E's rows,
 * X̃ = λ (X̄ ∘ A) + (1 - λ) X̄, Y = X̃ W₂ + B, n x 1 (Tran et al. 2019). Dropout 0.1 behind the BL layers, each matrix held within the norm 10.
 * λ lies in [0, 1] as the sigmoid of what is learnt, and starts at 1/2; in the paper it is cut off there.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { heUniform, type Initialiser, zeros } from "../tensors/initialisers.ts";
import { relu, sigmoid } from "../tensors/operators/activations.ts";
import { add, multiply, subtract } from "../tensors/operators/arithmetic.ts";
import { dropout } from "../tensors/operators/dropout.ts";
import { reshape, transpose } from "../tensors/operators/layout.ts";
import { linear } from "../tensors/operators/linear.ts";
import { softmax } from "../tensors/operators/softmax.ts";
import { fixedSize } from "../tensors/shape.ts";
import type { NetworkOf } from "./contract.ts";
import { bilinearNormalised } from "./normalisation.ts";
import type { NetworkSize } from "./settings.ts";

const DROPOUT = 0.1;
const MAX_NORM = 10;

/** Features and steps of each BL layer. */
const LAYERS: Readonly<Record<NetworkSize, readonly (readonly [number, number])[]>> = {
  small: [
    [30, 10],
    [30, 5],
  ],
  paper: [
    [60, 10],
    [120, 5],
  ],
  large: [
    [120, 10],
    [240, 5],
  ],
};

export const binctablOf: NetworkOf = ({ size, outputs }) => {
  return (graph, input) => {
    // [rows, time, features] all along, so that each product is one Gemm; the papers' matrices are the transposed.
    let value = bilinearNormalised(graph, input, "normalisation");
    for (const [index, [features, steps]] of LAYERS[size].entries()) {
      const layer = { name: `bilinear${index + 1}`, features, steps };
      value = dropout(graph, relu(graph, bilinear(graph, value, layer)), DROPOUT);
    }
    return graph.scope("attention", () => attentive(graph, value, outputs));
  };
};

/** [rows, time, features] to [rows, steps, features]. */
function bilinear(graph: GraphBuilder, x: Value, layer: { name: string; features: number; steps: number }): Value {
  const { name, features, steps } = layer;
  return graph.scope(name, () => {
    const mixed = matrix(graph, x, { name: "of_features", width: features });
    const turned = matrix(graph, transpose(graph, mixed, [0, 2, 1]), { name: "of_time", width: steps });
    const bias = graph.parameter("bias", [features, steps], { initialise: zeros, isDecayed: false });
    return transpose(graph, add(graph, turned, bias), [0, 2, 1]);
  });
}

/** [rows, time, features] to [rows, outputs]. The last matrix starts at zero, as every forecaster's last layer does. */
function attentive(graph: GraphBuilder, x: Value, outputs: number): Value {
  const steps = fixedSize(x.shape[1]);
  const mixed = transpose(graph, matrix(graph, x, { name: "of_features", width: outputs }), [0, 2, 1]);
  const raw = graph.parameter("scores", [steps, steps], { initialise: heUniform(), isDecayed: true, maxNorm: MAX_NORM });
  const onDiagonal = Float32Array.from({ length: steps * steps }, (_, index) => (index % (steps + 1) === 0 ? 1 : 0));
  const offDiagonal = graph.constant(
    onDiagonal.map((one) => 1 - one),
    [steps, steps],
  );
  const diagonal = graph.constant(
    onDiagonal.map((one) => one / steps),
    [steps, steps],
  );
  const scores = linear(graph, mixed, { weights: add(graph, multiply(graph, raw, offDiagonal), diagonal) });
  const attended = multiply(graph, mixed, softmax(graph, scores, 2));
  const share = sigmoid(graph, graph.parameter("share", [1], { initialise: zeros, isDecayed: false }));
  const blended = add(graph, mixed, multiply(graph, share, subtract(graph, attended, mixed)));
  const read = matrix(graph, blended, { name: "of_time", width: 1, initialise: zeros });
  const bias = graph.parameter("bias", [outputs], { initialise: zeros, isDecayed: false });
  return add(graph, reshape(graph, read, [x.shape[0] ?? "batch", outputs]), bias);
}

/** Over the last axis, without a bias, and held within a norm. */
function matrix(
  graph: GraphBuilder,
  x: Value,
  { name, width, initialise = heUniform() }: { name: string; width: number; initialise?: Initialiser },
): Value {
  const weights = graph.parameter(name, [fixedSize(x.shape.at(-1)), width], { initialise, isDecayed: true, maxNorm: MAX_NORM });
  return linear(graph, x, { weights });
}
