/** Feature set levels-10: 40 columns, the book itself and nothing computed of it. For networks that find their own features in it. */

import { createLevelColumns } from "../columns/levels.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;

export const featureSetLevels10 = defineFeatureSet("levels-10", REVISION, () => [createLevelColumns()]);
