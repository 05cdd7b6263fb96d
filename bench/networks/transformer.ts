/** Two pre-norm encoder layers: width 64, four heads, feed-forward 256 with ReLU, learnt positions over 100 steps, the mean of all steps to three classes. */

import type { GraphBuilder, Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { relu } from "../../training/tensors/operators/activations.ts";
import { add } from "../../training/tensors/operators/arithmetic.ts";
import { attention } from "../../training/tensors/operators/attention.ts";
import { split } from "../../training/tensors/operators/layout.ts";
import { mean } from "../../training/tensors/operators/reductions.ts";
import { fixedSize } from "../../training/tensors/shape.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { layerNormLayer, linearLayer } from "./layers.ts";

const WIDTH = 64;

/** Takes [batch, steps, features]. */
export const transformer: Network = (graph, input) => {
  const embedded = linearLayer(graph, input, { name: "embedding", width: WIDTH });
  const positions = graph.parameter("positions", [fixedSize(input.shape[1]), WIDTH], { initialise: zeros, isDecayed: true });
  let x = add(graph, embedded, positions);
  for (const name of ["layer1", "layer2"]) x = graph.scope(name, () => encoderLayer(graph, x));
  return linearLayer(graph, mean(graph, x, [1]), { name: "output", width: 3 });
};

function encoderLayer(graph: GraphBuilder, x: Value): Value {
  const projections = linearLayer(graph, layerNormLayer(graph, x, "attention_norm"), { name: "projections", width: 3 * WIDTH });
  const [queries, keys, values] = split(graph, projections, { axis: 2, sizes: [WIDTH, WIDTH, WIDTH] }) as [Value, Value, Value];
  const attended = attention(graph, { queries, keys, values }, { heads: 4 });
  const mixed = add(graph, x, linearLayer(graph, attended, { name: "mixed", width: WIDTH }));
  const wide = relu(graph, linearLayer(graph, layerNormLayer(graph, mixed, "feed_norm"), { name: "wide", width: 4 * WIDTH }));
  return add(graph, mixed, linearLayer(graph, wide, { name: "narrow", width: WIDTH }));
}
