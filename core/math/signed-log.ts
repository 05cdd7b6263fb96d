/**
 * A logarithm for numbers of either sign: sign(x)·ln(1 + 10·|x|). Straight near zero, logarithmic in the tails: flows have tails so
 * heavy that a linear model or a z-score is otherwise ruled by a handful of rows. The factor puts the bend at a tenth of the unit.
 */

import { logOnePlus } from "./elementary.ts";

const BEND = 10;

export function signedLog(value: number): number {
  return value < 0 ? -logOnePlus(-BEND * value) : logOnePlus(BEND * value);
}
