/**
 * Starts the workers, and listens to them: the first thread can't, which sleeps wherever it waits for them (crew.ts), and would not hear that one has died.
 */

import { Worker } from "node:worker_threads";
import { CommandError } from "../command-error.ts";
import { explainWorkerFailure } from "../worker-failure.ts";
import type { ThreadOrder } from "./tree-thread.ts";
import { READY, type WatchTask, type WorkerFailure } from "./worker-messages.ts";

export interface Watch {
  /** Resolves when all workers are at work. Throws what kept one from it. */
  atWork(): Promise<void>;
  /** What the first worker to fail failed with; null while, or if, none did. To be asked when the crew has failed. */
  failure(): Promise<Error | null>;
  close(): Promise<void>;
}

const NOBODY: Watch = { atWork: () => Promise.resolve(), failure: () => Promise.resolve(null), close: () => Promise.resolve() };

/** The workers start while the first thread goes on, even where it doesn't return to its event loop. */
export function startWatch(order: Omit<ThreadOrder, "thread">, script = new URL("./tree-worker.ts", import.meta.url)): Watch {
  if (order.settings.threads === 1) return NOBODY;
  const task: WatchTask = { script: script.href, order };
  const worker = new Worker(new URL("./watch-worker.ts", import.meta.url), { workerData: task });
  const failed = new Promise<Error | null>((resolve) => {
    worker.on("message", (message: WorkerFailure | typeof READY) => {
      if (message !== READY) resolve(message.isRefusal ? new CommandError(message.message) : new Error(message.message));
    });
    worker.once("error", (error) => resolve(explainWorkerFailure(error)));
    worker.once("exit", () => resolve(null));
  });
  const ready = new Promise<typeof READY>((resolve) => worker.on("message", (message) => message === READY && resolve(READY)));
  return {
    async atWork() {
      const first = await Promise.race([ready, failed]);
      if (first === READY) return;
      if (first instanceof CommandError) throw first;
      throw new Error(`a worker thread did not start: ${first?.message ?? "it ended"}`, { cause: first });
    },
    failure: () => failed,
    close: async () => void (await worker.terminate()),
  };
}
