/** The script of the watch (watch.ts): starts the workers, tells when they are at work, and fails the crew, and tells why, when one ends before its time. */

import { parentPort, Worker, workerData } from "node:worker_threads";
import { CommandError } from "../command-error.ts";
import { explainWorkerFailure } from "../worker-failure.ts";
import { Crew } from "./crew.ts";
import { READY, type WatchTask, type WorkerFailure } from "./worker-messages.ts";

watchWorkers(workerData as WatchTask);

function watchWorkers({ script, order }: WatchTask): void {
  const { threads } = order.settings;
  const crew = new Crew(new Int32Array(order.memory.buffer, order.plan.control), threads);
  let ready = 0;
  const fail = (error: unknown): void => {
    const explained = explainWorkerFailure(error);
    const failure = { message: explained.message, isRefusal: explained instanceof CommandError };
    // Before the first thread wakes up to ask.
    parentPort?.postMessage(failure satisfies WorkerFailure);
    crew.fail();
  };
  for (let thread = 1; thread < threads; thread++) {
    const worker = new Worker(new URL(script), { workerData: { ...order, thread } });
    worker.once("message", () => {
      if (++ready === threads - 1) parentPort?.postMessage(READY);
    });
    worker.on("error", fail);
    worker.once("exit", (code) => {
      if (code !== 0) fail(new Error(`a worker thread ended (${code})`));
    });
  }
}
