/** 40-100-50-2 with ReLU. */

import { relu } from "../../training/tensors/operators/activations.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { linearLayer } from "./layers.ts";

export const mlp: Network = (graph, input) => {
  const first = relu(graph, linearLayer(graph, input, { name: "hidden1", width: 100 }));
  const second = relu(graph, linearLayer(graph, first, { name: "hidden2", width: 50 }));
  return linearLayer(graph, second, { name: "output", width: 2 });
};
