/**
 * Folders that commands write into. Losses prevented: a finished run replaced without a word, two trainings that write over each other, a lock left by a
 * killed process that somebody has to clean up, a command that hangs where no folder can be made.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { CommandError } from "../../training/command-error.ts";
import { refuseExported } from "../../training/export/export-run.ts";
import { lockFolder } from "../../training/folder-lock.ts";
import { makeFolder } from "../../training/make-folder.ts";
import { claimRun, removeRun } from "../../training/train/run-folder.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
const LOCK_MODULE = new URL("../../training/folder-lock.ts", import.meta.url).href;
const HAS_PROC = existsSync("/proc/self/stat");
const never = (message: string): void => expect.unreachable(message);

function fresh(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** A process of its own that takes the folder and never gives it back. Resolves when it has it. */
async function holderOf(path: string) {
  const script = `const { lockFolder } = await import(${JSON.stringify(LOCK_MODULE)});
    await lockFolder(${JSON.stringify(path)}, () => {}); console.log("held"); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  return child;
}

async function edgebook(...given: string[]): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...given], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await once(child, "close");
  return { code, stderr };
}

describe("a folder's lock", () => {
  it("keeps a second writer out while the first is at work, and lets it in afterwards", async () => {
    const path = fresh("twice");
    const first = await lockFolder(path, never);
    await expect(lockFolder(path, never)).rejects.toThrow(
      new RegExp(`^another command is at work in ${path} \\(process ${process.pid}, since .* UTC\\)`),
    );
    await first.release();
    await (await lockFolder(path, never)).release();
    expect(readdirSync(path)).toEqual([]);
  });

  it("of a living process of another kind holds; of a killed one nobody has to clean up, and it is said", async () => {
    const path = fresh("killed");
    const child = await holderOf(path);
    await expect(lockFolder(path, never)).rejects.toThrow(`(process ${child.pid}, since`);
    child.kill("SIGKILL");
    await once(child, "exit");
    const told: string[] = [];
    await (await lockFolder(path, (message) => told.push(message))).release();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      new RegExp(`^process ${child.pid}, at work in ${path} since .* UTC, ended before it was done: going on without it$`),
    );
  });

  it.skipIf(!HAS_PROC)("of a process whose number was given to another is one that was left behind", async () => {
    const path = fresh("reused");
    const before = { pid: process.pid, start: "another boot 12", host: hostname(), since: "2026-01-01 00:00:00 UTC" };
    writeFileSync(join(path, "lock-1"), JSON.stringify(before));
    const told: string[] = [];
    await lockFolder(path, (message) => told.push(message));
    expect(told[0]).toContain("since 2026-01-01 00:00:00 UTC, ended before");
  });

  it("of another machine can't be judged from here, and is refused with what to remove", async () => {
    const path = fresh("elsewhere");
    writeFileSync(join(path, "lock-1"), JSON.stringify({ pid: 1, start: null, host: "not-this-one", since: "then" }));
    await expect(lockFolder(path, never)).rejects.toThrow(
      `(process 1 of not-this-one, since then): name another folder, or remove ${join(path, "lock-1")} if it has ended`,
    );
  });

  it("that says nothing is taken over: a machine that went down in the midst of writing it mustn't close the folder for ever", async () => {
    const path = fresh("torn");
    writeFileSync(join(path, "lock-1"), "{");
    const told: string[] = [];
    await lockFolder(path, (message) => told.push(message));
    expect(told[0]).toContain("says nothing");
  });

  it("left behind never goes to two of many who come at once", async () => {
    const path = fresh("rush");
    const random = new Random(1);
    // Each a few turns of the disk later than another, so that one looks where the next already takes over.
    const late = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await stat(path);
      return lockFolder(path, () => undefined);
    };
    let most = 0;
    for (let round = 0; round < 20; round++) {
      writeFileSync(join(path, "lock-1"), "{");
      const all = await Promise.allSettled(Array.from({ length: 8 }, () => late(random.integerBelow(30))));
      const got = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(got.length).toBeLessThanOrEqual(1);
      most = Math.max(most, got.length);
      for (const one of all) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(CommandError);
      await got[0]?.release();
      expect(readdirSync(path)).toEqual([]);
    }
    expect(most).toBe(1);
  });

  it("that was never finished goes with who wrote it, and is none while it is written", async () => {
    const path = fresh("unfinished");
    const dead = { pid: 2 ** 30, start: null, host: hostname(), since: "then" };
    writeFileSync(join(path, "lock-1.new"), JSON.stringify(dead));
    writeFileSync(join(path, "lock-2.new"), "{");
    writeFileSync(join(path, "lock-3.new"), JSON.stringify({ ...dead, pid: process.pid }));
    await (await lockFolder(path, () => undefined)).release();
    expect(readdirSync(path)).toEqual(["lock-2.new", "lock-3.new"]);
  });

  it("of somebody else is not given back by us", async () => {
    const path = fresh("others");
    const mine = await lockFolder(path, never);
    writeFileSync(join(path, "lock-1"), "another's");
    await mine.release();
    expect(readdirSync(path)).toEqual(["lock-1"]);
  });
});

describe("a run's folder", () => {
  it("with a finished run is refused without --overwrite, and left as it was", async () => {
    const path = fresh("finished");
    writeFileSync(join(path, "run.json"), "{}");
    await expect(claimRun(path, { resume: false, overwrite: false }, never)).rejects.toThrow(
      `${path} holds a run that came to its end: name another --out, or replace it with --overwrite`,
    );
    await expect(claimRun(path, { resume: true, overwrite: false }, never)).rejects.toThrow("there is nothing to resume");
    expect(readdirSync(path)).toEqual(["run.json"]);
    await (await claimRun(path, { resume: false, overwrite: true }, never)).release();
    expect(readdirSync(path)).toEqual(["run.json"]);
  });

  it("that came to nothing leaves none behind, and one that was there before stays", async () => {
    const path = join(folder, "above", "new");
    await (await claimRun(path, { resume: false, overwrite: false }, never)).release();
    expect(existsSync(path)).toBe(false);
    const there = fresh("empty");
    await (await claimRun(there, { resume: false, overwrite: false }, never)).release();
    expect(existsSync(there)).toBe(true);
  });

  it("is emptied of all that a run wrote, whatever its kind, and of nothing else", async () => {
    const path = fresh("emptied");
    const own = ["run.json", "metrics.ndjson", "weights.f32", "lines.f64", "ridge.f64", "scores.json", "report.html", "importance.json"];
    for (const name of [...own, "environment.json", "ensemble-01.trees", "ensemble-12.trees", "checkpoint", "checkpoint.previous"])
      writeFileSync(join(path, name), "");
    for (const name of ["notes.txt", "ensemble.trees.txt", "lock-1"]) writeFileSync(join(path, name), "");
    await removeRun(path);
    expect(readdirSync(path).sort()).toEqual(["ensemble.trees.txt", "lock-1", "notes.txt"]);
  });
});

describe("an export's folder", () => {
  it.each(["manifest.json", "model.onnx"])("with a %s is refused: the model there may be the one that is served", async (file) => {
    const path = fresh(`export-${file}`);
    await expect(refuseExported(path)).resolves.toBeUndefined();
    writeFileSync(join(path, file), "");
    await expect(refuseExported(path)).rejects.toThrow("holds an exported model: name another --out, or replace it with --overwrite");
  });
});

describe("a folder", () => {
  it.skipIf(!existsSync("/proc"))("that can't be made is an error in time: Node's own mkdir would try for ever", async () => {
    await expect(makeFolder("/proc/edgebook/run")).rejects.toThrow("no folder can be made in /proc: name another place");
  });

  it("is made with all above it, once; where a file lies it is none", async () => {
    expect(await makeFolder(join(folder, "a", "b", "c"))).toBe(true);
    expect(await makeFolder(join(folder, "a", "b", "c"))).toBe(false);
    writeFileSync(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file"))).rejects.toThrow("is a file, and a folder is wanted");
    await expect(makeFolder(join(folder, "file", "run"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe("edgebook train", () => {
  const data = join(folder, "data");
  const LINES = ["train", "--model", "linear", "--data", data, "--out"];

  beforeAll(async () => {
    await writeToyDataset(data, [{ rows: 1_000, seed: 22, signal: 0.5 }]);
  });

  it("doesn't replace a finished run, nor write where another is at work; where that was killed it goes on, and says so", async () => {
    const out = join(folder, "run");
    expect(await edgebook(...LINES, out)).toEqual({ code: 0, stderr: "" });
    const made = readFileSync(join(out, "run.json"), "utf8");
    writeFileSync(join(out, "importance.json"), "of another run");
    const again = await edgebook(...LINES, out, "--lambdas", "1");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("holds a run that came to its end: name another --out, or replace it with --overwrite");
    expect(readFileSync(join(out, "run.json"), "utf8")).toBe(made);
    const other = await holderOf(out);
    const beside = await edgebook(...LINES, out, "--overwrite", "--lambdas", "1");
    expect(beside.code).toBe(1);
    expect(beside.stderr).toContain(`another command is at work in ${out}`);
    expect(readFileSync(join(out, "run.json"), "utf8")).toBe(made);
    other.kill("SIGKILL");
    await once(other, "exit");
    const last = await edgebook(...LINES, out, "--overwrite", "--lambdas", "1");
    expect(last.code).toBe(0);
    expect(last.stderr).toContain(`process ${other.pid}, at work in ${out}`);
    expect(readFileSync(join(out, "run.json"), "utf8")).not.toBe(made);
    expect(readdirSync(out).sort()).toEqual(["environment.json", "lines.f64", "metrics.ndjson", "ridge.f64", "run.json"]);
  });
});
