/**
 * Times such as `2021-04-17T16:43:37.075687Z`, read to epoch milliseconds by integer arithmetic.
 *
 * The one layout is RFC 3339 in UTC with a capital T and Z: up to nine decimals of a second, of which those past the millisecond are cut
 * off, never rounded (a message is not of a millisecond that had not begun). Refused: offsets, dates that no calendar has, leap seconds,
 * years before 1970.
 */

import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from "../../core/units/time.ts";

const ZERO = 48;
const POINT = 46;
const DASH = 45;
const COLON = 58;
const LETTER_T = 84;
const LETTER_Z = 90;
/** `2021-04-17T16:43:37Z` */
const SHORTEST = 20;
/** With nanoseconds, the finest that venues send. */
const LONGEST = 30;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365] as const;
const EPOCH_YEAR = 1970;
/** So that a difference counts those since. */
const LEAP_DAYS_BEFORE_EPOCH = leapDaysBefore(EPOCH_YEAR);

/** @returns epoch ms of the time in `text[start, end)`; -1 when it is none. */
export function parseIsoTime(text: string, start: number, end: number): number {
  const length = end - start;
  if (length < SHORTEST || length > LONGEST || text.charCodeAt(end - 1) !== LETTER_Z) return -1;
  if (text.charCodeAt(start + 4) !== DASH || text.charCodeAt(start + 7) !== DASH || text.charCodeAt(start + 10) !== LETTER_T) return -1;
  if (text.charCodeAt(start + 13) !== COLON || text.charCodeAt(start + 16) !== COLON) return -1;
  const day = dayOf(twoDigits(text, start) * 100 + twoDigits(text, start + 2), twoDigits(text, start + 5), twoDigits(text, start + 8));
  const hours = twoDigits(text, start + 11);
  const minutes = twoDigits(text, start + 14);
  const seconds = twoDigits(text, start + 17);
  const milliseconds = millisecondsOf(text, start + 19, end - 1);
  // Each part that is not digits is far below zero, and takes its sum with it.
  if (day < 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 || milliseconds < 0) return -1;
  return day * MS_PER_DAY + hours * MS_PER_HOUR + minutes * MS_PER_MINUTE + seconds * MS_PER_SECOND + milliseconds;
}

/** Below -10,000 when these are not two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000;
}

/** The fraction in `text[start, end)` with its point, or nothing at all, in whole milliseconds. */
function millisecondsOf(text: string, start: number, end: number): number {
  if (start === end) return 0;
  if (text.charCodeAt(start) !== POINT || start + 1 === end) return -1;
  let milliseconds = 0;
  for (let at = start + 1; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    if (at - start <= 3) milliseconds = milliseconds * 10 + digit;
  }
  const digits = end - start - 1;
  return digits === 1 ? milliseconds * 100 : digits === 2 ? milliseconds * 10 : milliseconds;
}

/** Days since 1970-01-01; -1 for a date before it or that no calendar has. */
function dayOf(year: number, month: number, day: number): number {
  if (year < EPOCH_YEAR || month < 1 || month > 12 || day < 1) return -1;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const before = DAYS_BEFORE_MONTH[month - 1] as number;
  const inMonth = (DAYS_BEFORE_MONTH[month] as number) - before + (isLeap && month === 2 ? 1 : 0);
  if (day > inMonth) return -1;
  const leapDays = leapDaysBefore(year) - LEAP_DAYS_BEFORE_EPOCH + (isLeap && month > 2 ? 1 : 0);
  return (year - EPOCH_YEAR) * 365 + leapDays + before + day - 1;
}

/** Leap days in all years from 1 up to `year`, not with it. */
function leapDaysBefore(year: number): number {
  const last = year - 1;
  return Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400);
}
