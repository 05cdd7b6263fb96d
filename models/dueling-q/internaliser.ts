/**
 * What an internaliser of client flow sees and may do (quantitative notes, 4.4). Everything is relative and of the order of 1, so that the network carries
 * over from one market to another. Actions in the form of width, skew and hedge: fewer than offsets on both sides, and learnt faster.
 */

import { defineLayout } from "../define-layout.ts";

const REVISION = 1;
/** Between two decisions. */
const INTERVAL_MS = 1_000;

export const INTERNALISER_STATE = defineLayout("internaliser-state", REVISION, {
  columns: [
    "inventory_share",
    "spread_ticks",
    "imbalance",
    "microprice_deviation_bps",
    "volatility_bps",
    "forecast_5s_bps",
    "forecast_30s_bps",
    "synthetic_mid_deviation_bps",
    "synthetic_spread_bps",
    "client_buys_ewma",
    "client_sells_ewma",
    "seconds_since_fill",
    "bid_offset_ticks",
    "ask_offset_ticks",
    "inventory_age_seconds",
  ],
  intervalMs: INTERVAL_MS,
});

/** Half the quoted width, in ticks beyond the touch. */
export const WIDTHS: readonly number[] = [0, 1, 2, 3];
/** Shift of both quotes, in ticks: positive is up. */
export const SKEWS: readonly number[] = [-3, -2, -1, 0, 1, 2, 3];
/** Share of the inventory that is hedged in the market. */
export const HEDGES: readonly number[] = [0, 0.25, 0.5, 1];

/** "width 1 skew -2 hedge 0.25": width by width, in each skew by skew, in each hedge by hedge. */
export const ACTIONS: readonly string[] = WIDTHS.flatMap((width) =>
  SKEWS.flatMap((skew) => HEDGES.map((hedge) => `width ${width} skew ${skew} hedge ${hedge}`)),
);
