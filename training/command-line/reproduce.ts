/** `edgebook reproduce`: makes the shipped models again and compares them, byte for byte, with those in the repository. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import { writeExport } from "../export/export-run.ts";
import { SHIPPED_FOLDERS } from "../publish/shipped-models.ts";
import { differencesFromShipped, makeShippedModels, type Reproduced } from "../reproduce/reproduce-model.ts";
import { terminalProgress } from "./bars.ts";
import { calibratedTable } from "./calibrated-tables.ts";
import { jsonOption } from "./options.ts";
import { classTable, print, printJson, scoreTable } from "./report.ts";

interface ReproduceOptions {
  readonly write: boolean;
  readonly keep?: string;
  readonly json: boolean;
}

export function reproduceCommand(): Command {
  return new Command("reproduce")
    .description("Makes the shipped models again, from the simulator to the ONNX files, and compares them with those in the repository.")
    .option("--write", "put what was made in its place", false)
    .option("--keep <dir>", "folder for the datasets, the runs and the exports; a temporary one unless given")
    .addOption(jsonOption())
    .action(runReproduce);
}

async function runReproduce(options: ReproduceOptions): Promise<void> {
  const folder = options.keep ?? (await mkdtemp(join(tmpdir(), "edgebook-reproduce-")));
  try {
    const made = await makeShippedModels(folder, terminalProgress());
    if (options.write) for (const { recipe, exported } of made) await writeExport(SHIPPED_FOLDERS[recipe.slot], exported);
    const differences = await differencesFromShipped(folder);
    if (options.json) printJson({ models: made.map(summaryOf), isEqual: differences.length === 0, differences });
    else {
      for (const each of made) printModel(each);
      if (differences.length === 0)
        print(options.write ? "written to workers/inference/shipped" : "equal to the shipped models, byte for byte");
    }
    if (differences.length > 0)
      throw new CommandError(`what was made is not what is shipped: ${differences.join("; ")}. --write puts it in its place`);
  } finally {
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function summaryOf({ recipe, exported, evaluation }: Reproduced): object {
  const { id, version, artifact } = exported.manifest;
  return { slot: recipe.slot, id, version, artifact, evaluation };
}

function printModel({ recipe, exported, evaluation }: Reproduced): void {
  const { id, version, artifact } = exported.manifest;
  print(
    `${recipe.slot}: ${id} ${version}, ${artifact.bytes} bytes, sha256 ${artifact.sha256}: ${evaluation.rows} test rows of other seeds`,
  );
  printScores(evaluation);
  if (evaluation.calibrated !== undefined) print(calibratedTable(evaluation.calibrated));
  for (const part of evaluation.byPart) {
    print(`\n${part.source}`);
    printScores(part);
  }
}

function printScores({ scores, classes }: Pick<Evaluation, "scores" | "classes">): void {
  if (classes === undefined) print(scoreTable(scores));
  else for (const score of classes) print(classTable(score));
}
