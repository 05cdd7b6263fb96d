/** Fills in what nearly every family has in common: rows of any feature set, the newest alone, forecasts out. */

import type { ModelFamily } from "./contract.ts";
import { FORECAST_ANSWERS } from "./forecasts.ts";
import { prepareInput } from "./prepare.ts";

export function defineFamily(
  family: Pick<ModelFamily, "id"> & Partial<Pick<ModelFamily, "inputs" | "window" | "answers" | "columns">>,
): ModelFamily {
  return {
    inputs: { kind: "features", featureSet: null },
    window: 1,
    answers: FORECAST_ANSWERS,
    columns: null,
    ...family,
    inputName: "features",
    prepareInput,
  };
}
