/** Scaled dot-product attention with heads (Vaswani et al. 2017, section 3.2). The projections around it are layers of the network. */

import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape } from "../shape.ts";
import { add } from "./arithmetic.ts";
import { dropout } from "./dropout.ts";
import { reshape, transpose } from "./layout.ts";
import { matmul } from "./matmul.ts";
import { softmax } from "./softmax.ts";

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
  const logits = matmul(graph, q, k, { transposeB: true, scale: 1 / Math.sqrt(size) });
  const visible = options.isCausal ? add(graph, logits, causalMask(graph, fixedSize(steps), fixedSize(seen))) : logits;
  const weights = dropout(graph, softmax(graph, visible, 3), options.dropout ?? 0);
  const mixed = transpose(graph, matmul(graph, weights, v), [0, 2, 1, 3]);
  return reshape(graph, mixed, queries.shape);
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
