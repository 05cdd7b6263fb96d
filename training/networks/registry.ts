/** The network of each model family: `models/` says what goes in and out, here stands how it is built and trained. */

import type { ModelFamily } from "../../models/contract.ts";
import { mlp } from "../../models/mlp/family.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { outputWidth } from "../../models/shapes.ts";
import type { Network } from "../tensors/training-step.ts";
import type { NetworkOf } from "./contract.ts";
import { mlpOf } from "./mlp.ts";
import { type NetworkSettings, outputFor } from "./settings.ts";

const NETWORKS: ReadonlyMap<string, NetworkOf> = new Map([[mlp.id, mlpOf]]);

/**
 * @returns null when no network of that family can be trained here.
 * @throws RangeError where the family gives no such answer.
 */
export function networkOf(family: ModelFamily, settings: NetworkSettings, columns: number): Network | null {
  const outputs = outputWidth(outputFor(family, settings.answer), family.window * columns);
  return NETWORKS.get(family.id)?.({ size: settings.size, columns, window: family.window, outputs }) ?? null;
}

/** Those that learn from datasets of features. */
export function trainableFamilies(): string[] {
  return [...NETWORKS.keys()].filter((id) => MODEL_FAMILIES.get(id)?.inputs.kind === "features");
}
