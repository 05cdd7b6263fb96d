/** What goes between the first thread, the watch and the workers. */

import type { ThreadOrder } from "./tree-thread.ts";

export interface WatchTask {
  /** Address of what the workers run. */
  readonly script: string;
  /** All but the number of the thread. */
  readonly order: Omit<ThreadOrder, "thread">;
}

/** What a worker says when it has loaded, and the watch when all have. */
export const READY = "ready";

/** Why a worker ended before its work was done. In words: errors of the system's own lose their kind on the way between threads. */
export interface WorkerFailure {
  readonly message: string;
  readonly isRefusal: boolean;
}
