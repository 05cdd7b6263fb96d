/** Scaled dot-product attention with heads (Vaswani et al. 2017, section 3.2). The projections around it are layers of the network. */

import { emitAdd, emitBatchedProduct, emitMultiply, emitSubtract, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape } from "../shape.ts";
import { emitDropoutMask } from "./dropout.ts";
import { reshape, transpose } from "./layout.ts";

export interface AttentionInputs {
  /** [rows, steps, width] */
  readonly queries: Value;
  /** [rows, steps attended to, width], each */
  readonly keys: Value;
  readonly values: Value;
}

export interface AttentionOptions {
  readonly heads: number;
  /** A step attends to itself and those before it alone. */
  readonly isCausal?: boolean;
  /** Of the weights of attention, while training. */
  readonly dropout?: number;
}

/** Added to the logits of what may not be seen: its exponential is 0, and no arithmetic with it makes NaN. */
const UNSEEN = -1e30;

/** @returns softmax(Q Kᵀ / √d) V of each head, heads side by side: [rows, steps, width]. */
export function attention(graph: GraphBuilder, inputs: AttentionInputs, options: AttentionOptions): Value {
  const { queries, keys, values } = inputs;
  const [rows, steps, width] = queries.shape;
  const seen = keys.shape[1];
  const size = fixedSize(width) / options.heads;
  const isFitting = [keys, values].every(({ shape }) => shape.length === 3 && shape[0] === rows && shape[1] === seen && shape[2] === width);
  if (queries.shape.length !== 3 || !isFitting || rows === undefined || !Number.isInteger(size)) {
    const shapes = [queries, keys, values].map((value) => showShape(value.shape)).join(", ");
    throw new ShapeError(`no attention of ${options.heads} heads over ${shapes}`);
  }
  const [q, k, v] = [queries, keys, values].map((value) => byHead(graph, value, { heads: options.heads, size })) as [Value, Value, Value];
  const mask = options.isCausal ? causalMask(graph, fixedSize(steps), fixedSize(seen)) : null;
  const mixed = attend(graph, { q, k, v }, { mask, scale: 1 / Math.sqrt(size), dropout: options.dropout ?? 0 });
  return reshape(graph, transpose(graph, mixed, [0, 2, 1, 3]), queries.shape);
}

/**
 * O = W V with W = P, or P with some dropped, P = softmax(s Q Kᵀ) per head. One rule for all of it, since the sum that softmax's gradient takes over
 * all steps, Σ P dP, is Σ g O over the few numbers of a head (Dao et al. 2022, appendix B): dS = P (dP - Σ g O); dQ = s dS K, dK = s dSᵀ Q, dV = Wᵀ g.
 */
function attend(
  graph: GraphBuilder,
  { q, k, v }: Readonly<Record<"q" | "k" | "v", Value>>,
  options: { mask: Value | null; scale: number; dropout: number },
): Value {
  const { mask, scale } = options;
  const logits = emitBatchedProduct(graph, q, k, { transposeB: true, scale });
  const visible = mask === null ? logits : emitAdd(graph, logits, mask);
  const p = graph.emit("Softmax", [visible], logits.shape, { axis: { int: 3 } });
  const kept = emitDropoutMask(graph, p.shape, options.dropout);
  const w = kept === null ? p : emitMultiply(graph, p, kept);
  const mixed = emitBatchedProduct(graph, w, v);
  return graph.differentiable(mixed, [q, k, v], (gradient) => {
    const ofWeights = emitBatchedProduct(graph, gradient, v, { transposeB: true });
    const ofP = kept === null ? ofWeights : emitMultiply(graph, ofWeights, kept);
    const ofLogits = emitMultiply(graph, p, emitSubtract(graph, ofP, emitSum(graph, emitMultiply(graph, gradient, mixed), [3])));
    return [
      emitBatchedProduct(graph, ofLogits, k, { scale }),
      emitBatchedProduct(graph, ofLogits, q, { transposeA: true, scale }),
      emitBatchedProduct(graph, w, gradient, { transposeA: true }),
    ];
  });
}

/** [rows, steps, width] to [rows, heads, steps, size]. */
function byHead(graph: GraphBuilder, value: Value, options: { heads: number; size: number }): Value {
  const [rows, steps] = value.shape as [number | "batch", number];
  return transpose(graph, reshape(graph, value, [rows, steps, options.heads, options.size]), [0, 2, 1, 3]);
}

function causalMask(graph: GraphBuilder, steps: number, seen: number): Value {
  const mask = Float32Array.from({ length: steps * seen }, (_, index) => (index % seen > Math.floor(index / seen) ? UNSEEN : 0));
  return graph.constant(mask, [steps, seen]);
}
