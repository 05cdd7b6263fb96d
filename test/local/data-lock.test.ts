/** Losses prevented: two systems that write one database; a directory that nobody can use again after a kill. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { lockData } from "../../local/data-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "edgebook-lock-"));
const lock = join(folder, "start.pid");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a data directory", () => {
  it("is taken and let go", () => {
    const unlock = lockData(folder);
    expect(existsSync(lock)).toBe(true);
    unlock();
    expect(existsSync(lock)).toBe(false);
  });

  it("that a living process has is refused, with its number and what to do", () => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => 1, 1000)"], { stdio: "ignore" });
    try {
      writeFileSync(lock, String(other.pid));
      expect(() => lockData(folder)).toThrow(new RegExp(`in use by process ${other.pid}.*--data`));
      expect(existsSync(lock)).toBe(true);
    } finally {
      other.kill("SIGKILL");
    }
  });

  it.each([
    ["a process that was killed", String(spawnSync(process.execPath, ["-e", ""]).pid)],
    ["an earlier process of our own number, as in a container", String(process.pid)],
    ["nobody that can be read", "💩"],
  ])("left behind by %s is taken over", (_, owner) => {
    writeFileSync(lock, owner);
    lockData(folder)();
    expect(existsSync(lock)).toBe(false);
  });
});
