/** Models as the API shows them: scores are of their own kind of moves, and read as another's they would be skill that it doesn't have. */

import { describe, expect, it } from "vitest";
import type { ModelManifest } from "../../models/contract.ts";
import { modelBody, modelListBody } from "../../workers/api/views/model.ts";
import type { Roster, RosterRole } from "../../workers/inference/contract.ts";
import shipped from "../../workers/inference/shipped/manifest.json" with { type: "json" };

const manifest = shipped as unknown as ModelManifest;
const view = { key: 3, source: "r2" } as const;

describe("a model", () => {
  it.each(["anchored", "smoothed"] as const)(
    "says that the scores are of %s moves, and of point ones where the manifest says nothing",
    (label) => {
      expect(modelBody({ ...view, manifest }).label).toBe("point");
      expect(modelBody({ ...view, manifest: { ...manifest, label } }).label).toBe(label);
    },
  );

  it("says whether it was calibrated, on what, and not with which bins", () => {
    const bin = { upToBps: null, lowBps: -1, highBps: 1, down: 0.25, flat: 0.5, up: 0.25, rows: 100 };
    const output = { target: "mid", horizonMs: 5_000, thresholdBps: 1, bins: [bin] } as const;
    const calibration = { from: 1, to: 2, rows: 100, coverage: 0.9, outputs: [output, { ...output, target: "bid" as const }] };
    const { calibration: _own, ...without } = manifest;
    expect(modelBody({ ...view, manifest: without }).calibration).toBeNull();
    const told = { from: 1, to: 2, rows: 100, coverage: 0.9, outputs: 2 };
    expect(modelBody({ ...view, manifest: { ...manifest, calibration } }).calibration).toEqual(told);
  });
});

describe("the list of models", () => {
  const active: RosterRole = {
    slot: "forecast",
    market: "*",
    role: "active",
    key: 3,
    id: manifest.id,
    version: manifest.version,
    source: "r2",
    family: "mlp",
    fingerprint: "0123456789abcdef",
    featureSet: "v1",
    window: 1,
    label: "point",
    answer: "moves",
    fellBackFrom: null,
  };
  const roster: Roster = { revision: "1", roles: [{ ...active, market: "v:A", key: 9 }, active], refused: [] };

  it("leads with the model of every market, which is not that of one market", () => {
    const body = modelListBody({
      roster,
      models: [
        { ...view, key: 9, manifest },
        { ...view, manifest },
      ],
      versions: null,
    });
    expect(body).toMatchObject({ active: { key: 3, fellBackFrom: null }, models: [{ key: 9 }, { key: 3 }], versions: null });
  });

  it("without such a model is a refusal with that one's fault, not another role's", () => {
    const refusal = { slot: "forecast", role: "active", key: 1, id: "a", version: "1", detail: "so" } as const;
    const refused = [
      { ...refusal, market: "v:A", fault: "not-found" } as const,
      { ...refusal, market: "*", fault: "hash-mismatch" } as const,
    ];
    const nobody: Roster = { revision: "1", roles: [], refused };
    expect(modelListBody({ roster: nobody, models: [], versions: [] })).toEqual({ ok: false, fault: "hash-mismatch", detail: "so" });
  });
});
