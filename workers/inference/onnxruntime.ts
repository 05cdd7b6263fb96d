/**
 * Loads onnxruntime-web in a Worker, where wasm can't be compiled at run time and must come as an imported module.
 *
 * 1. One thread, no proxy, and some bytes as `wasmBinary`, so that the glue embedded in the package is used and nothing is fetched.
 * 2. While the runtime initialises, and only then, WebAssembly.instantiate answers with an instance of the imported module.
 * 3. A model of one Identity node is loaded to make it initialise at once.
 *
 * A first initialisation that fails or runs twice at once leaves the runtime broken for the isolate's life: hence one promise for all.
 * Takes some 150 ms, once per isolate.
 */

import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as onnxruntime from "onnxruntime-web/wasm";
import { sharedPromise } from "../shared-promise.ts";

export type Onnxruntime = typeof onnxruntime;

/** ModelProto of opset 17: y = Identity(x), x: float[1]. */
const IDENTITY_MODEL = Uint8Array.from(
  atob("CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBcFoPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEBE="),
  (character) => character.charCodeAt(0),
);

let ready: Promise<Onnxruntime> | null = null;

/** @throws what the runtime threw at its first initialisation, each time: it can't be tried again in this isolate. */
export function loadOnnxruntime(): Promise<Onnxruntime> {
  ready ??= sharedPromise(initialise());
  return ready;
}

async function initialise(): Promise<Onnxruntime> {
  onnxruntime.env.wasm.numThreads = 1;
  onnxruntime.env.wasm.proxy = false;
  onnxruntime.env.wasm.wasmBinary = new Uint8Array(1);
  onnxruntime.env.logLevel = "error";
  const original = WebAssembly.instantiate;
  Reflect.set(WebAssembly, "instantiate", (source: unknown, imports?: WebAssembly.Imports) =>
    instantiateImported(original, source, imports),
  );
  try {
    const probe = await onnxruntime.InferenceSession.create(IDENTITY_MODEL);
    await probe.release();
  } finally {
    Reflect.set(WebAssembly, "instantiate", original);
  }
  return onnxruntime;
}

/** For a module as the platform does it; for bytes with the imported module in their place. */
async function instantiateImported(
  original: typeof WebAssembly.instantiate,
  source: unknown,
  imports: WebAssembly.Imports | undefined,
): Promise<unknown> {
  if (source instanceof WebAssembly.Module) return original.call(WebAssembly, source, imports);
  return { module: runtimeModule, instance: await original.call(WebAssembly, runtimeModule, imports) };
}
