/**
 * What runs ONNX graphs here. Two implementations, one interface: native kernels for speed, WebAssembly for the same bits on any machine.
 */

export type RuntimeName = "node" | "wasm";

/** Row-major numbers with their shape; the float type must be the graph's. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Session {
  /** Every output of the graph, by name, in fresh buffers. Rejects when an input is missing, none of the graph's, or of another shape or type. */
  run(inputs: Tensors): Promise<Record<string, Float32Array | Float64Array>>;
  /**
   * A call that is made again and again on the same buffers, which may lie in shared memory: it reads what then lies in `inputs` and leaves its answer in
   * `outputs`, which may be some of the graph's. Nothing is allocated for it where the platform allows. Throws where a name is missing or unknown.
   * @returns the call; it answers null where it is done when it returns, which spares a trip through the event loop. It throws or rejects where shapes
   * or types are others than the graph's; `outputs` stay as they were then, and later calls are as good as before.
   */
  bind(inputs: Tensors, outputs: Tensors): () => Promise<void> | null;
  /** Once; calls after it fail. */
  release(): Promise<void>;
}

export interface Runtime {
  readonly name: RuntimeName;
  /** Throws when the bytes are no model that this runtime can load. */
  open(model: Uint8Array): Promise<Session>;
}
