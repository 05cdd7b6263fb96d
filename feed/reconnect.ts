/**
 * When to dial again: exponential backoff with full jitter and a cap; forgiven only after a minute of healthy data, so that a venue that
 * accepts and drops at once is not hammered. (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
 */

import { MS_PER_MINUTE } from "../core/units/time.ts";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const HEALTHY_AFTER_MS = MS_PER_MINUTE;

export interface ReconnectState {
  /** Attempts since the last healthy connection. */
  readonly attempts: number;
  readonly retryAt: number;
}

export const READY_TO_CONNECT: ReconnectState = { attempts: 0, retryAt: 0 };

/** @param uniform a random number in [0, 1). @param retryAfterMs what the venue asked for; obeyed where it is longer. */
export function afterFailure(state: ReconnectState, now: number, options: { uniform: number; retryAfterMs: number }): ReconnectState {
  const attempts = state.attempts + 1;
  let ceiling = FIRST_MS;
  for (let doubled = 1; doubled < attempts && ceiling < LONGEST_MS; doubled++) ceiling *= 2;
  const wait = FIRST_MS / 2 + options.uniform * (Math.min(ceiling, LONGEST_MS) - FIRST_MS / 2);
  // Whole: an alarm set for a fraction of a millisecond may come before it, and the next one is long after.
  return { attempts, retryAt: Math.ceil(now + Math.max(wait, options.retryAfterMs)) };
}

/** @param openedAt when the connection that has just gone down had opened, and `lastDataAt` its last message. */
export function wasHealthy(openedAt: number, lastDataAt: number): boolean {
  return lastDataAt - openedAt >= HEALTHY_AFTER_MS;
}
