/**
 * Targets for classifiers: moves cut into down, flat and up, and the direction of the next change of a price. Both are made of the moves of
 * moves.ts, so a class exists only where its move does.
 *
 * The threshold of "flat" is a statistic of training rows and of nothing else (quantitative notes, 1.2 and 1.3): taken anew on rows that are scored it
 * tells how much those will move. It is one third of |move|, which makes three classes of equal size where moves are continuous; where more than a third
 * of the moves are 0 it is 0, and flat means "has not moved".
 */

import { quantile } from "../math/quantile.ts";

export const DIRECTIONS = ["down", "flat", "up"] as const;
export const CHANGE_DIRECTIONS = ["down", "up"] as const;

/** Share of the rows that shall be flat. */
const FLAT_SHARE = 1 / 3;

/** @param movesBps of training rows that have a target. @returns null when there is none. */
export function balancedThreshold(movesBps: Float64Array): number | null {
  return quantile(movesBps.map(Math.abs), FLAT_SHARE);
}

/** @returns index into DIRECTIONS. A move of just the threshold is flat. */
export function directionOf(moveBps: number, thresholdBps: number): 0 | 1 | 2 {
  if (moveBps > thresholdBps) return 2;
  return moveBps < -thresholdBps ? 0 : 1;
}

export interface StepMoves {
  /** [rows] the move from each row to the next, in any unit. */
  readonly moves: ArrayLike<number>;
  /** [rows] 1 where there is such a move: the next row follows in the same segment. */
  readonly mask: ArrayLike<number>;
}

/**
 * The direction of the first change within `steps` rows, [rows]: index into CHANGE_DIRECTIONS, or -1 where nothing changes so soon or the rows end before.
 * O(rows): walked from the end, each row knows where the next change lies.
 */
export function nextChanges({ moves, mask }: StepMoves, steps: number): Int8Array {
  const classes = new Int8Array(moves.length).fill(-1);
  let changeAt = Number.POSITIVE_INFINITY;
  let direction = -1;
  for (let row = moves.length - 1; row >= 0; row--) {
    if (mask[row] !== 1) {
      changeAt = Number.POSITIVE_INFINITY;
      continue;
    }
    const move = moves[row] as number;
    if (move !== 0) {
      changeAt = row;
      direction = move > 0 ? 1 : 0;
    }
    if (changeAt - row < steps) classes[row] = direction;
  }
  return classes;
}
