/**
 * Bilinear normalisation and bilinear layers with temporal attention, over ten rows of the book (Tran, Iosifidis, Kanniainen, Gabbouj 2019, TABL; Tran,
 * Kanniainen, Gabbouj, Iosifidis 2021, BiN). The fewest parameters for what it is worth among the book's networks.
 */

import { defineFamily } from "../define-family.ts";

export const binctabl = defineFamily({
  id: "binctabl",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 10,
});
