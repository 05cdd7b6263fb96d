/**
 * What a search needs of a network: folds inside the training part of a dataset, and one training of some epochs on a fold. Statistics of inputs and
 * targets come from the fold's own training rows, as a run's do from its.
 *
 * The loss of a fold is that of the best epoch on the rows that also chose the epoch: it flatters all configurations alike, and is no score.
 */

import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { refuseFittedLater } from "../datasets/fit-end.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { lossFor } from "../networks/losses.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { Loss } from "../tensors/losses/contract.ts";
import type { PreparedRows } from "../train/contract.ts";
import { rowsWithHistory } from "../train/prepared-rows.ts";
import { lookBackOf, preparedParts } from "../train/run-rows.ts";
import { purgeFor, type SplitSettings, splitByTime } from "../train/split.ts";
import { trainNetwork } from "../train/train-network.ts";
import { familyFor } from "../train/train-run.ts";
import { type InnerFold, innerFolds } from "./inner-folds.ts";
import type { TrainOnce } from "./search-settings.ts";
import { withDrawn } from "./settings-path.ts";
import type { Space } from "./space.ts";

/** What matters most, over the ranges in which it does. */
export const NETWORK_SPACE: Space = {
  learningRate: { kind: "logarithmic", low: 1e-4, high: 1e-2 },
  batch: { kind: "choice", values: [64, 128, 256, 512] },
  "optimiser.weightDecay": { kind: "logarithmic", low: 1e-4, high: 0.1 },
};

export interface NetworkTrials {
  readonly folds: readonly InnerFold[];
  /** The budget is in epochs. */
  readonly trainOnce: TrainOnce<InnerFold>;
}

export interface NetworkTrialOptions {
  readonly dataset: Dataset;
  readonly family: string;
  readonly runtime: Runtime;
  /** What isn't drawn. */
  readonly settings: TrainSettings;
  /** Those of the run that will be made: its validation and test parts are not looked at. */
  readonly shares: Pick<SplitSettings, "trainShare" | "validationShare">;
  readonly folds: number;
  /** Stops within a training; see engine/contract.ts. */
  readonly signal?: AbortSignal;
}

interface FoldRows {
  readonly loss: Loss;
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
}

export function networkTrials({ dataset, runtime, settings, shares, ...options }: NetworkTrialOptions): NetworkTrials {
  const { family, network, settings: model } = familyFor(options.family, dataset);
  const horizons = dataset.card.targets.map(({ horizonMs }) => horizonMs);
  const purgeMs = purgeFor(horizons, lookBackOf(dataset, family));
  const { train } = splitByTime(dataset.times, { ...shares, purgeMs });
  const folds = innerFolds(dataset.times, train, { folds: options.folds, purgeMs });
  for (const { boundary } of folds) refuseFittedLater(dataset.card, boundary);
  // The newest fold's rows alone are kept: a search goes fold by fold.
  let prepared: (FoldRows & { fold: InnerFold }) | null = null;
  const rowsOf = (fold: InnerFold): FoldRows => {
    if (prepared?.fold === fold) return prepared;
    const [train, validation] = [rowsWithHistory(dataset, fold.train, family), rowsWithHistory(dataset, fold.validation, family)];
    const { statistics, ...parts } = preparedParts(dataset, { train, validation }, { family, answer: model.answer });
    prepared = { fold, loss: lossFor(family.id, statistics.output), ...parts };
    return prepared;
  };
  return {
    folds,
    async trainOnce(drawn, epochs, fold) {
      const rows = rowsOf(fold);
      const { curve } = await trainNetwork({
        runtime,
        network,
        loss: rows.loss,
        train: rows.train,
        validation: rows.validation,
        settings: { ...withDrawn(settings, drawn), epochs },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      if (curve.length === 0) throw new CommandError("no epoch was trained");
      return Math.min(...curve.map(({ validationLoss }) => validationLoss));
    },
  };
}
