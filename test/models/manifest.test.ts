/** The manifest's reader: a manifest that lies about the file beside it must not be loaded, and the refusal must name the field. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_HORIZONS_MS, MAX_HORIZONS } from "../../core/labels/horizons.ts";
import type { ClassGroup, ClassQuestionScore, ModelManifest, OutputColumn } from "../../models/contract.ts";
import { classQuestions, forecastColumns } from "../../models/forecasts.ts";
import { parseActiveModel, parseManifest } from "../../models/manifest.ts";

const COLUMNS = ["a", "b", "c"];
const HASH = "0123456789abcdef".repeat(4);

const good: ModelManifest = {
  format: "edgebook-model/1",
  id: "toy",
  version: "1",
  family: "mlp",
  featureSet: { id: "v1", fingerprint: "0123456789abcdef", columns: COLUMNS },
  intervalMs: 1_000,
  input: { name: "features", shape: ["batch", 3] },
  output: { name: "moves_bps", columns: forecastColumns(), unit: "bps" },
  normaliser: { mean: [0, 1, 2], scale: [1, 2, 3], clip: 5 },
  opset: 17,
  artifact: { file: "model.onnx", sha256: HASH, bytes: 100 },
  trainedOn: { source: "toy", datasetSha256: HASH, from: 0, to: 1, rows: 10, seed: 1, commit: null },
  scores: [
    { target: "mid", horizonMs: 1_000, rows: 10, r2: 0.1, r2Low: -0.1, r2High: 0.2, ridgeR2: 0.1, directionHitRate: null, moves: 0 },
  ],
  scoredOn: { source: "toy", datasetSha256: HASH, from: 2, to: 3, rows: 10, purgeMs: 61_000, commit: `${"a".repeat(40)}-dirty` },
  golden: { inputs: [[1, 2, 3]], outputs: [forecastColumns().map(() => 0.5)], tolerance: 1e-4 },
};

/** The good manifest with one field set (or, for undefined, left out). */
function change(path: string, value: unknown): string {
  const copy = structuredClone(good) as unknown as Record<string, unknown>;
  const steps = path.split(".");
  let at: Record<string, unknown> = copy;
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string, unknown>;
  const last = steps.at(-1) as string;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return JSON.stringify(copy);
}

function refusal(text: string): string {
  const read = parseManifest(text);
  return "malformed" in read ? read.malformed : "accepted";
}

/** The mids of the first two horizons in each other's place: every target stands where it should. */
function withHorizonsSwapped(): OutputColumn[] {
  const swapped = new Map([
    [1_000, 5_000],
    [5_000, 1_000],
  ]);
  return forecastColumns().map((column) =>
    column.target === "mid" ? { ...column, horizonMs: swapped.get(column.horizonMs) ?? column.horizonMs } : column,
  );
}

/** Bid and ask in each other's place: every horizon stands where it should. */
function withTargetsSwapped(): OutputColumn[] {
  const swapped = { bid: "ask", mid: "mid", ask: "bid" } as const;
  return forecastColumns().map((column) => ({ ...column, target: swapped[column.target] }));
}

function directionGroups(thresholdBps = 0.5): ClassGroup[] {
  return classQuestions({ horizonsMs: DEFAULT_HORIZONS_MS, asks: "move" }).map((question) => ({ ...question, thresholdBps }));
}

function nextChangeAt(...horizonsMs: number[]): ClassGroup[] {
  return horizonsMs.flatMap((horizonMs) =>
    classQuestions({ horizonsMs: [horizonMs], asks: "next-change" }).map((question) => ({ ...question, thresholdBps: 0 })),
  );
}

/** One next change in front of moves. */
function mixedQuestions(): ClassGroup[] {
  return [...nextChangeAt(1_000), ...directionGroups().slice(1)];
}

function manyHorizons(): number[] {
  return Array.from({ length: MAX_HORIZONS + 1 }, (_, index) => 1_000 * (index + 1));
}

/** Paths of all fields, those of objects inside objects included. */
function fieldsOf(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [`${prefix}${name}`, ...fieldsOf(inner, `${prefix}${name}.`)]);
}

