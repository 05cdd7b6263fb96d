/**
 * Cross-entropy of each output by itself, from logits, with targets in [0, 1]: L = Σ w (ln(1 + exp(p)) - p y) / Σ w.
 * dL/dp = w (sigmoid(p) - y) / Σ w.
 */

import { emitMultiply, emitSubtract } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth, weightedMean } from "./weighted-mean.ts";

export const binaryCrossEntropy: Loss = {
  id: "binary-cross-entropy",
  weightsPer: "cell",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "cell");
    const surprise = emitSubtract(graph, graph.emit("Softplus", [answer], answer.shape), emitMultiply(graph, answer, truth.targets));
    return weightedMean(graph, answer, {
      parts: emitMultiply(graph, surprise, truth.weights),
      slopes: () => {
        const error = emitSubtract(graph, graph.emit("Sigmoid", [answer], answer.shape), truth.targets);
        return emitMultiply(graph, error, truth.weights);
      },
      total: truth.total,
    });
  },
};
