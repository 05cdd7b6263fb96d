/** What goes between the leading thread and a worker: a task at its start, then commands in, "done" or what went wrong out. */

import type { Plan } from "./plan.ts";

export interface WorkerTask {
  readonly plan: Plan;
  readonly worker: number;
}

export type WorkerReply = "done" | { readonly failure: string; readonly isRefusal: boolean };

/** The last command: the thread ends and answers no more. */
export const CLOSE = "close";
