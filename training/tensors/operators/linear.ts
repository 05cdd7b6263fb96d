/** The affine layer over the last axis: rows times weights plus bias. */

import { emitAdd, emitBatchedProduct, emitColumnSums, emitProduct, emitReshape } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape, sizeOf } from "../shape.ts";

/**
 * y = x W + b with x [..., in], W [in, out], b [out]; without a bias y = x W.
 * dx = g Wᵀ, dW = xᵀ g, db = the sum of g over the rows.
 *
 * While training all axes but the last become rows, so that each product is one Gemm. Where the number of rows is open, rank 2 is a Gemm too, and more
 * axes are left to MatMul.
 */
export function linear(graph: GraphBuilder, x: Value, layer: { weights: Value; bias?: Value }): Value {
  const { weights, bias } = layer;
  const [inputs, outputs] = weights.shape;
  const width = x.shape.at(-1);
  if (width === undefined || outputs === undefined || width !== inputs || x.shape.length < 2) {
    throw new ShapeError(`weights of ${showShape(weights.shape)} can't take ${showShape(x.shape)}`);
  }
  const columns = fixedSize(outputs);
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== columns)) {
    throw new ShapeError(`a bias of ${showShape(bias.shape)} for ${columns} outputs`);
  }
  if (x.shape.length === 2) return linearOfRows(graph, x, layer);
  if (!graph.isTraining) {
    const product = emitBatchedProduct(graph, x, weights);
    return bias === undefined ? product : emitAdd(graph, product, bias);
  }
  const rows = graph.differentiable(emitReshape(graph, x, [sizeOf(x.shape) / fixedSize(width), width]), [x], (gradient) => [
    emitReshape(graph, gradient, x.shape),
  ]);
  const y = linearOfRows(graph, rows, layer);
  const shape = [...x.shape.slice(0, -1), columns];
  return graph.differentiable(emitReshape(graph, y, shape), [y], (gradient) => [emitReshape(graph, gradient, y.shape)]);
}

function linearOfRows(graph: GraphBuilder, x: Value, layer: { weights: Value; bias?: Value }): Value {
  const { weights, bias } = layer;
  const [rows, columns] = [x.shape[0] as number | "batch", fixedSize(weights.shape[1])];
  const factors = bias === undefined ? [x, weights] : [x, weights, bias];
  return graph.differentiable(graph.emit("Gemm", factors, [rows, columns]), factors, (gradient) => [
    x.isDifferentiable ? emitProduct(graph, gradient, weights, { transposeB: true }) : null,
    weights.isDifferentiable ? emitProduct(graph, x, gradient, { transposeA: true }) : null,
    bias?.isDifferentiable ? emitColumnSums(graph, gradient) : null,
  ]);
}
