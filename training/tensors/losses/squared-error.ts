/** Mean squared error: L = Σ w (p - y)² / Σ w. */

import { emitDivide, emitMultiply, emitSubtract, emitTotal } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth } from "./weighted-mean.ts";

/** dL/dp = 2 w (p - y) / Σ w. */
export const squaredError: Loss = {
  id: "squared",
  weightsPer: "cell",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "cell");
    const error = emitSubtract(graph, answer, truth.targets);
    const weighted = emitMultiply(graph, error, truth.weights);
    const total = emitTotal(graph, emitMultiply(graph, weighted, error));
    return graph.differentiable(emitDivide(graph, total, truth.total), [answer], (gradient) => {
      const factor = emitDivide(graph, emitMultiply(graph, gradient, graph.scalar(2)), truth.total);
      return [emitMultiply(graph, weighted, factor)];
    });
  },
};
