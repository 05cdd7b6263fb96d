/**
 * The forward pass alone, with the parameters as an input: one session answers for every state of the parameters, so that validation
 * after each epoch costs no new session. Any number of rows.
 */

import { encodeModel } from "../onnx/encode.ts";
import { OPSET } from "../onnx/model.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Network } from "./training-step.ts";

/** Inputs: features ["batch", columns], parameters [count]. Output: answer ["batch", outputs]. */
export function buildForwardPass(network: Network, columns: number): Uint8Array {
  const graph = new GraphBuilder();
  const answer = network(graph, graph.input("features", ["batch", columns]));
  graph.unpackParameters("parameters");
  graph.output("answer", answer);
  return encodeModel({ graph: graph.finish("forward_pass"), opset: OPSET });
}
