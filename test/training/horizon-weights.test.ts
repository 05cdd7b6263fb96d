/** Weights of horizons: what a run claims to have cared for is what its loss was of. A weight that were lost, or fell on another move, would show in no other number. */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import { silent } from "../../training/progress.ts";
import type { Runtime } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import type { PreparedRows } from "../../training/train/contract.ts";
import { parseHorizonWeights, weightsOfMoves } from "../../training/train/horizon-weights.ts";
import { trainNetwork } from "../../training/train/train-network.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { readNetworkRun, scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const SETTINGS = { ...DEFAULT_TRAIN_SETTINGS, epochs: 2, batch: 16, learningRate: 1e-2 };
let runtime: Runtime;
let dataset: Dataset;

beforeAll(async () => {
  runtime = await loadRuntime("node");
  await writeToyDataset(join(folder, "data"), [{ rows: 1_500, seed: 11, signal: 0.5 }]);
  dataset = await readDataset(join(folder, "data"));
});

/** Of two columns and two moves: the first is the first column, the second its opposite. @param known of the second move. */
function rowsWith(known: 0 | 1): PreparedRows {
  const rows = 64;
  const values = Float32Array.from({ length: 2 * rows }, (_, cell) => Math.sin(7 * cell));
  const targets = Float32Array.from({ length: 2 * rows }, (_, cell) =>
    cell % 2 === 0 ? (values[cell] as number) : -(values[cell - 1] as number),
  );
  const mask = Float32Array.from({ length: 2 * rows }, (_, cell) => (cell % 2 === 0 ? 1 : known));
  return { rows, columns: 2, outputs: 2, inputs: { kind: "memory", values }, targets, mask };
}

async function parametersAfter(known: 0 | 1, outputWeights?: readonly number[]): Promise<{ parameters: number[]; losses: number[] }> {
  const rows = rowsWith(known);
  const task = { runtime, network: mlpNetwork(2, [4]), settings: SETTINGS, train: rows, validation: rows, outputWeights };
  const { parameters, curve } = await trainNetwork(task);
  return { parameters: [...parameters], losses: curve.flatMap(({ trainLoss, validationLoss }) => [trainLoss, validationLoss]) };
}

describe("in the loss", () => {
  it("a weight of 0 is the same as no target there, bit for bit, in the mean's denominator too", async () => {
    expect(await parametersAfter(1, [1, 0])).toEqual(await parametersAfter(0));
  });

  it("equal weights are the same as none, bit for bit where they are a power of two", async () => {
    const plain = await parametersAfter(1);
    expect(await parametersAfter(1, [2, 2])).toEqual(plain);
    expect(await parametersAfter(1, [2, 1])).not.toEqual(plain);
  });

  it("the first move's error of 1 and the second's of 2 make (3·1 + 1·4) / 4", async () => {
    const ones = (value: number): Float32Array => new Float32Array(64).fill(value);
    const inputs = { kind: "memory", values: ones(0) } as const;
    const targets = Float32Array.from({ length: 128 }, (_, cell) => (cell % 2 === 0 ? 1 : 2));
    const rows = { rows: 64, columns: 1, outputs: 2, inputs, targets, mask: new Float32Array(128).fill(1) };
    // A rate so small that nothing is learnt: the answer stays 0.
    const settings = { ...SETTINGS, epochs: 1, learningRate: 1e-12 };
    const { curve } = await trainNetwork({
      runtime,
      network: mlpNetwork(2, []),
      settings,
      train: rows,
      validation: rows,
      outputWeights: [3, 1],
    });
    expect(curve[0]?.validationLoss).toBeCloseTo(7 / 4, 6);
    expect(curve[0]?.trainLoss).toBeCloseTo(7 / 4, 6);
  });
});

describe("of a run", () => {
  it("fall on the moves of their horizons, are kept in its card, and change what is learnt", async () => {
    const train = async (name: string, text: string | null) => {
      const weights = text === null ? {} : { horizonWeights: parseHorizonWeights(text) };
      const out = join(folder, name);
      const settings = { ...SETTINGS, epochs: 1, batch: 128 };
      await trainRun({ dataset, dataFolder: folder, out, family: "mlp", runtime, settings, progress: silent, commit: null, ...weights });
      return (await readNetworkRun(out)).card;
    };
    const weighted = await train("weighted", "30000:.25,1000:2,5000:1,10000:0.5");
    expect(weighted.outputWeights).toEqual([2, 2, 2, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
    const plain = await train("plain", null);
    expect(plain).not.toHaveProperty("outputWeights");
    expect(weighted.files.weights).not.toBe(plain.files.weights);
  });

  it("are refused where they leave a horizon out, name one that isn't trained, or weigh nothing", () => {
    const moves = dataset.card.targets;
    const given = (text: string) => () => weightsOfMoves(parseHorizonWeights(text), moves);
    expect(given("5000:1,1000:2")).toThrow(
      "says nothing of 10000 ms: give it a weight, or leave it out of what is trained with `--horizons 1000,5000`",
    );
    expect(given("1000:2,5000:1,10000:1,30000:1,60000:1")).toThrow("names 60000 ms, and what is trained has 1000, 5000, 10000, 30000");
    for (const wrong of ["1000:0", "1000", "1000:-1", "0:1", "1000:1e3", "1000:1,,5000:2", "", "1000:."])
      expect(given(wrong)).toThrow(/is no horizon in ms with a weight above 0/);
    expect(given("1000:1,1000:2")).toThrow("1000 is named twice");
  });

  it("are of moves: classes have questions", async () => {
    const options = {
      dataset,
      dataFolder: folder,
      out: join(folder, "classes"),
      family: "mlp",
      runtime,
      settings: SETTINGS,
      progress: silent,
      commit: null,
    };
    await expect(
      trainRun({ ...options, model: { answer: "classes", size: "small" }, horizonWeights: new Map([[1_000, 1]]) }),
    ).rejects.toThrow("leave --horizon-weights out");
  });
});
