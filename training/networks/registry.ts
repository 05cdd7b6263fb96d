/** The network of each model family: `models/` says what goes in and out, here stands how it is built and trained. */

import type { ModelFamily } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { outputWidth } from "../../models/shapes.ts";
import type { Network } from "../tensors/training-step.ts";
import { autoencoderOf, codedLstmOf, codedMlpOf, convAutoencoderOf } from "./autoencoder.ts";
import { besideLine } from "./beside-line.ts";
import { binctablOf } from "./binctabl.ts";
import type { NetworkOf } from "./contract.ts";
import { deeplobOf } from "./deeplob.ts";
import { duelingQOf } from "./dueling-q.ts";
import { mlplobOf, tlobOf } from "./mixers.ts";
import { mlpOf } from "./mlp.ts";
import { bilstmOf, gruOf, lstmOf } from "./recurrent.ts";
import { resnet1dOf } from "./resnet1d.ts";
import { checkNetworkSettings, type NetworkSettings, outputFor } from "./settings.ts";
import { volumesOf } from "./volumes.ts";

/** By the id of the family. */
const NETWORKS: ReadonlyMap<string, NetworkOf> = new Map(
  Object.entries({
    mlp: mlpOf,
    volumes: volumesOf,
    lstm: lstmOf,
    bilstm: bilstmOf,
    gru: gruOf,
    autoencoder: autoencoderOf,
    "conv-autoencoder": convAutoencoderOf,
    "coded-mlp": codedMlpOf,
    "coded-lstm": codedLstmOf,
    binctabl: binctablOf,
    deeplob: deeplobOf,
    mlplob: mlplobOf,
    tlob: tlobOf,
    resnet1d: resnet1dOf,
    "dueling-q": duelingQOf,
  }),
);

/**
 * @returns null when no network of that family can be trained here.
 * @throws RangeError where the family gives no such answer, or has no such setting.
 */
export function networkOf(family: ModelFamily, settings: NetworkSettings, columns: number): Network | null {
  const outputs = outputWidth(outputFor(family, settings.answer), family.window * columns);
  const build = NETWORKS.get(family.id);
  if (build === undefined) return null;
  checkNetworkSettings(family, settings);
  const { size, hidden, dropout, hasLine } = settings;
  const task = { size, columns, window: family.window, outputs, hidden, dropout };
  const network = build(task);
  return hasLine === true ? besideLine(network, task) : network;
}

/** Those that learn from datasets of features. */
export function trainableFamilies(): string[] {
  return [...NETWORKS.keys()].filter((id) => MODEL_FAMILIES.get(id)?.inputs.kind === "features");
}
