/** The part that onnxruntime-node and onnxruntime-web share: both implement the interfaces of onnxruntime-common. */

import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Session, Tensor } from "./contract.ts";

type TensorConstructor = new (type: "float32" | "float64", data: Float32Array | Float64Array, dims: readonly number[]) => OrtTensor;

export function wrapSession(session: InferenceSession, TensorOf: TensorConstructor): Session {
  return {
    async run(inputs) {
      const feeds: Record<string, OrtTensor> = {};
      for (const [name, tensor] of Object.entries(inputs)) feeds[name] = new TensorOf(typeOf(tensor), tensor.data, tensor.shape);
      const results = await session.run(feeds);
      const outputs: Record<string, Float32Array | Float64Array> = {};
      for (const [name, tensor] of Object.entries(results)) outputs[name] = floatsOf(name, tensor.data);
      return outputs;
    },
    release: () => session.release(),
  };
}

function typeOf(tensor: Tensor): "float32" | "float64" {
  return tensor.data instanceof Float32Array ? "float32" : "float64";
}

function floatsOf(name: string, data: unknown): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new TypeError(`output ${name} holds no floats`);
}
