/** Checkpoints: a training that was stopped anywhere goes on to the same bytes, and whatever happens to the disk, the last good one stays. */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../../training/engine/checkpoint.ts";
import { type EngineTask, type TrainedNetwork, TrainingInterrupted } from "../../../training/engine/contract.ts";
import { runTraining } from "../../../training/engine/run-training.ts";
import type { TrainSettings } from "../../../training/engine/settings.ts";
import { SGD_DEFAULTS } from "../../../training/tensors/optimisers/sgd.ts";
import { plainNetwork, toyTask } from "./toy-training.ts";

const folder = mkdtempSync(join(tmpdir(), "edgebook-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const freshPath = (): string => join(mkdtempSync(join(folder, "run-")), `checkpoint-${made++}`);

/** Stops the training after the checkpoint that follows so many epochs' ends. */
async function stopAfter(task: EngineTask, epochs: number): Promise<void> {
  const controller = new AbortController();
  const onEpoch = async (curve: readonly unknown[]): Promise<void> => {
    if (curve.length === epochs) controller.abort();
  };
  await expect(runTraining({ ...task, signal: controller.signal, onEpoch })).rejects.toThrow(TrainingInterrupted);
}

/** Goes on stretch by stretch, each of so many steps: only what the file holds reaches the next. */
async function inStretches(task: EngineTask, path: string, steps: number): Promise<{ trained: TrainedNetwork; stretches: number }> {
  for (let stretches = 1; ; stretches++) {
    const controller = new AbortController();
    const checkpoint = { path, resume: stretches > 1, everySteps: steps };
    try {
      const onCheckpoint = (): void => controller.abort();
      return { trained: await runTraining({ ...task, checkpoint, signal: controller.signal, onCheckpoint }), stretches };
    } catch (error) {
      if (!(error instanceof TrainingInterrupted)) throw error;
    }
  }
}

const KINDS: [string, Partial<TrainSettings>][] = [
  ["one worker", {}],
  ["two workers", { workers: 2, clip: { norm: 1, value: null } }],
  ["momentum, a plateau and parts", { optimiser: SGD_DEFAULTS, schedule: { kind: "plateau", warmupSteps: 3 }, accumulate: 2, epochs: 12 }],
];

describe("a resumed training", () => {
  it.each(KINDS)("ends with the bytes of one that never stopped, wherever it was stopped (%s)", async (_, settings) => {
    const task = await toyTask({ settings });
    const whole = await runTraining(task);
    const path = freshPath();
    const { trained, stretches } = await inStretches(task, path, 3);
    // Ten steps an epoch: after 3, 6 and 9 of them and at its end.
    expect(stretches).toBeGreaterThan(4 * 3);
    expect(trained).toEqual(whole);
  });

  it("is the same with checkpoints and without: taking one must not change what it keeps", async () => {
    const task = await toyTask();
    const path = freshPath();
    expect(await runTraining({ ...task, checkpoint: { path, resume: false, everySteps: 1 } })).toEqual(await runTraining(task));
    const { header } = await readCheckpoint(path);
    expect(header.epoch).toBe(4);
    expect(header.curve.length).toBe(4);
  });

  it("that keeps the last epoch keeps it when it was stopped there too, and is no other's to go on with", async () => {
    const toy = await toyTask();
    // Validation that wants the opposite likes the first weights best.
    const validation = { ...toy.validation, targets: toy.validation.targets.map((target) => -target) };
    const task: EngineTask = { ...toy, validation, keeps: "last" };
    const path = freshPath();
    const { trained } = await inStretches(task, path, 3);
    expect(trained).toEqual(await runTraining(task));
    const other = freshPath();
    await stopAfter({ ...task, checkpoint: { path: other, resume: false } }, 1);
    await expect(runTraining({ ...task, keeps: "best", checkpoint: { path: other, resume: true } })).rejects.toThrow(
      /keeps was last, now none/,
    );
  });

  it("is refused with other settings, data, network or workers, and told which: its bytes would belong to neither", async () => {
    const task = await toyTask();
    const path = freshPath();
    await stopAfter({ ...task, checkpoint: { path, resume: false } }, 1);
    const go = (other: Partial<EngineTask>) => runTraining({ ...task, ...other, checkpoint: { path, resume: true } });
    const settings = (changed: Partial<TrainSettings>) => go({ settings: { ...task.settings, ...changed } });
    await expect(settings({ learningRate: 0.02 })).rejects.toThrow(/is of another training \(learningRate was 0.01, now 0.02\)/);
    await expect(settings({ workers: 2 })).rejects.toThrow(/workers was 1, now 2/);
    await expect(settings({ optimiser: SGD_DEFAULTS })).rejects.toThrow(/optimiser was \{"kind":"adamw".*now \{"kind":"sgd"/);
    await expect(go({ data: "others" })).rejects.toThrow(/data was toy, now others/);
    await expect(go({ network: plainNetwork })).rejects.toThrow(/network was [0-9a-f]{16}, now [0-9a-f]{16}/);
  });
});

describe("a checkpoint", () => {
  it("that is corrupt anywhere is refused, and the one before it named: half a state would train on as if whole", async () => {
    const task = await toyTask();
    const path = freshPath();
    const checkpoint = { path, resume: true };
    await expect(runTraining({ ...task, checkpoint })).rejects.toThrow(/there is no checkpoint .*: train from the start/);
    await stopAfter({ ...task, checkpoint: { path, resume: false, everySteps: 5 } }, 2);
    const good = readFileSync(path);
    for (const at of [0, 20, Math.floor(good.length / 2), good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ 1;
      writeFileSync(path, bad);
      await expect(runTraining({ ...task, checkpoint })).rejects.toThrow(`copy ${path}.previous to ${path}`);
    }
    writeFileSync(path, good.subarray(0, good.length - 10));
    await expect(runTraining({ ...task, checkpoint })).rejects.toThrow(/is corrupt .*the one before it is whole/);
    await expect(runTraining({ ...task, checkpoint: { path, resume: false } })).rejects.toThrow(
      `${path}.previous holds a training that was interrupted: go on with --resume`,
    );
    const whole = await runTraining(task);
    copyFileSync(`${path}.previous`, path);
    expect(await runTraining({ ...task, checkpoint })).toEqual(whole);
    rmSync(`${path}.previous`);
    writeFileSync(path, "nothing");
    await expect(runTraining({ ...task, checkpoint })).rejects.toThrow(/is corrupt .*: train from the start/);
  });

  it("that finds no room on the disk leaves the last good one, and the training goes on and says so", async () => {
    const task = await toyTask();
    const path = freshPath();
    await stopAfter({ ...task, checkpoint: { path, resume: false } }, 1);
    const before = readFileSync(path);
    // The file beside it is a device that is always full: ENOSPC, as from a full disk.
    symlinkSync("/dev/full", `${path}.tmp`);
    const warnings: string[] = [];
    const controller = new AbortController();
    const onWarning = (message: string): void => {
      warnings.push(message);
      // The failed write cleans up after itself; the next finds a full disk again.
      symlinkSync("/dev/full", `${path}.tmp`);
    };
    const trained = await runTraining({ ...task, checkpoint: { path, resume: true, everySteps: 4 }, onWarning, signal: controller.signal });
    expect(trained).toEqual(await runTraining(task));
    expect(warnings.length).toBeGreaterThan(3);
    expect(warnings[0]).toMatch(/no checkpoint could be written \(ENOSPC.*\): training goes on/);
    expect(readFileSync(path)).toEqual(before);
    const stopped = new AbortController();
    stopped.abort();
    await expect(runTraining({ ...task, checkpoint: { path, resume: true }, signal: stopped.signal })).rejects.toThrow(/ENOSPC/);
    expect(readFileSync(path)).toEqual(before);
    // Nothing is left of the failed ones.
    expect(readdirSync(join(path, "..")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  it("is never of weights that are no numbers: neither in its time, nor when the training is stopped", async () => {
    // Beyond float32: the first step's loss is a number, and the weights after it are none.
    const task = await toyTask({ settings: { learningRate: 1e39, epochs: 3 } });
    const path = freshPath();
    await expect(runTraining({ ...task, checkpoint: { path, resume: false, everySteps: 1 } })).rejects.toThrow(
      /the last checkpoint, if one was written, is good/,
    );
    expect(existsSync(path)).toBe(false);
    const controller = new AbortController();
    const stopped = { ...task, onProgress: () => controller.abort(), signal: controller.signal };
    await expect(runTraining({ ...stopped, checkpoint: { path, resume: false, everySteps: 1 } })).rejects.toThrow(
      /training was stopped, and can't go on: the weights .* are no numbers any more/,
    );
    expect(existsSync(path)).toBe(false);
  });

  it("of a training that was interrupted is not overwritten by a new one: whoever forgot --resume would lose it", async () => {
    const task = await toyTask({ network: plainNetwork });
    const path = freshPath();
    await stopAfter({ ...task, checkpoint: { path, resume: false } }, 1);
    const before = readFileSync(path);
    await expect(runTraining({ ...task, checkpoint: { path, resume: false, everySteps: 1 } })).rejects.toThrow(
      /holds a training that was interrupted: go on with --resume, or train anew with --overwrite/,
    );
    expect(readFileSync(path)).toEqual(before);
    // What can't be gone on from is no loss.
    writeFileSync(path, "nothing");
    await runTraining({ ...task, checkpoint: { path, resume: false } });
  });

  it("that was made up is refused, though its hash is right: a shorter vector would leave the rest as it was drawn", async () => {
    const task = await toyTask({ network: plainNetwork });
    const path = freshPath();
    await stopAfter({ ...task, checkpoint: { path, resume: false } }, 1);
    const { header, vectors } = await readCheckpoint(path);
    const resumed = () => runTraining({ ...task, checkpoint: { path, resume: true } });
    for (const name of ["parameters", "state.first_moment", "best.parameters"]) {
      await writeCheckpoint(path, { header, vectors: new Map([...vectors, [name, new Float32Array(3)]]) });
      await expect(resumed()).rejects.toThrow(`the checkpoint has 3 numbers of ${name}, not ${vectors.get(name)?.length}`);
    }
    for (const [from, to] of [
      ['"epoch":1', '"epoch":-1'],
      ['"length":', '"length":-'],
      ['{"format"', '{{format"'],
    ] as const) {
      await writeCheckpoint(path, { header, vectors });
      const text = readFileSync(path).subarray(0, -32).toString("latin1");
      const content = Buffer.from(text.replace(from, to), "latin1");
      writeFileSync(path, Buffer.concat([content, createHash("sha256").update(content).digest()]));
      rmSync(`${path}.previous`, { force: true });
      await expect(resumed()).rejects.toThrow(/is corrupt .*: train from the start/);
    }
  });
});
