/** The script of a worker thread: the same steps as the first thread's (train-trees.ts), which has the rows, and says when to stop. */

import { workerData } from "node:worker_threads";
import { fillAllBins } from "./binning.ts";
import { Booster } from "./boosting.ts";
import { CrewFailed } from "./crew.ts";
import { openThread, type ThreadOrder } from "./tree-thread.ts";

runWorker(workerData as ThreadOrder);

function runWorker(order: ThreadOrder): void {
  const thread = openThread(order);
  const { crew } = thread;
  try {
    fillAllBins(thread, null);
    crew.meet();
    const booster = new Booster(thread);
    for (;;) {
      booster.score();
      crew.meet();
      if (crew.isStopped) return;
      booster.boost();
    }
  } catch (error) {
    if (error instanceof CrewFailed) return;
    crew.fail();
    throw error;
  }
}
