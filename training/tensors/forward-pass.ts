/**
 * The forward pass alone, with the parameters as an input: one session answers for every state of the parameters, so that validation
 * after each epoch costs no new session. Any number of rows.
 */

import { encodeModel } from "../onnx/encode.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Network } from "./training-step.ts";

/** Inputs: features ["batch", ...shape], parameters [count], statistics where the network has any. Output: answer ["batch", outputs]. */
export function buildForwardPass(network: Network, shape: readonly number[]): Uint8Array {
  const graph = new GraphBuilder({ purpose: "answering" });
  const answer = network(graph, graph.input("features", ["batch", ...shape]));
  graph.unpackParameters("parameters");
  graph.unpackStatistics("statistics");
  graph.output("answer", answer);
  return encodeModel(graph.model("forward_pass"));
}
