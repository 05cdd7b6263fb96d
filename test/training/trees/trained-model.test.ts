/** From rows to what is served: what the trainer took its losses from is what the ensemble answers, what its file gives back, and what both runtimes say. */

import { describe, expect, it } from "vitest";
import { Random } from "../../../core/math/random.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { answers, rawAnswers } from "../../../training/trees/answer.ts";
import type { TreeData, TreeObjective, TreeSettings } from "../../../training/trees/contract.ts";
import { dataLoss } from "../../../training/trees/data-loss.ts";
import { splitImportance } from "../../../training/trees/importance.ts";
import { buildServedEnsemble } from "../../../training/trees/served-ensemble.ts";
import { shapValues } from "../../../training/trees/shap.ts";
import { trainTrees } from "../../../training/trees/train-trees.ts";
import { encodeTrees, parseTrees } from "../../../training/trees/tree-file.ts";

const COLUMNS = 5;
const SETTINGS: Omit<TreeSettings, "objective" | "growth"> = {
  rounds: 15,
  learningRate: 0.3,
  maxBins: 32,
  lambda: 1,
  minHessian: 1e-3,
  minRows: 5,
  minGain: 0,
  rowShare: 1,
  columnShare: 1,
  monotone: null,
  earlyStoppingRounds: null,
  seed: 1,
  threads: 1,
};

/** Column 0 decides, a missing column 1 adds, column 4 is the same everywhere. */
function rowsFor(objective: TreeObjective, rows: number): TreeData {
  const random = new Random(3);
  const features = new Float32Array(rows * COLUMNS);
  const targets = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * COLUMNS;
    for (let column = 0; column < COLUMNS - 1; column++) features[at + column] = random.normal();
    if (random.uniform() < 0.3) features[at + 1] = Number.NaN;
    const level = (features[at] as number) + (Number.isNaN(features[at + 1]) ? 1 : 0) + 0.3 * random.normal();
    if (objective.kind === "log-loss") targets[row] = level > 0 ? 1 : 0;
    else if (objective.kind === "multiclass") targets[row] = level > 1 ? 2 : level > 0 ? 1 : 0;
    else targets[row] = level;
  }
  return { rows, columns: COLUMNS, features, targets, weights: null };
}

const OBJECTIVES: readonly TreeObjective[] = [
  { kind: "squared-error" },
  { kind: "absolute-error" },
  { kind: "quantile", level: 0.8 },
  { kind: "log-loss" },
  { kind: "multiclass", classes: 3 },
];

describe.each(OBJECTIVES)("trees trained by $kind", (objective) => {
  it("answer what they were scored by, from the file and from both runtimes too, and are explained by what decides", async () => {
    const data = rowsFor(objective, 600);
    const growth = { kind: "leaf-wise", maxLeaves: 12, maxDepth: 8 } as const;
    const { ensemble, curve } = await trainTrees(data, { settings: { ...SETTINGS, objective, growth } });

    const raw = rawAnswers(ensemble, data);
    expect(dataLoss(objective, raw, data)).toBeCloseTo(curve.at(-1)?.trainLoss ?? Number.NaN, 5);
    expect(parseTrees(encodeTrees(ensemble))).toEqual({ ensemble });

    const model = buildServedEnsemble([ensemble], { inputName: "x", outputName: "y", outputScale: null });
    const expected = answers(ensemble, data);
    for (const name of ["node", "wasm"] as const) {
      const session = await (await loadRuntime(name)).open(model);
      const { y } = await session.run({ x: { shape: [data.rows, COLUMNS], data: data.features } });
      await session.release();
      expect(y?.length).toBe(expected.length);
      const differences = expected.map((value, cell) => Math.abs(value - (y?.[cell] ?? Number.NaN)));
      expect(Math.max(...differences)).toBeLessThan(1e-6);
    }

    const { gain } = splitImportance(ensemble);
    expect(gain[0]).toBeGreaterThan(gain[2] as number);
    expect(gain[1]).toBeGreaterThan(gain[3] as number);
    expect(gain[4]).toBe(0);
    const few = { rows: 20, columns: COLUMNS, features: data.features.subarray(0, 20 * COLUMNS) };
    const { values, expected: mean } = shapValues(ensemble, few);
    for (let cell = 0; cell < 20 * ensemble.outputs; cell++) {
      const sum = values.subarray(cell * COLUMNS, (cell + 1) * COLUMNS).reduce((total, value) => total + value, 0);
      expect((mean[cell % ensemble.outputs] as number) + sum).toBeCloseTo(raw[cell] as number, 4);
    }
  });
});
