/** Products of matrices in the last two axes; the axes before them broadcast. */

import { emitBatchedProduct, emitReshape, emitUnbroadcast, type ProductOptions } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, sizeOf } from "../shape.ts";

/**
 * y = s · op(A) op(B) with op the transpose of the last two axes, or nothing: [..., m, k] times [..., k, n] is [..., m, n].
 * The gradients are products again: of y = A B they are g Bᵀ and Aᵀ g.
 */
export function matmul(graph: GraphBuilder, a: Value, b: Value, options: ProductOptions = {}): Value {
  return graph.differentiable(emitBatchedProduct(graph, a, b, options), [a, b], (gradient) => [
    a.isDifferentiable ? emitUnbroadcast(graph, gradientOfFirst(graph, gradient, { a, b, ...options }), a.shape) : null,
    b.isDifferentiable ? emitUnbroadcast(graph, gradientOfSecond(graph, gradient, { a, b, ...options }), b.shape) : null,
  ]);
}

interface Product extends ProductOptions {
  readonly a: Value;
  readonly b: Value;
}

/** g op(B)ᵀ, or its transpose. */
function gradientOfFirst(graph: GraphBuilder, gradient: Value, product: Product): Value {
  const { b, transposeA = false, transposeB = false, scale = 1 } = product;
  return transposeA
    ? emitBatchedProduct(graph, b, gradient, { transposeA: transposeB, transposeB: true, scale })
    : emitBatchedProduct(graph, gradient, b, { transposeB: !transposeB, scale });
}

/** op(A)ᵀ g, or its transpose. One matrix B for a whole batch takes one long product, not one for each and their sum. */
function gradientOfSecond(graph: GraphBuilder, gradient: Value, product: Product): Value {
  const { transposeA = false, transposeB = false, scale = 1 } = product;
  const isShared = product.b.shape.length === 2 && product.a.shape.length > 2 && !transposeA;
  const a = isShared ? asRows(graph, product.a) : product.a;
  const g = isShared ? asRows(graph, gradient) : gradient;
  return transposeB
    ? emitBatchedProduct(graph, g, a, { transposeA: true, transposeB: transposeA, scale })
    : emitBatchedProduct(graph, a, g, { transposeA: !transposeA, scale });
}

function asRows(graph: GraphBuilder, value: Value): Value {
  const width = fixedSize(value.shape.at(-1));
  return emitReshape(graph, value, [sizeOf(value.shape) / width, width]);
}
