/** TLOB: attention over time and over features by turns, on 128 rows of the book (Berti and Kasneci 2025, "TLOB"). */

import { defineFamily } from "../define-family.ts";

export const tlob = defineFamily({
  id: "tlob",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 128,
});
