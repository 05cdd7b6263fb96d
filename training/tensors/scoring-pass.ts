/**
 * The loss of rows without a gradient, with the parameters (and running statistics) as inputs: one session scores every state of the training. As in
 * training-step.ts, what it gives is a part: the sum over the rows over the total that it is told.
 */

import { encodeModel } from "../onnx/encode.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Network, StepOptions } from "./training-step.ts";

/** Inputs: features, targets, weights, total, parameters, and statistics where the network has any. Output: loss [1]. */
export function buildScoringPass(network: Network, { rows, shape, outputs, loss }: StepOptions): Uint8Array {
  const graph = new GraphBuilder({ purpose: "answering" });
  const answer = network(graph, graph.input("features", [rows, ...shape]));
  const value = loss.build(graph, answer, {
    targets: graph.input("targets", [rows, outputs]),
    weights: graph.input("weights", [rows, loss.weightsPer === "cell" ? outputs : 1]),
    total: graph.input("total", [1]),
  });
  graph.unpackParameters("parameters");
  graph.unpackStatistics("statistics");
  graph.output("loss", value);
  return encodeModel(graph.model("scoring_pass"));
}
