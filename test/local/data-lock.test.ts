/** Losses prevented: two systems that write one database; a directory that nobody can use again after a kill. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { lockData } from "../../local/data-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "edgebook-lock-"));
const lock = join(folder, "start.pid");
/** Of the start that asks; nothing listens there, and nothing is asked of it. */
const PORT = 9;
/** A process that has ended. */
const DEAD = spawnSync(process.execPath, ["-e", ""]).pid;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a data directory", () => {
  it("is taken and let go", async () => {
    const unlock = await lockData(folder, PORT);
    expect(existsSync(lock)).toBe(true);
    unlock();
    expect(existsSync(lock)).toBe(false);
  });

  it("that a living process has is refused, with its number and what to do", async () => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => 1, 1000)"], { stdio: "ignore" });
    try {
      writeFileSync(lock, `${other.pid} ${PORT}`);
      await expect(lockData(folder, PORT)).rejects.toThrow(new RegExp(`in use by process ${other.pid}.*--data`));
      expect(existsSync(lock)).toBe(true);
    } finally {
      other.kill("SIGKILL");
    }
  });

  it("whose owner was killed, and whose Workers were not, is refused: two would write one database", async () => {
    const left = createServer().listen(0, "127.0.0.1");
    await once(left, "listening");
    const { port } = left.address() as AddressInfo;
    try {
      writeFileSync(lock, `${DEAD} ${port}`);
      await expect(lockData(folder, PORT)).rejects.toThrow(new RegExp(`still answers on port ${port}.*end that first`));
      expect(existsSync(lock)).toBe(true);
    } finally {
      left.close();
      await once(left, "close");
    }
    (await lockData(folder, PORT))();
    expect(existsSync(lock)).toBe(false);
  });

  it.each([
    ["a process that was killed", `${DEAD} ${PORT}`],
    ["an earlier process of our own number, as in a container", `${process.pid} ${PORT}`],
    ["nobody that can be read", "💩"],
  ])("left behind by %s is taken over", async (_, owner) => {
    writeFileSync(lock, owner);
    (await lockData(folder, PORT))();
    expect(existsSync(lock)).toBe(false);
  });
});
