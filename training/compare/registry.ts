/** Every model that is compared, in the order of the tables: adding one is a file in models/ and a line here. */

import type { Combination } from "./combine/combination.ts";
import { mean } from "./combine/mean.ts";
import { median } from "./combine/median.ts";
import { stacking } from "./combine/stacking.ts";
import type { ComparedModel } from "./contract.ts";
import { imbalance, momentum, ridge, ridgeR70 } from "./models/lines.ts";
import { logistic } from "./models/logistic.ts";
import { NETWORKS } from "./models/network-list.ts";
import { lastLabel, persistence } from "./models/persistence.ts";
import { recursive } from "./models/recursive.ts";
import { corrected, correctedR70, trees } from "./models/trees.ts";
import { twoPart } from "./models/two-part.ts";
import { volumes } from "./models/volumes.ts";

export const COMPARED_MODELS: readonly ComparedModel[] = [
  ...[persistence, lastLabel, momentum, imbalance],
  ...[ridge, ridgeR70, logistic],
  ...[trees, corrected, correctedR70, twoPart],
  ...[volumes, ...NETWORKS, recursive],
];

export const COMBINATIONS: readonly Combination[] = [mean, median, stacking];
