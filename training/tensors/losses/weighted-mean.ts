/** What losses share: the sum of weighted parts over the total of the weights. */

import { emitDivide, emitMultiply, emitTotal } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, isSameShape, ShapeError, showShape } from "../shape.ts";
import type { Truth } from "./contract.ts";

/**
 * A loss and its rule, where the gradient does not depend on anything but the answer.
 * @param parts [rows, outputs] already weighted: their sum over the total is the loss.
 * @param slopes [rows, outputs] times 1 / total: dL/danswer.
 */
export function weightedMean(graph: GraphBuilder, answer: Value, loss: { parts: Value; slopes: () => Value; total: Value }): Value {
  return graph.differentiable(emitDivide(graph, emitTotal(graph, loss.parts), loss.total), [answer], (gradient) => [
    emitMultiply(graph, loss.slopes(), emitDivide(graph, gradient, loss.total)),
  ]);
}

/** Throws ShapeError where answer, targets and weights don't fit each other. */
export function checkTruth(answer: Value, truth: Truth, weightsPer: "cell" | "row"): void {
  const [rows, outputs] = answer.shape;
  const weights = weightsPer === "cell" ? answer.shape : [rows as number, 1];
  if (answer.shape.length !== 2 || !isSameShape(answer.shape, truth.targets.shape) || !isSameShape(weights, truth.weights.shape)) {
    const [told, weighed] = [showShape(truth.targets.shape), showShape(truth.weights.shape)];
    throw new ShapeError(
      `an answer of ${showShape(answer.shape)} with targets of ${told} and weights of ${weighed}, which are per ${weightsPer}`,
    );
  }
  fixedSize(outputs);
}
