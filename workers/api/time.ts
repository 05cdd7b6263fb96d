/** Times and ranges as callers write them. Pure; `now` is an argument. */

import { MS_PER_DAY, MS_PER_HOUR } from "../../core/units/time.ts";

/** A range longer than this is asked for in pieces. */
export const MAX_RANGE_MS = 31 * MS_PER_DAY;
export const DEFAULT_RANGE_MS = MS_PER_HOUR;
/** The last time that a JavaScript date holds is 8.64e15. */
const EPOCH_MS = /^\d{1,15}$/;
/** A date (UTC), or a date and time that says its zone: a local time would mean another moment to each reader. */
const ISO_8601 = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** @returns epoch ms; null when the text is neither epoch ms nor ISO 8601 with its zone. */
export function parseTime(text: string): number | null {
  if (EPOCH_MS.test(text)) return Number(text);
  const match = ISO_8601.exec(text);
  if (match === null) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  // V8 reads the 30th of February as the 2nd of March.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

/** @param text `yyyy-mm-dd`. @returns the start of that UTC day, epoch ms; null when there is no such day. */
export function parseDay(text: string): number | null {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseTime(text) : null;
}

export interface TimeRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The range asked for; what is left out is the last hour before `to`, and `to` is now. @returns why there is none, for a person. */
export function timeRange(from: number | undefined, to: number | undefined, now: number): TimeRange | { refused: string } {
  const end = to ?? now;
  const start = from ?? Math.max(0, end - DEFAULT_RANGE_MS);
  if (start >= end) return { refused: `from (${start}) is not before to (${end})` };
  if (end - start > MAX_RANGE_MS) return { refused: `a range of ${Math.ceil((end - start) / MS_PER_DAY)} days: at most 31 at once` };
  return { from: start, to: end };
}
