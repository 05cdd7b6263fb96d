/** The exported file on both runtimes against answer.ts: bit for bit where it sums, within a rounding of exp where it answers probabilities. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeModel } from "../../../training/onnx/decode.ts";
import type { Session } from "../../../training/runtime/contract.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { answers, rawAnswers } from "../../../training/trees/answer.ts";
import type { TreeEnsemble } from "../../../training/trees/contract.ts";
import { buildServedEnsemble } from "../../../training/trees/served-ensemble.ts";
import { AWKWARD, randomEnsemble, rowsFrom } from "./random-trees.ts";

const plain = { inputName: "features", outputName: "answer", outputScale: null };
const RUNTIMES = ["node", "wasm"] as const;
/** Sizes at which onnxruntime takes another path: one row, few, many; few trees, many; one output, several. */
const SHAPES = fc.record({
  seed: fc.nat(),
  rows: fc.constantFrom(1, 2, 33, 400),
  trees: fc.constantFrom(1, 7, 150),
  outputs: fc.constantFrom(1, 3),
  columns: fc.constantFrom(1, 6),
});

async function withSession(name: "node" | "wasm", model: Uint8Array, use: (session: Session) => Promise<void>): Promise<void> {
  const session = await (await loadRuntime(name)).open(model);
  try {
    await use(session);
  } finally {
    await session.release();
  }
}

/** Scale and sums as the graph has them: a float32 product. */
function scaled(raw: Float32Array, scale: readonly number[]): Float32Array {
  return raw.map((value, cell) => value * Math.fround(scale[cell % scale.length] as number));
}

