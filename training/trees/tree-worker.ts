/** The script of a worker thread: the same steps as the first thread's (session.ts), which has the rows, and says when to stop. */

import { parentPort, workerData } from "node:worker_threads";
import { fillAllBins } from "./binning.ts";
import { Booster } from "./boosting.ts";
import { CrewFailed } from "./crew.ts";
import { openThread, type ThreadOrder, type TreeThread, threadFor } from "./tree-thread.ts";
import { READY } from "./worker-messages.ts";

runWorker(workerData as ThreadOrder);

function runWorker(order: ThreadOrder): void {
  const thread = openThread(order);
  const { crew } = thread;
  parentPort?.postMessage(READY);
  try {
    fillAllBins(thread, null);
    for (let target = 0; target < thread.objectives.length; target++) boostTarget(threadFor(thread, target), target);
  } catch (error) {
    if (error instanceof CrewFailed) return;
    crew.fail();
    throw error;
  }
}

function boostTarget(thread: TreeThread, target: number): void {
  const { crew } = thread;
  crew.meet();
  const booster = new Booster(thread);
  booster.catchUp(thread.done[target] ?? []);
  for (;;) {
    booster.score();
    crew.meet();
    if (crew.isFinished(target)) return;
    booster.boost();
  }
}
