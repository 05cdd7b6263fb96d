/**
 * A line beside a network: what the newest row tells linearly goes straight to the answer, and the network has the rest to learn. The "wide" part of Cheng et
 * al. 2016 (Wide & Deep Learning), taught together with the deep one. It begins at zero, so that the start is the network's own; it has no bias, since the network's answer layer has one.
 */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { zeros } from "../tensors/initialisers.ts";
import { add } from "../tensors/operators/arithmetic.ts";
import { reshape, slice } from "../tensors/operators/layout.ts";
import { matmul } from "../tensors/operators/matmul.ts";
import type { Network } from "../tensors/training-step.ts";
import type { NetworkTask } from "./contract.ts";

export function besideLine(network: Network, { window, columns, outputs }: Pick<NetworkTask, "window" | "columns" | "outputs">): Network {
  return (graph, input) => {
    const answer = network(graph, input);
    return graph.scope("line", () => {
      const weights = graph.parameter("weights", [columns, outputs], { initialise: zeros, isDecayed: true });
      return add(graph, answer, matmul(graph, newestRow(graph, input, { window, columns }), weights));
    });
  };
}

/** @param x [rows, columns], or [rows, window, columns] with the newest last. */
function newestRow(graph: GraphBuilder, x: Value, { window, columns }: { window: number; columns: number }): Value {
  if (window === 1) return x;
  return reshape(graph, slice(graph, x, { axis: 1, from: window - 1, to: window }), [x.shape[0] ?? "batch", columns]);
}
