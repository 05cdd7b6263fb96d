/** A calibration is served as intervals and probabilities: one that contradicts itself, or the model, would be shown as knowledge. */

import { describe, expect, it } from "vitest";
import type { CalibratedOutput, ModelCalibration, ModelManifest } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import shipped from "../../workers/inference/shipped/manifest.json" with { type: "json" };

const { calibration: _own, ...manifest } = shipped as unknown as ModelManifest;

const output: CalibratedOutput = {
  target: "mid",
  horizonMs: 5_000,
  thresholdBps: 0.5,
  bins: [
    { upToBps: -0.25, lowBps: -3, highBps: 2, down: 0.6, flat: 0.3, up: 0.1, rows: 400 },
    { upToBps: 0.25, lowBps: -2, highBps: 2, down: 0.25, flat: 0.5, up: 0.25, rows: 500 },
    { upToBps: null, lowBps: -2, highBps: 3, down: 0.1, flat: 0.3, up: 0.6, rows: 100 },
  ],
};
const calibration: ModelCalibration = { from: 10, to: 20, rows: 1_000, coverage: 0.9, outputs: [output] };

function refusal(changed: unknown): string {
  const read = parseManifest(JSON.stringify({ ...manifest, calibration: changed }));
  return "malformed" in read ? read.malformed : "accepted";
}

function withBins(change: (bins: CalibratedOutput["bins"]) => unknown): unknown {
  return { ...calibration, outputs: [{ ...output, bins: change(output.bins) }] };
}

function withBin(index: number, change: object): unknown {
  return withBins((bins) => bins.map((bin, at) => (at === index ? { ...bin, ...change } : bin)));
}

describe("a manifest's calibration", () => {
  it("is read as it is, and a manifest without one as before", () => {
    expect(parseManifest(JSON.stringify({ ...manifest, calibration }))).toEqual({ manifest: { ...manifest, calibration } });
    expect(parseManifest(JSON.stringify(manifest))).toEqual({ manifest });
  });

  it.each<[string, unknown, RegExp]>([
    ["bins that fall", withBin(1, { upToBps: -0.5 }), /^calibration\.outputs\.0\.bins\.1\.upToBps: -0\.5, not above -0\.25$/],
    ["two bins of one edge", withBin(1, { upToBps: -0.25 }), /bins\.1\.upToBps/],
    ["a last bin with an edge: no bin for what is above", withBin(2, { upToBps: 9 }), /bins\.2\.upToBps: 9/],
    ["a bin without an edge before the last", withBin(0, { upToBps: null }), /bins\.0\.upToBps: null/],
    ["an edge that is no number", withBin(0, { upToBps: "-1" }), /bins\.0\.upToBps/],
    ["no bins", withBins(() => []), /bins/],
    ["more bins than any calibration has", withBins((bins) => new Array(1_001).fill(bins[0])), /bins/],
    ["an interval turned around", withBin(0, { lowBps: 3 }), /bins\.0\.lowBps: 3, above 2/],
    ["an interval without an end", withBin(0, { highBps: undefined }), /bins\.0\.highBps/],
    ["shares above 1 in all", withBin(0, { up: 0.2 }), /bins\.0\.down, flat, up: 1\.0999/],
    ["shares below 1 in all", withBin(0, { up: 0.05 }), /bins\.0\.down, flat, up: 0\.95/],
    ["a share below 0", withBin(0, { down: -0.1, up: 0.8 }), /bins\.0\.down/],
    ["a bin of no rows", withBin(0, { rows: 0 }), /bins\.0\.rows/],
    ["more rows in its bins than it has", withBin(0, { rows: 401 }), /bins: 1001 rows, of 1000/],
    ["a threshold below 0", { ...calibration, outputs: [{ ...output, thresholdBps: -1 }] }, /thresholdBps/],
    ["a coverage of everything", { ...calibration, coverage: 1 }, /calibration\.coverage/],
    ["a coverage of nothing", { ...calibration, coverage: 0 }, /calibration\.coverage/],
    ["rows that end before they begin", { ...calibration, from: 21 }, /calibration: from 21 lies after to 20/],
    ["no output", { ...calibration, outputs: [] }, /calibration\.outputs/],
    ["an output that the model doesn't have", { ...calibration, outputs: [{ ...output, horizonMs: 7_000 }] }, /outputs\.0: mid at 7000 ms/],
    ["an output twice", { ...calibration, outputs: [output, output] }, /outputs\.1: mid at 5000 ms/],
    ["a field of nobody's", { ...calibration, note: "trust me" }, /calibration/],
  ])("with %s is refused by the place of the fault", (_, changed, said) => {
    expect(refusal(changed)).toMatch(said);
  });

  it("of a model of classes is refused: it says of itself how probable they are", () => {
    const groups =
      manifest.output.unit === "bps" ? [{ asks: "move", target: "mid", horizonMs: 1_000, labels: ["down", "flat", "up"] }] : [];
    const outputs = groups.concat([5_000, 10_000, 30_000].map((horizonMs) => ({ ...(groups[0] as (typeof groups)[0]), horizonMs })));
    const classes = { name: "probabilities", unit: "probability", groups: outputs.map((group) => ({ ...group, thresholdBps: 1 })) };
    const golden = { ...manifest.golden, outputs: manifest.golden.outputs.map(() => new Array(12).fill(1 / 3)) };
    const told = { ...manifest, output: classes, golden, scores: [] };
    expect(parseManifest(JSON.stringify(told))).toHaveProperty("manifest");
    expect(parseManifest(JSON.stringify({ ...told, calibration }))).toEqual({ malformed: expect.stringMatching(/^calibration: of moves/) });
  });
});
