/** Worker threads that don't start, or die at work: told at once, or a training would stand still without a word. */

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../../training/command-error.ts";
import { Crew, CrewFailed } from "../../../training/trees/crew.ts";
import { compileTreeKernel, takeSharedMemory } from "../../../training/trees/kernel.ts";
import { planMemory } from "../../../training/trees/memory-plan.ts";
import { startWatch, type Watch } from "../../../training/trees/watch.ts";
import { explainWorkerFailure } from "../../../training/worker-failure.ts";
import { scratchFolder } from "../toy-data.ts";
import { SETTINGS } from "../trees-reference.ts";

const folder = scratchFolder();
const { objective, ...rest } = SETTINGS;
const settings = { ...rest, threads: 3 };

/** It has arrived where it waits for the others. */
const WHEN_FIRST_SLEEPS = `function whenFirstSleeps() {
  const control = new Int32Array(workerData.memory.buffer, workerData.plan.control);
  while (Atomics.load(control, 0) === 0);
}`;

/** A watch over workers that run `source`, and the crew as the first thread has it. */
async function watchOver(source: string): Promise<{ watch: Watch; crew: Crew }> {
  const path = join(folder, `worker-${source.length}.mjs`);
  writeFileSync(path, `import { parentPort, workerData } from "node:worker_threads";\n${WHEN_FIRST_SLEEPS}\n${source}`);
  const shape = { rows: 10, columns: 2, validationRows: 0, isWeighted: false, isValidationWeighted: false, outputs: 1, hasHessians: false };
  const plan = planMemory(shape, settings);
  const memory = takeSharedMemory(plan.bytes);
  const order = { module: compileTreeKernel(), memory, plan, columns: 2, objectives: [objective], settings, done: [[]] };
  const crew = new Crew(new Int32Array(memory.buffer, plan.control), settings.threads);
  const watch = startWatch(order, pathToFileURL(path));
  await watch.atWork().catch(async (error: unknown) => {
    await watch.close();
    throw error;
  });
  return { watch, crew };
}

describe("a worker of trees", () => {
  it("that can't be loaded ends the training with its reason", async () => {
    await expect(watchOver(`import "./not-there.mjs";`)).rejects.toThrow(/a worker thread did not start: .*not-there\.mjs/);
    await expect(watchOver("process.exit(3);")).rejects.toThrow("a worker thread did not start: a worker thread ended (3)");
    await expect(watchOver(`if (workerData.thread === 2) throw new Error("no room"); parentPort.postMessage("ready");`)).rejects.toThrow(
      "a worker thread did not start: no room",
    );
  });

  it("that dies at work wakes the first thread, which sleeps and hears nothing itself", async () => {
    const { watch, crew } = await watchOver(`
      parentPort.postMessage("ready");
      if (workerData.thread === 2) {
        whenFirstSleeps();
        process.exit(7);
      }
      setInterval(() => {}, 1e6);`);
    expect(() => crew.meet()).toThrow(CrewFailed);
    expect((await watch.failure())?.message).toBe("a worker thread ended (7)");
    await watch.close();
  });

  it("that runs out of memory, and can't say so itself, is told as well", async () => {
    const { watch, crew } = await watchOver(`
      parentPort.postMessage("ready");
      const { Worker } = await import("node:worker_threads");
      if (workerData.thread === 1) {
        whenFirstSleeps();
        const hungry = new Worker("const all = []; for (;;) all.push(Array(1e4).fill({}))", { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } });
        hungry.on("error", (error) => { throw error; });
      }
      setInterval(() => {}, 1e6);`);
    expect(() => crew.meet()).toThrow(CrewFailed);
    expect((await watch.failure())?.message).toMatch(/memory limit/);
    await watch.close();
  });
});

describe("a worker thread that can't load TypeScript", () => {
  it("is told as what it is: an old Node, not a broken file", async () => {
    const path = join(folder, "worker.unknown");
    writeFileSync(path, "");
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const worker = new Worker(pathToFileURL(path));
    const [error] = await once(worker, "exit").then(
      () => [null],
      (failure: unknown) => [failure],
    );
    const told = explainWorkerFailure(error);
    expect(told).toBeInstanceOf(CommandError);
    expect(told.message).toBe(
      `worker threads need Node 22.18 or newer, and this is ${process.version}: start it with npx edgebook, or take one thread`,
    );
  });
});
