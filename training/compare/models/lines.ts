/**
 * Ridge lines: of all columns, and of some alone. Which columns tell of the past's momentum and which of the book's imbalance, their names say.
 * λ is chosen by validation, each output's own, and the line then fitted once more on fit and validation rows with it.
 */

import { buildLinearGraph } from "../../linear/linear-graph.ts";
import { answerRidge, fitRidge, type Line, RIDGE_LAMBDAS } from "../../linear/ridge.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import { blockOf, inBps, type MemoryRows } from "../prepared.ts";
import { prepareRefit, prepareTask, type RefitRows, refusalOfSet, setFor } from "./task-rows.ts";

interface LineOptions {
  readonly id: string;
  readonly kind: ComparedModel["kind"];
  readonly title: string;
  /** The feature set; absent: the comparison's own. */
  readonly reads?: string;
  /** Columns that it sees; absent: all. */
  readonly sees?: RegExp;
}

export const ridge = lineModel({ id: "ridge", kind: "line", title: "a ridge line of all columns" });
export const ridgeR70 = lineModel({ id: "ridge-r70", kind: "line", title: "a ridge line of the reference's 56 columns", reads: "r70" });
export const momentum = lineModel({
  id: "momentum",
  kind: "baseline",
  title: "a line of the mid's own past moves alone",
  sees: /^(mid_return_\d+s|log_return_(bid|ask))$/,
});
export const imbalance = lineModel({
  id: "imbalance",
  kind: "baseline",
  title: "a line of the book's imbalance alone",
  sees: /^imbalance_\d+$/,
});

function lineModel({ id, kind, title, sees, ...options }: LineOptions): ComparedModel {
  const reads = options.reads ?? null;
  return {
    id,
    kind,
    title,
    reads,
    window: 1,
    settings: { lambdas: RIDGE_LAMBDAS, sees: sees?.source ?? null },
    refusal(data) {
      const missing = refusalOfSet(data, reads);
      if (missing !== null || sees === undefined) return missing;
      const { featureSet } = setFor(data, reads).dataset.card;
      return featureSet.columns.some((name) => sees.test(name)) ? null : `${featureSet.id} has no column of the kind ${sees.source}`;
    },
    fit: (task) => fitLine(task, { reads, sees }),
  };
}

async function fitLine(task: ModelTask, { reads, sees }: { reads: string | null; sees: RegExp | undefined }): Promise<FittedModel> {
  const model = { reads, window: 1 };
  const { set, preparation, train, validation } = prepareTask(task, model);
  const names = set.dataset.card.featureSet.columns;
  const seen = names.flatMap((name, column) => (sees === undefined || sees.test(name) ? [column] : []));
  const chosen = fitRidge(blockOf(ofColumns(train, seen)), blockOf(ofColumns(validation, seen)));
  const refit = prepareRefit(task, model);
  const line = refitRidge(ofColumns(refit.train, seen), chosen.lambdas);
  return {
    validation: inBps(answerRidge(chosen, blockOf(ofColumns(validation, seen))), preparation.targetScale),
    test: inBps(answerRidge(line, blockOf(ofColumns(refit.test, seen))), refit.preparation.targetScale),
    configurations: RIDGE_LAMBDAS.length,
    isRefitted: true,
    notes: [notesOf(task, chosen.lambdas)],
    served: servedLine(line, { refit, seen, columns: names.length, reads: set.id }),
  };
}

/** Each output with the penalty that was chosen for it; null: the constant, no move. */
export function refitRidge(train: MemoryRows, lambdas: readonly (number | null)[]): Line {
  const weights = new Float64Array(train.columns * train.outputs);
  for (const lambda of new Set(lambdas)) {
    if (lambda === null) continue;
    const fitted = fitRidge(blockOf(train), blockOf(train), { lambdas: [lambda] });
    for (const [output, own] of lambdas.entries()) {
      if (own !== lambda) continue;
      const [from, to] = [output * train.columns, (output + 1) * train.columns];
      weights.set(fitted.weights.subarray(from, to), from);
    }
  }
  return { weights };
}

/** The same rows with some of their columns. */
function ofColumns(rows: MemoryRows, seen: readonly number[]): MemoryRows {
  if (seen.length === rows.columns) return rows;
  const values = new Float32Array(rows.rows * seen.length);
  for (let row = 0; row < rows.rows; row++) {
    for (const [at, column] of seen.entries()) values[row * seen.length + at] = rows.inputs.values[row * rows.columns + column] as number;
  }
  return { ...rows, columns: seen.length, inputs: { kind: "memory", values } };
}

function servedLine(
  line: Line,
  { refit, seen, columns, reads }: { refit: RefitRows; seen: readonly number[]; columns: number; reads: string },
): FittedModel["served"] {
  const { preparation } = refit;
  const outputs = preparation.targetScale.length;
  const weights = new Float64Array(outputs * columns);
  for (let output = 0; output < outputs; output++) {
    for (const [at, column] of seen.entries()) weights[output * columns + column] = line.weights[output * seen.length + at] as number;
  }
  const names = { inputName: "features", outputName: "moves_bps" };
  const onnx = buildLinearGraph({
    ...names,
    weights,
    intercepts: null,
    columns,
    answer: { kind: "ridge", outputScale: preparation.targetScale },
  });
  return { onnx, inputName: names.inputName, window: 1, columns, reads, normaliser: preparation.normaliser };
}

function notesOf({ data }: ModelTask, lambdas: readonly (number | null)[]): string {
  const told = data.columns.flatMap(({ target, horizonMs }, output) =>
    target === "mid" ? [`${horizonMs / 1_000} s ${lambdas[output] ?? "no line"}`] : [],
  );
  return `λ of the mid: ${told.join(", ")}`;
}
