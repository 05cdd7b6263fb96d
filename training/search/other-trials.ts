/**
 * What a search needs of trees, of lines, and of lines that trees correct (whose trees are searched): the same folds as a network's, and one training on a fold. The budget of trees is in rounds; lines have
 * none, and are fitted whole at each.
 *
 * The loss of a fold is the mean over the moves or questions of the best each got on the rows that also chose it: it flatters all settings alike.
 */

import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { refuseFittedLater } from "../datasets/fit-end.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import { leftByLine } from "../train/correction.ts";
import { fitLines, type LineSettings } from "../train/fit-lines.ts";
import { fitTrees, type RunTreeSettings } from "../train/fit-trees.ts";
import { familyOf, lookBackOf, preparedParts, type RunRows, type Shares } from "../train/run-rows.ts";
import { purgeFor, splitByTime } from "../train/split.ts";
import type { TreeGrowth } from "../trees/contract.ts";
import { type InnerFold, innerFolds } from "./inner-folds.ts";
import { SearchInterrupted, type TrainOnce } from "./search-settings.ts";
import { withDrawn } from "./settings-path.ts";
import type { Space } from "./space.ts";

/** What matters most of trees, over the ranges in which it does: of leaf-wise ones how many leaves, of depth-wise ones how deep. */
export function treeSpaceOf(growth: TreeGrowth["kind"]): Space {
  const size: Space =
    growth === "leaf-wise"
      ? { "growth.maxLeaves": { kind: "choice", values: [7, 15, 31, 63] } }
      : { "growth.maxDepth": { kind: "choice", values: [3, 4, 5, 6] } };
  return {
    learningRate: { kind: "logarithmic", low: 0.01, high: 0.2 },
    ...size,
    minRows: { kind: "choice", values: [20, 50, 100, 200, 500] },
    lambda: { kind: "logarithmic", low: 0.1, high: 50 },
    columnShare: { kind: "choice", values: [0.3, 0.5, 0.8, 1] },
  };
}

/** One penalty for all moves or questions: the run itself lets each choose its own from a path. */
export const LINE_SPACE: Space = { lambda: { kind: "logarithmic", low: 1e-4, high: 3 } };

export interface Trials {
  readonly folds: readonly InnerFold[];
  readonly trainOnce: TrainOnce<InnerFold>;
}

export interface TrialOptions {
  readonly dataset: Dataset;
  readonly family: string;
  readonly model?: NetworkSettings | null;
  readonly shares: Shares;
  readonly folds: number;
  /** Stops within a training of trees; see SearchInterrupted. */
  readonly signal?: AbortSignal;
}

export interface TreeTrialOptions extends TrialOptions {
  readonly settings: RunTreeSettings;
  /** What the trees of each fold correct: a line fitted so on its rows. Absent: nothing. */
  readonly line?: LineSettings;
  readonly threads: number;
}

export function treeTrials(options: TreeTrialOptions): Trials {
  const { folds, rowsOf } = foldRows(options);
  return {
    folds,
    async trainOnce(drawn, rounds, fold) {
      const { train, validation, statistics } = rowsOf(fold);
      const { output } = statistics;
      const drawnSettings = { ...withDrawn(options.settings, drawn), rounds };
      const settings: RunTreeSettings =
        output.unit === "probability" ? { ...drawnSettings, objective: { kind: "multiclass" } } : drawnSettings;
      const { threads, signal } = options;
      const { trained, isStopped } = await fitTrees(train, validation, {
        output,
        settings,
        threads,
        ...(signal === undefined ? {} : { signal }),
      });
      if (isStopped) throw new SearchInterrupted();
      return meanOf(trained.map((one) => Math.min(...(one?.curve ?? []).map(({ validationLoss }) => validationLoss ?? Number.NaN))));
    },
  };
}

/** A drawn "lambda" is the only penalty of that fit. */
export function lineTrials(options: TrialOptions & { readonly settings: LineSettings }): Trials {
  const { folds, rowsOf } = foldRows(options);
  return {
    folds,
    async trainOnce({ lambda, ...others }, _budget, fold) {
      const [unknown] = Object.keys(others);
      if (unknown !== undefined || typeof lambda !== "number")
        throw new CommandError(`lines have no setting "${unknown ?? "lambda"}" to draw: only lambda, a number`);
      const { train, validation, statistics } = rowsOf(fold);
      const { path } = fitLines(train, validation, { output: statistics.output, settings: { ...options.settings, lambdas: [lambda] } });
      return meanOf(path.map(({ validationLoss }) => validationLoss ?? Number.NaN));
    },
  };
}

type FoldRows = Pick<RunRows, "statistics" | "train" | "validation">;

/** The newest fold's rows alone are kept: a search goes fold by fold. */
function foldRows({ dataset, shares, line, ...options }: TrialOptions & Pick<TreeTrialOptions, "line">): {
  folds: readonly InnerFold[];
  rowsOf: (fold: InnerFold) => FoldRows;
} {
  const { family, settings: model } = familyOf(options.family, dataset, options.model ?? null);
  const horizons = dataset.card.targets.map(({ horizonMs }) => horizonMs);
  const purgeMs = purgeFor(horizons, lookBackOf(dataset, family));
  const { train } = splitByTime(dataset.times, { ...shares, purgeMs });
  const folds = innerFolds(dataset.times, train, { folds: options.folds, purgeMs });
  for (const { boundary } of folds) refuseFittedLater(dataset.card, boundary);
  let prepared: { fold: InnerFold; rows: FoldRows } | null = null;
  return {
    folds,
    rowsOf(fold) {
      if (prepared?.fold === fold) return prepared.rows;
      const parts = preparedParts(dataset, fold, { family, answer: model.answer });
      const { output } = parts.statistics;
      const left = line === undefined ? {} : leftByLine(parts.train, parts.validation, { output, settings: line });
      prepared = { fold, rows: { ...parts, ...left } };
      return prepared.rows;
    },
  };
}

function meanOf(losses: readonly number[]): number {
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
