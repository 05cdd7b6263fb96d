/** A forecaster that reads a hundred rows of the book, each through the same code of 16 numbers, by an LSTM. */

import { defineFamily } from "../define-family.ts";

export const codedLstm = defineFamily({
  id: "coded-lstm",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 100,
});
