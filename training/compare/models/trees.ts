/**
 * Boosted trees of all columns, and trees of what ridge leaves: a line first, trees for the rest of each move. With few days trees alone learn what
 * doesn't last; of what a line leaves they learn less, and it lasts.
 *
 * Settings are fixed, the number of rounds is chosen by validation, each output's own; then the same number is trained once more on fit and validation rows.
 */

import type { ModelOutput } from "../../../models/contract.ts";
import { type Line, RIDGE_LAMBDAS } from "../../linear/ridge.ts";
import type { PreparedRows } from "../../train/contract.ts";
import { leftByLine, sumOfBoth, taughtByRest, withoutHarm } from "../../train/correction.ts";
import { LINE_DEFAULTS } from "../../train/fit-lines.ts";
import { answerTrees, askedOf, fitTrees, type RunTreeSettings, TREE_DEFAULTS, treeRows } from "../../train/fit-trees.ts";
import type { TrainedTrees, TreeEnsemble } from "../../trees/contract.ts";
import { buildServedEnsemble } from "../../trees/served-ensemble.ts";
import { trainTrees } from "../../trees/train-trees.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import { inBps } from "../prepared.ts";
import { refitRidge } from "./lines.ts";
import { prepareRefit, prepareTask, refusalOfSet } from "./task-rows.ts";

/** Small trees of many rows, as a study of one market's day chose them (docs/decisions/0022-forecasting-the-plan.md). */
export const TREES_SETTINGS: RunTreeSettings = {
  ...TREE_DEFAULTS,
  rounds: 800,
  learningRate: 0.03,
  growth: { kind: "leaf-wise", maxLeaves: 15, maxDepth: 64 },
  minRows: 500,
  columnShare: 0.3,
  rowShare: 0.5,
  lambda: 20,
  earlyStoppingRounds: 50,
};
/** Of little data a leaf takes no more than this share of the rows. */
const MOST_LEAF_SHARE = 0.02;

export const trees = treesModel("plain", TREES_SETTINGS);
export const corrected = treesModel("corrected", TREES_SETTINGS);
export const correctedR70 = treesModel("corrected", TREES_SETTINGS, "r70");

/** @param of `plain`: of the moves; `corrected`: of what ridge leaves. @param reads the feature set; null: the comparison's own. */
export function treesModel(of: "plain" | "corrected", settings: RunTreeSettings, reads: string | null = null): ComparedModel {
  const [id, title] = of === "plain" ? ["trees", "boosted trees of all columns"] : ["corrected", "ridge, and trees of what it leaves"];
  return {
    id: reads === null ? id : `${id}-${reads}`,
    kind: "trees",
    title: reads === null ? title : `${title}, of the columns of ${reads}`,
    reads,
    window: 1,
    settings: { ...settings, of },
    refusal: (data) => refusalOfSet(data, reads),
    fit: (task) => fitTreesModel(task, { of, told: settings, reads }),
  };
}

async function fitTreesModel(
  task: ModelTask,
  { of, told, reads }: { of: "plain" | "corrected"; told: RunTreeSettings; reads: string | null },
): Promise<FittedModel> {
  const model = { reads, window: 1 };
  const output = outputOf(task);
  const { set, preparation, train, validation } = prepareTask(task, model);
  const settings = settingsFor(told, train.rows);
  const left = of === "corrected" ? leftByLine(train, validation, { output, settings: LINE_DEFAULTS }) : null;
  const grown = await grow(task, { ...(left ?? { train, validation }), settings });
  const kept = left === null ? grown : withoutHarm(grown, left.validation, output).map(whole);
  const refit = prepareRefit(task, model);
  const again = left === null ? null : refitRidge(refit.train, left.line.lambdas);
  const rounds = kept.map(({ bestRound }) => bestRound);
  const ensembles = await growAgain(task, { train: again === null ? refit.train : taughtByRest(refit.train, again), settings, rounds });
  const { targetScale, normaliser } = refit.preparation;
  const served = { inputName: "features", outputName: "moves_bps", outputScale: targetScale };
  return {
    validation: inBps(
      answersOf(
        kept.map(({ ensemble }) => ensemble),
        left?.line ?? null,
        { rows: validation, output },
      ),
      preparation.targetScale,
    ),
    test: inBps(answersOf(ensembles, again, { rows: refit.test, output }), targetScale),
    configurations: left === null ? 1 : RIDGE_LAMBDAS.length,
    isRefitted: true,
    notes: [`rounds of the mid: ${ofMid(task, rounds)}`],
    served: {
      onnx: buildServedEnsemble(ensembles, {
        ...served,
        line: again === null ? null : { ...again, intercepts: new Float64Array(output.columns.length) },
      }),
      inputName: served.inputName,
      window: 1,
      columns: train.columns,
      reads: set.id,
      normaliser,
    },
  };
}

