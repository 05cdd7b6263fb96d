/** Boosted trees for each move, or for each question of classes, from one feature row. Trained by `training/trees`; its file is one ensemble of ONNX's ml domain. */

import { defineFamily } from "../define-family.ts";

export const trees = defineFamily({ id: "trees" });
