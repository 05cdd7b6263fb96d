/** The kernel beside its sources and its writer; that it writes what the codec in TypeScript writes is shown by every block of day-file-block.test.ts. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../archive/day-file.ts";
import { openDayFileKernel } from "../../archive/day-file-kernel.ts";
import { encodeBlockBy } from "../../core/wire/day-file/kernel.ts";
import { type DayFileOptions, DayFileWriter } from "../../core/wire/day-file/writer.ts";

/** As workers/cron/compact-day.ts has them. */
const BLOCK_BYTES = 4 * 1024 * 1024;
const ROOT = resolve(import.meta.dirname, "..", "..");

describe("the kernel of day files", () => {
  it("is what its sources become, or nobody could read what runs", () => {
    const scratch = mkdtempSync(join(tmpdir(), "day-file-kernel-"));
    const built = join(scratch, "day-file.wasm");
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        join(ROOT, "node_modules", "assemblyscript", "bin", "asc.js"),
        "--config",
        join(ROOT, "kernels", "asconfig.json"),
        "--outFile",
        built,
      ],
      { cwd: ROOT, encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(Buffer.compare(readFileSync(built), readFileSync(join(ROOT, "kernels", "day-file", "day-file.wasm")))).toBe(0);
    rmSync(scratch, { recursive: true });
  });

  it("writes the file that is written without it, or a day compacted again would be another file", async () => {
    const text = Buffer.from(
      Array.from(
        { length: 3_000 },
        (_, at) => `${1_767_000_000_000 + at * 10} f {"u":${at},"b":[["${60_000 + (at % 97)}.5","${at % 13}"]]}\n`,
      ).join(""),
    );
    const file = async (more: Partial<DayFileOptions>) => {
      const writer = new DayFileWriter({ market: "binance-spot:BTCUSDT", day: "2025-12-29", digest: sha256, blockBytes: 40_000, ...more });
      const parts = [await writer.push(text.subarray(0, 70_001)), await writer.push(text.subarray(70_001))];
      return Buffer.concat([...parts, (await writer.finish()).bytes]);
    };
    const plain = await file({});
    expect(Buffer.compare(await file({ kernel: openDayFileKernel() }), plain)).toBe(0);
    expect(Buffer.compare(await file({ kernel: openDayFileKernel(), proof: "decoded" }), plain)).toBe(0);
  });

  it("stays in the memory of an isolate with the blocks that the cron gives it, even of the shortest levels", () => {
    const kernel = openDayFileKernel();
    const level = (line: number, at: number) => `["${(line * 7 + at * 3) % 99}","${(at * line) % 10}"]`;
    const lines = Array.from(
      { length: 4_000 },
      (_, line) => `${line} f {"b":[${Array.from({ length: 96 }, (_, at) => level(line, at))}]}\n`,
    );
    const text = Buffer.from(lines.join("").slice(0, BLOCK_BYTES));
    expect(text.length).toBe(BLOCK_BYTES);
    encodeBlockBy(kernel, text);
    expect(kernel.memory.buffer.byteLength).toBeLessThan(56_000_000);
  });
});
