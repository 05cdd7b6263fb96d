/** Time in epoch milliseconds. Names say whose clock: venueTime (the venue's), receivedAt (ours, at arrival), decidedAt (ours, at a decision). */

export const MS_PER_SECOND = 1_000;
export const MS_PER_MINUTE = 60_000;
export const MS_PER_HOUR = 3_600_000;
export const MS_PER_DAY = 86_400_000;

/** The start of the minute that holds `timeMs`. */
export function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MS_PER_MINUTE) * MS_PER_MINUTE;
}

/** The start of the second that holds `timeMs`. */
export function secondOf(timeMs: number): number {
  return Math.floor(timeMs / MS_PER_SECOND) * MS_PER_SECOND;
}

/** The UTC day that holds `timeMs`, `yyyy-mm-dd`. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** @param day UTC, `yyyy-mm-dd`. @returns its start, epoch ms; null when no calendar has it. */
export function startOfDay(day: string): number | null {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00.000Z`) : Number.NaN;
  // V8 reads the 30th of February as the 2nd of March.
  return Number.isNaN(start) || dayOf(start) !== day ? null : start;
}

/** Latest epoch ms that a date can show (ECMA-262, 21.4.1.1). */
const MAX_TIME_MS = 8.64e15;

/** Whether a number can be a time at all. */
export function isTime(time: number): boolean {
  return Number.isFinite(time) && Math.abs(time) <= MAX_TIME_MS;
}
