/** MLPLOB: MLPs over features and over time by turns, on 384 rows of the book (Berti and Kasneci 2025, "TLOB", which has it as its simpler peer). */

import { defineFamily } from "../define-family.ts";

export const mlplob = defineFamily({
  id: "mlplob",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 384,
});
