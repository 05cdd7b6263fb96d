/** The wide network of compare: taught on short horizons, answered beyond by ridge, the mean of its seeds. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { compareModels } from "../../../training/compare/compare-models.ts";
import type { ComparedModel } from "../../../training/compare/contract.ts";
import { type WideMlpSettings, wideMlp, wideMlpModel } from "../../../training/compare/models/wide-mlp.ts";
import type { Dataset } from "../../../training/datasets/dataset-reader.ts";
import { scratchFolder } from "../toy-data.ts";
import { comparisonOf, modelsNamed, toyDataset } from "./comparing.ts";

const folder = scratchFolder();
const FEW: WideMlpSettings = {
  ...(wideMlp.settings as WideMlpSettings),
  hidden: [16, 8],
  learningRate: 1e-2,
  batch: 64,
  epochs: 6,
  seeds: [1],
  // The toy's moves go to half a minute: so that some are farther, less is taught.
  weights: [
    { upToMs: 1_000, weight: 2 },
    { upToMs: 5_000, weight: 1 },
  ],
};
const HORIZONS_MS = [1_000, 5_000, 30_000];
let toy: Dataset;

beforeAll(async () => {
  toy = await toyDataset(folder);
});

describe("the wide network", () => {
  it("answers beyond what it is taught as ridge does, number by number, and below as it learnt: a horizon that wasn't taught must not be answered by what was", async () => {
    const { comparison, forecasts } = await compared("beyond", [...modelsNamed("ridge"), wideMlpModel(FEW)]);
    const [ridge, wide] = [forecasts("ridge"), forecasts("wide-mlp")];
    const { outputs } = comparison;
    expect(outputs.map(({ horizonMs }) => horizonMs)).toContain(30_000);
    for (const [output, { horizonMs }] of outputs.entries()) {
      const [one, other] = [ridge, wide].map((all) => all.filter((_, cell) => cell % outputs.length === output));
      if (horizonMs === 30_000) expect(other).toEqual(one);
      else expect(other).not.toEqual(one);
    }
    const [, model] = comparison.models;
    const skill = (wanted: number) => model?.scores.find(({ target, horizonMs }) => target === "mid" && horizonMs === wanted)?.r2;
    // Half of the next second's variance is told by the first column, and so a tenth of five seconds'.
    expect(skill(1_000)).toBeGreaterThan(0.4);
    expect(skill(5_000)).toBeGreaterThan(0.02);
    expect(model?.isRefitted).toBe(true);
    expect(comparison.models.find(({ id }) => id === "wide-mlp")?.configurations).toBe(comparison.models[0]?.configurations);
  });

  it("is the mean of its seeds: one training alone would be told as three", async () => {
    const alone: Float32Array[] = [];
    for (const seed of [1, 2]) {
      const { forecasts } = await compared(`seed-${seed}`, [wideMlpModel({ ...FEW, seeds: [seed] })]);
      alone.push(forecasts("wide-mlp"));
    }
    const { forecasts } = await compared("seeds", [wideMlpModel({ ...FEW, seeds: [1, 2] })]);
    const both = forecasts("wide-mlp");
    const [one, two] = alone as [Float32Array, Float32Array];
    expect(one).not.toEqual(two);
    const farthest = both.reduce(
      (most, value, cell) => Math.max(most, Math.abs(value - ((one[cell] as number) + (two[cell] as number)) / 2)),
      0,
    );
    expect(farthest).toBeLessThan(1e-5);
  });

  it("is left out, with the reason, where all moves are farther than it learns", async () => {
    const options = await comparisonOf([toy], {
      out: join(folder, "far"),
      models: [...modelsNamed("ridge"), wideMlpModel(FEW)],
      horizonsMs: [30_000],
    });
    expect((await compareModels(options)).refused).toEqual([
      { id: "wide-mlp", reason: "it learns moves over 5 s at most, and there are none" },
    ]);
  });
});

async function compared(name: string, models: readonly ComparedModel[]) {
  const out = join(folder, name);
  const comparison = await compareModels(await comparisonOf([toy], { out, models, horizonsMs: HORIZONS_MS }));
  const forecasts = (id: string): Float32Array => {
    const bytes = readFileSync(join(out, "models", id, "fold-1", "forecasts.f32"));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  return { comparison, forecasts };
}
