/** A line for each move, or for each question of classes, from one feature row: what every network is shown beside. Fitted by `training/linear`, which makes its file too. */

import { defineFamily } from "../define-family.ts";

export const linear = defineFamily({ id: "linear" });
