/**
 * Rows of several phases of the second, for training. A market has one row a second, and a day few enough; the same market read half a second later has as many again, which
 * nearly repeat the first but see other moments of the same moves. They may teach. Whatever chooses or scores sees whole seconds alone, as the edge serves them.
 *
 * In a dataset the parts of whole seconds stand first, so that what is served is its beginning.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import type { DatasetCard, DatasetPart } from "./card.ts";

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
