/** From prepared rows to a trained network, by the engine; and a network's answers to prepared rows. */

import type { EngineTask, TrainedNetwork } from "../engine/contract.ts";
import { createRowSource, type RowSource } from "../engine/row-source.ts";
import { runTraining } from "../engine/run-training.ts";
import type { Session } from "../runtime/contract.ts";
import type { Loss } from "../tensors/losses/contract.ts";
import { squaredError } from "../tensors/losses/squared-error.ts";
import type { PreparedRows } from "./contract.ts";
import { floatsOf, inputsBetween } from "./input-table.ts";
import { shapeOf } from "./prepared-rows.ts";

export type TrainingTask = Omit<EngineTask, "train" | "validation" | "loss" | "shape" | "data"> & {
  readonly train: PreparedRows;
  readonly validation: PreparedRows;
  /** Squared error unless told. */
  readonly loss?: Loss;
  readonly data?: string;
  /** [outputs] what each counts in the loss, 0 or more; all alike unless told. */
  readonly outputWeights?: readonly number[] | undefined;
};

/** Rows that are answered in one call, at most, and numbers that go in: 4 MB. */
const ANSWER_ROWS = 8_192;
const ANSWER_FLOATS = 1_048_576;

/** What a network knows: its parameters, and its running statistics (empty where it has none). */
export interface NetworkState {
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
}

/** Throws as runTraining does. */
export function trainNetwork({ train, validation, loss, data, outputWeights, ...task }: TrainingTask): Promise<TrainedNetwork> {
  return runTraining({
    ...task,
    loss: loss ?? squaredError,
    shape: shapeOf(train),
    train: sourceOf(train, outputWeights),
    validation: sourceOf(validation, outputWeights),
    data: data ?? "",
  });
}

/** The network's answers to prepared rows, [rows, outputs], in units of the targets' scale. */
export async function answerRows(session: Session, state: NetworkState, source: PreparedRows): Promise<Float32Array> {
  const shape = shapeOf(source);
  const block = Math.max(1, Math.min(ANSWER_ROWS, Math.floor(ANSWER_FLOATS / floatsOf(source))));
  const answers = new Float32Array(source.rows * source.outputs);
  const scratch = new Float32Array(Math.min(block, source.rows) * floatsOf(source));
  for (let first = 0; first < source.rows; first += block) {
    const rows = Math.min(block, source.rows - first);
    const answer = await session.run({
      features: { shape: [rows, ...shape], data: inputsBetween(source, { first, count: rows }, scratch) },
      parameters: { shape: [state.parameters.length], data: state.parameters },
      ...(state.statistics.length > 0 ? { statistics: { shape: [state.statistics.length], data: state.statistics } } : {}),
    });
    answers.set(answer.answer as Float32Array, first * source.outputs);
  }
  return answers;
}

function sourceOf({ rows, columns, outputs, inputs, windows, targets, mask }: PreparedRows, outputWeights?: readonly number[]): RowSource {
  return createRowSource({
    table: inputs,
    tableRows: inputs.kind === "memory" ? inputs.values.length / columns : (windows?.ends.at(-1) ?? -1) + 1,
    columns,
    window: windows?.size ?? 1,
    ends: windows?.ends ?? Uint32Array.from({ length: rows }, (_, row) => row),
    outputs,
    targets,
    weights: outputWeights === undefined ? mask : mask.map((isKnown, cell) => isKnown * (outputWeights[cell % outputs] as number)),
    weightsPer: "cell",
  });
}
