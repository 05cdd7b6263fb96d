/**
 * Cross-entropy of classes, from logits: L = -Σ w Σₖ yₖ ln softmax(p)ₖ / Σ w, w per row. The targets of a row are probabilities and sum to 1; a class that is
 * to count more is a larger weight of its rows. dL/dp = w (softmax(p) - y) / Σ w.
 */

import { emitMultiply, emitNegate, emitSubtract } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth, weightedMean } from "./weighted-mean.ts";

export const crossEntropy: Loss = {
  id: "cross-entropy",
  weightsPer: "row",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "row");
    const logarithms = graph.emit("LogSoftmax", [answer], answer.shape, { axis: { int: 1 } });
    const weighted = emitMultiply(graph, truth.targets, truth.weights);
    return weightedMean(graph, answer, {
      parts: emitNegate(graph, emitMultiply(graph, weighted, logarithms)),
      slopes: () => {
        const probabilities = graph.emit("Exp", [logarithms], answer.shape);
        return emitSubtract(graph, emitMultiply(graph, probabilities, truth.weights), weighted);
      },
      total: truth.total,
    });
  },
};
