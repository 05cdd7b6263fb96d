/**
 * Mean squared error over the cells that have a target. A cell without one (its horizon crosses a gap, or the row only fills up the
 * last batch) has mask 0 and target 0: it adds nothing to the loss and nothing to any gradient.
 */

import { emitDivide, emitMultiply, emitReshape, emitSubtract, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";

/**
 * L = Σ mask (p - y)² / n with p, y, mask [rows, outputs] and n [1] the number of cells with mask 1.
 * dL/dp = 2 mask (p - y) / n. Targets and mask are data: no gradient goes there.
 * @returns a value of shape [1].
 */
export function maskedSquaredError(graph: GraphBuilder, predicted: Value, truth: { targets: Value; mask: Value; cells: Value }): Value {
  const error = emitMultiply(graph, emitSubtract(graph, predicted, truth.targets), truth.mask);
  const total = emitReshape(graph, emitSum(graph, emitMultiply(graph, error, error), [0, 1]), [1]);
  return graph.differentiable(emitDivide(graph, total, truth.cells), [predicted], (gradient) => {
    const factor = emitDivide(graph, emitMultiply(graph, gradient, graph.scalar(2)), truth.cells);
    return [emitMultiply(graph, error, factor)];
  });
}
