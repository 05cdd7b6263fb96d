/**
 * A recursive LSTM: one network that knows one step alone, rolled forward. It reads the last rows and answers the next row's columns and the moves of bid,
 * mid and ask on the way there; its own row is then put behind the others, the oldest is dropped, and so on, the moves adding up. What it answers is the
 * mean of what may come, so its rows calm down within seconds, and so do its moves: it is rolled for half a minute at most, and what is farther is taken
 * to move no more. An anchored move is the mean of the moves to each second up to its horizon; of a smoothed one a part lies in the past, which this
 * network doesn't answer.
 */

import type { LabelKind } from "../../../core/labels/moves.ts";
import type { NetworkOf } from "../../networks/contract.ts";
import { lstmOf } from "../../networks/recurrent.ts";
import type { Session } from "../../runtime/contract.ts";
import { buildForwardPass } from "../../tensors/forward-pass.ts";
import { INPUT_CLIP } from "../../train/normaliser.ts";
import { shapeOf } from "../../train/prepared-rows.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import type { MemoryRows } from "../prepared.ts";
import { everySoMany, trainOn } from "./networks.ts";
import { type PreparedTask, prepareTask, prepareTest, refusalOfSet } from "./task-rows.ts";

const SETTINGS = {
  size: "paper",
  window: 10,
  epochs: 4,
  learningRate: 1e-3,
  batch: 128,
  mostRows: 60_000,
  mostSteps: 30,
  moveWeight: 10,
} as const;
const MOST_STOPPING_ROWS = 10_000;
/** Rows that are rolled together. */
const BLOCK_ROWS = 512;

export const recursive: ComparedModel = {
  id: "lstm-recursive",
  kind: "network",
  title: "an LSTM that knows one step, rolled forward",
  reads: null,
  window: SETTINGS.window,
  settings: SETTINGS,
  refusal(data) {
    if (data.label === "smoothed") return "it answers prices to come, and a smoothed move begins at a mean of past ones";
    return refusalOfSet(data, null) ?? (stepsOf(data).length === 0 ? "it wants moves from row to row" : null);
  },
  fit: fitRecursive,
};

async function fitRecursive(task: ModelTask): Promise<FittedModel> {
  const { data, runtime, progress } = task;
  const prepared = prepareTask(task, recursive);
  const steps = stepsOf(data);
  const [train, validation] = [everySoMany(prepared.train, SETTINGS.mostRows), everySoMany(prepared.validation, MOST_STOPPING_ROWS)].map(
    (rows) => withNextRows(rows, prepared, steps),
  ) as [MemoryRows, MemoryRows];
  const network = (lstmOf as NetworkOf)({ size: SETTINGS.size, columns: train.columns, window: SETTINGS.window, outputs: train.outputs });
  const trained = await trainOn(task, { network, train, validation, options: { id: recursive.id, ...SETTINGS } });
  const session = await runtime.open(buildForwardPass(network, shapeOf(train)));
  const roll = (rows: MemoryRows): Promise<Float32Array> =>
    rollForward({ session, parameters: trained.parameters }, rows, { task, prepared, steps });
  progress.start("rolling forward", null);
  const fitted = { validation: await roll(prepared.validation), test: await roll(prepareTest(task, prepared, SETTINGS.window)) };
  progress.stop();
  await session.release();
  return {
    ...fitted,
    configurations: 1,
    isRefitted: false,
    notes: [
      `epoch ${trained.bestEpoch} of ${trained.curve.length} kept; learnt from ${train.rows} of ${prepared.train.rows} fit rows; rolled ${rollsOf(data)} steps`,
    ],
    // What is served would be the rolling too, and no graph of it is made.
    served: null,
  };
}

/** What is answered of each: the next row's columns, then the moves on the way there. */
function withNextRows(rows: MemoryRows, { set, table }: PreparedTask, steps: readonly number[]): MemoryRows {
  const { dataset } = set;
  const { columns } = dataset;
  const ends = rows.windows?.ends ?? new Uint32Array();
  const outputs = columns + steps.length;
  const [targets, mask] = [new Float32Array(rows.rows * outputs), new Float32Array(rows.rows * outputs)];
  for (const [at, row] of ends.entries()) {
    const next = row + 1;
    const isFollowed =
      dataset.segments[next] === dataset.segments[row] &&
      (dataset.times[next] as number) - (dataset.times[row] as number) === dataset.card.intervalMs;
    if (isFollowed && table !== undefined) {
      targets.set(table.subarray(next * columns, (next + 1) * columns), at * outputs);
      mask.fill(1, at * outputs, at * outputs + columns);
    }
    for (const [place, output] of steps.entries()) {
      targets[at * outputs + columns + place] = rows.targets[at * rows.outputs + output] as number;
      mask[at * outputs + columns + place] = SETTINGS.moveWeight * (rows.mask[at * rows.outputs + output] as number);
    }
  }
  return { ...rows, outputs, targets, mask };
}

