/**
 * From what a network answers in training to what its file answers when served: moves in basis points, probabilities in place of logits. The rest is
 * served as it is.
 */

import type { ModelOutput } from "../../models/contract.ts";
import { emitConcat, emitMultiply, emitSplit } from "../tensors/emit.ts";
import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";

/** @param answer [rows, outputs]. @returns the same shape. */
export type Head = (graph: GraphBuilder, answer: Value) => Value;

/** @param targetScale [outputs] what one unit of each move is, in basis points; of other answers not asked for. */
export function headFor(output: ModelOutput, targetScale: readonly number[]): Head {
  if (output.unit === "bps") return (graph, answer) => emitMultiply(graph, answer, graph.constant(targetScale, [targetScale.length]));
  if (output.unit !== "probability") return (_graph, answer) => answer;
  const sizes = output.groups.map(({ labels }) => labels.length);
  return (graph, answer) => {
    const groups = sizes.length === 1 ? [answer] : emitSplit(graph, answer, { axis: 1, sizes });
    const probabilities = groups.map((group) => graph.emit("Softmax", [group], group.shape, { axis: { int: 1 } }));
    return emitConcat(graph, probabilities, 1);
  };
}
