/**
 * Bilinear normalisation of a book's window (Tran, Kanniainen, Gabbouj and Iosifidis 2021, "Data normalization for bilinear structures in
 * high-frequency financial time-series"): each feature z-scored over time and each moment z-scored over features, each with a gain and a shift
 * of its own, mixed by two positive numbers that are learnt. It needs nothing of other rows, so it serves as it trains.
 */

import { emitAdd, emitMean, emitMultiply, emitSubtract } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { isSameShape, type Shape, ShapeError, showShape } from "../shape.ts";
import { add, multiply } from "./arithmetic.ts";

export interface BilinearNormalisationLayer {
  /** [features, 1], of what is z-scored over time. */
  readonly timeScale: Value;
  readonly timeShift: Value;
  /** [1, time], of what is z-scored over features. */
  readonly featureScale: Value;
  readonly featureShift: Value;
  /** [1] each; their softplus is what mixes. */
  readonly timeWeight: Value;
  readonly featureWeight: Value;
}

/** Below any spread that matters in z-scored input; a feature that stands still becomes 0. */
const EPSILON = 1e-5;

/** @param x [batch, features, time] */
export function bilinearNormalisation(graph: GraphBuilder, x: Value, layer: BilinearNormalisationLayer): Value {
  const [, features, time] = x.shape;
  if (x.shape.length !== 3 || features === undefined || time === undefined) {
    throw new ShapeError(`takes [batch, features, time], not ${showShape(x.shape)}`);
  }
  expectShape(layer.timeScale, [features, 1]);
  expectShape(layer.timeShift, [features, 1]);
  expectShape(layer.featureScale, [1, time]);
  expectShape(layer.featureShift, [1, time]);
  expectShape(layer.timeWeight, [1]);
  expectShape(layer.featureWeight, [1]);
  const overTime = positive(graph, layer.timeWeight);
  const overFeatures = positive(graph, layer.featureWeight);
  // The weights are multiplied into gains and shifts first: those are small, x is not.
  const shift = add(graph, multiply(graph, layer.timeShift, overTime), multiply(graph, layer.featureShift, overFeatures));
  const byTime = multiply(graph, standardScore(graph, x, 2), multiply(graph, layer.timeScale, overTime));
  const byFeatures = multiply(graph, standardScore(graph, x, 1), multiply(graph, layer.featureScale, overFeatures));
  return add(graph, add(graph, byTime, byFeatures), shift);
}

/**
 * z = (x - m) / √(v + ε) with mean and variance along `axis`, counted over all of it.
 * dx = (g - mean of g - z · mean of g z) / √(v + ε).
 */
export function standardScore(graph: GraphBuilder, x: Value, axis: number): Value {
  const centred = emitSubtract(graph, x, emitMean(graph, x, [axis]));
  const variance = emitMean(graph, emitMultiply(graph, centred, centred), [axis]);
  const root = graph.emit("Sqrt", [emitAdd(graph, variance, graph.scalar(EPSILON))], variance.shape);
  const inverse = graph.emit("Reciprocal", [root], variance.shape);
  const z = emitMultiply(graph, centred, inverse);
  return graph.differentiable(z, [x], (gradient) => {
    const along = emitMultiply(graph, z, emitMean(graph, emitMultiply(graph, gradient, z), [axis]));
    const free = emitSubtract(graph, emitSubtract(graph, gradient, emitMean(graph, gradient, [axis])), along);
    return [emitMultiply(graph, free, inverse)];
  });
}

/** log(1 + eˣ); its slope is the sigmoid. */
function positive(graph: GraphBuilder, x: Value): Value {
  const y = graph.emit("Softplus", [x], x.shape);
  return graph.differentiable(y, [x], (gradient) => [emitMultiply(graph, gradient, graph.emit("Sigmoid", [x], x.shape))]);
}

function expectShape(value: Value, shape: Shape): void {
  if (!isSameShape(value.shape, shape)) throw new ShapeError(`${showShape(value.shape)} where ${showShape(shape)} is wanted`);
}
