/**
 * What one thread of a training has: all of it over the one shared memory, and the same in every thread but for its number. A thread as it is opened
 * works for all targets, and bins; threadFor gives what it has for one of them.
 */

import type { Tree, TreeObjective, TreeSettings } from "./contract.ts";
import { Crew } from "./crew.ts";
import { openTreeKernel, type SharedMemory, type TreeKernel } from "./kernel.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import { hasOwnHessians, outputsOf } from "./objectives.ts";

export interface ThreadOrder {
  readonly module: object;
  readonly memory: SharedMemory;
  readonly plan: MemoryPlan;
  readonly columns: number;
  readonly thread: number;
  /** Of the targets, one after the other. */
  readonly objectives: readonly TreeObjective[];
  readonly settings: Omit<TreeSettings, "objective">;
  /** [targets] rounds that a stopped training has done. */
  readonly done: readonly (readonly (readonly Tree[])[])[];
}

export interface OpenThread {
  readonly kernel: TreeKernel;
  readonly crew: Crew;
  readonly buffer: SharedArrayBuffer;
  readonly plan: MemoryPlan;
  readonly columns: number;
  readonly thread: number;
  readonly objectives: readonly TreeObjective[];
  readonly settings: Omit<TreeSettings, "objective">;
  readonly done: ThreadOrder["done"];
}

/** For one target. */
export interface TreeThread extends OpenThread {
  readonly settings: TreeSettings;
}

export function openThread(order: ThreadOrder): OpenThread {
  const { memory, module, ...rest } = order;
  const { buffer } = memory;
  const crew = new Crew(new Int32Array(buffer, order.plan.control), order.settings.threads);
  return { ...rest, kernel: openTreeKernel(module, memory), crew, buffer };
}

/** With what this target doesn't need left out of the plan, as if it were the only one. */
export function threadFor(thread: OpenThread, target: number): TreeThread {
  const objective = thread.objectives[target];
  if (objective === undefined) throw new Error(`there is no target ${target}`);
  const { plan } = thread;
  const hessians = hasOwnHessians(objective, plan.training.weights !== 0) ? plan.hessians : 0;
  const probabilities = outputsOf(objective) > 1 ? plan.probabilities : 0;
  return { ...thread, plan: { ...plan, hessians, probabilities }, settings: { ...thread.settings, objective } };
}
