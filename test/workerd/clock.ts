/**
 * The wall clock of the tests and of the code under test, which share an isolate. It runs on, and a test may set it forward: minutes
 * pass without waiting. Never back, since nothing here promises to bear that.
 */

import { vi } from "vitest";

const realNow = Date.now.bind(Date);
let aheadMs = 0;

vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);

export function advanceClock(ms: number): void {
  aheadMs += ms;
}

/** Sets the clock forward to so long after the start of a minute, the next one, so that a test finds the same time of minute at each run. */
export function advanceIntoMinute(afterMs: number): void {
  const next = Math.ceil(Date.now() / 60_000) * 60_000;
  advanceClock(next + afterMs - Date.now());
}

/** Sets the clock forward to so long before the end of a minute, this one or the next. @returns that minute's start. */
export function advanceToMinuteEnd(beforeMs: number): number {
  const minute = Math.floor((Date.now() + beforeMs) / 60_000) * 60_000;
  advanceClock(minute + 60_000 - beforeMs - Date.now());
  return minute;
}
