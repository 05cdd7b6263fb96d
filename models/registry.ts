/** Every model family there is: adding one is a folder here and a line below. */

import { autoencoder } from "./autoencoder/family.ts";
import { bilstm } from "./bilstm/family.ts";
import { binctabl } from "./binctabl/family.ts";
import { codedLstm } from "./coded-lstm/family.ts";
import { codedMlp } from "./coded-mlp/family.ts";
import type { ModelFamily } from "./contract.ts";
import { convAutoencoder } from "./conv-autoencoder/family.ts";
import { corrected } from "./corrected/family.ts";
import { deeplob } from "./deeplob/family.ts";
import { duelingQ } from "./dueling-q/family.ts";
import { gru } from "./gru/family.ts";
import { linear } from "./linear/family.ts";
import { lstm } from "./lstm/family.ts";
import { mlp } from "./mlp/family.ts";
import { mlplob } from "./mlplob/family.ts";
import { resnet1d } from "./resnet1d/family.ts";
import { tlob } from "./tlob/family.ts";
import { trees } from "./trees/family.ts";
import { volumes } from "./volumes/family.ts";

const FAMILIES: readonly ModelFamily[] = [
  mlp,
  volumes,
  lstm,
  bilstm,
  gru,
  autoencoder,
  convAutoencoder,
  codedMlp,
  codedLstm,
  binctabl,
  deeplob,
  mlplob,
  tlob,
  resnet1d,
  duelingQ,
  linear,
  trees,
  corrected,
];

export const MODEL_FAMILIES: ReadonlyMap<string, ModelFamily> = new Map(FAMILIES.map((family) => [family.id, family]));
