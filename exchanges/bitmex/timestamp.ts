/**
 * BitMEX's times: `2021-07-22T22:36:10.014Z`, always UTC. Read strictly, since `Date.parse` takes much else and rolls the 30th of February on.
 */

const LENGTH = 24;
const ZERO = 48;

/** Epoch ms of the 24 characters from `start`; -1 when they are no such time. */
export function timeAt(text: string, start: number): number {
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

const SHAPE = "0000-00-00T00:00:00.000Z";

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
