/**
 * Rows of several phases of the second, for training. A market has one row a second, and a day few enough; the same market read half a second later has as many again, which
 * nearly repeat the first but see other moments of the same moves. They may teach. Whatever chooses or scores sees whole seconds alone, as the edge serves them.
 *
 * In a dataset the parts of whole seconds stand first, so that what is served is its beginning.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import { CommandError } from "../command-error.ts";
import type { DatasetCard, DatasetPart } from "./card.ts";
import type { Dataset } from "./dataset-reader.ts";

/** Into how many equal parts a second is cut. More than ten would be the same rows over and over, at the cost of a pass over the source each. */
export const PHASE_COUNTS = [1, 2, 4, 5, 10] as const;

/** When after each whole second, in ms: 0 first. */
export function phasesOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * FEATURE_INTERVAL_MS) / count);
}

export function isShifted({ phaseMs = 0 }: Pick<DatasetPart, "phaseMs">): boolean {
  return phaseMs > 0;
}

/** How many rows are of whole seconds: all before the first of another phase. */
export function servedRowsOf(card: Pick<DatasetCard, "rows" | "parts">): number {
  return card.parts.find(isShifted)?.firstRow ?? card.rows;
}

/** The dataset's whole seconds, under the same name; the very dataset where it has no others. Throws CommandError where they don't stand first. */
export function servedPart(dataset: Dataset): Dataset {
  const { card, columns, outputs, features, targets, mask, times, segments, parts } = dataset;
  const rows = servedRowsOf(card);
  if (rows === card.rows) return dataset;
  const served = card.parts.filter((part) => !isShifted(part));
  if (rows === 0 || served.some(({ firstRow }) => firstRow > rows))
    throw new CommandError("the dataset's whole seconds don't stand before its other phases: make the dataset again");
  return {
    ...dataset,
    card: { ...card, rows, parts: served, from: Math.min(...served.map(({ from }) => from)), to: Math.max(...served.map(({ to }) => to)) },
    rows,
    features: features.kind === "memory" ? { kind: "memory", values: features.values.subarray(0, rows * columns) } : features,
    targets: targets.subarray(0, rows * outputs),
    mask: mask.subarray(0, rows * outputs),
    times: times.subarray(0, rows),
    segments: segments.subarray(0, rows),
    parts: parts.subarray(0, rows),
  };
}
