/** Tree ensembles where they are served: the inference Worker's own onnxruntime, against the answers of the trainer's side, bit for bit. */

import { describe, expect, it } from "vitest";
import { answers } from "../../training/trees/answer.ts";
import { buildServedEnsemble } from "../../training/trees/served-ensemble.ts";
import { loadOnnxruntime } from "../../workers/inference/onnxruntime.ts";
import { AWKWARD, randomEnsemble, rowsFrom } from "../training/trees/random-trees.ts";

const COLUMNS = 6;
const ROWS = 50;

describe("a tree ensemble in the Workers runtime", () => {
  it.each([
    [{ kind: "squared-error" } as const, 12, 0],
    [{ kind: "log-loss" } as const, 1, 1e-6],
    [{ kind: "multiclass", classes: 3 } as const, 3, 1e-6],
  ])("by $kind answers what was trained: else the forecasts served are another model's", async (objective, outputs, tolerance) => {
    const ensemble = randomEnsemble({
      seed: 8,
      trees: 20 * outputs,
      columns: COLUMNS,
      outputs,
      maxDepth: 6,
      thresholds: AWKWARD,
      objective,
    });
    const features = rowsFrom(AWKWARD, { seed: 9, rows: ROWS, columns: COLUMNS });
    const { InferenceSession, Tensor } = await loadOnnxruntime();
    const session = await InferenceSession.create(buildServedEnsemble([ensemble], { inputName: "x", outputName: "y", outputScale: null }));
    const { y } = await session.run({ x: new Tensor("float32", features, [ROWS, COLUMNS]) });
    await session.release();
    const expected = answers(ensemble, { rows: ROWS, columns: COLUMNS, features });
    const served = y?.data as Float32Array;
    expect(served.length).toBe(expected.length);
    for (const [cell, value] of served.entries()) expect(Math.abs(value - (expected[cell] as number))).toBeLessThanOrEqual(tolerance);
  });

  it("behind a line answers the sum of both, each in its own scale: a correction without its line is a forecast of next to nothing", async () => {
    const ensembles = [3, 4].map((seed) =>
      randomEnsemble({ seed, trees: 20, columns: COLUMNS, outputs: 1, maxDepth: 6, thresholds: [-1, 0, 0.5, 1] }),
    );
    // A line has no answer where a value is missing.
    const features = rowsFrom([-1.5, -1, 0.25, 0.5, 1, 2], { seed: 9, rows: ROWS, columns: COLUMNS }).map((value) => value || 0);
    const weights = Float32Array.from({ length: 2 * COLUMNS }, (_, at) => (at - 5) / 4);
    const line = { weights, intercepts: [0.5, -2] };
    const outputScale = [0.3, 7];
    const { InferenceSession, Tensor } = await loadOnnxruntime();
    const session = await InferenceSession.create(buildServedEnsemble(ensembles, { inputName: "x", outputName: "y", outputScale, line }));
    const { y } = await session.run({ x: new Tensor("float32", features, [ROWS, COLUMNS]) });
    await session.release();
    const served = y?.data as Float32Array;
    expect(served.length).toBe(2 * ROWS);
    const corrections = ensembles.map((ensemble) => answers(ensemble, { rows: ROWS, columns: COLUMNS, features }));
    for (const [cell, value] of served.entries()) {
      const [row, output] = [Math.floor(cell / 2), cell % 2];
      let sum = (line.intercepts[output] as number) + (corrections[output]?.[row] as number);
      for (let column = 0; column < COLUMNS; column++)
        sum += (features[row * COLUMNS + column] as number) * (weights[output * COLUMNS + column] as number);
      expect(Math.abs(value - sum * (outputScale[output] as number))).toBeLessThan(1e-4);
    }
  });
});
