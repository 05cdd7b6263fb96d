/**
 * BitMEX's times: `2021-07-22T22:36:10.014Z`, always UTC. Read strictly, since `Date.parse` takes much else and rolls the 30th of February on.
 */

import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";

const LENGTH = 24;
const ZERO = 48;

/** Epoch ms of the 24 characters from `start`; -1 when they are no such time. */
function timeAt(text: string, start: number): number {
  if (start + LENGTH > text.length) return -1;
  for (let at = 0; at < LENGTH; at++) {
    const expected = SHAPE.charCodeAt(at);
    const code = text.charCodeAt(start + at);
    if (expected === ZERO ? code < ZERO || code > ZERO + 9 : code !== expected) return -1;
  }
  const year = two(text, start) * 100 + two(text, start + 2);
  const month = two(text, start + 5);
  const day = two(text, start + 8);
  const hour = two(text, start + 11);
  const minute = two(text, start + 14);
  const second = two(text, start + 17);
  const ms = two(text, start + 20) * 10 + text.charCodeAt(start + 22) - ZERO;
  // Date.UTC takes the years 0 to 99 for those of the last century.
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return -1;
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  return time < Date.UTC(year, month, 1) ? time : -1;
}

/** Epoch ms of a whole text; -1 when it is no such time. */
export function timeOf(text: string): number {
  return text.length === LENGTH ? timeAt(text, 0) : -1;
}

/** Reads times of which nearly each is in the minute of the one before: they differ in their seconds alone. */
export class TimeReader {
  /** The digits of the minute read last, its date and its clock apart as each fits a machine word; and that minute as epoch ms. */
  private date = -1;
  private clock = -1;
  private minute = 0;

  /** Epoch ms of the time at `start`, whose shape must have been seen to be right (layout-patterns.ts); -1 when there is no such time. */
  read(text: string, start: number): number {
    const date = (two(text, start) * 100 + two(text, start + 2)) * 10_000 + two(text, start + 5) * 100 + two(text, start + 8);
    const clock = two(text, start + 11) * 100 + two(text, start + 14);
    const ms = two(text, start + 17) * 1_000 + two(text, start + 20) * 10 + text.charCodeAt(start + 22) - ZERO;
    if (date === this.date && clock === this.clock) return ms < MS_PER_MINUTE ? this.minute + ms : -1;
    const time = timeAt(text, start);
    if (time < 0) return -1;
    this.date = date;
    this.clock = clock;
    this.minute = minuteOf(time);
    return time;
  }
}

const SHAPE = "0000-00-00T00:00:00.000Z";

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
