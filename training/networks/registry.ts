/** The network of each model family: `models/` says what goes in and out, here stands how it is built and trained. */

import { mlp } from "../../models/mlp/family.ts";
import type { Network } from "../tensors/training-step.ts";
import { mlpNetwork } from "./mlp.ts";

const NETWORKS: ReadonlyMap<string, (outputs: number) => Network> = new Map([[mlp.id, (outputs: number) => mlpNetwork(outputs)]]);

/** @returns null when no network of that family can be trained here. */
export function networkOf(family: string, outputs: number): Network | null {
  return NETWORKS.get(family)?.(outputs) ?? null;
}

export function trainableFamilies(): string[] {
  return [...NETWORKS.keys()];
}
