/** Mean absolute error: L = Σ w |p - y| / Σ w. Its best constant answer is the median. */

import { emitMultiply, emitSubtract } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth, weightedMean } from "./weighted-mean.ts";

/** dL/dp = w sign(p - y) / Σ w, 0 where the answer is exact. */
export const absoluteError: Loss = {
  id: "absolute",
  weightsPer: "cell",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "cell");
    const error = emitSubtract(graph, answer, truth.targets);
    const slopes = emitMultiply(graph, graph.emit("Sign", [error], error.shape), truth.weights);
    return weightedMean(graph, answer, { parts: emitMultiply(graph, slopes, error), slopes: () => slopes, total: truth.total });
  },
};
