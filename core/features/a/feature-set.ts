/**
 * Feature set a: what bhulston/Time-Series-Prediction-with-LSTM-and-XGB computes of a book. The log return and log volume of both best prices, what rests within .2 % to 5 % of the mid on
 * each side, which side of that is heavier, and where the mid lies beside its mean of seven rows.
 *
 * Its own form looks ahead where it says "direction" and "log return" (rows t + 1 and later), and counts depth in dollars from the best price of a walk that drifts; here everything is known
 * at its row, and depth is measured as in the other sets. Rows are a second apart, there thirty.
 */

import { createDepth } from "../columns/depth.ts";
import { createDepthImbalance } from "../columns/depth-imbalance.ts";
import { createLogReturn } from "../columns/log-returns.ts";
import { createLogVolume } from "../columns/log-volume.ts";
import { createMidDirection } from "../columns/mid-direction.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;
const REACHES_BPS: readonly number[] = [20, 33, 100, 300, 500];
const DIRECTION_SECONDS = 7;

export const featureSetA = defineFeatureSet("a", REVISION, () => [
  createLogReturn("bid"),
  createLogReturn("ask"),
  createLogVolume("bid"),
  createLogVolume("ask"),
  createDepth("bid", REACHES_BPS),
  createDepth("ask", REACHES_BPS),
  createDepthImbalance(REACHES_BPS),
  createMidDirection(DIRECTION_SECONDS),
]);
