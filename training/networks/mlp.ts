/** The layer stack of the model family `mlp`: linear and SiLU for each hidden width, then a linear layer of one output per target and horizon. */

import { HIDDEN_WIDTHS } from "../../models/mlp/family.ts";
import { silu } from "../tensors/operators/activations.ts";
import type { Network } from "../tensors/training-step.ts";
import type { NetworkTask } from "./contract.ts";
import { answerLayer, dense } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

const WIDTHS: Readonly<Record<NetworkSize, readonly number[]>> = { small: [32, 16], paper: HIDDEN_WIDTHS, large: [256, 128, 64] };

export function mlpOf({ outputs, size }: Pick<NetworkTask, "outputs" | "size">): Network {
  return mlpNetwork(outputs, WIDTHS[size]);
}

/** @returns the forward pass [rows, columns] to [rows, outputs]. */
export function mlpNetwork(outputs: number, hiddenWidths: readonly number[] = HIDDEN_WIDTHS): Network {
  return (graph, input) => {
    let value = input;
    for (const [index, width] of hiddenWidths.entries()) value = silu(graph, dense(graph, value, { name: `hidden${index + 1}`, width }));
    return answerLayer(graph, value, outputs);
  };
}
