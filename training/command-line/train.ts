/** `edgebook train`: a dataset in, a run out. */

import { resolve } from "node:path";
import { Command } from "commander";
import { currentCommit } from "../commit.ts";
import { readDataset } from "../datasets/dataset-reader.ts";
import { trainableFamilies } from "../networks/registry.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { mutedColumns } from "../train/normaliser.ts";
import type { RunCard } from "../train/run-folder.ts";
import { DEFAULT_SHARES } from "../train/split.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainedNetwork } from "../train/train-network.ts";
import { trainRun } from "../train/train-run.ts";
import { terminalProgress } from "./bars.ts";
import { backendOption, jsonOption, positiveNumber, wholeNumber } from "./options.ts";
import { print, printJson, table, when } from "./report.ts";

interface TrainOptions {
  readonly data: string;
  readonly out: string;
  readonly model: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly trainShare: number;
  readonly validationShare: number;
  readonly backend: RuntimeName;
  readonly json: boolean;
}

export function trainCommand(): Command {
  const defaults = DEFAULT_TRAIN_SETTINGS;
  return new Command("train")
    .description("Trains a network and a ridge line on the first part of a dataset, by time. The last part is kept for `evaluate`.")
    .requiredOption("--data <dir>", "dataset made by `edgebook dataset`")
    .requiredOption("--out <dir>", "run folder to write")
    .option("--model <family>", `one of ${trainableFamilies().join(", ")}`, "mlp")
    .option("--seed <number>", "of the first weights and the order of rows", wholeNumber, defaults.seed)
    .option("--epochs <number>", "at most; training stops early when validation no longer improves", wholeNumber, defaults.epochs)
    .option("--batch <rows>", "rows a step", wholeNumber, defaults.batch)
    .option("--learning-rate <number>", "of the first step; it falls to 0 in a straight line", positiveNumber, defaults.learningRate)
    .option("--weight-decay <number>", "of the matrices", positiveNumber, defaults.optimiser.weightDecay)
    .option("--train-share <share>", "of the rows, by time", positiveNumber, DEFAULT_SHARES.trainShare)
    .option(
      "--validation-share <share>",
      "of the rows after those; the rest is the test part",
      positiveNumber,
      DEFAULT_SHARES.validationShare,
    )
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(runTrain);
}

async function runTrain(options: TrainOptions): Promise<void> {
  const dataset = await readDataset(options.data);
  const { seed, epochs, batch, learningRate, trainShare, validationShare } = options;
  const optimiser = { ...DEFAULT_TRAIN_SETTINGS.optimiser, weightDecay: options.weightDecay };
  const { card, trained } = await trainRun({
    dataset,
    dataFolder: resolve(options.data),
    out: options.out,
    family: options.model,
    runtime: await loadRuntime(options.backend),
    settings: { ...DEFAULT_TRAIN_SETTINGS, seed, epochs, batch, learningRate, optimiser },
    shares: { trainShare, validationShare },
    progress: terminalProgress(),
    commit: currentCommit(),
  });
  if (options.json) printJson({ run: options.out, card, curve: trained.curve });
  else printRun(options.out, { card, trained, muted: mutedColumns(dataset, card.normaliser) });
}

function printRun(folder: string, { card, trained, muted }: { card: RunCard; trained: TrainedNetwork; muted: readonly string[] }): void {
  const { split, validation } = card;
  const rows = trained.curve.map((epoch) => [
    `${epoch.epoch}${epoch.epoch === trained.bestEpoch ? " *" : ""}`,
    epoch.trainLoss.toFixed(5),
    epoch.validationLoss.toFixed(5),
    epoch.learningRate.toExponential(1),
  ]);
  print(table(["epoch", "train loss", "validation loss", "last rate"], rows));
  print(
    `trained on ${split.trainRows} rows ${when(split.trainFrom)} … ${when(split.trainTo)}, validated on ${split.validationRows} from ${when(split.validationFrom)} UTC, ${split.purgeMs / 1_000} s purged at each boundary`,
  );
  print(
    `validation error: network ${validation.network.toFixed(5)}, ridge ${validation.ridge.toFixed(5)}, persistence ${validation.persistence.toFixed(5)} (epoch ${card.bestEpoch} kept)`,
  );
  if (trained.bestEpoch === 0) print("no epoch was better than persistence on the validation rows: this network has learnt nothing");
  if (muted.length > 0) print(`hardly varied in training, so muted: ${muted.join(", ")}`);
  print(`next: edgebook evaluate --run ${folder}`);
}
