/**
 * The layer stack of the model family `mlp`: linear and SiLU for each hidden width, then a linear layer of one output per target and horizon.
 * The last layer starts at zero, so that training starts from persistence ("no move") and every bit of skill is learnt.
 */

import { HIDDEN_WIDTHS } from "../../models/mlp/family.ts";
import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { fanInUniform, type Initialiser, zeros } from "../tensors/initialisers.ts";
import { silu } from "../tensors/operators/activations.ts";
import { linear } from "../tensors/operators/linear.ts";
import { fixedSize } from "../tensors/shape.ts";
import type { Network } from "../tensors/training-step.ts";
import type { NetworkTask } from "./contract.ts";
import type { NetworkSize } from "./settings.ts";

const WIDTHS: Readonly<Record<NetworkSize, readonly number[]>> = { small: [32, 16], paper: HIDDEN_WIDTHS, large: [256, 128, 64] };

export function mlpOf({ outputs, size }: Pick<NetworkTask, "outputs" | "size">): Network {
  return mlpNetwork(outputs, WIDTHS[size]);
}

/** @returns the forward pass [rows, columns] to [rows, outputs]. */
export function mlpNetwork(outputs: number, hiddenWidths: readonly number[] = HIDDEN_WIDTHS): Network {
  return (graph, input) => {
    let value = input;
    for (const [index, width] of hiddenWidths.entries()) {
      value = silu(graph, layer(graph, value, { name: `hidden${index + 1}`, width, initialise: fanInUniform }));
    }
    return layer(graph, value, { name: "output", width: outputs, initialise: zeros });
  };
}

function layer(graph: GraphBuilder, input: Value, options: { name: string; width: number; initialise: Initialiser }): Value {
  const { name, width, initialise } = options;
  const weights = graph.parameter(`${name}.weights`, [fixedSize(input.shape[1]), width], { initialise, isDecayed: true });
  const bias = graph.parameter(`${name}.bias`, [width], { initialise: zeros, isDecayed: false });
  return linear(graph, input, { weights, bias });
}
