/**
 * What a run of trees rests its answers on: for each move or class the mean size of what each column adds to an answer (SHAP, trees/shap.ts), over rows
 * that are spread over the validation part. Moves in basis points, classes in logits. Beside them the importances that training wrote. Of trees that
 * correct a line it is the correction that is explained: the line's weights say what it rests on.
 */

import type { ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { outputFor } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import { shapValues } from "../trees/shap.ts";
import { evenly } from "./baseline-line.ts";
import { askedOf } from "./fit-trees.ts";
import { allInputs } from "./input-table.ts";
import { prepareRows } from "./prepared-rows.ts";
import type { Run } from "./run-folder.ts";
import { familyOf, seenByRun } from "./run-rows.ts";
import { splitByTime } from "./split.ts";

export interface Explanation {
  /** How many rows were explained. */
  readonly rows: number;
  readonly unit: "bps" | "logits";
  /** Whether it is of what trees add to a line. */
  readonly isOfCorrection: boolean;
  readonly columns: readonly string[];
  readonly outputs: readonly ExplainedOutput[];
}

export interface ExplainedOutput {
  /** "mid in 5 s", of classes with the label behind it. */
  readonly name: string;
  /** The mean answer over the training rows. */
  readonly expected: number;
  /** [columns] mean |SHAP|. */
  readonly meanSizes: readonly number[];
}

/** Throws CommandError for a run of anything but trees. */
export function explainRun(run: Run, data: Dataset, options: { rows: number; progress: Progress }): Explanation {
  const { card } = run;
  if (run.kind !== "trees")
    throw new CommandError(
      `this is a run of ${run.kind === "lines" ? "lines, whose weights (of moves) `edgebook report` shows" : "a network"}: explain takes runs of trees`,
    );
  const dataset = seenByRun(card, data);
  const { family, settings } = familyOf(card.family, dataset, card.model);
  const output = outputFor(family, settings.answer, card.model.thresholdsBps);
  const { validation } = splitByTime(dataset.times, card.split);
  const { normaliser, targetScale } = card;
  const rows = evenly(prepareRows(dataset, validation, { family, output, normaliser, targetScale, targetClip: null }), options.rows);
  const outputs: ExplainedOutput[] = [];
  options.progress.start(`explaining ${rows.rows} rows`, run.ensembles.length);
  for (const [index, { name, from }] of askedOf(output).entries()) {
    const ensemble = run.ensembles[index] ?? null;
    if (ensemble !== null) {
      const { values, expected } = shapValues(ensemble, { rows: rows.rows, columns: rows.columns, features: allInputs(rows) });
      for (let at = 0; at < ensemble.outputs; at++) {
        const scale = output.unit === "bps" ? (targetScale[from] as number) : 1;
        const sizes = meanSizes(values, { rows: rows.rows, outputs: ensemble.outputs, columns: rows.columns, at });
        outputs.push({
          name: labelled(name, output, { index, at }),
          expected: scale * (expected[at] as number),
          meanSizes: sizes.map((size) => scale * size),
        });
      }
    }
    options.progress.update(index + 1);
  }
  options.progress.stop();
  const unit = output.unit === "bps" ? "bps" : "logits";
  return { rows: rows.rows, unit, isOfCorrection: run.line !== null, columns: card.featureSet.columns, outputs };
}

function labelled(name: string, output: ModelOutput, { index, at }: { index: number; at: number }): string {
  return output.unit === "probability" ? `${name}: ${output.groups[index]?.labels[at]}` : name;
}

/** @param values [rows, outputs, columns] */
function meanSizes(values: Float64Array, shape: { rows: number; outputs: number; columns: number; at: number }): number[] {
  const { rows, outputs, columns, at } = shape;
  return Array.from({ length: columns }, (_, column) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += Math.abs(values[(row * outputs + at) * columns + column] as number);
    return sum / rows;
  });
}
