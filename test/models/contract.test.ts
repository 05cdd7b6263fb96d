/** What every folder of `models/` must hold to, or a family could be trained to forecasts that its file doesn't give. One suite over the registry. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import type { AnswerKind, ModelFamily } from "../../models/contract.ts";
import { gru } from "../../models/gru/family.ts";
import { parseManifest } from "../../models/manifest.ts";
import { mlp } from "../../models/mlp/family.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { decodeModel } from "../../training/onnx/decode.ts";
import type { Graph } from "../../training/onnx/model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { sizeOf } from "../../training/tensors/shape.ts";
import { exportTiny, inRows, makeTiny, normals, type TinyTask } from "./tiny-trainer.ts";

const CASES: readonly Case[] = [...MODEL_FAMILIES.values()].flatMap((family) =>
  family.answers.map(({ kind }) => ({ id: family.id, kind, family, beside: "", besides: {} })),
);
/** What a run may ask of networks besides: of one row and of windows, of moves and classes. */
const WITH_MORE: readonly Case[] = [
  { id: "mlp", kind: "moves", family: mlp, beside: "a line, dropout, widths", besides: { hasLine: true, dropout: 0.25, hidden: [24, 12] } },
  { id: "mlp", kind: "classes", family: mlp, beside: "a line", besides: { hasLine: true } },
  { id: "gru", kind: "moves", family: gru, beside: "a line", besides: { hasLine: true } },
];

interface Case {
  readonly id: string;
  readonly kind: AnswerKind;
  readonly family: ModelFamily;
  readonly beside: string;
  readonly besides: NonNullable<TinyTask["besides"]>;
}
/** Of the largest answer. */
const PARITY = 1e-5;
/** Of the first loss. */
const LEARNT = 0.1;

describe.each([...CASES, ...WITH_MORE])("$id, $kind, $beside", ({ family, kind, besides }) => {
  it("learns a handful of rows by heart: a layer that no gradient reaches, or that turns the wrong way, would not", async () => {
    const { losses } = await makeTiny({
      family,
      answer: kind,
      size: "small",
      besides,
      rows: 4,
      steps: 300,
      until: LEARNT,
      learningRate: 1e-2,
    });
    const [first = Number.NaN] = losses;
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(Math.min(...losses) / first).toBeLessThan(LEARNT);
  });

  it("in the size of its source: the file answers as the trainer does, alone and in a batch, by ONNX's own operators", async () => {
    const model = await makeTiny({ family, answer: kind, size: "paper", besides, rows: 2, steps: 3, learningRate: 2e-3 });
    const decoded = decodeModel(model.file);
    expect(decoded.opset).toBe(17);
    expect(foreignOperators(decoded.graph)).toEqual(["trees", "corrected"].includes(family.id) ? ["ai.onnx.ml:TreeEnsembleRegressor"] : []);
    const rows = normals(new Random(5), 7 * sizeOf(model.shape));
    const expected = await model.answer(rows);
    const scale = expected.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Answers of nothing would agree with any file.
    expect(scale).toBeGreaterThan(0.01);
    const session = await (await loadRuntime("node")).open(model.file);
    const ask = async (data: Float32Array): Promise<number[][]> => {
      const count = data.length / sizeOf(model.shape);
      const given = (await session.run({ features: { shape: [count, ...model.shape], data } }))[model.output.name] ?? new Float32Array();
      return inRows(given, given.length / count);
    };
    const together = await ask(rows);
    expect(together).toHaveLength(7);
    expectClose(together, expected, PARITY * scale);
    const alone: number[][] = [];
    for (let row = 0; row < 7; row++) alone.push(...(await ask(rows.subarray(row * sizeOf(model.shape), (row + 1) * sizeOf(model.shape)))));
    expectClose(alone, together, PARITY * scale);
    await session.release();
  });

  it("exports a manifest that the reader accepts, of few enough characters", async () => {
    const model = await makeTiny({ family, answer: kind, size: "small", besides, rows: 2, steps: 1, learningRate: 1e-2 });
    const { manifest } = await exportTiny(family, model);
    expect(parseManifest(manifest)).toHaveProperty("manifest");
  });
});

function expectClose(answers: readonly (readonly number[])[], expected: readonly (readonly number[])[], tolerance: number): void {
  const worst = expected.flatMap((row, index) => row.map((value, at) => Math.abs(value - (answers[index]?.[at] ?? Number.NaN))));
  expect(Math.max(...worst)).toBeLessThanOrEqual(tolerance);
}

/** Operators of another domain than ONNX's own, those inside bodies included. */
function foreignOperators({ nodes }: Graph): string[] {
  return nodes.flatMap(({ domain, operator, attributes }) => [
    ...(domain === "" ? [] : [`${domain}:${operator}`]),
    ...Object.values(attributes).flatMap((attribute) => ("graph" in attribute ? foreignOperators(attribute.graph) : [])),
  ]);
}
