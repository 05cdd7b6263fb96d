/**
 * Cross-entropy of classes, from logits: L = -Σ w Σₖ yₖ ln softmax(p)ₖ / Σ w, w per row. The targets of a row are probabilities and sum to 1; a class that is
 * to count more is a larger weight of its rows. dL/dp = w (softmax(p) - y) / Σ w.
 */

import { emitDivide, emitMultiply, emitNegate, emitProduct, emitSubtract, emitTotal } from "../emit.ts";
import type { Loss } from "./contract.ts";
import { checkTruth } from "./weighted-mean.ts";

export const crossEntropy: Loss = {
  id: "cross-entropy",
  weightsPer: "row",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "row");
    const logarithms = graph.emit("LogSoftmax", [answer], answer.shape, { axis: { int: 1 } });
    // Weighted and summed over the rows by one product: multiplying each short row by its weight takes longer.
    const perClass = emitProduct(graph, truth.weights, emitMultiply(graph, truth.targets, logarithms), { transposeA: true });
    return graph.differentiable(emitDivide(graph, emitNegate(graph, emitTotal(graph, perClass)), truth.total), [answer], (gradient) => {
      const perRow = emitMultiply(graph, truth.weights, emitDivide(graph, gradient, truth.total));
      const error = emitSubtract(graph, graph.emit("Exp", [logarithms], answer.shape), truth.targets);
      return [emitMultiply(graph, error, perRow)];
    });
  },
};
