/**
 * The layer stack of the model family `dueling-q` (Wang et al. 2016): two ReLU layers, then the value of the state and the advantage of each action,
 * Q = V + A - mean A. Subtracting the mean makes V and A one-valued; with the maximum in its place they would jump where two actions are level.
 */

import { relu } from "../tensors/operators/activations.ts";
import { add, subtract } from "../tensors/operators/arithmetic.ts";
import { mean } from "../tensors/operators/reductions.ts";
import type { NetworkOf } from "./contract.ts";
import { dense } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

/** 2 x 128, or 64 (quantitative notes, 4.4). */
const WIDTHS: Readonly<Record<NetworkSize, number>> = { small: 64, paper: 128, large: 256 };

export const duelingQOf: NetworkOf = ({ size, outputs }) => {
  return (graph, input) => {
    const first = relu(graph, dense(graph, input, { name: "hidden1", width: WIDTHS[size] }));
    const hidden = relu(graph, dense(graph, first, { name: "hidden2", width: WIDTHS[size] }));
    const value = dense(graph, hidden, { name: "value", width: 1 });
    const advantages = dense(graph, hidden, { name: "advantages", width: outputs });
    return add(graph, value, subtract(graph, advantages, mean(graph, advantages, [1], { keepsAxes: true })));
  };
};
