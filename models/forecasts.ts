/**
 * What the network's outputs mean, and in which order they stand: horizon by horizon, and in each bid, mid, ask, as core/labels has them.
 * Training, export and serving all read the order here.
 */

import { DEFAULT_HORIZONS_MS, labelColumns } from "../../core/labels/moves.ts";
import type { OutputColumn } from "../contract.ts";

/** Multiples of the feature grid, so that every target is the price of a row that is on the grid itself. */
export const FORECAST_HORIZONS_MS: readonly number[] = DEFAULT_HORIZONS_MS;

/** @returns [horizons x targets] the columns of the output, in order. */
export function forecastColumns(): readonly OutputColumn[] {
  return labelColumns(FORECAST_HORIZONS_MS);
}
