/** The optimisers by name, with what each starts from. */

import { ADAM_DEFAULTS, ADAMW_DEFAULTS, type AdamSettings, adam } from "./adam.ts";
import type { Optimiser } from "./contract.ts";
import { RMSPROP_DEFAULTS, type RmspropSettings, rmsprop } from "./rmsprop.ts";
import { SGD_DEFAULTS, type SgdSettings, sgd } from "./sgd.ts";

export type OptimiserSettings = AdamSettings | RmspropSettings | SgdSettings;
export type OptimiserKind = OptimiserSettings["kind"];

export const OPTIMISER_DEFAULTS: Readonly<Record<OptimiserKind, OptimiserSettings>> = {
  adamw: ADAMW_DEFAULTS,
  adam: ADAM_DEFAULTS,
  rmsprop: RMSPROP_DEFAULTS,
  sgd: SGD_DEFAULTS,
};

export function createOptimiser(settings: OptimiserSettings): Optimiser {
  switch (settings.kind) {
    case "adamw":
    case "adam":
      return adam(settings);
    case "rmsprop":
      return rmsprop(settings);
    case "sgd":
      return sgd(settings);
  }
}
