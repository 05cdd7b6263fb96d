/** Fills in what nearly every family has in common: rows of any feature set, the newest alone, forecasts out. */

import type { FamilyAnswer, Forecasts, ModelFamily } from "./contract.ts";
import { answersTo, FORECASTS, usuallyAsked } from "./forecasts.ts";
import { prepareInput } from "./prepare.ts";

/** Either answers that are always the same, or forecasts. */
type Answering =
  | { readonly answers: readonly [FamilyAnswer, ...FamilyAnswer[]]; readonly forecasts?: never }
  | { readonly answers?: never; readonly forecasts?: Forecasts };

export function defineFamily({
  answers,
  forecasts = FORECASTS,
  ...family
}: Pick<ModelFamily, "id"> & Partial<Pick<ModelFamily, "inputs" | "window" | "columns">> & Answering): ModelFamily {
  const answering =
    answers === undefined ? { answers: answersTo(forecasts, usuallyAsked(forecasts)), forecasts } : { answers, forecasts: null };
  return {
    inputs: { kind: "features", featureSet: null },
    window: 1,
    columns: null,
    ...family,
    ...answering,
    inputName: "features",
    prepareInput,
  };
}
