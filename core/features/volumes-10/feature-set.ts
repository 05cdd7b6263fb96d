/** Feature set volumes-10: 20 columns, how much rests at each of the best ten levels, and nothing else. */

import { defineFeatureSet } from "../define.ts";
import { createVolumeColumns } from "./volume-columns.ts";

const REVISION = 1;

export const featureSetVolumes10 = defineFeatureSet("volumes-10", REVISION, () => [createVolumeColumns()]);
