/**
 * Huber's loss (1964): squared near the target, linear beyond `delta`, so that a wild target pulls no harder than a far one.
 * L = Σ w c (e - c / 2) / Σ w with e = p - y and c = e kept within ±δ: e² / 2 within, δ (|e| - δ / 2) beyond. dL/dp = w c / Σ w.
 */

import { emitMultiply, emitScaled, emitSubtract } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth, weightedMean } from "./weighted-mean.ts";

/** @param delta above 0, in the unit of the targets. */
export function huber(delta: number): Loss {
  if (!(delta > 0 && delta < Number.POSITIVE_INFINITY)) throw new RangeError(`Huber's delta is above 0; it was ${delta}`);
  return {
    id: "huber",
    weightsPer: "cell",
    build(graph, answer, truth) {
      checkTruth(answer, truth, "cell");
      const error = emitSubtract(graph, answer, truth.targets);
      const kept = graph.emit("Clip", [error, graph.scalar(-delta), graph.scalar(delta)], error.shape);
      const slopes = emitMultiply(graph, kept, truth.weights);
      const parts = emitMultiply(graph, slopes, emitSubtract(graph, error, emitScaled(graph, kept, 0.5)));
      return weightedMean(graph, answer, { parts, slopes: () => slopes, total: truth.total });
    },
  };
}
