/** `edgebook export-model`: a run in, the two files that are served out. */

import { Command } from "commander";
import type { ModelCalibration } from "../../models/contract.ts";
import { trainedTicks } from "../../models/trained-ticks.ts";
import { fitCalibration } from "../evaluate/fit-calibration.ts";
import { readScores } from "../evaluate/scores-file.ts";
import { exportRun, hasManifestScores, refuseExported, writeExport } from "../export/export-run.ts";
import { whyNoForecasts } from "../publish/forecasts-of.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { readRun } from "../train/run-folder.ts";
import { trainingDataset } from "./evaluate.ts";
import { jsonOption, modelName } from "./options.ts";
import { print, printJson } from "./report.ts";

interface ExportModelOptions {
  readonly run: string;
  readonly out: string;
  readonly id?: string;
  readonly overwrite: boolean;
  readonly json: boolean;
}

export function exportModelCommand(): Command {
  return new Command("export-model")
    .description("Writes model.onnx and manifest.json. Both runtimes must agree on the golden vectors first.")
    .requiredOption("--run <dir>", "run made by `edgebook train`, best after `edgebook evaluate`")
    .requiredOption("--out <dir>", "folder to write")
    .option("--id <name>", "name of the model (the family unless given)", modelName)
    .option("--overwrite", "replaces the model that lies in --out", false)
    .addOption(jsonOption())
    .action(runExport);
}

async function runExport(options: ExportModelOptions): Promise<void> {
  if (!options.overwrite) await refuseExported(options.out);
  const run = await readRun(options.run);
  const evaluation = await readScores(options.run);
  const dataset = await trainingDataset(run);
  const runtime = await loadRuntime(run.kind === "network" ? run.card.backend : "node");
  const calibration = await fitCalibration(run, dataset, { runtime });
  const ticksBps = trainedTicks(dataset.card.parts.map(({ midTicks }) => midTicks));
  const exported = await exportRun(run, { id: options.id ?? run.card.family, dataset, evaluation, calibration, ticksBps });
  await writeExport(options.out, exported);
  const { id, version, artifact } = exported.manifest;
  if (options.json) {
    const scored = evaluation !== null && hasManifestScores(evaluation);
    printJson({ id, version, ...artifact, difference: exported.difference, scored, calibrated: calibratedHorizons(calibration) });
    return;
  }
  print(`${id} ${version}: ${artifact.bytes} bytes, sha256 ${artifact.sha256}`);
  print(`the two runtimes agree on the golden vectors to ${exported.difference.toExponential(1)} ${exported.manifest.output.unit}`);
  if (exported.manifest.output.unit === "bps") print(calibrationText(calibration));
  if (evaluation === null) print("it carries no scores: run `edgebook evaluate` first if it is to be served");
  else if (!hasManifestScores(evaluation)) print("a manifest has room for scores of moves and classes: this run's stay in its scores.json");
  const refused = whyNoForecasts(exported.manifest);
  if (refused === null) print(`next: edgebook publish --dir ${options.out} --local .edgebook`);
  else print(`! an instance refuses forecasts while it is the active one: ${refused}`);
}

function calibrationText(calibration: ModelCalibration | null): string {
  if (calibration === null) return "no intervals and no probabilities: the validation part is too short for every horizon";
  const horizons = calibratedHorizons(calibration).map((horizonMs) => horizonMs / 1_000);
  return `intervals of ${100 * calibration.coverage} % and probabilities of the mid in ${horizons.join(", ")} s, from ${calibration.rows} validation rows`;
}

function calibratedHorizons(calibration: ModelCalibration | null): number[] {
  return (calibration?.outputs ?? []).map(({ horizonMs }) => horizonMs);
}
