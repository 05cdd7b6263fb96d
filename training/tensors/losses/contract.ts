/**
 * What a loss is. All are sums over cells or rows, each times its weight, over the total of the weights: so a mask is a weight of 0, a row may count
 * twice, and the gradients of the parts of a batch that several workers hold add up to the gradient of the batch.
 */

import type { GraphBuilder, Value } from "../graph-builder.ts";

/** Data: no gradient goes there. */
export interface Truth {
  /** [rows, outputs]; for classes the probability of each, 1 for the one that was. */
  readonly targets: Value;
  /** [rows, outputs] where the loss is per cell, [rows, 1] where it is per row. */
  readonly weights: Value;
  /** [1] the sum of all weights of the whole batch, of which this graph may see a part; above 0. */
  readonly total: Value;
}

export interface Loss {
  readonly id: string;
  /** Whether each output has its own weight, or a row has one. */
  readonly weightsPer: "cell" | "row";
  /** @param answer [rows, outputs]. @returns a value of shape [1]. */
  build(graph: GraphBuilder, answer: Value, truth: Truth): Value;
}
