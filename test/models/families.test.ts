/** What each folder of `models/` says of itself: a family that contradicts itself would refuse its own exports, at the edge and late. */

import { describe, expect, it } from "vitest";
import { featureSetNamed } from "../../core/features/registry.ts";
import type { ClassQuestion, ModelManifest } from "../../models/contract.ts";
import { familyAt } from "../../models/forecasts.ts";
import { parseManifest } from "../../models/manifest.ts";
import { prepareWindows } from "../../models/prepare.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { answerOfKind, inputShape, kindOf, outputOf, outputWidth, windowOf } from "../../models/shapes.ts";

const HASH = "0123456789abcdef".repeat(4);

describe.each([...MODEL_FAMILIES])("the family %s", (id, family) => {
  const { inputs } = family;
  const rows = inputs.kind === "layout" ? inputs.layout : featureSetNamed(inputs.featureSet ?? "v1");

  it("is registered under its own id and reads rows that there are", () => {
    expect(family.id).toBe(id);
    expect(rows).not.toBeNull();
    if (family.columns !== null) expect(rows?.columns).toHaveLength(family.columns);
    expect(new Set(rows?.columns).size).toBe(rows?.columns.length);
    expect(family.window).toBeGreaterThanOrEqual(1);
  });

  it("gives each kind of answer once, and each piece of it once", () => {
    const kinds = family.answers.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const answer of family.answers) {
      const output = outputOf(answer, [1, 1, 1, 1]);
      expect(kindOf(output)).toBe(answer.kind);
      const pieces = "columns" in output ? output.columns : "groups" in output ? output.groups : "actions" in output ? output.actions : [];
      expect(new Set(pieces.map((piece) => JSON.stringify(piece))).size).toBe(pieces.length);
    }
  });

  it.each(family.answers)("writes a manifest of $kind that the reader accepts, and refuses with a row more or a number less", (answer) => {
    if (rows === null) throw new Error("no rows");
    const columns = rows.columns.length;
    const thresholds = answer.kind === "classes" ? answer.questions.map(thresholdOf) : [];
    const output = outputOf(answer, thresholds);
    const numbers = family.window * columns;
    const manifest: ModelManifest = {
      format: "edgebook-model/1",
      id: "toy",
      version: "1",
      family: id,
      featureSet: { id: rows.id, fingerprint: rows.fingerprint, columns: rows.columns },
      intervalMs: inputs.kind === "layout" ? inputs.layout.intervalMs : 1_000,
      input: { name: family.inputName, shape: inputShape(family, columns) },
      output,
      normaliser: { mean: rows.columns.map(() => 0), scale: rows.columns.map(() => 1), clip: 5 },
      opset: 17,
      artifact: { file: "model.onnx", sha256: HASH, bytes: 100 },
      trainedOn: { source: "toy", datasetSha256: HASH, from: 0, to: 1, rows: 10, seed: 1, commit: null },
      scores: [],
      scoredOn: null,
      golden: {
        inputs: [new Array(numbers).fill(0)],
        outputs: [new Array(outputWidth(output, numbers)).fill(0)],
        tolerance: 1e-4,
      },
    };
    expect(parseManifest(JSON.stringify(manifest))).toEqual({ manifest });
    expect(windowOf(manifest)).toBe(family.window);
    const wider = { ...manifest, input: { ...manifest.input, shape: ["batch", family.window + 1, columns] } };
    expect(parseManifest(JSON.stringify(wider))).toEqual({ malformed: expect.stringContaining("input.shape") });
    const short = { ...manifest, golden: { ...manifest.golden, inputs: [new Array(numbers - 1).fill(0)] } };
    expect(parseManifest(JSON.stringify(short))).toEqual({ malformed: expect.stringContaining("golden.inputs.0") });
    const otherRows = { ...manifest, featureSet: { ...manifest.featureSet, id: "other", fingerprint: "f".repeat(16) } };
    const refused = "malformed" in parseManifest(JSON.stringify(otherRows));
    // A family of any rows leaves the judgement to the loader, which knows the sets.
    expect(refused).toBe(!(inputs.kind === "features" && inputs.featureSet === null));
  });
});

describe("answers", () => {
  it("are named by what they mean, so that no reader takes a probability for a move", () => {
    const names = [...MODEL_FAMILIES.values()].flatMap(({ answers }) =>
      answers.map((answer) => `${answer.kind} ${outputOf(answer, []).name}`),
    );
    expect(new Set(names)).toEqual(
      new Set(["moves moves_bps", "classes probabilities", "reconstruction reconstruction", "action-values action_values"]),
    );
  });

  it("of a forecaster are three moves a horizon, or down, flat, up, at the horizons of its data and no others", () => {
    const known = MODEL_FAMILIES.get("deeplob");
    const family = known === undefined ? null : familyAt(known, { horizonsMs: [1_000, 5_000, 10_000, 30_000], asks: null });
    if (family === null) throw new Error("no deeplob");
    const moves = answerOfKind(family, "moves");
    expect(moves?.kind === "moves" && moves.columns.map(({ target, horizonMs }) => `${target}@${horizonMs}`).join(" ")).toBe(
      "bid@1000 mid@1000 ask@1000 bid@5000 mid@5000 ask@5000 bid@10000 mid@10000 ask@10000 bid@30000 mid@30000 ask@30000",
    );
    const classes = answerOfKind(family, "classes");
    expect(classes?.kind === "classes" && classes.questions.map(({ horizonMs, labels }) => [horizonMs, ...labels].join(" "))).toEqual([
      "1000 down flat up",
      "5000 down flat up",
      "10000 down flat up",
      "30000 down flat up",
    ]);
    expect(answerOfKind(family, "reconstruction")).toBeNull();
  });

  it("to which way the price goes next are one question, within the longest horizon: `volumes` asks nothing else, others where told", () => {
    const question = { asks: "next-change", target: "mid", horizonMs: 60_000, labels: ["down", "up"] };
    const horizonsMs = [1_000, 60_000];
    const asked = (id: string, asks: "move" | "next-change" | null) => {
      const family = MODEL_FAMILIES.get(id);
      const at = family === undefined ? null : familyAt(family, { horizonsMs, asks });
      return at === null ? null : answerOfKind(at, "classes");
    };
    expect(asked("volumes", null)).toEqual({ kind: "classes", questions: [question] });
    expect(asked("volumes", "move")).toBeNull();
    expect(asked("mlp", "next-change")).toEqual({ kind: "classes", questions: [question] });
    expect(asked("autoencoder", "move")).toBeNull();
  });

  it("of families that learn from one layout alone hang on no horizon", () => {
    for (const id of ["resnet1d", "dueling-q", "autoencoder"]) {
      const family = MODEL_FAMILIES.get(id);
      if (family === undefined) throw new Error(`no ${id}`);
      expect(familyAt(family, { horizonsMs: [7_000], asks: null })).toBe(family);
    }
  });
});

describe("a window", () => {
  it("is prepared row by row, oldest first, each by the same statistics", () => {
    const prepared = prepareWindows([[1, 10, 3, -100]], { mean: [1, 0], scale: [2, 10], clip: 5 }, 2);
    expect(Array.from(prepared)).toEqual([0, 1, 1, -5]);
    expect(() => prepareWindows([[1, 10, 3]], { mean: [1, 0], scale: [2, 10], clip: 5 }, 2)).toThrow(/3 numbers for 2 rows of 2/);
  });
});

function thresholdOf({ labels }: ClassQuestion): number {
  return labels.length === 2 ? 0 : 0.5;
}
