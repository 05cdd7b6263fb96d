/**
 * Two parts (after Cragg 1971): whether there is a move at all, and what it is given one. P(move) by boosted trees of all columns, E[move | move] by a ridge
 * line of the rows that moved; the forecast is their product. At a second most moves are 0, and what makes one likely is not what gives it its sign.
 *
 * Rounds and λ are chosen by validation, and both are then fitted once more on fit and validation rows. Where hardly a row has no move, P(move) is the
 * share of those that have one.
 */

import { answerRidge, fitRidge, RIDGE_LAMBDAS } from "../../linear/ridge.ts";
import { type Asked, askedOf, TREE_DEFAULTS, treeRows } from "../../train/fit-trees.ts";
import { answers } from "../../trees/answer.ts";
import type { TreeData, TreeEnsemble, TreeSettings } from "../../trees/contract.ts";
import { trainTrees } from "../../trees/train-trees.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import { blockOf, inBps, type MemoryRows } from "../prepared.ts";
import { refitRidge } from "./lines.ts";
import { prepareRefit, prepareTask, refusalOfSet } from "./task-rows.ts";

const SETTINGS: Omit<TreeSettings, "threads"> = {
  ...TREE_DEFAULTS,
  objective: { kind: "log-loss" },
  rounds: 300,
  learningRate: 0.08,
  growth: { kind: "leaf-wise", maxLeaves: 15, maxDepth: 64 },
  minRows: 500,
  columnShare: 0.3,
  rowShare: 0.5,
  lambda: 20,
  earlyStoppingRounds: 20,
};
const MOST_LEAF_SHARE = 0.02;
/** With fewer rows of the rarer kind than this share nothing is grown. */
const LEAST_RARE_SHARE = 0.02;

export const twoPart: ComparedModel = {
  id: "two-part",
  kind: "trees",
  title: "P(move) by trees times E[move | move] by ridge",
  reads: null,
  window: 1,
  settings: SETTINGS,
  refusal: (data) => refusalOfSet(data, null),
  fit: fitTwoPart,
};

async function fitTwoPart(task: ModelTask): Promise<FittedModel> {
  const { train, validation, preparation } = prepareTask(task, twoPart);
  const asked = askedOf({ name: "moves_bps", unit: "bps", columns: task.data.columns });
  const line = fitRidge(blockOf(movedOnly(train)), blockOf(movedOnly(validation)));
  const grown = await eachOutput(task, asked, (one) => growChance(task, { train, validation, asked: one, rounds: null }));
  const refit = prepareRefit(task, twoPart);
  const lineAgain = refitRidge(movedOnly(refit.train), line.lambdas);
  const again = await eachOutput(task, asked, (one, at) =>
    growChance(task, { train: refit.train, validation: null, asked: one, rounds: grown[at]?.rounds ?? 0 }),
  );
  const product = (rows: MemoryRows, moves: Float32Array, chances: readonly Chance[]): Float32Array => {
    const byOutput = chances.map((chance) => chancesOf(chance, rows));
    return moves.map((move, cell) => move * (byOutput[cell % asked.length]?.[Math.floor(cell / asked.length)] as number));
  };
  return {
    validation: inBps(product(validation, answerRidge(line, blockOf(validation)), grown), preparation.targetScale),
    test: inBps(product(refit.test, answerRidge(lineAgain, blockOf(refit.test)), again), refit.preparation.targetScale),
    configurations: RIDGE_LAMBDAS.length,
    isRefitted: true,
    notes: [
      `rounds of P(move): ${asked.flatMap(({ name }, at) => (name.startsWith("mid") ? [`${name} ${grown[at]?.rounds}`] : [])).join(", ")}`,
    ],
    served: null,
  };
}

/** P(move) of one output. */
interface Chance {
  /** Null: the share alone. */
  readonly ensemble: TreeEnsemble | null;
  readonly share: number;
  readonly rounds: number;
}

interface Grown {
  readonly train: MemoryRows;
  /** Null: so many rounds, whatever they say. */
  readonly validation: MemoryRows | null;
  readonly asked: Asked;
  readonly rounds: number | null;
}

async function growChance({ threads, signal }: ModelTask, { train, validation, asked, rounds }: Grown): Promise<Chance> {
  const rows = asMoved(treeRows(train, asked));
  const share = rows.targets.reduce((sum, moved) => sum + moved, 0) / Math.max(1, rows.rows);
  const held = validation === null ? null : asMoved(treeRows(validation, asked));
  const isPlain = Math.min(share, 1 - share) < LEAST_RARE_SHARE || rounds === 0 || (held !== null && held.rows === 0);
  if (isPlain) return { ensemble: null, share, rounds: 0 };
  const settings: TreeSettings = {
    ...SETTINGS,
    threads,
    minRows: Math.max(1, Math.min(SETTINGS.minRows, Math.floor(MOST_LEAF_SHARE * rows.rows))),
    ...(rounds === null ? {} : { rounds, earlyStoppingRounds: null }),
  };
  const trained = await trainTrees(rows, { settings, validation: held, ...(signal === undefined ? {} : { signal }) });
  if (trained.isStopped) throw new Error("the trees were stopped before they were grown");
  return { ensemble: trained.ensemble, share, rounds: rounds ?? trained.bestRound };
}

/** [rows] */
function chancesOf({ ensemble, share }: Chance, { rows, columns, inputs }: MemoryRows): Float32Array {
  if (ensemble === null) return new Float32Array(rows).fill(share);
  return answers(ensemble, { rows, columns, features: inputs.values });
}

/** 1 where there was a move. */
function asMoved(rows: TreeData): TreeData {
  return { ...rows, targets: rows.targets.map((move) => (move === 0 ? 0 : 1)) };
}

/** The rows in which an output moved teach it. */
function movedOnly(rows: MemoryRows): MemoryRows {
  return { ...rows, mask: rows.mask.map((known, cell) => (known === 1 && rows.targets[cell] !== 0 ? 1 : 0)) };
}

async function eachOutput<Made>(
  { progress }: ModelTask,
  asked: readonly Asked[],
  make: (one: Asked, at: number) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  progress.start("P(move)", asked.length);
  for (const [at, one] of asked.entries()) {
    made.push(await make(one, at));
    progress.update(at + 1, one.name);
  }
  progress.stop();
  return made;
}
