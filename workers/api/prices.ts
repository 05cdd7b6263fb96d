/** Prices and sizes as decimal strings on the market's own grid, beside the integers they come from. Pure. */

import type { Instrument } from "../../core/market/instrument.ts";
import { type DecimalGrid, formatSteps } from "../../core/units/decimal.ts";
import type { InstrumentView, LevelView } from "./schemas.ts";

export type Grids = Pick<Instrument, "tick" | "lot">;

/** Digits that a forecast shows beyond those of a tick. */
export const FORECAST_DECIMALS = 4;
const FORECAST_UNITS_PER_STEP = 10_000;

export function levelView(priceTicks: number, sizeLots: number, grids: Grids): LevelView {
  return { price: formatSteps(priceTicks, grids.tick), size: formatSteps(sizeLots, grids.lot), priceTicks, sizeLots };
}

export function priceOrNull(priceTicks: number | null, { tick }: Pick<Grids, "tick">): string | null {
  return priceTicks === null ? null : formatSteps(priceTicks, tick);
}

/** Null where the side is empty. */
export function levelOrNull(priceTicks: number | null, sizeLots: number | null, grids: Grids): LevelView | null {
  return priceTicks === null || sizeLots === null ? null : levelView(priceTicks, sizeLots, grids);
}

export function levelViews(levels: readonly (readonly [number, number])[], grids: Grids): LevelView[] {
  return levels.map(([priceTicks, sizeLots]) => levelView(priceTicks, sizeLots, grids));
}

/** The exact midpoint, with one digit more than a tick: half a tick is five of those. Null unless both sides are there. */
export function midText(bidTicks: number | null, askTicks: number | null, tick: DecimalGrid): string | null {
  if (bidTicks === null || askTicks === null) return null;
  return formatSteps(bidTicks + askTicks, { decimals: tick.decimals + 1, mantissa: tick.mantissa * 5 });
}

/** A price that lies on no grid (a forecast), rounded to FORECAST_DECIMALS beyond the tick's. Throws on what is no number: a bug. */
export function forecastPriceText(ticks: number, tick: DecimalGrid): string {
  if (!Number.isFinite(ticks)) throw new RangeError(`a forecast price of ${ticks} ticks`);
  const units = Math.round(ticks * tick.mantissa * FORECAST_UNITS_PER_STEP);
  return formatSteps(units, { decimals: tick.decimals + FORECAST_DECIMALS, mantissa: 1 });
}

export function instrumentView(instrument: Instrument): InstrumentView {
  return { tick: formatSteps(1, instrument.tick), lot: formatSteps(1, instrument.lot) };
}