describe("a manifest", () => {
  it("that is right is read as it stands", () => {
    expect(parseManifest(JSON.stringify(good))).toEqual({ manifest: good });
  });

  it.each(fieldsOf(good))("without %s is refused by that name", (path) => {
    expect(refusal(change(path, undefined))).toContain(path);
  });

  it.each(fieldsOf(good))("with nonsense for %s is refused by that name", (path) => {
    expect(refusal(change(path, { surprise: true }))).toContain(path);
  });

  it.each([
    ["extra", 1, "extra"],
    ["family", "svm", "not known here"],
    ["featureSet.columns", ["a", "b", "a"], "stands twice"],
    ["featureSet.columns", ["a", "b"], "normaliser.mean"],
    ["featureSet.fingerprint", "0123456789ABCDEF", "fingerprint"],
    ["normaliser.mean", [0, 1], "normaliser.mean"],
    ["normaliser.scale", [1, 2, 0], "normaliser.scale.2"],
    ["normaliser.scale", [1, 2, -3], "normaliser.scale.2"],
    ["normaliser.scale", [1, 2], "normaliser.scale"],
    ["normaliser.clip", 0, "normaliser.clip"],
    ["input.shape", ["batch", 4], "input.shape"],
    ["input.shape", [3, "batch"], "input.shape"],
    ["input.name", "x", "input.name"],
    ["output.name", "y", "output.name"],
    ["output.unit", "ticks", "output.unit"],
    ["output.columns", forecastColumns().slice(1), "output.columns: 17, this family has 18"],
    ["output.columns", forecastColumns([1_000, 5_500]), "output.columns: a horizon of 5500 ms"],
    ["output.columns", forecastColumns([1_000, 90_000_000]), "output.columns: a horizon of 90000000 ms"],
    ["output.columns", forecastColumns(manyHorizons()), `output.columns: ${MAX_HORIZONS + 1} horizons`],
    ["output.columns", [...forecastColumns([1_000]), ...forecastColumns([1_000])], "output.columns: 6, this family has 3"],
    ["output.columns", forecastColumns([1_000, 5_000]), "golden.outputs.0: 18 numbers for 6 outputs"],
    ["output.columns", [...forecastColumns()].reverse(), "output.columns.0"],
    ["output.columns", withHorizonsSwapped(), "output.columns.1"],
    ["output.columns", withTargetsSwapped(), "output.columns.0"],
    ["output.columns", forecastColumns().map((column) => ({ ...column, market: "other" })), "output.columns.0"],
    ["output", { name: "reconstruction", unit: "normalised" }, "this family gives no reconstruction"],
    ["output", { name: "moves_bps", unit: "probability", groups: directionGroups() }, "output.name"],
    ["output", { name: "probabilities", unit: "probability", groups: directionGroups().toReversed() }, "output.groups.0"],
    [
      "output",
      { name: "probabilities", unit: "probability", groups: directionGroups().slice(1) },
      "golden.outputs.0: 18 numbers for 15 outputs",
    ],
    ["output", { name: "probabilities", unit: "probability", groups: mixedQuestions() }, "output.groups: 6, this family has 1"],
    ["output", { name: "probabilities", unit: "probability", groups: nextChangeAt(5_000, 30_000) }, "output.groups: 2, this family has 1"],
    ["output", { name: "probabilities", unit: "probability", groups: directionGroups(-1) }, "thresholdBps"],
    ["artifact.sha256", HASH.toUpperCase(), "artifact.sha256"],
    ["artifact.file", "../model.onnx", "artifact.file"],
    ["id", "../../other", "id"],
    ["version", "", "version"],
    ["golden.inputs", [], "golden.inputs"],
    ["golden.inputs", [[1, 2]], "golden.inputs.0"],
    ["golden.inputs", [[1, null, 3]], "golden.inputs.0: not 1 to"],
    ["golden.inputs", [[1, "2", 3]], "golden.inputs.0: not 1 to"],
    ["golden.inputs", [[]], "golden.inputs.0: not 1 to"],
    ["golden.outputs", [[1]], "golden.outputs.0"],
    ["golden.outputs", [], "golden.outputs"],
    ["golden.outputs", [good.golden.outputs[0], good.golden.outputs[0]], "golden: 1 inputs, 2 outputs"],
    ["golden.inputs", [good.golden.inputs[0], good.golden.inputs[0]], "golden: 2 inputs, 1 outputs"],
    ["golden.inputs", [[1, 2, 3, 4]], "golden.inputs.0: 4 numbers for 3 columns"],
    ["golden.tolerance", -1, "golden.tolerance"],
    ["golden.tolerance", 1, "golden.tolerance"],
    ["trainedOn.from", 2, "trainedOn: from 2 lies after to 1"],
    ["scoredOn.to", 1, "scoredOn: from 2 lies after to 1"],
    ["trainedOn.rows", 1.5, "trainedOn.rows"],
    ["trainedOn.commit", "HEAD", "trainedOn.commit"],
    ["trainedOn.ticksBps", { low: 2, high: 1 }, "trainedOn.ticksBps: low above high"],
    ["trainedOn.ticksBps", { low: 0, high: 1 }, "trainedOn.ticksBps.low"],
    ["scoredOn.commit", `${"a".repeat(40)}-clean`, "scoredOn.commit"],
  ])("with %s = %j is refused", (path, value, field) => {
    expect(refusal(change(path, value))).toContain(field);
  });

  it("of classes with no flat among them has no threshold for it: one would promise what the labels can't say", () => {
    const columns = Array.from({ length: 20 }, (_, at) => `c${at}`);
    const question = { asks: "next-change", target: "mid", horizonMs: 30_000, labels: ["down", "up"] };
    const withThreshold = (thresholdBps: number): string =>
      JSON.stringify({
        ...good,
        family: "volumes",
        featureSet: { ...good.featureSet, id: "volumes-10", columns },
        input: { name: "features", shape: ["batch", 20] },
        output: { name: "probabilities", unit: "probability", groups: [{ ...question, thresholdBps }] },
        normaliser: { mean: columns.map(() => 0), scale: columns.map(() => 1), clip: 5 },
        golden: { inputs: [columns.map(() => 0)], outputs: [[0.5, 0.5]], tolerance: 1e-4 },
      });
    expect(refusal(withThreshold(0))).toBe("accepted");
    expect(refusal(withThreshold(0.5))).toContain("output.groups.0.thresholdBps");
  });

  it("with a number that JSON can hold and a double can't is refused: Infinity would pass every tolerance", () => {
    expect(refusal(JSON.stringify(good).replace('"tolerance":0.0001', '"tolerance":1e999'))).toContain("golden.tolerance");
    expect(refusal(JSON.stringify(good).replace('"mean":[0,1,2]', '"mean":[0,1,-1e999]'))).toContain("normaliser.mean.2");
  });

  it.each(["point", "anchored", "smoothed"])("says that its label is %s, or nothing, and no other", (label) => {
    expect(parseManifest(change("label", label))).toEqual({ manifest: { ...good, label } });
    expect(parseManifest(change("label", undefined))).toEqual({ manifest: good });
    expect(refusal(change("label", "averaged"))).toMatch(/^label: /);
    expect(refusal(change("label", null))).toMatch(/^label: /);
  });

  it.each(["", "{", "null", "[]", "17", '"text"'])("that is %j is refused, never thrown on", (text) => {
    expect(refusal(text)).not.toBe("accepted");
  });

  it("of absurd length is refused before it is parsed", () => {
    expect(refusal(" ".repeat(4_000_001))).toMatch(/characters/);
  });
});

