/**
 * Moves a recorded message to another time and other sequence numbers, in its text: nothing else of it changes.
 *
 * Times are E and T, and t within a kline; update ids are U, u, pu and lastUpdateId; trade ids are t in a trade, and a, f, l, L where they are
 * plain numbers. Times move by whole minutes, so that grids of a second and bars of a minute keep their phase.
 */

import { MS_PER_MINUTE } from "../core/units/time.ts";

export interface Shift {
  readonly minutes: number;
  readonly updateIds: number;
  readonly tradeIds: number;
}

export const NO_SHIFT: Shift = { minutes: 0, updateIds: 0, tradeIds: 0 };

const NUMBERED_KEY = /"(E|T|t|U|u|pu|lastUpdateId|a|f|l|L)":(\d+)/g;

export function shiftMessage(text: string, shift: Shift): string {
  if (shift.minutes === 0 && shift.updateIds === 0 && shift.tradeIds === 0) return text;
  const isKline = text.includes('"e":"kline"');
  return text.replace(NUMBERED_KEY, (_, key: string, digits: string) => `"${key}":${Number(digits) + amount(key, isKline, shift)}`);
}

function amount(key: string, isKline: boolean, shift: Shift): number {
  switch (key) {
    case "E":
    case "T":
      return shift.minutes * MS_PER_MINUTE;
    case "t":
      return isKline ? shift.minutes * MS_PER_MINUTE : shift.tradeIds;
    case "U":
    case "u":
    case "pu":
    case "lastUpdateId":
      return shift.updateIds;
    default:
      return shift.tradeIds;
  }
}
