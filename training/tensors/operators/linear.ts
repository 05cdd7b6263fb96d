/** The affine layer: rows times weights plus bias, as one Gemm. */

import { emitProduct, emitReshape, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape } from "../shape.ts";

/**
 * y = x W + b with x [rows, in], W [in, out], b [out].
 * dx = g Wᵀ, dW = xᵀ g, db = the sum of g over the rows.
 */
export function linear(graph: GraphBuilder, x: Value, layer: { weights: Value; bias: Value }): Value {
  const { weights, bias } = layer;
  const [rows, width] = x.shape;
  const [inputs, outputs] = weights.shape;
  if (rows === undefined || outputs === undefined || width !== inputs) {
    throw new ShapeError(`weights of ${showShape(weights.shape)} can't take ${showShape(x.shape)}`);
  }
  return graph.differentiable(graph.emit("Gemm", [x, weights, bias], [rows, outputs]), [x, weights, bias], (gradient) => [
    x.isDifferentiable ? emitProduct(graph, gradient, weights, { transposeB: true }) : null,
    weights.isDifferentiable ? emitProduct(graph, x, gradient, { transposeA: true }) : null,
    bias.isDifferentiable ? emitReshape(graph, emitSum(graph, gradient, [0]), [fixedSize(outputs)]) : null,
  ]);
}
