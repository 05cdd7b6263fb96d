/** Small comparisons of toy data, as tests want them. */

import { join } from "node:path";
import type { FeatureSet } from "../../../core/features/contract.ts";
import { featureSetV2 } from "../../../core/features/registry.ts";
import type { CompareOptions } from "../../../training/compare/compare-models.ts";
import type { ComparedModel } from "../../../training/compare/contract.ts";
import { TREES_SETTINGS, treesModel } from "../../../training/compare/models/trees.ts";
import { type Cut, planComparison } from "../../../training/compare/plan-comparison.ts";
import { COMBINATIONS, COMPARED_MODELS } from "../../../training/compare/registry.ts";
import { type Dataset, readDataset } from "../../../training/datasets/dataset-reader.ts";
import { silent } from "../../../training/progress.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { type ToyMarket, writeToyDataset } from "../toy-data.ts";

/** Half of each second's move is told by the first column beforehand. */
export async function toyDataset(folder: string, toy: Partial<ToyMarket> = {}): Promise<Dataset> {
  const path = join(folder, `toy-${toy.seed ?? 1}-${toy.rows ?? 3_000}-${toy.signal ?? 0.5}`);
  await writeToyDataset(path, [{ rows: 3_000, seed: 1, signal: 0.5, ...toy }], { featureSet: featureSetV2 });
  return readDataset(path);
}

/** [rows, columns] of a dataset in memory. */
export function valuesOf({ features }: Dataset): Float64Array {
  if (features.kind !== "memory") throw new Error("a toy dataset lies in memory");
  return features.values;
}

/** The same rows with the first columns alone, under another set's name: as if made from the same events. */
export function asSet(dataset: Dataset, featureSet: FeatureSet): Dataset {
  const { rows, card } = dataset;
  const columns = featureSet.columns.length;
  const features = Float64Array.from({ length: rows * columns }, (_, cell) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    return valuesOf(dataset)[row * dataset.columns + column] as number;
  });
  const { id, fingerprint, warmupMs } = featureSet;
  return {
    ...dataset,
    columns,
    features: { kind: "memory", values: features },
    card: { ...card, featureSet: { id, fingerprint, columns: [...featureSet.columns], warmupMs } },
  };
}

/** Trees of few rounds: what a test asks hangs on none of them. */
export function modelsNamed(...ids: string[]): ComparedModel[] {
  const few = { ...TREES_SETTINGS, rounds: 20, learningRate: 0.2, earlyStoppingRounds: 5 };
  return COMPARED_MODELS.filter(({ id }) => ids.includes(id)).map((model) =>
    model.id === "trees" ? treesModel("plain", few) : model.id === "corrected" ? treesModel("corrected", few) : model,
  );
}

/** The first 70 % of the rows are fitted, at horizons of 1 and 5 s. */
export async function comparisonOf(
  datasets: readonly Dataset[],
  options: { out: string; models: readonly ComparedModel[]; cut?: Cut; resume?: boolean; horizonsMs?: readonly number[] },
): Promise<CompareOptions> {
  const { models, cut = { kind: "share", fitShare: 0.7 }, horizonsMs = [1_000, 5_000], out, resume = false } = options;
  return {
    ...planComparison(datasets, { models, cut, validationShare: 0.2, horizonsMs }),
    models,
    combinations: COMBINATIONS,
    out,
    resume,
    runtime: await loadRuntime("node"),
    threads: 1,
    progress: silent,
    commit: null,
  };
}
