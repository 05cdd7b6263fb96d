/** What the past alone gives of smoothed targets (core/labels/averaged.ts). It stands beside whatever is told of them: a score says little that isn't above it. */

import { freeHitRate, freeR2 } from "../../core/labels/averaged.ts";
import type { DatasetCard } from "../datasets/card.ts";
import { table } from "./report.ts";

export interface FreePredictability {
  readonly horizonMs: number;
  readonly freeR2: number;
  readonly freeHitRate: number;
}

/** By horizon, in the order of the targets; empty where nothing is given away. */
export function freePredictability({
  label,
  targets,
  intervalMs,
}: Pick<DatasetCard, "label" | "targets" | "intervalMs">): FreePredictability[] {
  if (label !== "smoothed") return [];
  const horizonsMs = [...new Set(targets.map(({ horizonMs }) => horizonMs))];
  return horizonsMs.map((horizonMs) => {
    const steps = horizonMs / intervalMs;
    return { horizonMs, freeR2: freeR2(steps), freeHitRate: freeHitRate(steps) };
  });
}

/** A sentence and its table, for people. */
export function freeTable(free: readonly FreePredictability[]): string {
  const rows = free.map((one) => [`${one.horizonMs / 1_000} s`, one.freeR2.toFixed(4), one.freeHitRate.toFixed(4)]);
  return `smoothed targets flatter: of a random walk's, the prices up to now explain\n${table(["horizon", "free R²", "free hit rate"], rows)}`;
}
