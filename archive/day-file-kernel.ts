/** The day files' kernel (kernels/day-file/) in Node, from the file that the Workers bundle. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { DayFileKernel } from "../core/wire/day-file/kernel.ts";

/** What of it is used here: Node's types leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const FILE = resolve(import.meta.dirname, "..", "kernels", "day-file", "day-file.wasm");

/** An instance of its own for each caller: it works on one block at a time. */
export function openDayFileKernel(): DayFileKernel {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(FILE)), {}).exports as DayFileKernel;
}
