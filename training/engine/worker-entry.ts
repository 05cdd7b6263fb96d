/** What runs in a worker thread: one share of the training, obeying one command after the other. Messages: a command in, "done" or what went wrong out. */

import { parentPort, workerData } from "node:worker_threads";
import { loadRuntime } from "../runtime/registry.ts";
import type { Command, Plan } from "./plan.ts";
import { Share } from "./share.ts";

export interface WorkerTask {
  readonly plan: Plan;
  readonly worker: number;
}

export type WorkerReply = "done" | { readonly failure: string };

const { plan, worker } = workerData as WorkerTask;
const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread");

const share = await tell(async () => Share.open(plan, { runtime: await loadRuntime(plan.runtime), worker, isLeader: false }));
port.on("message", (command: Command | "close") => {
  void tell(async () => {
    if (share === null) return;
    if (command !== "close") return share.obey(command);
    await share.close();
    port.close();
  });
});

async function tell<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    const result = await work();
    port?.postMessage("done" satisfies WorkerReply);
    return result;
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    port?.postMessage({ failure } satisfies WorkerReply);
    return null;
  }
}
