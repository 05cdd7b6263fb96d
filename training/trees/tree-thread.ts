/** What one thread of a training has: all of it over the one shared memory, and the same in every thread but for its number. */

import type { TreeSettings } from "./contract.ts";
import { Crew } from "./crew.ts";
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
