/**
 * The volumes-only 100-50-2 network (sturex/pyOrderbookTrading): what rests on ten levels of both sides in, which way the mid changes next out, given a
 * change within the longest horizon. Rows without one teach nothing. Its moves are its lean times a number of each output.
 */

import { CHANGE_DIRECTIONS, nextChanges } from "../../../core/labels/classes.ts";
import { exponential } from "../../../core/math/elementary.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../engine/settings.ts";
import { classLoss } from "../../networks/losses.ts";
import { volumesOf } from "../../networks/volumes.ts";
import { buildForwardPass } from "../../tensors/forward-pass.ts";
import { shapeOf } from "../../train/prepared-rows.ts";
import { answerRows, trainNetwork } from "../../train/train-network.ts";
import { noteOf } from "../../train/train-run.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";
import type { MemoryRows } from "../prepared.ts";
import { fitLeans, movesOfLeans } from "./from-direction.ts";
import { everySoMany, servedNetwork } from "./networks.ts";
import { prepareTask, prepareTest, refusalOfSet } from "./task-rows.ts";

const SETTINGS = { epochs: 12, batch: 256, learningRate: 1e-3, patience: 3 } as const;
const MOST_STOPPING_ROWS = 10_000;
const READS = "volumes-10";

export const volumes: ComparedModel = {
  id: "volumes",
  kind: "network",
  title: "the 100-50-2 network of volumes alone: the next change",
  reads: READS,
  window: 1,
  settings: SETTINGS,
  refusal: (data) => refusalOfSet(data, READS) ?? (stepOf(data) < 0 ? "it wants moves of the mid from row to row" : null),
  fit: fitVolumes,
};

async function fitVolumes(task: ModelTask): Promise<FittedModel> {
  const { data, runtime, progress, threads, signal } = task;
  const prepared = prepareTask(task, volumes);
  const classes = changesOf(data);
  const labelled = (rows: MemoryRows, places: Uint32Array): MemoryRows => classRows(rows, places, classes);
  const [train, validation] = [
    labelled(prepared.train, task.fit),
    everySoMany(labelled(prepared.validation, task.validation), MOST_STOPPING_ROWS),
  ];
  const network = volumesOf({ size: "paper", columns: train.columns, window: 1, outputs: CHANGE_DIRECTIONS.length });
  const batch = Math.min(SETTINGS.batch, train.rows);
  progress.start(`volumes on ${train.rows} rows`, SETTINGS.epochs * Math.ceil(train.rows / batch));
  const trained = await trainNetwork({
    ...{ runtime, network, train, validation },
    loss: classLoss([CHANGE_DIRECTIONS.length]),
    settings: { ...DEFAULT_TRAIN_SETTINGS, ...SETTINGS, batch, workers: Math.min(threads, batch) },
    ...(signal === undefined ? {} : { signal }),
    onProgress: (at) => progress.update(at.step, noteOf(at)),
  });
  progress.stop();
  const session = await runtime.open(buildForwardPass(network, shapeOf(train)));
  const leansOf = async (rows: MemoryRows): Promise<Float32Array> =>
    leans(await answerRows(session, trained, { ...rows, outputs: CHANGE_DIRECTIONS.length }), data.columns.length);
  const perLean = fitLeans(data, task.fit, await leansOf(prepared.train));
  const fitted = {
    validation: movesOfLeans(await leansOf(prepared.validation), perLean),
    test: movesOfLeans(await leansOf(prepareTest(task, prepared, 1)), perLean),
  };
  await session.release();
  const groups = [{ asks: "next-change", target: "mid", horizonMs: longestOf(data), labels: CHANGE_DIRECTIONS, thresholdBps: 0 }] as const;
  return {
    ...fitted,
    configurations: 1,
    isRefitted: false,
    notes: [`epoch ${trained.bestEpoch} of ${trained.curve.length} kept`],
    served: servedNetwork({
      network,
      trained,
      prepared,
      shape: shapeOf(train),
      window: 1,
      output: { name: "probabilities", unit: "probability", groups },
    }),
  };
}

/** [rows] which way the mid changes next; -1: not so soon, or the rows end before. Of rows that follow each other second by second. */
function changesOf(data: AlignedData): Int8Array {
  const { rows, times, columns, targets, mask, intervalMs } = data;
  const [outputs, step] = [columns.length, stepOf(data)];
  const cell = (row: number): number => row * outputs + step;
  const isFollowed = (row: number): boolean => (times[row + 1] ?? 0) - (times[row] as number) === intervalMs;
  return nextChanges(
    {
      moves: Float64Array.from({ length: rows }, (_, row) => targets[cell(row)] as number),
      mask: Uint8Array.from({ length: rows }, (_, row) => (isFollowed(row) ? (mask[cell(row)] as number) : 0)),
    },
    longestOf(data) / intervalMs,
  );
}

function classRows(rows: MemoryRows, places: Uint32Array, classes: Int8Array): MemoryRows {
  const labels = CHANGE_DIRECTIONS.length;
  const [targets, mask] = [new Float32Array(places.length * labels), new Float32Array(places.length * labels)];
  for (const [at, row] of places.entries()) {
    const known = classes[row] as number;
    if (known < 0) continue;
    targets[at * labels + known] = 1;
    mask.fill(1, at * labels, (at + 1) * labels);
  }
  return { ...rows, outputs: labels, targets, mask };
}

/** [rows, outputs] of logits [rows, 2]: one lean for all outputs. */
function leans(logits: Float32Array, outputs: number): Float32Array {
  const lean = (row: number): number => 2 / (1 + exponential((logits[2 * row] as number) - (logits[2 * row + 1] as number))) - 1;
  const byRow = Float32Array.from({ length: logits.length / 2 }, (_, row) => lean(row));
  return Float32Array.from({ length: byRow.length * outputs }, (_, cell) => byRow[Math.floor(cell / outputs)] as number);
}

function stepOf({ columns, intervalMs }: AlignedData): number {
  return columns.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === intervalMs);
}

function longestOf({ columns }: AlignedData): number {
  return Math.max(...columns.map(({ horizonMs }) => horizonMs));
}
