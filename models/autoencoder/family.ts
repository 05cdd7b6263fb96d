/**
 * A dense autoencoder of ten rows of the book: through a code of 16 numbers back to itself. It forecasts nothing; its error says how far a book is from
 * those it was trained on, and its encoder is what `coded-mlp` begins with.
 */

import { defineFamily } from "../define-family.ts";

export const autoencoder = defineFamily({
  id: "autoencoder",
  inputs: { kind: "features", featureSet: "levels-10" },
  columns: 40,
  window: 10,
  answers: [{ kind: "reconstruction" }],
});
