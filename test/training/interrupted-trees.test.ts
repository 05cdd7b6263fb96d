/** `edgebook train --model trees` as a person runs it: interrupted or killed, it goes on to the very files of a run that never was. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const data = join(folder, "data");
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
const OPTIONS = ["train", "--model", "trees", "--data", data, "--patience", "100000", "--leaf-rows", "20", "--workers", "2"];
/** Two of one horizon, which share their bins, and one of another. */
const ONLY = ["--only", "bid@1000", "--only", "mid@1000", "--only", "mid@5000"];
/** So many that there is time to stop among them. */
const ROUNDS = "500";
const FILES = ["run.json", "metrics.ndjson", "importance.json", "ensemble-01.trees", "ensemble-02.trees", "ensemble-05.trees", "ridge.f64"];

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 1_000, seed: 22, signal: 0.5 }]);
});

function start(out: string, ...more: string[]): { child: ChildProcess; stderr: () => string } {
  const child = spawn(process.execPath, [MAIN, ...OPTIONS, ...ONLY, "--out", out, ...more], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, stderr: () => text };
}

/** Resolves when the first ensemble is done, so that the second is at work. */
async function isAtSecond(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const checkpoint = join(out, "checkpoint");
  return new Promise((resolve) => {
    const watcher = watch(out, () => {
      if (!existsSync(checkpoint)) return;
      watcher.close();
      resolve();
    });
  });
}

/** In the midst of its rounds. */
async function stopped(out: string, signal: "SIGINT" | "SIGKILL"): Promise<{ ended: readonly unknown[]; stderr: string }> {
  const atSecond = isAtSecond(out);
  const { child, stderr } = start(out, "--rounds", ROUNDS);
  await atSecond;
  child.kill(signal);
  return { ended: await once(child, "exit"), stderr: stderr() };
}

async function finished(out: string, ...more: string[]): Promise<string> {
  const { child, stderr } = start(out, "--rounds", ROUNDS, ...more);
  expect((await once(child, "exit"))[0], stderr()).toBe(0);
  return stderr();
}

describe("a training of trees that was stopped", () => {
  it("by ctrl-C says how to go on, ends with 130 and can't be lost to a new one; by SIGKILL it goes on too", async () => {
    const [whole, interrupted, killed] = [join(folder, "whole"), join(folder, "interrupted"), join(folder, "killed")];
    await finished(whole);
    const { ended, stderr } = await stopped(interrupted, "SIGINT");
    expect(ended[0]).toBe(130);
    expect(stderr).toContain("stopping after this step");
    expect(stderr).toMatch(/interrupted after \d+ rounds of mid in [15] s; all rounds so far are kept/);
    expect(stderr).toContain(`--out ${interrupted} --rounds ${ROUNDS} --resume`);
    expect(existsSync(join(interrupted, "run.json"))).toBe(false);
    const anew = start(interrupted, "--rounds", ROUNDS);
    expect((await once(anew.child, "exit"))[0]).toBe(1);
    expect(anew.stderr()).toContain("holds a training that was interrupted: go on with --resume");
    expect((await stopped(killed, "SIGKILL")).ended[1]).toBe("SIGKILL");
    for (const out of [interrupted, killed]) {
      await finished(out, "--resume");
      for (const file of FILES) expect(readFileSync(join(out, file)), file).toEqual(readFileSync(join(whole, file)));
      expect(existsSync(join(out, "checkpoint"))).toBe(false);
    }
  });
});
