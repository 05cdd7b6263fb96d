/**
 * Every folder of `models/`, trained and exported in Node and loaded here by the inference Worker's own code: its hash, its shapes, and answers within 1e-5 of
 * the trainer's, which the manifest's golden vectors hold. What the edge can't run, or runs otherwise, shows here and not in a forecast.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelManifest } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { kindOf, outputWidth, windowOf } from "../../models/shapes.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { OPSET } from "../../training/onnx/model.ts";
import { loadModel } from "../../workers/inference/load-model.ts";
import type { LoadedModel } from "../../workers/inference/loaded-model.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import { sha256Hex } from "../../workers/inference/sha256.ts";
import { at, coldInference, exported, publish, unpublishAll } from "./published-models.ts";
import { rowSetOf } from "./row-set.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const CASES = [...MODEL_FAMILIES.values()].flatMap((family) =>
  family.answers.map(({ kind }) => ({ id: family.id, kind, window: family.window, besides: "" })),
);
/** A line beside the network, of one row and of the newest of a window; with it dropout, of which the file has to be free. */
const WITH_MORE = [
  { id: "mlp", kind: "moves", window: 1, besides: "all" },
  { id: "gru", kind: "moves", window: 100, besides: "line" },
] as const;

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS));

describe.each([...CASES, ...WITH_MORE])("$id, $kind $besides", ({ id, kind, window, besides }) => {
  it("is loaded, its golden windows answered as the trainer answered them, and each window alone as in a batch", async () => {
    const files = await exported(id, kind, besides);
    const model = await loaded(files);
    const { golden, output, input } = model.manifest;
    expect(kindOf(output)).toBe(kind);
    expect(windowOf(model.manifest)).toBe(window);
    const numbers = input.shape.reduce<number>((product, size) => (size === "batch" ? product : product * size), 1);
    const windows = Array.from({ length: 7 }, (_, row) => golden.inputs[row % golden.inputs.length] ?? []);
    const together = await model.answer(windows);
    if ("ok" in together) throw new Error(together.detail);
    expect(together.map((row) => row.length)).toEqual(windows.map(() => outputWidth(output, numbers)));
    for (const [row, expected] of golden.outputs.entries()) {
      const [alone] = (await model.answer([golden.inputs[row] ?? []])) as number[][];
      expect(worst(alone ?? [], expected)).toBeLessThanOrEqual(golden.tolerance);
      expect(worst(together[row] ?? [], alone ?? [])).toBeLessThanOrEqual(golden.tolerance);
    }
    // The tolerance is 1e-5 of the largest answer: answers of nothing would have none.
    expect(golden.tolerance).toBeGreaterThan(1e-9);
    await model.release();
  });

  it("asked for a forecast or a signal from one row is refused unless that is what it does", async () => {
    const files = await exported(id, kind, besides);
    const { featureSet } = JSON.parse(files.manifest) as ModelManifest;
    const sets = [rowSetOf(featureSet, [featureSet.columns.map(() => 0)])];
    await publish(files);
    await publish(files, { slot: "signal" });
    const asks = (["forecast", "signal"] as const).map((slot) => ({ market: "v:A", slot, sets }));
    const answers = (await coldInference().predict(asks, at(NOW))).answers.map(({ active }) => active);
    for (const [index, served] of [["moves"], ["moves", "classes"]].entries()) {
      const answer = answers[index];
      if (!served.includes(kind)) expect(answer).toMatchObject({ fault: "not-a-forecast", detail: expect.stringContaining(kind) });
      else if (window > 1) expect(answer).toMatchObject({ fault: "needs-a-window", detail: expect.stringContaining(`${window} rows`) });
      else expect(answer).toMatchObject({ ok: true, kind });
    }
    await unpublishAll();
  });
});

describe("a classifier", () => {
  it("whose probabilities are none is refused: whoever trades on them would bet on a number that means nothing", async () => {
    const { manifest: text } = await exported("volumes", "classes");
    const manifest = JSON.parse(text) as ModelManifest;
    const columns = manifest.featureSet.columns.length;
    const artifact = encodeModel({
      opset: OPSET,
      graph: {
        name: "unnormalised",
        nodes: [{ operator: "MatMul", domain: "", inputs: ["features", "weights"], outputs: ["probabilities"], attributes: {} }],
        constants: [{ name: "weights", type: "float32", shape: [columns, 2], data: new Float32Array(2 * columns).fill(0.3) }],
        inputs: [{ name: "features", type: "float32", shape: ["batch", columns] }],
        outputs: [{ name: "probabilities", type: "float32", shape: ["batch", 2] }],
      },
    });
    const claimed = { file: "model.onnx", sha256: await sha256Hex(artifact), bytes: artifact.length } as const;
    const files = { source: "shipped", manifest: JSON.stringify({ ...manifest, artifact: claimed }), artifact } as const;
    expect(await loadModel(files)).toMatchObject({
      fault: "bad-output",
      detail: expect.stringContaining("for the probabilities of down,up"),
    });
  });
});

async function loaded(files: ModelFiles): Promise<LoadedModel> {
  const model = await loadModel(files);
  if ("ok" in model) throw new Error(`${model.fault}: ${model.detail}`);
  return model;
}

function worst(one: readonly number[], other: readonly number[]): number {
  if (one.length !== other.length) return Number.POSITIVE_INFINITY;
  return Math.max(...one.map((value, at) => Math.abs(value - (other[at] ?? Number.NaN))));
}
