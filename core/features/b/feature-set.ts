/**
 * Feature set b: the 28 columns that the classifier of sibster146/Machine_Learning_Market_Maker reads of a book, in its order: the spread, volumes of the best levels and their
 * logarithms, the imbalance of the best, the mid's speed and acceleration, how long the book stood still, each side's size-weighted price, the range of ten levels, how far the mid strays in 2, 5 and 10
 * rows, and a relative strength index.
 *
 * Its own form has a row an update of the book; here it is one a second. Its volumes are in the instrument's own units, its prices in quote currency, and its spread below zero; here sizes are
 * multiples of the depth scale and prices distances in bps, so that a model carries over to another market and another day.
 */

import { createImbalance } from "../columns/imbalance.ts";
import { createLevelRange } from "../columns/level-range.ts";
import { createLevelVolumes, createLogLevelVolumes } from "../columns/level-volumes.ts";
import { createMidDeviations } from "../columns/mid-deviations.ts";
import { createMidMotion } from "../columns/mid-motion.ts";
import { createRelativeStrength } from "../columns/relative-strength.ts";
import { createSecondsSinceChange } from "../columns/seconds-since-change.ts";
import { createSideAverage } from "../columns/side-average.ts";
import { createSpread } from "../columns/spread.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;
const VOLUME_LEVELS = 3;
const LOG_VOLUME_LEVELS = 5;
const BOOK_LEVELS = 10;
const DEVIATION_ROWS: readonly number[] = [2, 5, 10];
const STRENGTH_SECONDS = 14;

export const featureSetB = defineFeatureSet("b", REVISION, () => [
  createSpread(),
  createLevelVolumes("bid", VOLUME_LEVELS),
  createLevelVolumes("ask", VOLUME_LEVELS),
  createLogLevelVolumes("bid", LOG_VOLUME_LEVELS),
  createLogLevelVolumes("ask", LOG_VOLUME_LEVELS),
  createImbalance([1]),
  createMidMotion(),
  createSecondsSinceChange(),
  createSideAverage("bid", BOOK_LEVELS),
  createSideAverage("ask", BOOK_LEVELS),
  createLevelRange(BOOK_LEVELS),
  createMidDeviations(DEVIATION_ROWS),
  createRelativeStrength(STRENGTH_SECONDS),
]);
