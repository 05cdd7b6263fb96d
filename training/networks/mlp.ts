/**
 * The layer stack of the model family `mlp`: linear and SiLU for each hidden width, then a linear layer of one output per target and horizon. Dropout, where
 * it is asked for, falls on each hidden layer's numbers after their activation, as Srivastava et al. 2014 place it.
 */

import { HIDDEN_WIDTHS } from "../../models/mlp/family.ts";
import { silu } from "../tensors/operators/activations.ts";
import { dropout } from "../tensors/operators/dropout.ts";
import type { Network } from "../tensors/training-step.ts";
import type { NetworkTask } from "./contract.ts";
import { answerLayer, dense } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

const WIDTHS: Readonly<Record<NetworkSize, readonly number[]>> = { small: [32, 16], paper: HIDDEN_WIDTHS, large: [256, 128, 64] };

export function mlpOf({ outputs, size, hidden, dropout: rate }: Pick<NetworkTask, "outputs" | "size" | "hidden" | "dropout">): Network {
  return mlpNetwork(outputs, hidden ?? WIDTHS[size], rate);
}

/** @returns the forward pass [rows, columns] to [rows, outputs]. */
export function mlpNetwork(outputs: number, hiddenWidths: readonly number[] = HIDDEN_WIDTHS, rate = 0): Network {
  return (graph, input) => {
    let value = input;
    for (const [index, width] of hiddenWidths.entries())
      value = dropout(graph, silu(graph, dense(graph, value, { name: `hidden${index + 1}`, width })), rate);
    return answerLayer(graph, value, outputs);
  };
}
