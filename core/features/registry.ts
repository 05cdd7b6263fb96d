/** Every feature set there is. To add one: a folder beside v1, and a line here. A set stays as long as a model needs it. */

import { featureSetA } from "./a/feature-set.ts";
import { featureSetB } from "./b/feature-set.ts";
import type { FeatureSet } from "./contract.ts";
import { featureSetLevels10 } from "./levels-10/feature-set.ts";
import { featureSetR70 } from "./r70/feature-set.ts";
import { featureSetV1 } from "./v1/feature-set.ts";
import { featureSetV2 } from "./v2/feature-set.ts";
import { featureSetVolumes10 } from "./volumes-10/feature-set.ts";

export { featureSetA, featureSetB, featureSetLevels10, featureSetR70, featureSetV1, featureSetV2, featureSetVolumes10 };

export const featureSets: readonly FeatureSet[] = [
  featureSetV1,
  featureSetV2,
  featureSetR70,
  featureSetLevels10,
  featureSetVolumes10,
  featureSetA,
  featureSetB,
];

/** @returns null when no feature set has this fingerprint: a model that names it can't be served. */
export function findFeatureSet(fingerprint: string): FeatureSet | null {
  return featureSets.find((featureSet) => featureSet.fingerprint === fingerprint) ?? null;
}

/** @returns null when no feature set has this id. */
export function featureSetNamed(id: string): FeatureSet | null {
  return featureSets.find((featureSet) => featureSet.id === id) ?? null;
}