/** [rows, outputs] of trees, and of the line that they correct. */
function answersOf(
  ensembles: readonly TreeEnsemble[],
  line: Line | null,
  { rows, output }: { rows: PreparedRows; output: ModelOutput },
): Float32Array {
  const own = answerTrees(ensembles, rows, askedOf(output));
  return line === null ? own : sumOfBoth(line, own, rows);
}

interface Growing {
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
  readonly settings: RunTreeSettings;
}

/** Until validation no longer improves. */
async function grow(task: ModelTask, { train, validation, settings }: Growing): Promise<TrainedTrees[]> {
  const { progress, threads, data } = task;
  const outputs = data.columns.length;
  progress.start(`trees on ${train.rows} rows`, outputs * settings.rounds);
  const { trained } = await fitTrees(train, validation, {
    output: outputOf(task),
    settings,
    threads,
    ...(task.signal === undefined ? {} : { signal: task.signal }),
    onRound: (ensemble, { round }) => progress.update(ensemble * settings.rounds + round, `output ${ensemble + 1} of ${outputs}`),
  });
  progress.stop();
  return trained.map(whole);
}

/** So many rounds of each output, whatever they say of validation rows. */
async function growAgain(
  task: ModelTask,
  { train, settings, rounds }: { train: PreparedRows; settings: RunTreeSettings; rounds: readonly number[] },
): Promise<TreeEnsemble[]> {
  const { progress, threads, signal } = task;
  const { objective, ...shared } = settings;
  if (objective.kind === "multiclass") throw new RangeError("these trees answer moves");
  progress.start(`trees on ${train.rows} rows, again`, rounds.length);
  const ensembles: TreeEnsemble[] = [];
  for (const [output, asked] of askedOf(outputOf(task)).entries()) {
    const most = Math.max(1, rounds[output] as number);
    const own = { ...shared, objective, threads, rounds: most, earlyStoppingRounds: null };
    const { ensemble } = whole(await trainTrees(treeRows(train, asked), { settings: own, ...(signal === undefined ? {} : { signal }) }));
    ensembles.push({ ...ensemble, trees: ensemble.trees.slice(0, rounds[output] as number) });
    progress.update(ensembles.length);
  }
  progress.stop();
  return ensembles;
}

function settingsFor(told: RunTreeSettings, rows: number): RunTreeSettings {
  return { ...told, minRows: Math.max(1, Math.min(told.minRows, Math.floor(MOST_LEAF_SHARE * rows))) };
}

function outputOf({ data }: ModelTask) {
  return { name: "moves_bps", unit: "bps", columns: data.columns } as const;
}

function whole(one: TrainedTrees | null | undefined): TrainedTrees {
  if (one === null || one === undefined || one.isStopped) throw new Error("the trees were stopped before they were grown");
  return one;
}

function ofMid({ data }: ModelTask, values: readonly number[]): string {
  return data.columns
    .flatMap(({ target, horizonMs }, output) => (target === "mid" ? [`${horizonMs / 1_000} s ${values[output]}`] : []))
    .join(", ");
}
