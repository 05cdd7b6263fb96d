/** One LSTM of 64 over 100 steps of 40, its last state to three classes. */

import { transpose } from "../../training/tensors/operators/layout.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { lastOfLstm, linearLayer } from "./layers.ts";

/** Takes [batch, steps, features]. */
export const lstm: Network = (graph, input) => {
  const byStep = transpose(graph, input, [1, 0, 2]);
  return linearLayer(graph, lastOfLstm(graph, byStep, { name: "lstm", hidden: 64 }), { name: "output", width: 3 });
};
