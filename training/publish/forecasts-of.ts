/**
 * Which models an instance makes use of. Some it never serves, whatever role they have: their answers are not what the slot asks for. Others it loads and
 * checks, and gives no forecast of, since the public Worker hands them one row of features v1 for each market.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { labelKindOf } from "../../core/labels/moves.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import type { ModelSlot } from "../../models/roles.ts";
import { kindOf } from "../../models/shapes.ts";

/** @returns why it may not play a role there, for a person; null where it may. The inference Worker refuses the same. */
export function whyNeverServed(manifest: Pick<ModelManifest, "output" | "label">, slot: ModelSlot): string | null {
  const kind = kindOf(manifest.output);
  if (kind !== "moves" && !(kind === "classes" && slot === "signal"))
    return `it answers ${kind}, and ${slot}s are made of ${slot === "signal" ? "moves or classes" : "moves"}`;
  return labelKindOf(manifest) === "smoothed"
    ? "its moves are smoothed: they start at a mean of the past, of which half is known already"
    : null;
}

/** @returns why it gives no forecasts, for a person; null where it does. */
export function whyNoForecasts(manifest: Pick<ModelManifest, "family" | "featureSet" | "output" | "label">): string | null {
  const { family, featureSet } = manifest;
  const never = whyNeverServed(manifest, "forecast");
  if (never !== null) return never;
  if (featureSet.fingerprint !== featureSetV1.fingerprint)
    return `the feed computes the features ${featureSetV1.id}, it reads ${featureSet.id}`;
  const window = MODEL_FAMILIES.get(family)?.window ?? 1;
  return window > 1 ? `the feed gives one row, it reads ${window}` : null;
}
