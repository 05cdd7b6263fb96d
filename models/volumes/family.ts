/**
 * The volumes-only network of sturex/pyOrderbookTrading: what rests on ten levels of both sides in, whether the mid next goes down or up out, through
 * 100 and 50 sigmoids to 2 classes. BUY when up leads down by more than a threshold, SELL when down leads so, else WAIT: that is an agent's to judge.
 *
 * Rows after which the mid doesn't change within the longest horizon have no class and teach nothing. Class 1 is up (the original has it inverted).
 */

import { defineFamily } from "../define-family.ts";

export const VOLUME_HIDDEN_WIDTHS: readonly number[] = [100, 50];

export const volumes = defineFamily({
  id: "volumes",
  inputs: { kind: "features", featureSet: "volumes-10" },
  columns: 20,
  forecasts: { kinds: ["classes"], asks: ["next-change"] },
});
