/** `edgebook train --model trees`, `--model linear` and `--model corrected`: what is trained without a network. */

import { resolve } from "node:path";
import type { Command } from "commander";
import { currentCommit } from "../commit.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import { outputFor } from "../networks/settings.ts";
import { writeEnvironment } from "../report/environment.ts";
import type { FittedLines } from "../train/fit-lines.ts";
import { fitLinesRun } from "../train/fit-lines-run.ts";
import { askedOf } from "../train/fit-trees.ts";
import { mutedColumns } from "../train/normaliser.ts";
import type { LinesCard, RunCard, TreesCard } from "../train/run-card.ts";
import { type Cuts, familyOf, kindOfFamily, type Shares } from "../train/run-rows.ts";
import { trainTreesRun } from "../train/train-trees-run.ts";
import { terminalProgress } from "./bars.ts";
import { type KindOptions, lineSettingsOf, threadsOf, treeSettingsOf } from "./kind-options.ts";
import { phasesText, print, printJson, table, when } from "./report.ts";

export interface OtherOptions extends KindOptions {
  readonly data: string;
  readonly out: string;
  readonly model: string;
  readonly only: readonly string[];
  readonly targetClip?: number | "none";
  readonly inputClip?: number;
  readonly resume: boolean;
  readonly json: boolean;
}

interface OtherTask {
  readonly dataset: Dataset;
  readonly model: NetworkSettings | null;
  readonly shares: Shares;
  readonly command: Command;
  readonly signal: AbortSignal;
  readonly onWarning: (message: string) => void;
}

export async function trainTreesCommand(options: OtherOptions, { dataset, command, ...task }: OtherTask): Promise<void> {
  const kind = kindOfFamily(options.model);
  const card = await trainTreesRun({
    ...task,
    dataset,
    dataFolder: resolve(options.data),
    out: options.out,
    family: options.model,
    settings: treeSettingsOf(options, { kind, command, columns: dataset.card.featureSet.columns }),
    ...(kind === "corrected" ? { line: lineSettingsOf(options) } : {}),
    threads: threadsOf(options),
    only: options.only,
    ...cutsOf(options),
    progress: terminalProgress(),
    commit: currentCommit(),
    resume: options.resume,
  });
  await writeEnvironment(options.out);
  if (options.json) printJson({ run: options.out, card });
  else printTrees(options.out, card, dataset);
}

export async function fitLinesCommand(options: OtherOptions, { dataset, model, shares }: OtherTask): Promise<void> {
  const { card, lines } = await fitLinesRun({
    dataset,
    model,
    shares,
    dataFolder: resolve(options.data),
    out: options.out,
    family: options.model,
    settings: lineSettingsOf(options),
    ...cutsOf(options),
    progress: terminalProgress(),
    commit: currentCommit(),
  });
  await writeEnvironment(options.out);
  if (options.json) printJson({ run: options.out, card, path: lines.path });
  else printLines(options.out, card, { lines, dataset });
}

export function cutsOf({ targetClip, inputClip }: Pick<OtherOptions, "targetClip" | "inputClip">): Cuts {
  return { targetClip: targetClip === "none" ? null : targetClip, inputClip };
}

function printTrees(folder: string, card: TreesCard, dataset: Dataset): void {
  const { line } = card;
  const rows = namesOf(card, dataset).flatMap((name, index) => {
    const ensemble = card.ensembles[index] ?? null;
    const penalty = line === undefined ? [] : [String(line.chosen[index] ?? "no line: the constant")];
    return ensemble === null
      ? []
      : [[name, ...penalty, String(ensemble.rounds), ensemble.bestRound === 0 ? "none" : String(ensemble.bestRound)]];
  });
  print(table(["output", ...(line === undefined ? [] : ["the line's λ"]), "rounds trained", "rounds kept"], rows));
  printEnd(folder, card, dataset);
  const untaught = card.ensembles.filter((ensemble) => ensemble?.bestRound === 0).length;
  if (untaught === 0) return;
  print(
    `${untaught} of them are no better than ${card.line === undefined ? "a constant" : "the line"} on the validation rows: nothing was learnt there`,
  );
}

function printLines(folder: string, card: LinesCard, { lines, dataset }: { lines: FittedLines; dataset: Dataset }): void {
  const names = namesOf(card, dataset);
  print(
    table(
      ["output", "λ"],
      names.map((name, index) => [name, String(card.lambdas[index] ?? "no line: the constant")]),
    ),
  );
  const shown = (loss: number | null): string => (loss === null ? "–" : loss.toFixed(5));
  print(
    table(
      ["λ", "train loss", "validation loss"],
      lines.path.map((point) => [String(point.lambda), shown(point.trainLoss), shown(point.validationLoss)]),
    ),
  );
  for (const remark of lines.remarks) print(`! ${remark}`);
  printEnd(folder, card, dataset);
}

function printEnd(folder: string, card: RunCard, dataset: Dataset): void {
  const { split, validation } = card;
  const isMoves = card.model.answer === "moves";
  print(
    `trained on ${split.trainRows} rows${phasesText(split)} ${when(split.trainFrom)} … ${when(split.trainTo)}, validated on ${split.validationRows} from ${when(split.validationFrom)} UTC, ${split.purgeMs / 1_000} s purged at each boundary`,
  );
  const line = validation.ridge === null ? "" : `${isMoves ? "ridge" : "logistic line"} ${validation.ridge.toFixed(5)}, `;
  print(
    `validation error: model ${validation.model.toFixed(5)}, ${line}${isMoves ? "persistence" : "what knows nothing of the row"} ${validation.persistence.toFixed(5)}`,
  );
  const muted = mutedColumns(dataset, card.normaliser);
  if (muted.length > 0) print(`hardly varied in training, so muted: ${muted.join(", ")}`);
  print(`next: edgebook evaluate --run ${folder}`);
}

function namesOf({ family, model }: RunCard, dataset: Dataset): string[] {
  const known = familyOf(family, dataset, model);
  return askedOf(outputFor(known.family, model.answer, model.thresholdsBps)).map(({ name }) => name);
}
