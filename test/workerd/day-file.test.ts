import { expect, it } from "vitest";
import { encodeBlock } from "../../core/wire/day-file/block-codec.ts";
import { type DayFileKernel, encodeBlockBy } from "../../core/wire/day-file/kernel.ts";
import kernelModule from "../../kernels/day-file/day-file.wasm";
import { DAY_FILE_DIGEST, dayFileDigest } from "../core/day-file-digest.ts";

it("a day file has the same bytes at the edge as in Node, or one archive could not be checked against another", () => {
  expect(dayFileDigest(encodeBlock)).toBe(DAY_FILE_DIGEST);
});

it("the kernel gives those bytes at the edge too", () => {
  const kernel = new WebAssembly.Instance(kernelModule, {}).exports as unknown as DayFileKernel;
  expect(dayFileDigest((text) => encodeBlockBy(kernel, text))).toBe(DAY_FILE_DIGEST);
});
