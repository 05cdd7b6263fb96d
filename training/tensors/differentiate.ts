/**
 * Reverse-mode differentiation: appends to the graph the nodes that compute the gradient of a loss. Walks the tape backwards once;
 * where a value was used several times, the gradients of its uses are added up in a fixed order, so the same program gives the same graph.
 */

import { emitAdd } from "./emit.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/**
 * @param loss of shape [1].
 * @returns dLoss/dvalue for each of `values`, in their shapes. Throws when the loss does not depend on one of them.
 */
export function differentiate(graph: GraphBuilder, loss: Value, values: readonly Value[]): Value[] {
  const gradients = new Map<string, Value>([[loss.name, graph.constant([1], [1])]]);
  for (const entry of [...graph.tape].reverse()) {
    const ofOutputs = entry.outputs.map((output) => gradients.get(output.name) ?? null);
    if (ofOutputs.every((gradient) => gradient === null)) continue;
    for (const [index, part] of entry.backward(ofOutputs).entries()) {
      const input = entry.inputs[index];
      if (part === null || input === undefined || !input.isDifferentiable) continue;
      const sofar = gradients.get(input.name);
      gradients.set(input.name, sofar === undefined ? part : emitAdd(graph, sofar, part));
    }
  }
  return values.map((value) => {
    const gradient = gradients.get(value.name);
    if (gradient === undefined) throw new Error(`the loss does not depend on ${value.name}`);
    return gradient;
  });
}
