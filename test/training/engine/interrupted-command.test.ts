/** `edgebook train` as a person runs it: killed or interrupted in the middle of an epoch, it goes on to the very run that would have been. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "../../../training/command-error.ts";
import { readDataset } from "../../../training/datasets/dataset-reader.ts";
import { TrainingInterrupted } from "../../../training/engine/contract.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../../training/engine/settings.ts";
import { silent } from "../../../training/progress.ts";
import { loadFastestRuntime, loadRuntime } from "../../../training/runtime/registry.ts";
import { readRun } from "../../../training/train/run-folder.ts";
import { trainRun } from "../../../training/train/train-run.ts";
import { scratchFolder, writeToyDataset } from "../toy-data.ts";
import { steppingRun } from "./stepping-run.ts";

const folder = scratchFolder();
const data = join(folder, "data");
const MAIN = new URL("../../../training/command-line/main.ts", import.meta.url).pathname;
/** So many epochs that there is time to interrupt them. */
const OPTIONS = ["train", "--data", data, "--epochs", "1500", "--patience", "1500", "--batch", "32", "--workers", "2"];

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 1_000, seed: 21, signal: 0.5 }]);
});

function start(out: string, ...more: string[]): { child: ChildProcess; stderr: () => string } {
  const child = spawn(process.execPath, [MAIN, ...OPTIONS, "--out", out, ...more], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, stderr: () => text };
}

/** Resolves when the training has written the scores of its first epochs, so that it is at work. */
async function isTraining(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  await changedUntil(out, () => existsSync(join(out, "metrics.ndjson")));
}

function changedUntil(path: string, isThere: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(path, () => {
      if (!isThere()) return;
      watcher.close();
      resolve();
    });
  });
}

describe("ctrl-C", () => {
  it("stops with a checkpoint, says how to go on and ends with 130; gone on, it is where it was", async () => {
    const out = join(folder, "interrupted");
    const training = isTraining(out);
    const { child, stderr } = start(out);
    await training;
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(130);
    expect(stderr()).toMatch(/stopping after this step/);
    expect(stderr()).toMatch(/interrupted in epoch \d+, after \d+ of its steps.*--resume/s);
    expect(stderr()).toContain(`--out ${out} --resume`);
    expect(existsSync(join(out, "checkpoint"))).toBe(true);
    await expect(readRun(out)).rejects.toThrow(CommandError);
    const before = readFileSync(join(out, "metrics.ndjson"), "utf8").split("\n").length;
    const again = start(out, "--resume");
    await changedUntil(out, () => readFileSync(join(out, "metrics.ndjson"), "utf8").split("\n").length > before);
    again.child.kill("SIGKILL");
    await once(again.child, "exit");
    expect(again.stderr()).toBe("");
  });

  it("twice ends at once, by the signal: worker threads that are stopped within a native call would abort the process", async () => {
    const out = join(folder, "twice");
    for (let round = 0; round < 3; round++) {
      const training = isTraining(out);
      const { child, stderr } = start(out);
      await training;
      const told = once(child.stderr as NodeJS.EventEmitter, "data");
      child.kill("SIGINT");
      await told;
      child.kill("SIGINT");
      const [code, signal] = await once(child, "exit");
      // It may have been done with its step, and checkpoint, in between.
      expect([code, signal]).toEqual(code === null ? [null, "SIGINT"] : [130, null]);
      expect(stderr()).not.toContain("terminate");
      await rm(out, { recursive: true });
    }
  });
});

describe("a run that was stopped", () => {
  it("by SIGKILL, wherever it was, and resumed is the run that never was", async () => {
    const [whole, killed] = [join(folder, "never-killed"), join(folder, "killed")];
    await trainRun(await steppingRun(data, whole));
    const script = new URL("./stepping-run.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, data, killed], { stdio: ["ignore", "pipe", "ignore"] });
    let written = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      written += chunk.toString().split("\n").length - 1;
      if (written >= 10) child.kill("SIGKILL");
    });
    expect((await once(child, "exit"))[1]).toBe("SIGKILL");
    await expect(readRun(killed)).rejects.toThrow(CommandError);
    await trainRun({ ...(await steppingRun(data, killed)), resume: true });
    for (const file of ["run.json", "weights.f32", "ridge.f64", "metrics.ndjson"])
      expect(readFileSync(join(killed, file)), file).toEqual(readFileSync(join(whole, file)));
  });

  it("and resumed is the run that never was, file for file; and a finished one leaves no checkpoint", async () => {
    const dataset = await readDataset(data);
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 3, batch: 32, workers: 2 };
    const runtime = await loadRuntime("node");
    const options = { dataset, dataFolder: data, family: "mlp", runtime, settings, progress: silent, commit: null };
    const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
    await trainRun({ ...options, out: whole });
    const controller = new AbortController();
    // Within the first epoch: 21 steps, one checkpoint after each five.
    const stopped = trainRun({
      ...options,
      out: parts,
      signal: controller.signal,
      checkpoints: { everySteps: 5 },
      onCheckpoint: () => controller.abort(),
    });
    await expect(stopped).rejects.toThrow(TrainingInterrupted);
    expect(existsSync(join(parts, "checkpoint"))).toBe(true);
    await trainRun({ ...options, out: parts, resume: true });
    for (const file of ["run.json", "weights.f32", "ridge.f64", "metrics.ndjson"])
      expect(readFileSync(join(parts, file)), file).toEqual(readFileSync(join(whole, file)));
    expect(existsSync(join(parts, "checkpoint"))).toBe(false);
  });
});

describe("without a native runtime", () => {
  it("training goes on in WebAssembly, and says so: a person would wonder why it takes so long", async () => {
    const told: string[] = [];
    const runtime = await loadFastestRuntime(
      (message) => told.push(message),
      async (name) => {
        if (name === "node") throw new Error("Cannot find module '../bin/napi-v6/linux/riscv64/onnxruntime_binding.node'\nRequire stack:");
        return loadRuntime(name);
      },
    );
    expect(runtime.name).toBe("wasm");
    expect(told).toEqual([
      "onnxruntime-node can't be loaded here (Cannot find module '../bin/napi-v6/linux/riscv64/onnxruntime_binding.node'): training goes on with onnxruntime-web, in one thread and several times slower",
    ]);
    expect((await loadFastestRuntime((message) => told.push(message))).name).toBe("node");
    expect(told.length).toBe(1);
  });
});
