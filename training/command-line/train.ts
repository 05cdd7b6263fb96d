/** `edgebook train`: a dataset in, a run out. What is no network, train-others.ts trains. */

import { resolve } from "node:path";
import { Command, Option } from "commander";
import { type AnswerKind, CLASS_ASKS, type ClassQuestion } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { CommandError } from "../command-error.ts";
import { currentCommit } from "../commit.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import { withHorizons } from "../datasets/horizons.ts";
import { type TrainedNetwork, TrainingInterrupted } from "../engine/contract.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { ANSWER_KINDS, defaultSettings, NETWORK_SIZES, type NetworkSettings, type NetworkSize } from "../networks/settings.ts";
import { writeEnvironment } from "../report/environment.ts";
import type { Runtime, RuntimeName } from "../runtime/contract.ts";
import { loadFastestRuntime, loadRuntime } from "../runtime/registry.ts";
import { type HorizonWeights, parseHorizonWeights } from "../train/horizon-weights.ts";
import { INPUT_CLIP, mutedColumns } from "../train/normaliser.ts";
import type { MovesLoss, NetworkCard } from "../train/run-card.ts";
import { claimRun, removeRun } from "../train/run-folder.ts";
import { allFamilies, kindOfFamily, type RunKind, TARGET_CLIP } from "../train/run-rows.ts";
import { DEFAULT_SHARES } from "../train/split.ts";
import { trainRun } from "../train/train-run.ts";
import { RoundsInterrupted } from "../train/train-trees-run.ts";
import { terminalProgress } from "./bars.ts";
import { listenForInterrupt, tellHowToResume } from "./interrupt.ts";
import { addKindOptions, LOSS_NAMES, type LossName, refuseUnused } from "./kind-options.ts";
import { backendOption, collect, horizonsOption, jsonOption, memoryOf, memoryOption, positiveNumber } from "./options.ts";
import { phasesText, print, printJson, table, when } from "./report.ts";
import { addSettingOptions, clipBound, dropoutShare, layerWidths, type SettingOptions, settingsOf } from "./train-options.ts";
import { cutsOf, fitLinesCommand, type OtherOptions, trainTreesCommand } from "./train-others.ts";

interface TrainOptions extends SettingOptions, OtherOptions {
  readonly answer?: AnswerKind;
  readonly size: NetworkSize;
  readonly asks?: ClassQuestion["asks"];
  readonly horizons?: readonly number[];
  readonly horizonWeights?: HorizonWeights;
  readonly hidden?: readonly number[];
  readonly dropout?: number;
  readonly line: boolean;
  readonly trainShare: number;
  readonly validationShare: number;
  readonly backend: RuntimeName;
  readonly overwrite: boolean;
  readonly memory?: number;
}

