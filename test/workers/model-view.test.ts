/** The served model as the API shows it: its scores are of its own kind of moves, and read as another's they would be skill that it doesn't have. */

import { expect, it } from "vitest";
import type { ModelManifest } from "../../models/contract.ts";
import { modelBody } from "../../workers/api/views/model.ts";
import shipped from "../../workers/inference/shipped/manifest.json" with { type: "json" };

it.each(["anchored", "smoothed"] as const)(
  "says that the scores are of %s moves, and of point ones where the manifest says nothing",
  (label) => {
    const manifest = shipped as unknown as ModelManifest;
    const view = { ok: true, source: "r2", fellBackFrom: null } as const;
    expect(modelBody({ ...view, manifest }).label).toBe("point");
    expect(modelBody({ ...view, manifest: { ...manifest, label } }).label).toBe(label);
  },
);
