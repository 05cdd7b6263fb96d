/** Every model that is compared, in the order of the tables: adding one is a file in models/ and a line here. */

import type { Combination } from "./combine/combination.ts";
import { mean } from "./combine/mean.ts";
import { stacking } from "./combine/stacking.ts";
import type { ComparedModel } from "./contract.ts";
import { imbalance, momentum, ridge } from "./models/lines.ts";
import { logistic } from "./models/logistic.ts";
import { NETWORKS } from "./models/network-list.ts";
import { lastLabel, persistence } from "./models/persistence.ts";
import { recursive } from "./models/recursive.ts";
import { corrected, trees } from "./models/trees.ts";
import { twoPart } from "./models/two-part.ts";
import { volumes } from "./models/volumes.ts";

export const COMPARED_MODELS: readonly ComparedModel[] = [
  ...[persistence, lastLabel, momentum, imbalance],
  ...[ridge, logistic],
  ...[trees, corrected, twoPart],
  ...[volumes, ...NETWORKS, recursive],
];

export const COMBINATIONS: readonly Combination[] = [mean, stacking];