describe("the pointer to the active model", () => {
  it("is read, or refused by field", () => {
    const active = { id: "toy", version: "1", manifestSha256: HASH };
    expect(parseActiveModel(JSON.stringify(active))).toEqual({ active });
    expect(parseActiveModel(JSON.stringify({ ...active, version: "a/b" }))).toEqual({ malformed: expect.stringContaining("version") });
    expect(parseActiveModel(JSON.stringify({ ...active, manifestSha256: "0" }))).toEqual({
      malformed: expect.stringContaining("manifestSha256"),
    });
    expect(parseActiveModel("{}")).toHaveProperty("malformed");
  });
});

describe("scores of classes", () => {
  const [question] = directionGroups();
  if (question === undefined) throw new Error("no question");
  const { asks, target, horizonMs } = question;
  const score: ClassQuestionScore = {
    ...{ asks, target, horizonMs, rows: 500, accuracy: 0.6, macroF1: 0.5, mcc: 0.3, mccLow: 0.1, mccHigh: 0.4, logLoss: 0.9, brier: 0.5 },
    ...{ persistenceMcc: -0.1, logisticMcc: null, logisticLogLoss: null, majorityLogLoss: 1.05 },
  };

  function ofClasses(classScores: unknown): string {
    const groups = directionGroups();
    const width = groups.reduce((sum, { labels }) => sum + labels.length, 0);
    const told = { ...good, output: { name: "probabilities", unit: "probability", groups }, scores: [], classScores };
    return JSON.stringify({ ...told, golden: { ...good.golden, outputs: [new Array<number>(width).fill(0.5)] } });
  }

  it("are read as they are, may be missing as in manifests made before, and unknown where only one class came", () => {
    const read = parseManifest(ofClasses([score, { ...score, mcc: null, mccLow: null, mccHigh: null }]));
    expect(read).toMatchObject({ manifest: { classScores: [score, { mcc: null }] } });
    expect(refusal(ofClasses(undefined))).toBe("accepted");
    expect(refusal(ofClasses([]))).toBe("accepted");
  });

  it.each([
    [[{ ...score, mcc: 1.5 }], "classScores.0.mcc"],
    [[score, { ...score, accuracy: null }], "classScores.1.accuracy"],
    [[{ ...score, r2: 0.5 }], "classScores.0"],
    [[score, { ...score, horizonMs: 777 }], "classScores.1: of a question that this model doesn't answer"],
  ])("that can't be are refused: %#", (scores, reason) => {
    expect(refusal(ofClasses(scores))).toContain(reason);
  });

  it("are no claim of a model that answers none", () => {
    expect(refusal(change("classScores", [score]))).toBe("classScores.0: of a question that this model doesn't answer");
  });
});

