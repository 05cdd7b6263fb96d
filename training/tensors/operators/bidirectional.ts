/** A recurrent layer that reads both ways (Schuster and Paliwal 1997): two layers with weights of their own, their hidden states side by side. */

import { emitConcat, emitSplit } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize } from "../shape.ts";
import type { Direction } from "./recurrent.ts";

/**
 * @param read builds the layer of one direction, in its own scope.
 * @returns [steps, batch, 2 · hidden] or [batch, 2 · hidden]: forward, then reverse; of "last" the last step that each read, as PyTorch's h_n.
 */
export function bidirectional(graph: GraphBuilder, read: (direction: Direction) => Value): Value {
  const forward = graph.scope("forward", () => read("forward"));
  const reverse = graph.scope("reverse", () => read("reverse"));
  const axis = forward.shape.length - 1;
  return graph.differentiable(emitConcat(graph, [forward, reverse], axis), [forward, reverse], (gradient) =>
    emitSplit(graph, gradient, { axis, sizes: [fixedSize(forward.shape[axis]), fixedSize(reverse.shape[axis])] }),
  );
}
