/** A score is of the part, the rows and the unit that it names, worked out by hand; and the leak check's labels are other rows' whole. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun, suspicionsOf } from "../../training/evaluate/evaluate-run.ts";
import type { DetailedScore } from "../../training/evaluate/scores.ts";
import { turnLabels } from "../../training/leaks/moved-rows.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import type { Run } from "../../training/train/run-folder.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { readNetworkRun, scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();

describe("scores of two markets on one clock", () => {
  it("are each market's own, in basis points, over the rows that have a target", async () => {
    // From second 1,742 on (85 % of the 4,100 rows lie before it) 258 rows of A are tested, and 358 of B, in two stretches.
    await writeToyDataset(join(folder, "two"), [
      { rows: 2_000, seed: 31, signal: 0.5, market: "toy:A", spoil: (row) => row.fill(1, 0, 1) },
      { rows: 2_100, seed: 32, signal: 0.5, market: "toy:B", gapAt: 1_900, spoil: (row) => row.fill(1, 0, 1) },
    ]);
    const dataset = withMoves(await readDataset(join(folder, "two")), [2, -2]);
    const runtime = await loadRuntime("node");
    const evaluation = await evaluateRun(await runThatAnswers(dataset, { network: 0.5, ridge: 1 }), dataset, { runtime, commit: null });

    // Of a move of 2 the network leaves 1.5 and the line 1; of a move of -2 they leave 2.5 and 3: R² 1 - (left / 2)².
    const start = dataset.card.from;
    expect(evaluation).toMatchObject({ rows: 616, from: start + 1_742_000, to: start + 2_199_000 });
    expect(evaluation.byPart.map(({ market, rows }) => ({ market, rows }))).toEqual([
      { market: "toy:A", rows: 258 },
      { market: "toy:B", rows: 358 },
    ]);
    const [a, b] = evaluation.byPart.map(({ scores }) => scores);
    // A label of h seconds is missing in the last h rows of each stretch. Thirty seconds need 300 rows to be scored at all.
    expect(rowsByHorizon(a)).toEqual([
      [1_000, 257],
      [5_000, 253],
      [10_000, 248],
    ]);
    expect(rowsByHorizon(b)).toEqual([
      [1_000, 356],
      [5_000, 348],
      [10_000, 338],
    ]);
    for (const score of a ?? []) expectR2(score, { network: 0.4375, ridge: 0.75 });
    for (const score of b ?? []) expectR2(score, { network: -0.5625, ridge: -1.25 });
    expect(rowsByHorizon(evaluation.scores)).toEqual([
      [1_000, 613],
      [5_000, 601],
      [10_000, 586],
      [30_000, 526],
    ]);
    // Above .4 at five seconds and more is too good to be true: six of A's scores, none of B's.
    expect(suspicionsOf({ ...evaluation, scores: a ?? [] })).toHaveLength(6);
    expect(suspicionsOf({ ...evaluation, scores: b ?? [] })).toEqual([]);
    const [first] = evaluation.scores;
    if (first === undefined) throw new Error("no score");
    expectR2(first, { network: 1 - (257 * 2.25 + 356 * 6.25) / (613 * 4), ridge: 1 - (257 * 1 + 356 * 9) / (613 * 4) });
  });
});

describe("the labels of the leak check", () => {
  it("come from rows half a part away, and so does the word whether there is one: a label that is none would be taught as no move", async () => {
    await writeToyDataset(join(folder, "turned"), [
      { rows: 300, seed: 33, signal: 0.5, gapAt: 100 },
      { rows: 40, seed: 34, signal: 0.5, market: "toy:B" },
    ]);
    const dataset = await readDataset(join(folder, "turned"));
    const { outputs } = dataset;
    const turned = turnLabels(dataset);
    const withoutNextSecond = ({ mask }: Dataset): number[] =>
      Array.from({ length: 340 }, (_, row) => row).filter((row) => mask[row * outputs] === 0);
    expect(withoutNextSecond(dataset)).toEqual([99, 299, 339]);
    expect(withoutNextSecond(turned)).toEqual([149, 249, 319]);
    const labels = ({ targets }: Dataset, row: number): number[] => [...targets.subarray(row * outputs, (row + 1) * outputs)];
    for (const [row, other] of [
      [0, 150],
      [149, 299],
      [150, 0],
      [299, 149],
      [300, 320],
      [339, 319],
    ] as const)
      expect(labels(turned, row)).toEqual(labels(dataset, other));
    expect(turned.features).toBe(dataset.features);
  });
});

/** Every move of a part is the same, and absurd where there is no target: whoever looks there has no score left. */
function withMoves(dataset: Dataset, moves: readonly number[]): Dataset {
  const targets = dataset.targets.map((_, cell) => {
    const part = dataset.parts[Math.floor(cell / dataset.outputs)] as number;
    return dataset.mask[cell] === 1 ? (moves[part] as number) : 1e6;
  });
  return { ...dataset, targets };
}

/** A run that answers these basis points to every row whose first column is 1; each output has another scale. */
async function runThatAnswers(dataset: Dataset, answers: { network: number; ridge: number }): Promise<Run> {
  const out = join(folder, "run");
  await trainRun({
    dataset,
    dataFolder: folder,
    out,
    family: "mlp",
    runtime: await loadRuntime("node"),
    settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 1 },
    progress: silent,
    commit: null,
  });
  const { card } = await readNetworkRun(out);
  const { columns, outputs } = dataset;
  const targetScale = Array.from({ length: outputs }, (_, output) => 2 ** (output % 4));
  const bias = card.slots.find((slot) => slot.name === "output.bias");
  if (bias === undefined) throw new Error("the network has no bias");
  const last = card.slots.at(-1) ?? bias;
  const parameters = new Float32Array(last.offset + last.size);
  const ridgeWeights = new Float64Array(outputs * columns);
  for (const [output, scale] of targetScale.entries()) {
    parameters[bias.offset + output] = answers.network / scale;
    ridgeWeights[output * columns] = answers.ridge / scale;
  }
  const normaliser = { mean: new Array<number>(columns).fill(0), scale: new Array<number>(columns).fill(1), clip: 5 };
  return { kind: "network", card: { ...card, normaliser, targetScale }, parameters, statistics: new Float32Array(0), ridgeWeights };
}

function rowsByHorizon(scores: readonly DetailedScore[] | undefined): [number, number][] {
  return (scores ?? []).filter(({ target }) => target === "mid").map(({ horizonMs, rows }) => [horizonMs, rows]);
}

function expectR2(score: DetailedScore, { network, ridge }: { network: number; ridge: number }): void {
  expect(score.r2).toBeCloseTo(network, 6);
  expect(score.ridgeR2).toBeCloseTo(ridge, 6);
}
