/** `edgebook evaluate --model`: an exported model on a dataset, or on what one is made of, as the edge would have answered. */

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFeatureSet } from "../../core/features/registry.ts";
import { horizonsOf } from "../../core/labels/horizons.ts";
import { labelKindOf } from "../../core/labels/moves.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import { currentCommit } from "../commit.ts";
import { decimal, intervalText, percent, seconds } from "../compare/report/numbers.ts";
import { buildDataset } from "../datasets/build-dataset.ts";
import { CARD_FILE } from "../datasets/card.ts";
import { type Dataset, readDataset } from "../datasets/dataset-reader.ts";
import { recordedSources } from "../datasets/recorded-sources.ts";
import { evaluateModel, type ModelEvaluation } from "../evaluate/evaluate-model.ts";
import { openModel } from "../evaluate/model-folder.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { terminalProgress } from "./bars.ts";
import { classTable, print, printJson, table, when } from "./report.ts";

export async function evaluateModelCommand(options: { model: string; data?: string; json: boolean }): Promise<void> {
  const { data } = options;
  if (data === undefined)
    throw new CommandError("an exported model has no data of its own: name a dataset, or a folder of recordings, with --data");
  const model = await openModel(options.model, await loadRuntime("node"));
  try {
    const evaluation = await onDataset(data, model.manifest, (dataset) => evaluateModel(model, dataset, { commit: currentCommit() }));
    if (options.json) printJson(evaluation);
    else printEvaluation(evaluation);
  } finally {
    await model.session.release();
  }
}

/** A dataset as it is; of recordings and imported events one is made for the time being, of what the model reads and answers. */
async function onDataset<Result>(folder: string, manifest: ModelManifest, use: (dataset: Dataset) => Promise<Result>): Promise<Result> {
  const isDataset = (await stat(join(folder, CARD_FILE)).catch(() => null)) !== null;
  const featureSet = findFeatureSet(manifest.featureSet.fingerprint);
  if (isDataset || featureSet === null) return use(await readDataset(folder));
  const sources = await recordedSources([folder], { venue: null, market: null });
  const made = await mkdtemp(join(tmpdir(), "edgebook-evaluate-"));
  try {
    const asked = { horizonsMs: askedHorizons(manifest), label: labelKindOf(manifest) };
    await buildDataset({ sources, folder: made, featureSet, ...asked, command: [], progress: terminalProgress() });
    return await use(await readDataset(made));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** Which change comes next is read off the moves from row to row. */
function askedHorizons({ output, intervalMs }: ModelManifest): number[] {
  if (output.unit === "bps") return horizonsOf(output.columns);
  return horizonsOf(output.unit === "probability" ? [...output.groups, { horizonMs: intervalMs }] : [{ horizonMs: intervalMs }]);
}

function printEvaluation({ model, rows, leftOut, from, to, source, label, scores, classes }: ModelEvaluation): void {
  print(
    `${model.id} ${model.version} (${model.family}), scored on ${rows} rows, ${when(from)} … ${when(to)} UTC: ${source}; ${label} moves`,
  );
  if (leftOut > 0) print(`${leftOut} rows are left out: it may have learnt from them, or from their neighbours`);
  if (scores.length > 0)
    print(
      table(
        [
          "target",
          "horizon",
          "R² vs persistence [95 %]",
          "RMSE skill",
          "MAE skill",
          "direction given a move",
          "correlation",
          "held",
          "rows",
        ],
        scores.map((score) => [
          score.target,
          seconds(score.horizonMs),
          `${decimal(score.r2)}${intervalText(score)}`,
          percent(score.rmseSkill),
          percent(score.maeSkill),
          score.directionHitRate === null ? "no moves" : `${score.directionHitRate.toFixed(3)} of ${score.moves}`,
          decimal(score.correlation),
          score.coverage === null ? "–" : `${percent(score.coverage.held)} of ${percent(score.coverage.wanted)}`,
          String(score.rows),
        ]),
      ),
    );
  for (const score of classes) print(classTable(score));
  if (scores.length === 0 && classes.length === 0) print("too few rows to score");
}
