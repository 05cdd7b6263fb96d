/**
 * Whether an instance forecasts with a model once it is the active one. It has one row of features v1 for each market, and asks for moves to one moment; a whole model
 * of another kind is loaded and checked, and each forecast is refused (workers/inference/answers.ts).
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { labelKindOf } from "../../core/labels/moves.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";

/** @returns why not, for a person; null where it does. */
export function whyNoForecasts(manifest: Pick<ModelManifest, "family" | "featureSet" | "output" | "label">): string | null {
  const { family, featureSet, output } = manifest;
  if (output.unit !== "bps") return "it answers no moves";
  const label = labelKindOf(manifest);
  if (label !== "point") return `an instance forecasts the price of one moment, it answers ${label} moves`;
  if (featureSet.fingerprint !== featureSetV1.fingerprint)
    return `the feed computes the features ${featureSetV1.id}, it reads ${featureSet.id}`;
  const window = MODEL_FAMILIES.get(family)?.window ?? 1;
  return window > 1 ? `the feed gives one row, it reads ${window}` : null;
}
