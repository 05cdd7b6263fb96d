/**
 * onnxruntime-node: native kernels, chosen by the CPU they find. Fast; two machines may differ in the last bits.
 * One thread: a graph of this size loses more in handing work over than it gains, and the result then can't depend on the core count.
 */

import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Runtime } from "./contract.ts";
import { wrapSession } from "./session.ts";

/** Node 20's typed arrays over shared memory are refused by the native binding; 24's are taken (both tried with onnxruntime-node 1.30). */
const TAKES_SHARED_MEMORY = Number(process.versions.node.split(".")[0]) >= 24;

export const nodeRuntime: Runtime = {
  name: "node",
  async open(model) {
    const session = await InferenceSession.create(model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      // Weights that decay towards zero become denormals, which cost a hundred times a normal number.
      extra: { session: { set_denormal_as_zero: "1" } },
    });
    return wrapSession(session, Tensor, { takesOutputs: true, takesSharedMemory: TAKES_SHARED_MEMORY });
  },
};
