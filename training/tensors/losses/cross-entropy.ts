/**
 * Cross-entropy of classes, from logits: L = -Σ w Σₖ yₖ ln softmax(p)ₖ / Σ w, w per row. The targets of a row are probabilities and sum to 1; a class that is
 * to count more is a larger weight of its rows. dL/dp = w (softmax(p) - y) / Σ w.
 */

import { emitDivide, emitMultiply, emitSubtract, emitTotal } from "../emit.ts";
import { fixedSize } from "../shape.ts";
import type { Loss } from "./contract.ts";
import { checkTruth } from "./weighted-mean.ts";

export const crossEntropy: Loss = {
  id: "cross-entropy",
  weightsPer: "row",
  build(graph, answer, truth) {
    checkTruth(answer, truth, "row");
    const logarithms = graph.emit("LogSoftmax", [answer], answer.shape, { axis: { int: 1 } });
    const perCell = emitMultiply(graph, truth.targets, logarithms);
    // Weighted, negated and summed over the rows by one product: multiplying each short row by its weight takes longer.
    const attributes = { transA: { int: 1 }, alpha: { float: -1 } };
    const perClass = graph.emit("Gemm", [truth.weights, perCell], [1, fixedSize(answer.shape[1])], attributes);
    return graph.differentiable(emitDivide(graph, emitTotal(graph, perClass), truth.total), [answer], (gradient) => {
      const error = emitSubtract(graph, graph.emit("Exp", [logarithms], answer.shape), truth.targets);
      // In the other order onnxruntime 1.30's own rewriting breaks the graph of a single row ("Invalid model. Node input … is not a graph input").
      return [emitMultiply(graph, emitMultiply(graph, error, emitDivide(graph, gradient, truth.total)), truth.weights)];
    });
  },
};
