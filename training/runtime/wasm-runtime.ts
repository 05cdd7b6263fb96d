/**
 * onnxruntime-web inside Node: the same WebAssembly module that serves at the edge. Some four times slower than the native kernels, and its
 * arithmetic is fixed by the WebAssembly specification: the same model, inputs and version give the same bits on any CPU.
 * What ships in the repository is trained with it, so that anyone can reproduce the file byte for byte.
 */

import { env, InferenceSession, Tensor } from "onnxruntime-web";
import type { Runtime } from "./contract.ts";
import { wrapSession } from "./session.ts";

// One thread: sums split over threads would depend on the split.
env.wasm.numThreads = 1;
env.wasm.proxy = false;

export const wasmRuntime: Runtime = {
  name: "wasm",
  async open(model) {
    const session = await InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    return wrapSession(Tensor, {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      run: (feeds) => session.run(feeds),
      // Everything is copied into and out of the module's own memory, so neither would save anything.
      runInPlace: null,
      takesSharedMemory: false,
      release: () => session.release(),
    });
  },
};
