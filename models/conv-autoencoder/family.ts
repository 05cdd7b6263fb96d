/** A convolutional autoencoder of 32 rows of the book: halved in time twice, to a code of 16 numbers, and back. It forecasts nothing. */

import { defineFamily } from "../define-family.ts";

export const convAutoencoder = defineFamily({
  id: "conv-autoencoder",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 32,
  answers: [{ kind: "reconstruction" }],
});