interface Rolled {
  readonly task: ModelTask;
  readonly prepared: PreparedTask;
  /** Outputs of the data that are one step ahead. */
  readonly steps: readonly number[];
}

/** [rows, outputs] bps */
async function rollForward(
  { session, parameters }: { session: Session; parameters: Float32Array },
  rows: MemoryRows,
  { task, prepared, steps }: Rolled,
): Promise<Float32Array> {
  const { columns, intervalMs, label } = task.data;
  const outputs = columns.length;
  const rolls = rollsOf(task.data);
  const moves = new Float32Array(rows.rows * outputs);
  const scales = steps.map((output) => prepared.preparation.targetScale[output] as number);
  const placeOf = columns.map(({ target }) => steps.findIndex((step) => columns[step]?.target === target));
  for (let first = 0; first < rows.rows; first += BLOCK_ROWS) {
    const block = windowsOf(rows, first, Math.min(BLOCK_ROWS, rows.rows - first));
    const sums = new Float64Array(block.rows * steps.length);
    // Of the moves to each second so far.
    const totals = new Float64Array(sums.length);
    for (let roll = 1; roll <= rolls; roll++) {
      const { answer } = await session.run({
        features: { shape: [block.rows, SETTINGS.window, rows.columns], data: block.values },
        parameters: { shape: [parameters.length], data: parameters },
      });
      pushRows(block, answer as Float32Array, { columns: rows.columns, width: rows.columns + steps.length });
      for (let row = 0; row < block.rows; row++) {
        for (const [place, scale] of scales.entries()) {
          const move = (answer?.[row * (rows.columns + steps.length) + rows.columns + place] ?? 0) * scale;
          sums[row * steps.length + place] = (sums[row * steps.length + place] as number) + move;
        }
      }
      for (const [cell, sum] of sums.entries()) totals[cell] = (totals[cell] as number) + sum;
      for (const [output, { horizonMs }] of columns.entries()) {
        // Of the last roll also those that are farther.
        if (horizonMs !== roll * intervalMs && !(roll === rolls && horizonMs > roll * intervalMs)) continue;
        const stepsAhead = horizonMs / intervalMs;
        for (let row = 0; row < block.rows; row++) {
          const cell = row * steps.length + (placeOf[output] as number);
          moves[(first + row) * outputs + output] = moveOver(label, {
            sum: sums[cell] as number,
            total: totals[cell] as number,
            roll,
            stepsAhead,
          });
        }
      }
    }
  }
  return moves;
}

/**
 * The move over so many steps, of which `roll` were rolled: none comes behind them.
 * @param rolled.sum of the rolled steps' moves. @param rolled.total of the moves up to each of them.
 */
export function moveOver(
  label: LabelKind,
  { sum, total, roll, stepsAhead }: { sum: number; total: number; roll: number; stepsAhead: number },
): number {
  return label === "anchored" ? (total + (stepsAhead - roll) * sum) / stepsAhead : sum;
}

interface Block {
  readonly rows: number;
  /** [rows, window, columns] */
  readonly values: Float32Array;
}

function windowsOf({ inputs, columns, windows }: MemoryRows, first: number, rows: number): Block {
  const size = SETTINGS.window * columns;
  const values = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const end = ((windows?.ends[first + row] ?? 0) + 1) * columns;
    values.set(inputs.values.subarray(end - size, end), row * size);
  }
  return { rows, values };
}

/** Drops each window's oldest row and puts what was answered behind the others, cut as columns are. */
function pushRows({ rows, values }: Block, answer: Float32Array, { columns, width }: { columns: number; width: number }): void {
  const size = SETTINGS.window * columns;
  for (let row = 0; row < rows; row++) {
    values.copyWithin(row * size, row * size + columns, (row + 1) * size);
    for (let column = 0; column < columns; column++) {
      const value = answer[row * width + column] as number;
      values[(row + 1) * size - columns + column] = Math.min(Math.max(value, -INPUT_CLIP), INPUT_CLIP);
    }
  }
}

function stepsOf({ columns, intervalMs }: AlignedData): number[] {
  return columns.flatMap(({ horizonMs }, output) => (horizonMs === intervalMs ? [output] : []));
}

function rollsOf({ columns, intervalMs }: AlignedData): number {
  return Math.min(SETTINGS.mostSteps, Math.max(...columns.map(({ horizonMs }) => horizonMs / intervalMs)));
}
