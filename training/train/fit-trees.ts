/** Boosted trees for prepared rows: one ensemble for each move, or for each question of classes; each of its own rows, those that know its answer. */

import type { ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { rawAnswers } from "../trees/answer.ts";
import type {
  RoundScore,
  StoppedTrees,
  TrainedTrees,
  TreeData,
  TreeEnsemble,
  TreeObjective,
  TreeRows,
  TreeSettings,
} from "../trees/contract.ts";
import { trainTreesForTargets } from "../trees/train-trees.ts";
import type { PreparedRows } from "./contract.ts";
import { copyInputs, inputsBetween } from "./input-table.ts";

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

/** Answered at a time where the inputs lie in a file. */
const ANSWER_ROWS = 16_384;

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
  /** Called between rounds, and awaited; `soFar` gives all that a training that was stopped there would have. */
  readonly onPause?: (soFar: () => readonly (TrainedTrees | null)[]) => Promise<void>;
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
  return output.groups.map(({ asks, target, horizonMs, labels }) => {
    const when = `${horizonMs / 1_000} s`;
    const name = asks === "move" ? `${target} in ${when}` : `next change of the ${target} within ${when}`;
    const asked = { name, from, width: labels.length };
    from += labels.length;
    return asked;
  });
}

/**
 * One ensemble after another; a stopped one keeps its rounds, and those behind it are not begun. Neighbours that are asked of the same rows (the bid,
 * the mid and the ask of one horizon, say) share one session, in which the rows are binned once. Throws CommandError as trainTrees does.
 */
export async function fitTrees(train: PreparedRows, validation: PreparedRows, options: FitTreesOptions): Promise<FittedTrees> {
  const { settings, signal, onRound, onEnsemble, onPause } = options;
  const { objective, ...shared } = settings;
  const asked = askedOf(options.output);
  const trained: (TrainedTrees | null)[] = asked.map(() => null);
  for (const group of groupsOf(asked, options.wanted ?? asked.map(() => true), [train, validation])) {
    if (signal?.aborted === true) return { trained, isStopped: true };
    const [known, held] = [knownRows(train, (group[0] as Member).one), knownRows(validation, (group[0] as Member).one)];
    const results = await trainTreesForTargets(featuresOf(train, known), {
      targets: group.map(({ one }) => ({
        objective: objectiveOf(objective, one),
        training: targetsOf(train, known, one),
        validation: targetsOf(validation, held, one),
      })),
      settings: { ...shared, threads: options.threads },
      validation: featuresOf(validation, held),
      from: group.map(({ index }) => options.from?.[index] ?? null),
      onRound: (score, at) => onRound?.((group[at] as Member).index, score),
      async onTarget(result, at) {
        trained[(group[at] as Member).index] = result;
        await onEnsemble?.(trained);
      },
      async onPause(soFar, at) {
        const { index } = group[at] as Member;
        await onPause?.(() => trained.with(index, soFar()));
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const stopped = results.findIndex(({ isStopped }) => isStopped);
    if (stopped < 0) continue;
    trained[(group[stopped] as Member).index] = results[stopped] as TrainedTrees;
    return { trained, isStopped: true };
  }
  return { trained, isStopped: false };
}

interface Member {
  readonly index: number;
  readonly one: Asked;
}

/** Neighbours among the wanted whose answers the same rows know. */
function groupsOf(asked: readonly Asked[], wanted: readonly boolean[], parts: readonly PreparedRows[]): Member[][] {
  const groups: Member[][] = [];
  for (const [index, one] of asked.entries()) {
    if (wanted[index] !== true) continue;
    const last = groups.at(-1);
    const neighbour = last?.[0];
    if (last !== undefined && neighbour !== undefined && parts.every((rows) => areKnownAlike(rows, one, neighbour.one)))
      last.push({ index, one });
    else groups.push([{ index, one }]);
  }
  return groups;
}

function areKnownAlike({ rows, outputs, mask }: PreparedRows, one: Asked, other: Asked): boolean {
  for (let row = 0; row < rows; row++) if (mask[row * outputs + one.from] !== mask[row * outputs + other.from]) return false;
  return true;
}

/** The rows that know the answer; of classes its number. */
export function treeRows(rows: PreparedRows, asked: Asked): TreeData {
  const known = knownRows(rows, asked);
  const { columns } = rows;
  const features = new Float32Array(known.length * columns);
  copyInputs(rows, known, features);
  return { rows: known.length, columns, features, weights: null, targets: targetsOf(rows, known, asked) };
}

function knownRows({ rows, outputs, mask }: PreparedRows, { from }: Asked): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => mask[row * outputs + from] === 1);
}

function targetsOf({ outputs, targets }: PreparedRows, known: Uint32Array, { from, width }: Asked): Float32Array {
  return Float32Array.from(known, (row) => {
    const cell = row * outputs + from;
    return width === 1 ? (targets[cell] as number) : targets.subarray(cell, cell + width).indexOf(1);
  });
}

function featuresOf(prepared: PreparedRows, known: Uint32Array): TreeRows {
  const { rows, columns, inputs } = prepared;
  if (inputs.kind === "memory" && known.length === rows) return { rows, columns, features: inputs.values, weights: null };
  const features = {
    length: known.length * columns,
    copy: (wanted: Uint32Array, into: Float32Array) =>
      copyInputs(
        prepared,
        wanted.map((row) => known[row] as number),
        into,
      ),
  };
  return { rows: known.length, columns, features, weights: null };
}

/** [rows, outputs] sums: moves in units of the targets' scale, classes as logits; 0 where there is no ensemble. */
export function answerTrees(
  ensembles: readonly (TreeEnsemble | null)[],
  rows: Pick<PreparedRows, "rows" | "columns" | "inputs" | "windows" | "outputs">,
  asked: readonly Asked[],
): Float32Array {
  const { columns, outputs } = rows;
  const answers = new Float32Array(rows.rows * outputs);
  const blockRows = rows.inputs.kind === "memory" ? Math.max(1, rows.rows) : ANSWER_ROWS;
  for (let first = 0; first < rows.rows; first += blockRows) {
    const count = Math.min(blockRows, rows.rows - first);
    const features = inputsBetween(rows, { first, count });
    for (const [index, { from, width }] of asked.entries()) {
      const ensemble = ensembles[index] ?? null;
      if (ensemble === null) continue;
      const own = rawAnswers(ensemble, { rows: count, columns, features });
      for (let row = 0; row < count; row++) answers.set(own.subarray(row * width, (row + 1) * width), (first + row) * outputs + from);
    }
  }
  return answers;
}

function objectiveOf(objective: RunObjective, { width }: Asked): TreeObjective {
  return objective.kind === "multiclass" ? { kind: "multiclass", classes: width } : objective;
}
