/**
 * Feature set v1: 27 columns of the book, its flow and its recent past, each free of the instrument's tick and lot.
 *
 * Prices are told in bps, sizes as multiples of the market's own recent depth. The order of the list is the order of the columns.
 * What a column means is frozen: a change of meaning raises REVISION here, and models trained on the old one refuse the new.
 */

import { createDepth } from "../columns/depth.ts";
import { createImbalance } from "../columns/imbalance.ts";
import { createLogReturn } from "../columns/log-returns.ts";
import { createLogVolume } from "../columns/log-volume.ts";
import { createMidReturns } from "../columns/mid-returns.ts";
import { createOrderFlowImbalance } from "../columns/order-flow.ts";
import { createRealisedVolatility } from "../columns/realised-volatility.ts";
import { createSecondsSinceGap } from "../columns/seconds-since-gap.ts";
import { createSignedVolume } from "../columns/signed-volume.ts";
import { createSpread } from "../columns/spread.ts";
import { createWeightedMidDeviation } from "../columns/weighted-mid.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;
/** Flows lose their grip on the price within seconds. */
const FLOW_WINDOWS_SECONDS: readonly number[] = [1, 5, 10];

export const featureSetV1 = defineFeatureSet("v1", REVISION, () => [
  createLogReturn("bid"),
  createLogReturn("ask"),
  createLogVolume("bid"),
  createLogVolume("ask"),
  createSpread(),
  createImbalance([1, 5, 10]),
  createWeightedMidDeviation(),
  createDepth("bid", [1, 2, 5]),
  createDepth("ask", [1, 2, 5]),
  createOrderFlowImbalance(FLOW_WINDOWS_SECONDS),
  createSignedVolume(FLOW_WINDOWS_SECONDS),
  createMidReturns([1, 5, 10, 30]),
  createRealisedVolatility(30),
  createSecondsSinceGap(),
]);
