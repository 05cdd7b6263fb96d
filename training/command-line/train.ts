/** `edgebook train`: a dataset in, a run out. */

import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { AnswerKind } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { currentCommit } from "../commit.ts";
import { readDataset } from "../datasets/dataset-reader.ts";
import { type TrainedNetwork, TrainingInterrupted } from "../engine/contract.ts";
import type { TrainSettings } from "../engine/settings.ts";
import { trainableFamilies } from "../networks/registry.ts";
import { ANSWER_KINDS, defaultSettings, NETWORK_SIZES, type NetworkSettings, type NetworkSize } from "../networks/settings.ts";
import { writeEnvironment } from "../report/environment.ts";
import type { Runtime, RuntimeName } from "../runtime/contract.ts";
import { loadFastestRuntime, loadRuntime } from "../runtime/registry.ts";
import { mutedColumns } from "../train/normaliser.ts";
import type { MovesLoss, RunCard } from "../train/run-folder.ts";
import { DEFAULT_SHARES } from "../train/split.ts";
import { trainRun } from "../train/train-run.ts";
import { terminalProgress } from "./bars.ts";
import { INTERRUPTED_EXIT_CODE, listenForInterrupt } from "./interrupt.ts";
import { backendOption, jsonOption, positiveNumber } from "./options.ts";
import { print, printJson, table, when } from "./report.ts";
import { addSettingOptions, type SettingOptions, settingsOf } from "./train-options.ts";

interface TrainOptions extends SettingOptions {
  readonly data: string;
  readonly out: string;
  readonly model: string;
  readonly answer?: AnswerKind;
  readonly size: NetworkSize;
  readonly resume: boolean;
  readonly loss: MovesLoss["id"];
  readonly trainShare: number;
  readonly validationShare: number;
  readonly backend: RuntimeName;
  readonly json: boolean;
}

export function trainCommand(): Command {
  const command = new Command("train")
    .description("Trains a network and a ridge line on the first part of a dataset, by time. The last part is kept for `evaluate`.")
    .requiredOption("--data <dir>", "dataset made by `edgebook dataset`")
    .requiredOption("--out <dir>", "run folder to write")
    .option("--model <family>", `one of ${trainableFamilies().join(", ")}`, "mlp")
    .addOption(new Option("--loss <name>", "what is made small").choices(["squared", "absolute", "huber"]).default("squared"))
    .addOption(
      new Option("--answer <kind>", "moves in bps, or classes where the family has them (its first unless given)").choices(ANSWER_KINDS),
    )
    .addOption(new Option("--size <name>", "of the family's network; paper is that of its source").choices(NETWORK_SIZES).default("paper"))
    .option("--resume", "goes on from the checkpoint in --out, with the same options", false);
  return addSettingOptions(command)
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
  const { trainShare, validationShare } = options;
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
      ...(options.loss === "squared" ? {} : { loss: lossNamed(options.loss) }),
      signal,
      onWarning: warn,
    });
    await writeEnvironment(options.out);
    if (options.json) printJson({ run: options.out, card, curve: trained.curve });
    else printRun(options.out, { card, trained, muted: mutedColumns(dataset, card.normaliser) });
  } catch (error) {
    progress.abandon();
    if (!(error instanceof TrainingInterrupted)) throw error;
    warn(`${error.message}. Go on with the same options and --resume:\n  edgebook ${argumentsToResume()}`);
    process.exitCode = INTERRUPTED_EXIT_CODE;
  } finally {
    release();
  }
}

/** Null: as the family is where nothing is said, or there is no such family, which training refuses. */
function modelOf({ model, answer, size }: TrainOptions): NetworkSettings | null {
  const family = MODEL_FAMILIES.get(model);
  return family === undefined ? null : { ...defaultSettings(family), size, ...(answer === undefined ? {} : { answer }) };
}

/** Without a native runtime there is one thread, whatever was asked for: WebAssembly's would share one module. */
async function runtimeFor(options: TrainOptions): Promise<{ runtime: Runtime; settings: TrainSettings }> {
  const settings = settingsOf(options, options.backend);
  if (options.backend === "wasm") return { runtime: await loadRuntime("wasm"), settings };
  const runtime = await loadFastestRuntime(warn);
  return { runtime, settings: runtime.name === "wasm" ? { ...settings, workers: 1 } : settings };
}

/** Huber's turns from squares to lines at one unit: the root mean square of the target. */
function lossNamed(id: MovesLoss["id"]): MovesLoss {
  return id === "huber" ? { id, delta: 1 } : { id };
}

function argumentsToResume(): string {
  const given = process.argv.slice(2).filter((argument) => argument !== "--resume");
  return [...given, "--resume"]
    .map((argument) => (/^[\w./:=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

const ERASE_LINE = "\r\u001b[K";

function warn(message: string): void {
  // Over the bar, which is drawn anew below it.
  if (process.stderr.isTTY) process.stderr.write(ERASE_LINE);
  console.error(`edgebook: ${message}`);
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
    `validation error: network ${validation.network.toFixed(5)}, ${validation.ridge === null ? "" : `ridge ${validation.ridge.toFixed(5)}, `}${card.model.answer === "moves" ? "persistence" : "what knows nothing of the row"} ${validation.persistence.toFixed(5)} (epoch ${card.bestEpoch} kept)`,
  );
  if (trained.bestEpoch === 0) print("no epoch was better than persistence on the validation rows: this network has learnt nothing");
  if (muted.length > 0) print(`hardly varied in training, so muted: ${muted.join(", ")}`);
  print(
    card.model.answer === "moves" ? `next: edgebook evaluate --run ${folder}` : `next: edgebook export-model --run ${folder} --out DIR`,
  );
}
