/**
 * The two statistics that need weights from data, fitted together to rows of one instrument (fit-inputs.ts): the micro-price and integrated order flow. Which rows those are is for the caller to
 * choose: before all that choose or score, or the columns know their own future.
 *
 * Spreads and moves are counted in the smallest spread of these rows, which is what a tick is to the paper: venues write prices on finer grids than their books use.
 * Refused, with a reason: too few rows, and numbers that are none. A market whose spread is never wider has nothing to say of wider ones: the micro-price is the mid there.
 */

import { ContentHash } from "../../math/hash.ts";
import { FLOW_LEVELS } from "../columns/level-flows.ts";
import { fitIntegratedFlow, type IntegratedFlow } from "./integrated-flow.ts";
import { fitMicroPrice, type MicroPrice, type MicroPriceRows } from "./micro-price.ts";

export interface FeatureFit {
  /** What a spread is counted in. */
  readonly unitTicks: number;
  /** Its adjustments are in units. */
  readonly microPrice: MicroPrice;
  readonly integratedFlow: IntegratedFlow;
}

export interface FitRows extends MicroPriceRows {
  /** [rows, FLOW_LEVELS] lots of buy pressure over the depth scale. */
  readonly flows: ArrayLike<number>;
}

/** Fifty to each of the micro-price's twenty states, were they alike. */
export const FEWEST_FIT_ROWS = 1_000;

export function fitFeatures(rows: FitRows): FeatureFit | { readonly refusal: string } {
  const count = rows.shares.length;
  if (count < FEWEST_FIT_ROWS) return { refusal: `${count} rows are too few to fit columns to: ${FEWEST_FIT_ROWS} are wanted` };
  if (!isAllFinite(rows)) return { refusal: "a row to fit columns to holds what is no number" };
  const unitTicks = smallestAboveZero(rows.spreadTicks);
  if (unitTicks === null) return { refusal: "no row to fit columns to has a spread: the book is locked in all of them" };
  const inUnits = (ticks: ArrayLike<number>): Float64Array => Float64Array.from(ticks, (each) => each / unitTicks);
  const microPrice = fitMicroPrice({ ...rows, spreadTicks: inUnits(rows.spreadTicks), midTicks: inUnits(rows.midTicks) });
  if (microPrice === null)
    return {
      refusal: "there is no micro-price of these rows: a state of the book, once reached, is never left, so nothing says what follows",
    };
  const integratedFlow = fitIntegratedFlow({ flows: rows.flows, levels: FLOW_LEVELS });
  if (integratedFlow === null) return { refusal: "no order flowed in these rows, so its levels have no component in common" };
  return { unitTicks, microPrice, integratedFlow };
}

/** 16 hex digits over every bit of what was fitted. */
export function hashOfFit({ unitTicks, microPrice, integratedFlow }: FeatureFit): string {
  const hash = new ContentHash().float(unitTicks).integer(microPrice.spreadBuckets);
  for (const numbers of [microPrice.shareCuts, microPrice.adjustments, integratedFlow.weights]) {
    hash.integer(numbers.length);
    // A card knows no negative zero.
    for (const number of numbers) hash.float(number + 0);
  }
  return hash.digest();
}

function isAllFinite({ shares, spreadTicks, midTicks, flows }: FitRows): boolean {
  return [shares, spreadTicks, midTicks, flows].every((column) => {
    for (let at = 0; at < column.length; at++) if (!Number.isFinite(column[at])) return false;
    return true;
  });
}

function smallestAboveZero(values: ArrayLike<number>): number | null {
  let smallest = Number.POSITIVE_INFINITY;
  for (let at = 0; at < values.length; at++) if ((values[at] as number) > 0) smallest = Math.min(smallest, values[at] as number);
  return smallest === Number.POSITIVE_INFINITY ? null : smallest;
}
