/**
 * onnxruntime-node: native kernels, chosen by the CPU they find. Fast; two machines may differ in the last bits.
 * One thread: a graph of this size loses more in handing work over than it gains, and the result then can't depend on the core count.
 *
 * It goes to the package's own binding, whose calls are done when they return: its `InferenceSession` puts each call off to the event loop's next turn,
 * which costs a small network as much as its arithmetic.
 */

import { Tensor } from "onnxruntime-node";
import { binding, initOrt } from "onnxruntime-node/dist/binding.js";
import type { Runtime } from "./contract.ts";
import { wrapSession } from "./session.ts";

/** Node 20's typed arrays over shared memory are refused by the native binding; 24's are taken (both tried with onnxruntime-node 1.30). */
const TAKES_SHARED_MEMORY = Number(process.versions.node.split(".")[0]) >= 24;

const OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  // Weights that decay towards zero become denormals, which cost a hundred times a normal number.
  extra: { session: { set_denormal_as_zero: "1" } },
} as const;

export const nodeRuntime: Runtime = {
  name: "node",
  open: async (model) => {
    initOrt();
    const session = new binding.InferenceSession();
    session.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, OPTIONS);
    const outputNames = session.outputMetadata.map(({ name }) => name);
    const fresh = Object.fromEntries(outputNames.map((name) => [name, null]));
    return wrapSession(Tensor, {
      inputNames: session.inputMetadata.map(({ name }) => name),
      outputNames,
      run: async (feeds) => session.run(feeds, fresh, {}),
      runInPlace: (feeds, fetches) => session.run(feeds, fetches, {}),
      takesSharedMemory: TAKES_SHARED_MEMORY,
      release: async () => session.dispose(),
    });
  },
};