describe.each(RUNTIMES)("an exported ensemble on onnxruntime (%s)", (name) => {
  it("answers every bit of route.ts: missing values, thresholds hit exactly, denormals, both zeros, the largest numbers", async () => {
    await fc.assert(
      fc.asyncProperty(SHAPES, async ({ seed, rows, trees, outputs, columns }) => {
        const ensemble = randomEnsemble({ seed, trees, columns, outputs, maxDepth: 6, thresholds: AWKWARD });
        const features = rowsFrom([...AWKWARD, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], { seed: seed + 1, rows, columns });
        await withSession(name, buildServedEnsemble([ensemble], plain), async (session) => {
          const { answer } = await session.run({ features: { shape: [rows, columns], data: features } });
          // Behind the session's opening: the native runtime may make this thread flush denormals, JavaScript's own included.
          expect(answer).toEqual(rawAnswers(ensemble, { rows, columns, features }));
        });
      }),
      { numRuns: 40 },
    );
  });

  it("answers a family's outputs side by side, each from its own ensemble, base and scale: mixed up, a bid is an ask", async () => {
    const columns = 8;
    const rows = 25;
    const ensembles = Array.from({ length: 12 }, (_, index) =>
      randomEnsemble({ seed: index, trees: 5 + index, columns, outputs: 1, maxDepth: 4 }),
    );
    const outputScale = ensembles.map((_, index) => 0.3 + index);
    const features = rowsFrom([0, 0.5, 1, -1, 2], { seed: 9, rows, columns });
    await withSession(name, buildServedEnsemble(ensembles, { ...plain, outputScale }), async (session) => {
      const { answer } = await session.run({ features: { shape: [rows, columns], data: features } });
      const apart = ensembles.map((ensemble) => rawAnswers(ensemble, { rows, columns, features }));
      const beside = Float32Array.from({ length: 12 * rows }, (_, cell) => apart[cell % 12]?.[Math.floor(cell / 12)] ?? Number.NaN);
      expect(answer).toEqual(scaled(beside, outputScale));
    });
  });

  it("answers the sum of trees and the line that they correct, with a scale and without", async () => {
    const [columns, rows] = [3, 7];
    const ensembles = [1, 2].map((seed) => randomEnsemble({ seed, trees: 9, columns, outputs: 1, maxDepth: 4 }));
    // A line has no answer where a value is missing.
    const features = rowsFrom([0.5, 1, -1, 2], { seed: 9, rows, columns }).map((value) => value || 0);
    // Sums of these are exact in float32, whatever their order.
    const line = { weights: [1, 2, -3, 0, 0.5, 4], intercepts: [0.25, -1] };
    const ofLine = Array.from({ length: 2 * rows }, (_, cell) => {
      const [output, at] = [cell % 2, Math.floor(cell / 2) * columns];
      const [a = 0, b = 0, c = 0] = features.subarray(at, at + columns);
      const [x = 0, y = 0, z = 0] = line.weights.slice(output * columns, (output + 1) * columns);
      return a * x + b * y + c * z + (line.intercepts[output] as number);
    });
    const apart = ensembles.map((ensemble) => rawAnswers(ensemble, { rows, columns, features }));
    const sums = Float32Array.from(ofLine, (value, cell) => value + (apart[cell % 2]?.[Math.floor(cell / 2)] ?? Number.NaN));
    for (const outputScale of [null, [0.3, 5]]) {
      await withSession(name, buildServedEnsemble(ensembles, { ...plain, outputScale, line }), async (session) => {
        const { answer } = await session.run({ features: { shape: [rows, columns], data: features } });
        expect(answer).toEqual(scaled(sums, outputScale ?? [1, 1]));
      });
    }
    expect(() => buildServedEnsemble(ensembles, { ...plain, line: { ...line, intercepts: [0] } })).toThrow(/for 2 outputs of 3 columns/);
  });

  it("answers the base where an output has no tree, or none has", async () => {
    const some = randomEnsemble({ seed: 1, trees: 3, columns: 2, outputs: 3, maxDepth: 2 });
    const without: TreeEnsemble = { ...some, trees: some.trees.filter(({ output }) => output !== 1) };
    for (const ensemble of [without, { ...some, trees: [] }, { ...some, outputs: 1, base: Float32Array.of(7), trees: [] }]) {
      await withSession(name, buildServedEnsemble([ensemble], plain), async (session) => {
        const features = Float32Array.of(0.5, -0.5);
        const { answer } = await session.run({ features: { shape: [1, 2], data: features } });
        expect(answer).toEqual(rawAnswers(ensemble, { rows: 1, columns: 2, features }));
      });
    }
  });

  it.each([{ kind: "log-loss" } as const, { kind: "multiclass", classes: 3 } as const])(
    "answers the probabilities of $kind as answer.ts does",
    async (objective) => {
      const rows = 64;
      const outputs = objective.kind === "multiclass" ? objective.classes : 1;
      const ensemble = randomEnsemble({ seed: 5, trees: 60, columns: 4, outputs, maxDepth: 5, objective });
      const features = rowsFrom([0, 0.5, 1, -1, 2], { seed: 6, rows, columns: 4 });
      const expected = answers(ensemble, { rows, columns: 4, features });
      await withSession(name, buildServedEnsemble([ensemble], plain), async (session) => {
        const { answer } = await session.run({ features: { shape: [rows, 4], data: features } });
        for (const [cell, value] of (answer ?? new Float32Array(0)).entries()) {
          expect(Math.abs(value - (expected[cell] as number))).toBeLessThan(1e-6);
        }
        expect(answer?.length).toBe(expected.length);
      });
    },
  );
});

describe("an exported ensemble", () => {
  const ensemble = randomEnsemble({ seed: 2, trees: 4, columns: 3, outputs: 1, maxDepth: 3 });

  it("says its input and output, and is the same file twice", () => {
    const model = buildServedEnsemble([ensemble, ensemble], plain);
    expect(buildServedEnsemble([ensemble, ensemble], plain)).toEqual(model);
    const { graph, domains } = decodeModel(model);
    expect(graph.inputs).toEqual([{ name: "features", type: "float32", shape: ["batch", 3] }]);
    expect(graph.outputs).toEqual([{ name: "answer", type: "float32", shape: ["batch", 2] }]);
    expect(domains).toEqual({ "ai.onnx.ml": 3 });
  });

  it("of parts that don't fit together is refused: the file would load and answer nonsense", () => {
    const log: TreeEnsemble = { ...ensemble, objective: { kind: "log-loss" } };
    expect(() => buildServedEnsemble([], plain)).toThrow(/no ensemble/);
    expect(() => buildServedEnsemble([ensemble, { ...ensemble, columns: 4 }], plain)).toThrow(/3 and of 4 columns/);
    expect(() => buildServedEnsemble([ensemble], { ...plain, outputScale: [1, 2] })).toThrow(/2 scales for 1 outputs/);
    expect(() => buildServedEnsemble([ensemble, log], plain)).toThrow(/don't go into one file/);
    expect(() => buildServedEnsemble([log], { ...plain, outputScale: [1] })).toThrow(/without scale/);
  });
});
