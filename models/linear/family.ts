/** A line for each move, from one feature row: what every network is shown beside. Fitted by `training/linear`, which makes its file too. */

import { defineFamily } from "../define-family.ts";
import { forecastColumns } from "../forecasts.ts";

export const linear = defineFamily({ id: "linear", answers: [{ kind: "moves", columns: forecastColumns() }] });