describe("a shipped model", () => {
  const shipped = join(import.meta.dirname, "..", "..", "workers", "inference", "shipped");

  it("has a manifest that the reader accepts, scores beside ridge, and nothing of the machine it was made on", () => {
    const text = readFileSync(join(shipped, "manifest.json"), "utf8");
    const read = parseManifest(text);
    expect(read).toHaveProperty("manifest");
    if ("malformed" in read) return;
    // The shipped one was made for the first four.
    expect(read.manifest.output).toMatchObject({ columns: forecastColumns([1_000, 5_000, 10_000, 30_000]) });
    expect(read.manifest.scores.length).toBe(12);
    expect(read.manifest.scoredOn).not.toBeNull();
    // Without it neither intervals nor probabilities are served where nothing else was published.
    expect(read.manifest.calibration?.outputs.map(({ target, horizonMs }) => [target, horizonMs])).toEqual(
      [1_000, 5_000, 10_000, 30_000].map((horizonMs) => ["mid", horizonMs]),
    );
    expect(text).not.toMatch(/\/(home|root|tmp|work|Users)\b/);
  });

  it("of signals says which way the mid goes within five seconds, is scored beside a logistic line, and is small", () => {
    const text = readFileSync(join(shipped, "signal", "manifest.json"), "utf8");
    const read = parseManifest(text);
    expect(read).toHaveProperty("manifest");
    if ("malformed" in read) return;
    expect(read.manifest.output).toMatchObject({
      unit: "probability",
      groups: [{ asks: "move", target: "mid", horizonMs: 5_000, labels: ["down", "flat", "up"] }],
    });
    expect(read.manifest.artifact.bytes).toBeLessThan(10_000);
    expect(read.manifest.classScores).toHaveLength(1);
    expect(read.manifest.scoredOn).not.toBeNull();
    expect(text).not.toMatch(/\/(home|root|tmp|work|Users)\b/);
  });
});
