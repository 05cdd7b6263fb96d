/**
 * What is kept of a model's prediction: its moves of one market's prices, and what its calibration says of the mid; of a model of classes the odds of the mid's moves.
 * @returns null where there is nothing that a score could be made of: moves of other markets, horizons off the grid, questions other than which way the mid goes.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import { DIRECTIONS } from "../../core/labels/classes.ts";
import { LABEL_TARGETS, type LabelKind, type LabelTarget } from "../../core/labels/moves.ts";
import type { ForecastAnswer, HorizonAnswer } from "../../core/scoring/forecast-answer.ts";
import type { ClassGroup, OutputColumn } from "../../models/contract.ts";
import { LONGEST_HORIZON_MS } from "./answer-codec.ts";

export interface PredictedMoves {
  readonly label: LabelKind;
  readonly columns: readonly OutputColumn[];
  /** [columns] */
  readonly movesBps: readonly number[];
  /** Of the mid; null: never calibrated. */
  readonly calibrated: readonly CalibratedMove[] | null;
}

export interface CalibratedMove {
  readonly horizonMs: number;
  readonly lowBps: number;
  readonly highBps: number;
  readonly down: number;
  readonly up: number;
  readonly thresholdBps: number;
}

export interface PredictedClasses {
  readonly label: LabelKind;
  readonly groups: readonly (ClassGroup & { readonly probabilities: readonly number[] })[];
}

export function answerOfMoves({ label, columns, movesBps, calibrated }: PredictedMoves): ForecastAnswer | null {
  if (label === "smoothed") return null;
  const own = columns.map((column, at) => ({ ...column, moveBps: movesBps[at] })).filter(({ market }) => market === undefined);
  const horizons = horizonsOf(own).map((horizonMs): HorizonAnswer => {
    const moveOf = (target: LabelTarget): number | null =>
      own.find((column) => column.target === target && column.horizonMs === horizonMs)?.moveBps ?? null;
    const [bid = null, mid = null, ask = null] = LABEL_TARGETS.map(moveOf);
    const said = calibrated?.find((each) => each.horizonMs === horizonMs) ?? null;
    return {
      horizonMs,
      movesBps: { bid, mid, ask },
      interval: said === null ? null : { lowBps: said.lowBps, highBps: said.highBps },
      odds: said === null ? null : { down: said.down, up: said.up, thresholdBps: said.thresholdBps },
    };
  });
  return horizons.length === 0 ? null : { label, horizons };
}

export function answerOfClasses({ label, groups }: PredictedClasses): ForecastAnswer | null {
  if (label === "smoothed") return null;
  const own = groups.filter(({ asks, target, labels }) => asks === "move" && target === "mid" && labels.join() === DIRECTIONS.join());
  const horizons = horizonsOf(own).map((horizonMs): HorizonAnswer => {
    const group = own.find((each) => each.horizonMs === horizonMs);
    const [down = 0, , up = 0] = group?.probabilities ?? [];
    return {
      horizonMs,
      movesBps: { bid: null, mid: null, ask: null },
      interval: null,
      odds: { down, up, thresholdBps: group?.thresholdBps ?? 0 },
    };
  });
  return horizons.length === 0 ? null : { label, horizons };
}

/** Rising, each once, on the grid, and such as can be written down. */
function horizonsOf(outputs: readonly { readonly horizonMs: number }[]): number[] {
  const onGrid = outputs
    .map(({ horizonMs }) => horizonMs)
    .filter((horizonMs) => horizonMs % FEATURE_INTERVAL_MS === 0 && horizonMs <= LONGEST_HORIZON_MS);
  return [...new Set(onGrid)].sort((one, other) => one - other);
}
