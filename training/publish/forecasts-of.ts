/**
 * Which models an instance makes use of. Some it never serves, whatever role they have: their answers are not what the slot asks for. Others it loads and
 * checks, and gives no forecast of, since its feeds compute no such rows, or keep fewer of them than the model reads.
 */

import { labelKindOf } from "../../core/labels/moves.ts";
import { featureSetsOf } from "../../feed/configuration.ts";
import { MAX_WINDOW_ROWS } from "../../feed/row-window.ts";
import type { ModelManifest } from "../../models/contract.ts";
import type { ModelSlot } from "../../models/roles.ts";
import { kindOf, windowOf } from "../../models/shapes.ts";

/** @returns why it may not play a role there, for a person; null where it may. The inference Worker refuses the same. */
export function whyNeverServed(manifest: Pick<ModelManifest, "output" | "label">, slot: ModelSlot): string | null {
  const kind = kindOf(manifest.output);
  if (kind !== "moves" && !(kind === "classes" && slot === "signal"))
    return `it answers ${kind}, and ${slot}s are made of ${slot === "signal" ? "moves or classes" : "moves"}`;
  return labelKindOf(manifest) === "smoothed"
    ? "its moves are smoothed: they start at a mean of the past, of which half is known already"
    : null;
}

/** Of feeds that name no feature sets of their own. @returns why it gives no forecasts, for a person; null where it does. */
export function whyNoForecasts(manifest: Pick<ModelManifest, "input" | "featureSet" | "output" | "label">): string | null {
  const never = whyNeverServed(manifest, "forecast");
  if (never !== null) return never;
  const { featureSet } = manifest;
  const computed = featureSetsOf({ feed: "any" });
  if (!computed.some(({ fingerprint }) => fingerprint === featureSet.fingerprint))
    return `feeds compute the features ${computed.map(({ id }) => id).join(", ")} unless FEEDS names others, and it reads ${featureSet.id}`;
  const window = windowOf(manifest);
  return window > MAX_WINDOW_ROWS ? `feeds keep ${MAX_WINDOW_ROWS} rows, and it reads ${window}` : null;
}
