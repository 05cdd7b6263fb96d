/** Layer normalisation (Ba et al. 2016) over the last axis. */

import { emitColumnSums, emitMean, emitMultiply, emitReshape, emitSubtract } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, isSameShape, ShapeError, showShape, sizeOf } from "../shape.ts";

/** Of PyTorch and Keras alike: what the variance is never below. */
const EPSILON = 1e-5;

/**
 * y = x̂ γ + β with x̂ = (x - mean) / √(variance + ε) of each row; γ and β [width].
 * With h = g γ: dx = (h - mean h - x̂ mean(h x̂)) / √(variance + ε); dγ = Σ g x̂ and dβ = Σ g over the rows.
 */
export function layerNormalisation(graph: GraphBuilder, x: Value, layer: { gain: Value; bias: Value }): Value {
  const { gain, bias } = layer;
  const axis = x.shape.length - 1;
  const width = fixedSize(x.shape[axis]);
  for (const { shape } of [gain, bias]) {
    if (!isSameShape(shape, [width])) throw new ShapeError(`${showShape(shape)} can't normalise rows of ${showShape(x.shape)}`);
  }
  const perRow = [...x.shape.slice(0, -1), 1];
  const attributes = { axis: { int: -1 }, epsilon: { float: EPSILON } };
  if (!graph.isTraining) return graph.emit("LayerNormalization", [x, gain, bias], x.shape, attributes);
  const [y, mean, inverse] = graph.emitMany("LayerNormalization", [x, gain, bias], {
    shapes: [x.shape, perRow, perRow],
    attributes,
  }) as [Value, Value, Value];
  return graph.differentiable(y, [x, gain, bias], (gradient) => {
    const standard = emitMultiply(graph, emitSubtract(graph, x, mean), inverse);
    return [
      x.isDifferentiable ? gradientOfInput(graph, emitMultiply(graph, gradient, gain), { standard, inverse, axis }) : null,
      emitSumOfRows(graph, emitMultiply(graph, gradient, standard), width),
      emitSumOfRows(graph, gradient, width),
    ];
  });
}

function gradientOfInput(graph: GraphBuilder, h: Value, row: { standard: Value; inverse: Value; axis: number }): Value {
  const { standard, inverse, axis } = row;
  const along = emitMultiply(graph, standard, emitMean(graph, emitMultiply(graph, h, standard), [axis]));
  return emitMultiply(graph, emitSubtract(graph, emitSubtract(graph, h, emitMean(graph, h, [axis])), along), inverse);
}

function emitSumOfRows(graph: GraphBuilder, value: Value, width: number): Value {
  return emitColumnSums(graph, emitReshape(graph, value, [sizeOf(value.shape) / width, width]));
}
