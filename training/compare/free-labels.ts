/**
 * The same models on the same rows with other labels: how much better a score looks when the label is smoothed. A smoothed label begins at a mean of the past,
 * so the past alone explains much of it, on a pure random walk R² = freeR2(k) (core/labels/averaged.ts); it is shown as the third column.
 *
 * Scored are the rows that have every label. A label's own scale, λ and line are fitted anew: nothing of one label is in the scores of another.
 */

import { freeR2 } from "../../core/labels/averaged.ts";
import { type LabelKind, labelKindOf } from "../../core/labels/moves.ts";
import { r2AgainstPersistence } from "../../core/metrics/r2.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { silent } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { type AlignedData, alignDatasets, blindfolded } from "./aligned-data.ts";
import type { ComparedModel } from "./contract.ts";
import { endedMoves } from "./ended-moves.ts";
import type { Fold } from "./folds.ts";
import { momentum, ridge } from "./models/lines.ts";
import { onlyHorizons } from "./only-horizons.ts";
import { answersAt, scoredCells } from "./score/scored-cells.ts";

export interface FreeLabelScore {
  readonly label: LabelKind;
  readonly horizonMs: number;
  /** Of the mid. */
  readonly rows: number;
  readonly r2: Readonly<Record<"momentum" | "ridge", number | null>>;
  /** What the past alone explains of such a label on a random walk. */
  readonly free: number;
}

export interface LabelledData {
  readonly label: LabelKind;
  readonly data: AlignedData;
}

/**
 * The labels of several datasets, of the same features and rows: each with the rows that have all of them.
 * Throws CommandError where the rows differ, or a label comes twice.
 */
export function withCommonRows(datasets: readonly Dataset[], horizonsMs: readonly number[]): LabelledData[] {
  const all = datasets.map((dataset) => ({ label: labelKindOf(dataset.card), data: onlyHorizons(alignDatasets([dataset]), horizonsMs) }));
  const [first] = all;
  if (first === undefined) return [];
  const labels = all.map(({ label }) => label);
  const twice = labels.find((label, at) => labels.indexOf(label) !== at);
  if (twice !== undefined) throw new CommandError(`two datasets have ${twice} targets: --beside takes those of another label`);
  for (const { label, data } of all) {
    if (
      data.main.id !== first.data.main.id ||
      data.rows !== first.data.rows ||
      data.times.some((time, row) => time !== first.data.times[row])
    )
      throw new CommandError(
        `the ${label} targets are of other rows than the ${first.label} ones: make both from the same events with the same --features`,
      );
  }
  const mask = Uint8Array.from(first.data.mask, (_, cell) => (all.every(({ data }) => data.mask[cell] === 1) ? 1 : 0));
  return all.map(({ label, data }) => ({ label, data: { ...data, mask } }));
}

/** @param folds by rows of the labelled data. */
export async function scoreFreeLabels(
  labelled: readonly LabelledData[],
  { folds, runtime, threads }: { folds: readonly Fold[]; runtime: Runtime; threads: number },
): Promise<FreeLabelScore[]> {
  const scores: FreeLabelScore[] = [];
  for (const { label, data } of labelled) {
    const answered = new Map<string, Float32Array[]>();
    for (const model of [momentum, ridge]) answered.set(model.id, await answersOf(model, data, { folds, runtime, threads }));
    for (const [output, { target, horizonMs }] of data.columns.entries()) {
      if (target !== "mid") continue;
      const cells = scoredCells(data, folds, output);
      const r2 = (id: string): number | null => {
        const tests = answered.get(id) ?? [];
        if (tests.length === 0) return null;
        const model = { id, folds: tests.map((test) => ({ test, validation: test })) };
        return r2AgainstPersistence({ actual: cells.moves, predicted: answersAt(model, cells) });
      };
      const free = label === "smoothed" ? freeR2(horizonMs / data.intervalMs) : 0;
      scores.push({ label, horizonMs, rows: cells.moves.length, r2: { momentum: r2(momentum.id), ridge: r2(ridge.id) }, free });
    }
  }
  return scores;
}

/** Fold by fold; none where the data don't allow the model. */
async function answersOf(
  model: ComparedModel,
  data: AlignedData,
  { folds, runtime, threads }: { folds: readonly Fold[]; runtime: Runtime; threads: number },
): Promise<Float32Array[]> {
  if (model.refusal(data) !== null) return [];
  const tests: Float32Array[] = [];
  for (const fold of folds) {
    const { test } = await model.fit({
      ...fold,
      data: blindfolded(data, fold.test),
      ended: endedMoves(data),
      runtime,
      threads,
      progress: silent,
    });
    tests.push(test);
  }
  return tests;
}
