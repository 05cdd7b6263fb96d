/** `edgebook evaluate --model`: an exported model on a dataset, as the edge would have answered. */

import { CommandError } from "../command-error.ts";
import { currentCommit } from "../commit.ts";
import { decimal, intervalText, percent, seconds } from "../compare/report/numbers.ts";
import { readDataset } from "../datasets/dataset-reader.ts";
import { evaluateModel, type ModelEvaluation } from "../evaluate/evaluate-model.ts";
import { openModel } from "../evaluate/model-folder.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { classTable, print, printJson, table, when } from "./report.ts";

export async function evaluateModelCommand(options: { model: string; data?: string; json: boolean }): Promise<void> {
  if (options.data === undefined) throw new CommandError("an exported model has no data of its own: name a dataset with --data");
  const model = await openModel(options.model, await loadRuntime("node"));
  try {
    const evaluation = await evaluateModel(model, await readDataset(options.data), { commit: currentCommit() });
    if (options.json) printJson(evaluation);
    else printEvaluation(evaluation);
  } finally {
    await model.session.release();
  }
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
