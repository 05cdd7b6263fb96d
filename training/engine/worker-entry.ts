/** What runs in a worker thread: one share of the training, obeying one command after the other. */

import { parentPort, workerData } from "node:worker_threads";
import { CommandError } from "../command-error.ts";
import { loadRuntime } from "../runtime/registry.ts";
import type { Command } from "./plan.ts";
import { Share } from "./share.ts";
import { CLOSE, type WorkerReply, type WorkerTask } from "./worker-messages.ts";

const { plan, worker } = workerData as WorkerTask;
const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread");

const share = await tell(async () => Share.open(plan, { runtime: await loadRuntime(plan.runtime), worker, isLeader: false }));
port.on("message", (command: Command | typeof CLOSE) => {
  if (command === CLOSE) void close();
  else void tell(async () => share?.obey(command));
});

/** With its port closed, nothing keeps the thread. */
async function close(): Promise<void> {
  await share?.close().catch(() => null);
  port?.close();
}

async function tell<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    const result = await work();
    port?.postMessage("done" satisfies WorkerReply);
    return result;
  } catch (error) {
    const isRefusal = error instanceof CommandError;
    const failure = error instanceof Error ? ((isRefusal ? null : error.stack) ?? error.message) : String(error);
    port?.postMessage({ failure, isRefusal } satisfies WorkerReply);
    return null;
  }
}
