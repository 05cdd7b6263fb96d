/** DeepLOB: convolutions over a hundred rows of the book, an inception module, an LSTM (Zhang, Zohren, Roberts 2019, "DeepLOB"). */

import { defineFamily } from "../define-family.ts";

export const deeplob = defineFamily({
  id: "deeplob",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 100,
});
