/**
 * Feature set v1: 27 columns of the book, its flow and its recent past, each free of the instrument's tick and lot.
 *
 * Prices are told in bps, sizes as multiples of the market's own recent depth. The order of the list is the order of the columns.
 * What a column means is frozen: a change of meaning raises REVISION here, and models trained on the old one refuse the new.
 */

import { defineFeatureSet } from "../define.ts";
import { createDepth } from "./depth.ts";
import { createImbalance } from "./imbalance.ts";
import { createLogReturn } from "./log-returns.ts";
import { createLogVolume } from "./log-volume.ts";
import { createMidReturns } from "./mid-returns.ts";
import { createOrderFlowImbalance } from "./order-flow.ts";
import { createRealisedVolatility } from "./realised-volatility.ts";
import { createSecondsSinceGap } from "./seconds-since-gap.ts";
import { createSignedVolume } from "./signed-volume.ts";
import { createSpread } from "./spread.ts";
import { createWeightedMidDeviation } from "./weighted-mid.ts";

const REVISION = 1;

export const featureSetV1 = defineFeatureSet("v1", REVISION, () => [
  createLogReturn("bid"),
  createLogReturn("ask"),
  createLogVolume("bid"),
  createLogVolume("ask"),
  createSpread(),
  createImbalance(),
  createWeightedMidDeviation(),
  createDepth("bid"),
  createDepth("ask"),
  createOrderFlowImbalance(),
  createSignedVolume(),
  createMidReturns(),
  createRealisedVolatility(),
  createSecondsSinceGap(),
]);
