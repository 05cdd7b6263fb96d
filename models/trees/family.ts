/** Boosted trees for each move, from one feature row. Trained by `training/trees`; its file is one ensemble of ONNX's ml domain. */

import { defineFamily } from "../define-family.ts";
import { forecastColumns } from "../forecasts.ts";

export const trees = defineFamily({ id: "trees", answers: [{ kind: "moves", columns: forecastColumns() }] });
