/** Feature set volumes-10: 20 columns, how much rests at each of the best ten levels, and nothing else. */

import { createVolumeColumns } from "../columns/volumes.ts";
import { defineFeatureSet } from "../define.ts";

const REVISION = 1;

export const featureSetVolumes10 = defineFeatureSet("volumes-10", REVISION, () => [createVolumeColumns()]);
