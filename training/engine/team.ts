/**
 * The workers as one: a command goes to all of them, and is done when all have done it. A single worker is the calling thread itself, which costs no start
 * and needs no shared memory of the platform's; with several, the calling thread only leads.
 */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { CommandError } from "../command-error.ts";
import type { Runtime } from "../runtime/contract.ts";
import { explainWorkerFailure } from "../worker-failure.ts";
import { Barrier } from "./barrier.ts";
import type { Command, Plan } from "./plan.ts";
import { Share } from "./share.ts";
import { CLOSE, type WorkerReply, type WorkerTask } from "./worker-messages.ts";

export interface Team {
  /** Throws what a worker threw; the team is of no use then. */
  obey(command: Command): Promise<void>;
  close(): Promise<void>;
}

export async function openTeam(plan: Plan, runtime: Runtime): Promise<Team> {
  const { workers } = plan.settings;
  if (workers > 1) return openThreads(plan, runtime);
  const share = await Share.open(plan, { runtime, worker: 0, isLeader: true });
  return { obey: (command) => share.obey(command), close: () => share.close() };
}

async function openThreads(plan: Plan, runtime: Runtime): Promise<Team> {
  // onnxruntime gives its flag for denormal numbers to the thread of a process's first session: always this one, never one of the workers.
  await (await runtime.open(plan.scoringModel)).release();
  const threads = Array.from({ length: plan.settings.workers }, (_, worker) => {
    const task: WorkerTask = { plan, worker };
    return new Worker(new URL("./worker-entry.ts", import.meta.url), { workerData: task });
  });
  const barrier = new Barrier(plan.shared.barrier, plan.settings.workers);
  const all = async (): Promise<void> => {
    const answers = threads.map(done);
    try {
      await Promise.all(answers);
    } catch (error) {
      // The others may wait for the one that failed.
      barrier.abandon();
      await Promise.allSettled(answers);
      throw error;
    }
  };
  const send = async (command: Command): Promise<void> => {
    const answered = all();
    for (const thread of threads) thread.postMessage(command);
    await answered;
  };
  // Never `terminate`: a thread that is stopped within a native call may abort the process, as one in six did that `exit` stopped so (interrupt.ts).
  const close = async (): Promise<void> => {
    const ends = threads.filter(({ threadId }) => threadId >= 0).map((thread) => once(thread, "exit"));
    for (const thread of threads) thread.postMessage(CLOSE);
    await Promise.all(ends);
  };
  try {
    await all();
  } catch (error) {
    await close();
    throw error;
  }
  return { obey: send, close };
}

/** The next answer of a worker. Throws what went wrong there. */
async function done(thread: Worker): Promise<void> {
  const left = new AbortController();
  const { signal } = left;
  try {
    const [reply] = (await Promise.race([
      once(thread, "message", { signal }),
      once(thread, "exit", { signal }).then(([code]) => [{ failure: `a worker thread ended (${code})`, isRefusal: false }]),
    ])) as [WorkerReply];
    if (reply !== "done") throw reply.isRefusal ? new CommandError(reply.failure) : new Error(reply.failure);
  } catch (error) {
    throw explainWorkerFailure(error);
  } finally {
    left.abort();
  }
}
