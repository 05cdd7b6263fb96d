/** A forecaster that sees ten rows of the book through a code of 16 numbers: the encoder of `autoencoder`, then a small dense network. */

import { defineFamily } from "../define-family.ts";

export const codedMlp = defineFamily({
  id: "coded-mlp",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 10,
});
