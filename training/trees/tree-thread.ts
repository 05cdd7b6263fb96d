/** One thread of a training: what it is given, and what it does from begin to end, but for what only the first thread has. */

import { fillAllBins } from "./binning.ts";
import { Booster } from "./boosting.ts";
import type { TreeSettings } from "./contract.ts";
import { Crew, CrewFailed } from "./crew.ts";
import { openTreeKernel, type SharedMemory, type TreeKernel } from "./kernel.ts";
import type { MemoryPlan } from "./memory-plan.ts";

export interface ThreadOrder {
  readonly module: object;
  readonly memory: SharedMemory;
  readonly plan: MemoryPlan;
  readonly columns: number;
  readonly thread: number;
  readonly settings: TreeSettings;
}

export interface TreeThread {
  readonly kernel: TreeKernel;
  readonly crew: Crew;
  readonly buffer: SharedArrayBuffer;
  readonly plan: MemoryPlan;
  readonly columns: number;
  readonly thread: number;
  readonly settings: TreeSettings;
}

export function openThread(order: ThreadOrder): TreeThread {
  const { memory, plan, columns, thread, settings } = order;
  const { buffer } = memory;
  const crew = new Crew(new Int32Array(buffer, plan.control), settings.threads);
  return { kernel: openTreeKernel(order.module, memory), crew, buffer, plan, columns, thread, settings };
}

/** A worker's life: the same steps as the first thread's, which says when to stop. */
export function runWorker(order: ThreadOrder): void {
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
