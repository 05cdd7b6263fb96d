/** The runtimes by name. Loaded on demand: importing one costs a second, and most commands need none or one. */

import type { Runtime, RuntimeName } from "./contract.ts";

export async function loadRuntime(name: RuntimeName): Promise<Runtime> {
  if (name === "node") return (await import("./node-runtime.ts")).nodeRuntime;
  return (await import("./wasm-runtime.ts")).wasmRuntime;
}
