/** The runtimes by name. Loaded on demand: importing one costs a second, and most commands need none or one. */

import type { Runtime, RuntimeName } from "./contract.ts";

/**
 * The native kernels where they can be loaded, else WebAssembly, which every platform has.
 * @param tell is told why, since it is some four times slower. @param load of the native one; another only to see what happens without it.
 */
export async function loadFastestRuntime(tell: (message: string) => void, load = loadRuntime): Promise<Runtime> {
  try {
    return await load("node");
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    tell(
      `onnxruntime-node can't be loaded here (${reason}): training goes on with onnxruntime-web, in one thread and several times slower`,
    );
    return load("wasm");
  }
}

export async function loadRuntime(name: RuntimeName): Promise<Runtime> {
  if (name === "node") return (await import("./node-runtime.ts")).nodeRuntime;
  return (await import("./wasm-runtime.ts")).wasmRuntime;
}
