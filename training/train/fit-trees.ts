/** Boosted trees for prepared rows: one ensemble for each move, or for each question of classes; each of its own rows, those that know its answer. */

import type { ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { rawAnswers } from "../trees/answer.ts";
import type { RoundScore, StoppedTrees, TrainedTrees, TreeData, TreeEnsemble, TreeObjective, TreeSettings } from "../trees/contract.ts";
import { trainTrees } from "../trees/train-trees.ts";
import type { PreparedRows } from "./prepared-rows.ts";

/** How many classes there are, each question says. */
export type RunObjective =
  | Extract<TreeObjective, { kind: "squared-error" | "absolute-error" | "quantile" }>
  | { readonly kind: "multiclass" };

export interface RunTreeSettings extends Omit<TreeSettings, "objective" | "threads"> {
  readonly objective: RunObjective;
}

/** As measured on real order flow (quantitative notes, 1.4, tabular). */
export const TREE_DEFAULTS: RunTreeSettings = {
  seed: 1,
  objective: { kind: "squared-error" },
  rounds: 1_000,
  learningRate: 0.03,
  growth: { kind: "leaf-wise", maxLeaves: 31, maxDepth: 64 },
  maxBins: 255,
  lambda: 5,
  minHessian: 1e-3,
  minRows: 200,
  minGain: 0,
  rowShare: 0.7,
  columnShare: 0.5,
  monotone: null,
  earlyStoppingRounds: 50,
};

/** What one ensemble answers. */
export interface Asked {
  /** "mid in 5 s" */
  readonly name: string;
  /** Its cells in a row of targets. */
  readonly from: number;
  readonly width: number;
}

export interface FitTreesOptions {
  readonly output: ModelOutput;
  readonly settings: RunTreeSettings;
  readonly threads: number;
  /** [ensembles] which are wanted; absent: all. */
  readonly wanted?: readonly boolean[];
  /** [ensembles] what of it a stopped training has done. */
  readonly from?: readonly (StoppedTrees | null)[];
  readonly signal?: AbortSignal;
  readonly onRound?: (ensemble: number, score: RoundScore) => void;
  /** Called when an ensemble is done. */
  readonly onEnsemble?: (trained: readonly (TrainedTrees | null)[]) => Promise<void>;
}

export interface FittedTrees {
  /** [ensembles] null: not wanted, or not begun when it was stopped. */
  readonly trained: readonly (TrainedTrees | null)[];
  readonly isStopped: boolean;
}

/** In the order of the output. Throws CommandError for answers that trees don't give. */
export function askedOf(output: ModelOutput): Asked[] {
  if (output.unit === "bps")
    return output.columns.map(({ target, horizonMs }, from) => ({ name: `${target} in ${horizonMs / 1_000} s`, from, width: 1 }));
  if (output.unit !== "probability") throw new CommandError(`trees answer moves and classes, not ${output.name}`);
  let from = 0;
  return output.groups.map(({ target, horizonMs, labels }) => {
    const asked = { name: `${target} in ${horizonMs / 1_000} s`, from, width: labels.length };
    from += labels.length;
    return asked;
  });
}

/** One ensemble after another; a stopped one keeps its rounds, and those behind it are not begun. Throws CommandError as trainTrees does. */
export async function fitTrees(train: PreparedRows, validation: PreparedRows, options: FitTreesOptions): Promise<FittedTrees> {
  const { output, settings, signal } = options;
  const asked = askedOf(output);
  const trained: (TrainedTrees | null)[] = asked.map(() => null);
  for (const [index, one] of asked.entries()) {
    if (options.wanted?.[index] === false) continue;
    if (signal?.aborted === true) return { trained, isStopped: true };
    const from = options.from?.[index] ?? null;
    const result = await trainTrees(treeRows(train, one), {
      settings: { ...settings, objective: objectiveOf(settings.objective, one), threads: options.threads },
      validation: treeRows(validation, one),
      onRound: (score) => options.onRound?.(index, score),
      ...(signal === undefined ? {} : { signal }),
      ...(from === null ? {} : { from }),
    });
    trained[index] = result;
    if (result.isStopped) return { trained, isStopped: true };
    await options.onEnsemble?.(trained);
  }
  return { trained, isStopped: false };
}

/** The rows that know the answer; of classes its number. */
export function treeRows(rows: PreparedRows, { from, width }: Asked): TreeData {
  const { columns, outputs } = rows;
  const known = Uint32Array.from({ length: rows.rows }, (_, row) => row).filter((row) => rows.mask[row * outputs + from] === 1);
  const targets = Float32Array.from(known, (row) => {
    const cell = row * outputs + from;
    return width === 1 ? (rows.targets[cell] as number) : rows.targets.subarray(cell, cell + width).indexOf(1);
  });
  if (known.length === rows.rows) return { rows: rows.rows, columns, features: rows.inputs, targets, weights: null };
  const features = new Float32Array(known.length * columns);
  for (const [index, row] of known.entries()) features.set(rows.inputs.subarray(row * columns, (row + 1) * columns), index * columns);
  return { rows: known.length, columns, features, targets, weights: null };
}

/** [rows, outputs] sums: moves in units of the targets' scale, classes as logits; 0 where there is no ensemble. */
export function answerTrees(
  ensembles: readonly (TreeEnsemble | null)[],
  rows: Pick<PreparedRows, "rows" | "columns" | "inputs" | "outputs">,
  asked: readonly Asked[],
): Float32Array {
  const { columns, outputs } = rows;
  const answers = new Float32Array(rows.rows * outputs);
  for (const [index, { from, width }] of asked.entries()) {
    const ensemble = ensembles[index] ?? null;
    if (ensemble === null) continue;
    const own = rawAnswers(ensemble, { rows: rows.rows, columns, features: rows.inputs });
    for (let row = 0; row < rows.rows; row++) answers.set(own.subarray(row * width, (row + 1) * width), row * outputs + from);
  }
  return answers;
}

function objectiveOf(objective: RunObjective, { width }: Asked): TreeObjective {
  return objective.kind === "multiclass" ? { kind: "multiclass", classes: width } : objective;
}
