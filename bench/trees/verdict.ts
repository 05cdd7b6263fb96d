/**
 * What the losses of several draws say of ours beside a peer's. The ratio is of the means over the draws, and its standard error tells what chance moves.
 *
 * - `pass`: not above by more than TOLERANCE.
 * - `pass, by the error`: above by no more than chance explains (two standard errors), where chance is small.
 * - `FAIL`: above by more than that.
 * - `undecided`: chance may explain it, and would explain nearly anything: the standard error is above MOST_ERROR. Draw more.
 */

export const TOLERANCE = 0.005;
/** With a larger standard error a set is not called drawn: twice that would let a loss pass that is 2.5 % higher. */
export const MOST_ERROR = 0.01;
/** Fewer don't tell a standard error. */
export const LEAST_DRAWS = 3;

export interface Verdict {
  /** Of the mean losses. */
  readonly ratio: number;
  /** Of the ratio; null with one draw. */
  readonly standardError: number | null;
  readonly word: "pass" | "pass, by the error" | "FAIL" | "undecided";
  /** More draws would hardly change the word. */
  readonly isClear: boolean;
}

/** @param own, peers losses of the same draws. */
export function verdictOf(own: readonly number[], peers: readonly number[]): Verdict {
  const ratio = meanOf(own) / meanOf(peers);
  const standardError = errorOfRatio(own, peers, ratio);
  const error = standardError ?? 0;
  const above = ratio - 1 - TOLERANCE;
  const isSmall = error <= MOST_ERROR;
  const word = above <= 0 ? "pass" : above > 2 * error ? "FAIL" : isSmall ? "pass, by the error" : "undecided";
  const isBeyondChance = Math.abs(above) > 2 * error;
  return { ratio, standardError, word, isClear: own.length >= LEAST_DRAWS && (isBeyondChance || (isSmall && above <= 0)) };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By the draws' differences from the ratio (W. Cochran, "Sampling techniques", 1977, equation 6.13). */
function errorOfRatio(own: readonly number[], peers: readonly number[], ratio: number): number | null {
  if (own.length < 2) return null;
  const squares = own.reduce((sum, loss, draw) => sum + (loss - ratio * (peers[draw] as number)) ** 2, 0);
  return Math.sqrt(squares / (own.length - 1) / own.length) / meanOf(peers);
}