export function trainCommand(): Command {
  const command = new Command("train")
    .description("Trains a network, boosted trees or lines on the first part of a dataset, by time. The last part is kept for `evaluate`.")
    .requiredOption("--data <dir>", "dataset made by `edgebook dataset`")
    .requiredOption("--out <dir>", "run folder to write")
    .option("--model <family>", `one of ${allFamilies().join(", ")}`, "mlp")
    .addOption(
      new Option("--loss <name>", "of moves, what is made small: squared unless given; huber of networks, quantile of trees").choices(
        LOSS_NAMES,
      ),
    )
    .addOption(
      new Option("--answer <kind>", "moves in bps, or classes where the family has them (its first unless given)").choices(ANSWER_KINDS),
    )
    .addOption(
      new Option(
        "--asks <question>",
        "of classes: which way each horizon's move goes, or which way the next change goes within the longest (the family's first unless given)",
      ).choices(CLASS_ASKS),
    )
    .addOption(horizonsOption("some of the dataset's; all unless given"))
    .option(
      "--horizon-weights <ms:weight,…>",
      "networks: what moves at each horizon count in the loss, e.g. 1000:2,5000:1; all alike unless given",
      parseHorizonWeights,
    )
    .option(
      "--target-clip <number>",
      `of moves: what teaches is cut at so many root mean squares (${TARGET_CLIP} unless given), or at none`,
      clipBound,
    )
    .option("--input-clip <number>", `columns are cut at so many standard deviations (${INPUT_CLIP} unless given)`, positiveNumber)
    .option("--hidden <widths>", "mlp: of its hidden layers, with commas; those of its size unless given", layerWidths)
    .option("--dropout <share>", "mlp: of each hidden layer, while training", dropoutShare)
    .option("--line", "networks: a line from the newest row beside the network, added to its answer", false)
    .addOption(new Option("--size <name>", "of the family's network; paper is that of its source").choices(NETWORK_SIZES).default("paper"))
    .option("--resume", "goes on from the checkpoint in --out, with the same options", false)
    .addOption(
      new Option("--overwrite", "replaces the run in --out, or what is left there of an interrupted one")
        .default(false)
        .conflicts("resume"),
    );
  return addKindOptions(addSettingOptions(command))
    .option("--only <target@ms>", "trees: of these moves or questions alone, e.g. mid@5000 (repeatable)", collect, [])
    .option("--train-share <share>", "of the rows, by time", positiveNumber, DEFAULT_SHARES.trainShare)
    .option(
      "--validation-share <share>",
      "of the rows after those; the rest is the test part",
      positiveNumber,
      DEFAULT_SHARES.validationShare,
    )
    .addOption(backendOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .action(runTrain);
}

async function runTrain(options: TrainOptions, command: Command): Promise<void> {
  const kind = kindOfFamily(options.model);
  refuseUnused(command, kind, options);
  const claim = await claimRun(options.out, options, warn);
  try {
    const data = await readDataset(options.data, { ...memoryOf(options), phases: "all" });
    const dataset = options.horizons === undefined ? data : withHorizons(data, options.horizons);
    if (options.overwrite) await removeRun(options.out);
    await trainInto(options, { kind, dataset, command });
  } finally {
    await claim.release();
  }
}

async function trainInto(
  options: TrainOptions,
  { kind, dataset, command }: { kind: RunKind; dataset: Dataset; command: Command },
): Promise<void> {
  const { trainShare, validationShare } = options;
  if (kind === "network") return trainNetworkCommand(options, dataset);
  const { signal, release } = listenForInterrupt(warn);
  const task = { dataset, model: modelOf(options), shares: { trainShare, validationShare }, command, signal, onWarning: warn };
  try {
    await (kind === "lines" ? fitLinesCommand(options, task) : trainTreesCommand(options, task));
  } catch (error) {
    if (!(error instanceof RoundsInterrupted)) throw error;
    tellHowToResume(error.message, warn);
  } finally {
    release();
  }
}

async function trainNetworkCommand(options: TrainOptions, dataset: Dataset): Promise<void> {
  const { trainShare, validationShare } = options;
  const loss = lossNamed(options.loss);
  const { runtime, settings } = await runtimeFor(options);
  const { signal, release } = listenForInterrupt(warn);
  const progress = terminalProgress();
  try {
    const { card, trained } = await trainRun({
      dataset,
      dataFolder: resolve(options.data),
      out: options.out,
      family: options.model,
      model: modelOf(options),
      runtime,
      settings,
      shares: { trainShare, validationShare },
      progress,
      commit: currentCommit(),
      resume: options.resume,
      ...(loss === null ? {} : { loss }),
      ...cutsOf(options),
      ...(options.horizonWeights === undefined ? {} : { horizonWeights: options.horizonWeights }),
      signal,
      onWarning: warn,
    });
    await writeEnvironment(options.out);
    if (options.json) printJson({ run: options.out, card, curve: trained.curve });
    else printRun(options.out, { card, trained, muted: mutedColumns(dataset, card.normaliser) });
  } catch (error) {
    progress.abandon();
    if (!(error instanceof TrainingInterrupted)) throw error;
    tellHowToResume(error.message, warn);
  } finally {
    release();
  }
}

/** Null: as the family is where nothing is said, or there is no such family, which training refuses. */
function modelOf({ model, answer, size, asks, hidden, dropout, line }: TrainOptions): NetworkSettings | null {
  const family = MODEL_FAMILIES.get(model);
  if (family === undefined) return null;
  return {
    ...defaultSettings(family),
    size,
    ...(answer === undefined ? {} : { answer }),
    ...(asks === undefined ? {} : { asks }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(dropout === undefined ? {} : { dropout }),
    ...(line ? { hasLine: true } : {}),
  };
}

/** Without a native runtime there is one thread, whatever was asked for: WebAssembly's would share one module. */
async function runtimeFor(options: TrainOptions): Promise<{ runtime: Runtime; settings: TrainSettings }> {
  const settings = settingsOf(options, options.backend);
  if (options.backend === "wasm") return { runtime: await loadRuntime("wasm"), settings };
  const runtime = await loadFastestRuntime(warn);
  return { runtime, settings: runtime.name === "wasm" ? { ...settings, workers: 1 } : settings };
}

/** Null: the family's own. Huber's turns from squares to lines at one unit: the root mean square of the target. */
function lossNamed(id: LossName | undefined): MovesLoss | null {
  if (id === undefined) return null;
  if (id === "quantile")
    throw new CommandError("--loss quantile is of trees: a network answers one number a move, and its forecast is the mean");
  return id === "huber" ? { id, delta: 1 } : { id };
}

const ERASE_LINE = "\r\u001b[K";

function warn(message: string): void {
  // Over the bar, which is drawn anew below it.
  if (process.stderr.isTTY) process.stderr.write(ERASE_LINE);
  console.error(`edgebook: ${message}`);
}

function printRun(
  folder: string,
  { card, trained, muted }: { card: NetworkCard; trained: TrainedNetwork; muted: readonly string[] },
): void {
  const { split, validation } = card;
  const rows = trained.curve.map((epoch) => [
    `${epoch.epoch}${epoch.epoch === trained.bestEpoch ? " *" : ""}`,
    epoch.trainLoss.toFixed(5),
    epoch.validationLoss.toFixed(5),
    epoch.learningRate.toExponential(1),
  ]);
  print(table(["epoch", "train loss", "validation loss", "last rate"], rows));
  print(
    `trained on ${split.trainRows} rows${phasesText(split)} ${when(split.trainFrom)} … ${when(split.trainTo)}, validated on ${split.validationRows} from ${when(split.validationFrom)} UTC, ${split.purgeMs / 1_000} s purged at each boundary`,
  );
  print(
    `validation error: network ${validation.model.toFixed(5)}, ${validation.ridge === null ? "" : `${card.model.answer === "moves" ? "ridge" : "logistic line"} ${validation.ridge.toFixed(5)}, `}${card.model.answer === "moves" ? "persistence" : "what knows nothing of the row"} ${validation.persistence.toFixed(5)} (epoch ${card.bestEpoch} kept)`,
  );
  if (trained.bestEpoch === 0) print("no epoch was better than persistence on the validation rows: this network has learnt nothing");
  if (muted.length > 0) print(`hardly varied in training, so muted: ${muted.join(", ")}`);
  print(`next: edgebook evaluate --run ${folder}`);
}
