/**
 * Feature set r70: the reference that others are measured by, all of it computable from ten levels of the book and the trades once a second.
 * Its name is that of the notes it comes from; the columns are 56. In the market's own depth instead of lots, so that it carries over to others.
 */

import { createBookAverages } from "../columns/book-averages.ts";
import { createDepthImbalance } from "../columns/depth-imbalance.ts";
import { createImbalance } from "../columns/imbalance.ts";
import { createLevelFlow } from "../columns/level-flow.ts";
import { createLevelGaps } from "../columns/level-gaps.ts";
import { createMidReturns } from "../columns/mid-returns.ts";
import { createRealisedVolatility } from "../columns/realised-volatility.ts";
import { createSecondsSinceGap } from "../columns/seconds-since-gap.ts";
import { createSignedVolume } from "../columns/signed-volume.ts";
import { createSpread } from "../columns/spread.ts";
import { createTradeCount } from "../columns/trade-count.ts";
import { createWeightedMidDeviation } from "../columns/weighted-mid.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;
const WINDOWS_SECONDS: readonly number[] = [1, 5, 10, 30];

export const featureSetR70 = defineFeatureSet("r70", REVISION, () => [
  createImbalance([1, 3, 5, 10]),
  createBookAverages([5, 10]),
  createWeightedMidDeviation(),
  createDepthImbalance([1, 2, 5]),
  createLevelGaps([2, 3, 5, 10]),
  createSpread(),
  createLevelFlow([1, 2, 3, 5], WINDOWS_SECONDS),
  createSignedVolume(WINDOWS_SECONDS),
  createMidReturns(WINDOWS_SECONDS),
  createRealisedVolatility(30),
  createTradeCount([10]),
  createSecondsSinceGap(),
]);
