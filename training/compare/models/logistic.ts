/**
 * A logistic line of all columns for each horizon: whether the mid goes down, stays or goes up, by the threshold that a third of the fit rows' moves
 * stay within. λ is chosen by validation. Its moves are its lean times a number of each output.
 */

import { balancedThreshold, DIRECTIONS, directionOf } from "../../../core/labels/classes.ts";
import { answerLogistic, fitLogistic } from "../../linear/logistic.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import { blockOf, knownMoves, type MemoryRows } from "../prepared.ts";
import { fitLeans, movesOfLeans } from "./from-direction.ts";
import { everySoMany } from "./networks.ts";
import { prepareTask, prepareTest, refusalOfSet } from "./task-rows.ts";

const LAMBDAS: readonly number[] = [0.1, 0.01, 0.001, 0.0001];
/** A line of some dozen columns hardly learns from more, and each fit passes over them some ten times. */
const MOST_ROWS = 30_000;

export const logistic: ComparedModel = {
  id: "logistic",
  kind: "line",
  title: "a logistic line of all columns: down, flat or up",
  reads: null,
  window: 1,
  settings: { lambdas: LAMBDAS, mostRows: MOST_ROWS },
  refusal: (data) => refusalOfSet(data, null) ?? (midsOf(data).length === 0 ? "the data have no moves of the mid" : null),
  fit: fitClasses,
};

async function fitClasses(task: ModelTask): Promise<FittedModel> {
  const { data, fit, progress } = task;
  const prepared = prepareTask(task, logistic);
  const parts = { fit: prepared.train, validation: prepared.validation, test: prepareTest(task, prepared, 1) };
  const probabilities = mapParts(parts, ({ rows }) => new Float32Array(rows * data.columns.length * DIRECTIONS.length));
  const notes: string[] = [];
  progress.start("logistic lines", midsOf(data).length);
  for (const [at, output] of midsOf(data).entries()) {
    const threshold = balancedThreshold(knownMoves(data, fit, output)) ?? 0;
    const classes = (part: "fit" | "validation"): MemoryRows => classRows(parts[part], { data, rows: task[part], output, threshold });
    const line = fitLogistic(blockOf(everySoMany(classes("fit"), MOST_ROWS)), blockOf(classes("validation")), {
      classes: DIRECTIONS.length,
      lambdas: LAMBDAS,
    });
    notes.push(`mid in ${(data.columns[output]?.horizonMs ?? 0) / 1_000} s: λ ${line.lambda}`);
    for (const part of ["fit", "validation", "test"] as const)
      spread(answerLogistic(line, blockOf(parts[part])), probabilities[part], { data, output });
    progress.update(at + 1);
  }
  progress.stop();
  const leans = mapParts(probabilities, leansOf);
  const perLean = fitLeans(data, fit, leans.fit);
  return {
    validation: movesOfLeans(leans.validation, perLean),
    test: movesOfLeans(leans.test, perLean),
    probabilities: { validation: probabilities.validation, test: probabilities.test },
    configurations: LAMBDAS.length,
    isRefitted: false,
    notes: [notes.join(", ")],
    served: null,
  };
}

function midsOf({ columns }: AlignedData): number[] {
  return columns.flatMap(({ target }, output) => (target === "mid" ? [output] : []));
}

/** One target: the number of the class. */
function classRows(
  rows: MemoryRows,
  { data, rows: places, output, threshold }: { data: AlignedData; rows: Uint32Array; output: number; threshold: number },
): MemoryRows {
  const outputs = data.columns.length;
  const cells = places.map((row) => row * outputs + output);
  return {
    ...rows,
    outputs: 1,
    targets: Float32Array.from(cells, (cell) => directionOf(data.targets[cell] as number, threshold)),
    mask: Float32Array.from(cells, (cell) => data.mask[cell] as number),
  };
}

/** The mid's probabilities of a horizon are those of its bid and ask too: the three go together. */
function spread(own: Float32Array, into: Float32Array, { data, output }: { data: AlignedData; output: number }): void {
  const { columns } = data;
  const classes = DIRECTIONS.length;
  const members = columns.flatMap(({ horizonMs }, other) => (horizonMs === columns[output]?.horizonMs ? [other] : []));
  for (let row = 0; row < own.length / classes; row++) {
    for (const member of members) into.set(own.subarray(row * classes, (row + 1) * classes), (row * columns.length + member) * classes);
  }
}

/** [rows, outputs] up less down. */
function leansOf(probabilities: Float32Array): Float32Array {
  const classes = DIRECTIONS.length;
  return Float32Array.from(
    { length: probabilities.length / classes },
    (_, cell) => (probabilities[cell * classes + 2] as number) - (probabilities[cell * classes] as number),
  );
}

function mapParts<From, To>(
  parts: Readonly<Record<"fit" | "validation" | "test", From>>,
  make: (part: From) => To,
): Record<"fit" | "validation" | "test", To> {
  return { fit: make(parts.fit), validation: make(parts.validation), test: make(parts.test) };
}
