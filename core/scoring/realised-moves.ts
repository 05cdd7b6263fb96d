/**
 * What came of forecasts: the moves of the labels that models are trained on (core/labels/moves.ts), looked up in a path of prices. A horizon without an
 * unbroken path from the forecast's own row to its target is uncovered: null, never a guess. So is a row that shows other prices than the forecast started from.
 */

import { LABEL_TARGETS, type LabelTarget, labelMoves, type MoveLabels, type PriceRows } from "../labels/moves.ts";
import type { MadeForecast, ServedLabel } from "./forecast-answer.ts";

export type RealisedMoves = Readonly<Record<LabelTarget, number>>;

/** @returns of each forecast, horizon by horizon in its own order, what came in bps; null where that isn't known. O(rows · horizons + forecasts · horizons). */
export function realisedMoves(forecasts: readonly MadeForecast[], path: PriceRows): (RealisedMoves | null)[][] {
  const rowAt = new Map<number, number>();
  for (let row = 0; row < path.times.length; row++) rowAt.set(path.times[row] as number, row);
  const labels = new Map<ServedLabel, MoveLabels>();
  for (const label of new Set(forecasts.map(({ answer }) => answer.label)))
    labels.set(label, labelMoves(path, horizonsOf(forecasts, label), label));
  return forecasts.map((forecast) => {
    const row = rowAt.get(forecast.featureTime);
    const { label, horizons } = forecast.answer;
    const moves = labels.get(label);
    const isOfRow =
      row !== undefined && path.bidTicks[row] === forecast.bidTicks && path.askTicks[row] === forecast.askTicks && moves !== undefined;
    return horizons.map(({ horizonMs }) => (isOfRow ? movesAt(moves, row, horizonMs) : null));
  });
}

function horizonsOf(forecasts: readonly MadeForecast[], label: ServedLabel): number[] {
  const ofLabel = forecasts.filter(({ answer }) => answer.label === label);
  return [...new Set(ofLabel.flatMap(({ answer }) => answer.horizons.map(({ horizonMs }) => horizonMs)))];
}

/** Of one horizon all three targets have a label, or none has. */
function movesAt({ columns, values, mask }: MoveLabels, row: number, horizonMs: number): RealisedMoves | null {
  const first = row * columns.length + columns.findIndex((column) => column.horizonMs === horizonMs);
  if (mask[first] !== 1) return null;
  const [bid, mid, ask] = LABEL_TARGETS.map((_, target) => values[first + target] as number);
  return { bid: bid as number, mid: mid as number, ask: ask as number };
}
