/**
 * What runs ONNX graphs here. Two implementations, one interface: native kernels for speed, WebAssembly for the same bits on any machine.
 */

export type RuntimeName = "node" | "wasm";

/** Row-major numbers with their shape; the float type must be the graph's. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export interface Session {
  /** Every output of the graph, by name, in fresh buffers. Throws when an input is missing or of another shape. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Float32Array | Float64Array>>;
  release(): Promise<void>;
}

export interface Runtime {
  readonly name: RuntimeName;
  /** Throws when the bytes are no model that this runtime can load. */
  open(model: Uint8Array): Promise<Session>;
}
