/**
 * Feature set v2: the reference set (r70), and what adds to it on real books: depth weighted by distance, the cost of taking sizes, the last trades, trades that the
 * book doesn't show yet and how far they went, the mid's moves one by one, the volume-adjusted mid's recent path, and what pushes the price
 * once more, times the volatility.
 *
 * What a column means is frozen: a change of meaning raises REVISION here, and models trained on the old one refuse the new.
 */

import { createBookAverages } from "../columns/book-averages.ts";
import { createDepthImbalance } from "../columns/depth-imbalance.ts";
import { createDistanceWeightedDepth } from "../columns/distance-weighted-depth.ts";
import { createImbalance } from "../columns/imbalance.ts";
import { createLastTrades } from "../columns/last-trades.ts";
import { createLevelFlow } from "../columns/level-flow.ts";
import { createLevelGaps } from "../columns/level-gaps.ts";
import { createMidMoves } from "../columns/mid-moves.ts";
import { createMidReturns } from "../columns/mid-returns.ts";
import { createRealisedVolatility } from "../columns/realised-volatility.ts";
import { createSecondsSinceGap } from "../columns/seconds-since-gap.ts";
import { createSignedVolume } from "../columns/signed-volume.ts";
import { createSpread } from "../columns/spread.ts";
import { createTimesVolatility } from "../columns/times-volatility.ts";
import { createTradeCount } from "../columns/trade-count.ts";
import { createTradeRange } from "../columns/trade-range.ts";
import { createTradesNewer } from "../columns/trades-newer.ts";
import { createVampReturns } from "../columns/vamp-returns.ts";
import { createWalkMid } from "../columns/walk-mid.ts";
import { createWeightedMidDeviation } from "../columns/weighted-mid.ts";
import type { Feature } from "../contract.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 3;
const FLOW_WINDOWS_SECONDS: readonly number[] = [1, 5, 10, 30];

/** What pushes a price one way: how far it goes hangs on how far prices move at all. */
const PUSHES: readonly string[] = [
  ...["imbalance_5", "imbalance_10", "weighted_mid_deviation_bps"],
  ...["weighted_log_ratio_0_3bps", "weighted_log_ratio_1bps", "weighted_log_ratio_3bps"],
  ...["depth_imbalance_1bps", "depth_imbalance_2bps", "depth_imbalance_5bps"],
  ...["walk_mid_0_25", "walk_mid_1", "walk_mid_4"],
  ...["vamp_deviation_5", "vamp_deviation_10", "vamp_deviation_20"],
  ...["ofi_level_1_1s", "ofi_all_1s", "ofi_all_5s", "ofi_all_10s"],
  ...["signed_volume_1s", "signed_volume_5s", "signed_volume_newer"],
  ...["trade_deviation_newer", "trade_vwap_deviation_newer", "trade_high_3s", "trade_low_3s"],
  ...["last_trades_deviation_1", "last_trades_deviation_5"],
  ...["mid_return_1s", "mid_return_2s", "mid_return_5s", "vamp_return_1s", "vamp_return_3s", "vamp_return_5s"],
];

export const featureSetV2 = defineFeatureSet("v2", REVISION, createV2Features);

/** For sets that begin with its columns. */
export function createV2Features(): readonly Feature[] {
  const features = createFeatures();
  return [...features, createTimesVolatility(features, PUSHES)];
}

function createFeatures(): readonly Feature[] {
  return [
    createImbalance([1, 3, 5, 10, 20]),
    createBookAverages([5, 10, 20]),
    createWeightedMidDeviation(),
    createDepthImbalance([1, 2, 5]),
    createDistanceWeightedDepth([1, 2, 5]),
    createWalkMid([0.25, 1, 4]),
    createLevelGaps([2, 3, 5, 10]),
    createSpread(),
    createLevelFlow([1, 2, 3, 5], FLOW_WINDOWS_SECONDS),
    createSignedVolume([1, 2, 5, 10, 30]),
    createTradesNewer(),
    createTradeRange([1, 3]),
    createLastTrades([1, 5, 20]),
    createMidReturns([1, 2, 5, 10, 20, 30]),
    createVampReturns([1, 3, 5, 10]),
    createMidMoves(),
    createRealisedVolatility(30),
    createTradeCount([1, 10]),
    createSecondsSinceGap(),
  ];
}
