/** `edgebook reproduce`: makes the shipped model again and compares it, byte for byte, with the one in the repository. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { writeExport } from "../export/export-run.ts";
import { differencesFromShipped, makeShippedModel, SHIPPED_FOLDER } from "../reproduce/reproduce-model.ts";
import { terminalProgress } from "./bars.ts";
import { jsonOption } from "./options.ts";
import { print, printJson, scoreTable } from "./report.ts";

interface ReproduceOptions {
  readonly write: boolean;
  readonly keep?: string;
  readonly json: boolean;
}

export function reproduceCommand(): Command {
  return new Command("reproduce")
    .description("Makes the shipped model again, from the simulator to the ONNX file, and compares it with the one in the repository.")
    .option("--write", "put what was made in its place", false)
    .option("--keep <dir>", "folder for the datasets, the run and the export; a temporary one unless given")
    .addOption(jsonOption())
    .action(runReproduce);
}

async function runReproduce(options: ReproduceOptions): Promise<void> {
  const folder = options.keep ?? (await mkdtemp(join(tmpdir(), "edgebook-reproduce-")));
  try {
    const { exported, evaluation } = await makeShippedModel(folder, terminalProgress());
    if (options.write) await writeExport(SHIPPED_FOLDER, exported);
    const differences = await differencesFromShipped(folder);
    const { id, version, artifact } = exported.manifest;
    if (options.json) printJson({ id, version, artifact, isEqual: differences.length === 0, differences, evaluation });
    else {
      print(`${id} ${version}, sha256 ${artifact.sha256}: ${evaluation.rows} test rows of other seeds`);
      print(scoreTable(evaluation.scores));
      for (const part of evaluation.byPart) print(`\n${part.source}\n${scoreTable(part.scores)}`);
      if (differences.length === 0)
        print(options.write ? "written to workers/inference/shipped" : "equal to the shipped model, byte for byte");
    }
    if (differences.length > 0)
      throw new CommandError(`what was made is not what is shipped: ${differences.join("; ")}. --write puts it in its place`);
  } finally {
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}
