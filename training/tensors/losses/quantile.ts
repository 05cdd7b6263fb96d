/**
 * Quantile (pinball) loss (Koenker and Bassett 1978): an answer too low costs its level τ for each unit, one too high 1 - τ, so that the best answer is the
 * τ-quantile. L = Σ w e (h - τ) / Σ w with e = p - y and h = 1 where e is above 0. dL/dp = w (h - τ) / Σ w.
 */

import { emitIsPositive, emitMultiply, emitSubtract } from "../emit.ts";
import { ShapeError } from "../shape.ts";
import type { Loss } from "./contract.ts";
import { checkTruth, weightedMean } from "./weighted-mean.ts";

/** @param levels of each output, between 0 and 1. */
export function quantile(levels: readonly number[]): Loss {
  if (!levels.every((level) => level > 0 && level < 1)) throw new RangeError(`levels lie between 0 and 1; they were ${levels.join(", ")}`);
  return {
    id: "quantile",
    weightsPer: "cell",
    build(graph, answer, truth) {
      checkTruth(answer, truth, "cell");
      if (answer.shape[1] !== levels.length) throw new ShapeError(`${levels.length} levels for ${answer.shape[1]} outputs`);
      const error = emitSubtract(graph, answer, truth.targets);
      const slopes = emitMultiply(
        graph,
        emitSubtract(graph, emitIsPositive(graph, error), graph.constant(levels, [levels.length])),
        truth.weights,
      );
      return weightedMean(graph, answer, { parts: emitMultiply(graph, slopes, error), slopes: () => slopes, total: truth.total });
    },
  };
}
