/** What a calibration held, as the cells of tables: on a terminal and on a page alike. */

import { DIRECTIONS } from "../../core/labels/classes.ts";
import type { R2Interval } from "../../core/metrics/r2-interval.ts";
import type { CalibratedScore } from "../evaluate/calibrated-scores.ts";
import { signed } from "./signed.ts";

export const HELD_HEAD: readonly string[] = [
  "target",
  "horizon",
  "interval",
  "held [95 %]",
  "mean width",
  "log-loss",
  "of the shares",
  "gain [95 %]",
  "Brier",
  "of the shares",
  "rows",
];

export function heldCells(score: CalibratedScore): string[] {
  const { target, horizonMs, coverage, held, heldInterval, widthBps, logLoss, sharesLogLoss, gainInterval, brier, sharesBrier, rows } =
    score;
  return [
    target,
    `${horizonMs / 1_000} s`,
    percent(coverage, 0),
    `${percent(held)}${between(heldInterval, (value) => percent(value))}`,
    `${widthBps.toFixed(2)} bps`,
    logLoss.toFixed(4),
    sharesLogLoss.toFixed(4),
    `${signed(sharesLogLoss - logLoss, 4)}${between(gainInterval, (value) => signed(value, 4))}`,
    brier.toFixed(4),
    sharesBrier.toFixed(4),
    String(rows),
  ];
}

export const RELIABILITY_HEAD: readonly string[] = [
  "forecast",
  "rows",
  "held",
  ...DIRECTIONS.map((direction) => `${direction}: said, came`),
];

/** A line for each bin, in the order of the forecast. */
export function reliabilityCells({ bins }: CalibratedScore): string[][] {
  return bins.map(({ upToBps, rows, held, said, came }) => [
    upToBps === null ? "above" : `to ${signed(upToBps, 3)} bps`,
    String(rows),
    percent(held),
    ...said.map((probability, direction) => `${probability.toFixed(3)}, ${(came[direction] as number).toFixed(3)}`),
  ]);
}

function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function between(interval: R2Interval | null, textOf: (value: number) => string): string {
  return interval === null ? "" : ` [${textOf(interval.low)}, ${textOf(interval.high)}]`;
}
