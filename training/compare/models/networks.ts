/**
 * Networks: a forward pass of training/networks with fixed, small settings, stopped early by validation, and trained once more on fit and validation rows
 * together for as many epochs.
 *
 * Heavy ones learn from every so-manieth fit row: windows of neighbours are nearly the same, and the comparison has an hour.
 */

import type { ModelOutput } from "../../../models/contract.ts";
import type { TrainedNetwork } from "../../engine/contract.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../engine/settings.ts";
import { answerRidge, fitRidge, type Line, RIDGE_LAMBDAS } from "../../linear/ridge.ts";
import type { NetworkOf } from "../../networks/contract.ts";
import { headFor } from "../../networks/heads.ts";
import type { NetworkSize } from "../../networks/settings.ts";
import { buildForwardPass } from "../../tensors/forward-pass.ts";
import { add } from "../../tensors/operators/arithmetic.ts";
import { reshape, slice } from "../../tensors/operators/layout.ts";
import { linear } from "../../tensors/operators/linear.ts";
import { buildServedGraph, weightsFrom } from "../../tensors/served-graph.ts";
import type { Network } from "../../tensors/training-step.ts";
import type { PreparedRows } from "../../train/contract.ts";
import { shapeOf } from "../../train/prepared-rows.ts";
import { answerRows, trainNetwork } from "../../train/train-network.ts";
import { noteOf } from "../../train/train-run.ts";
import type { ComparedModel, FittedModel, ModelTask, ServedModel } from "../contract.ts";
import { blockOf, inBps, type MemoryRows } from "../prepared.ts";
import { refitRidge } from "./lines.ts";
import { type PreparedTask, prepareRefit, prepareTask, prepareTest, refusalOfSet } from "./task-rows.ts";

export interface NetworkOptions {
  readonly id: string;
  readonly title: string;
  /** Null: the set that the comparison is about. */
  readonly reads: string | null;
  readonly window: number;
  readonly network: NetworkOf;
  readonly size: NetworkSize;
  readonly epochs: number;
  readonly learningRate: number;
  readonly batch: number;
  /** It learns what a ridge line of the newest row leaves, and answers both together; absent: the moves themselves. */
  readonly corrects?: "ridge";
  /** Fit rows that it learns from at most. */
  readonly mostRows: number;
  /** It is trained once for each, and answers their mean; absent: once, with the usual one. */
  readonly seeds?: readonly number[];
}

/** Validation rows that decide when to stop: more are scored, and cost time after each epoch. */
const MOST_STOPPING_ROWS = 10_000;
const PATIENCE = 2;
/** Of a training that nothing stops, rows whose loss is told. */
const MOST_TOLD_ROWS = 1_000;

export function networkModel(options: NetworkOptions): ComparedModel {
  const { id, title, reads, window, network, ...settings } = options;
  return {
    ...{ id, title, reads, window },
    kind: "network",
    settings: { ...settings, patience: PATIENCE, network: network.name },
    refusal: (data) => refusalOfSet(data, reads),
    fit: (task) => (options.seeds === undefined ? fitNetwork(task, options) : fitSeeds(task, options, options.seeds)),
  };
}

/** What was learnt, and how rows have to be prepared for it. */
interface Learnt {
  readonly network: Network;
  readonly trained: TrainedNetwork;
  /** Null: it corrects none. */
  readonly line: Line | null;
  readonly prepared: Pick<PreparedTask, "set" | "preparation">;
}

/** Each seed's network stops where validation stops it. */
async function fitSeeds(task: ModelTask, options: NetworkOptions, seeds: readonly number[]): Promise<FittedModel> {
  const fitted: FittedModel[] = [];
  for (const seed of seeds) fitted.push(await fitNetwork(task, options, seed));
  const meanOf = (part: "validation" | "test"): Float32Array => {
    const [first, ...others] = fitted.map((one) => one[part]) as [Float32Array, ...Float32Array[]];
    return first.map((answer, cell) => others.reduce((sum, other) => sum + (other[cell] as number), answer) / seeds.length);
  };
  return {
    validation: meanOf("validation"),
    test: meanOf("test"),
    configurations: fitted.reduce((sum, { configurations }) => sum + configurations, 0),
    isRefitted: fitted.every(({ isRefitted }) => isRefitted),
    notes: fitted.flatMap(({ notes }, at) => notes.map((note) => `seed ${seeds[at]}: ${note}`)),
    // Of a mean of several no graph is made.
    served: null,
  };
}

async function fitNetwork(task: ModelTask, options: NetworkOptions, seed = DEFAULT_TRAIN_SETTINGS.seed): Promise<FittedModel> {
  const prepared = prepareTask(task, options);
  const { set, validation } = prepared;
  const outputs = task.data.columns.length;
  const network = options.network({ size: options.size, columns: set.dataset.columns, window: options.window, outputs });
  const fitted = options.corrects === undefined ? null : fitRidge(blockOf(prepared.train), blockOf(validation));
  const taught = leftBy(fitted, everySoMany(prepared.train, options.mostRows));
  const stopping = leftBy(fitted, everySoMany(validation, MOST_STOPPING_ROWS));
  const trained = await trainOn(task, { network, train: taught, validation: stopping, options: { ...options, seed } });
  const first: Learnt = { network, trained, line: fitted, prepared };
  const again = await learnAgain(task, first, { options: { ...options, seed }, lambdas: fitted?.lambdas ?? null });
  return {
    validation: await answersOf(task, first, validation),
    test: await answersOf(task, again, again.test),
    configurations: fitted === null ? 1 : RIDGE_LAMBDAS.length,
    isRefitted: trained.bestEpoch > 0,
    notes: [
      `${trained.parameters.length} parameters; epoch ${trained.bestEpoch} of ${trained.curve.length} kept; learnt from ${taught.rows} of ${prepared.train.rows} fit rows`,
    ],
    served: servedNetwork({
      ...again,
      window: options.window,
      network:
        again.line === null
          ? network
          : servedWithLine(network, again.line, { columns: set.dataset.columns, outputs, window: options.window }),
      shape: shapeOf(validation),
      output: { name: "moves_bps", unit: "bps", columns: task.data.columns },
    }),
  };
}

/**
 * Once more, on fit and validation rows together, for as many epochs as validation liked. The loss that ends nothing is of rows that teach. Where no epoch was
 * better than no move, what there is stays.
 */
async function learnAgain(
  task: ModelTask,
  first: Learnt,
  { options, lambdas }: { options: NetworkOptions & { readonly seed: number }; lambdas: readonly (number | null)[] | null },
): Promise<Learnt & { readonly test: MemoryRows }> {
  const { network, trained, line, prepared } = first;
  const refit = prepareRefit(task, options);
  const epochs = trained.bestEpoch;
  if (epochs === 0) {
    const whole = { ...prepared, train: refit.train, validation: refit.train };
    return { network, trained, line, prepared, test: prepareTest(task, whole, options.window) };
  }
  const lineAgain = lambdas === null ? null : refitRidge(refit.train, lambdas);
  const taught = leftBy(lineAgain, everySoMany(refit.train, options.mostRows));
  const told = everySoMany(taught, MOST_TOLD_ROWS);
  const trainedAgain = await trainOn(task, { network, train: taught, validation: told, options: { ...options, epochs, patience: epochs } });
  return { network, trained: trainedAgain, line: lineAgain, prepared: refit, test: refit.test };
}

/** [rows, outputs] bps */
async function answersOf({ runtime }: ModelTask, { network, trained, line, prepared }: Learnt, rows: MemoryRows): Promise<Float32Array> {
  const session = await runtime.open(buildForwardPass(network, shapeOf(rows)));
  const answers = withLine(line, await answerRows(session, trained, rows), rows);
  await session.release();
  return inBps(answers, prepared.preparation.targetScale);
}

/** The same rows with what the line leaves of their moves. */
function leftBy(line: Line | null, rows: MemoryRows): MemoryRows {
  if (line === null) return rows;
  const base = answerRidge(line, blockOf(rows));
  return { ...rows, targets: rows.targets.map((target, cell) => target - (base[cell] as number)) };
}

function withLine(line: Line | null, answers: Float32Array, rows: MemoryRows): Float32Array {
  if (line === null) return answers;
  const base = answerRidge(line, blockOf(rows));
  return answers.map((answer, cell) => answer + (base[cell] as number));
}

/** The network with the line of the newest row added, as it is served. */
function servedWithLine(network: Network, line: Line, shape: { columns: number; outputs: number; window: number }): Network {
  const { columns, outputs, window } = shape;
  // [columns, outputs], the transposed of what ridge answers.
  const weights = Float32Array.from(
    { length: columns * outputs },
    (_, cell) => line.weights[(cell % outputs) * columns + Math.floor(cell / outputs)] as number,
  );
  return (graph, input) => {
    const rows = input.shape[0] ?? "batch";
    const newest = window === 1 ? input : reshape(graph, slice(graph, input, { axis: 1, from: window - 1, to: window }), [rows, columns]);
    return add(graph, network(graph, input), linear(graph, newest, { weights: graph.constant(weights, [columns, outputs]) }));
  };
}

/** By squared errors, until validation no longer improves. */
export async function trainOn(
  { runtime, progress, threads, signal }: ModelTask,
  work: {
    network: Network;
    train: PreparedRows;
    validation: PreparedRows;
    options: Pick<NetworkOptions, "id" | "batch" | "epochs" | "learningRate"> & { readonly patience?: number; readonly seed?: number };
  },
): Promise<TrainedNetwork> {
  const { options, ...rows } = work;
  const batch = Math.min(options.batch, rows.train.rows);
  const settings: TrainSettings = {
    ...DEFAULT_TRAIN_SETTINGS,
    seed: options.seed ?? DEFAULT_TRAIN_SETTINGS.seed,
    epochs: options.epochs,
    patience: options.patience ?? PATIENCE,
    batch,
    learningRate: options.learningRate,
    workers: Math.min(threads, batch),
  };
  progress.start(`${options.id} on ${rows.train.rows} rows`, settings.epochs * Math.ceil(rows.train.rows / batch));
  const trained = await trainNetwork({
    runtime,
    ...rows,
    settings,
    ...(signal === undefined ? {} : { signal }),
    onProgress: (at) => progress.update(at.step, noteOf(at)),
  });
  progress.stop();
  return trained;
}

/** At most so many, evenly spread. */
export function everySoMany(rows: MemoryRows, most: number): MemoryRows {
  const step = Math.ceil(rows.rows / most);
  if (step <= 1) return rows;
  const chosen = Uint32Array.from({ length: Math.ceil(rows.rows / step) }, (_, index) => index * step);
  const pick = (from: Float32Array, width: number): Float32Array => {
    const picked = new Float32Array(chosen.length * width);
    for (const [index, row] of chosen.entries()) picked.set(from.subarray(row * width, (row + 1) * width), index * width);
    return picked;
  };
  const { windows, columns, outputs } = rows;
  return {
    ...rows,
    rows: chosen.length,
    ...(windows === undefined
      ? { inputs: { kind: "memory" as const, values: pick(rows.inputs.values, columns) } }
      : { windows: { size: windows.size, ends: chosen.map((row) => windows.ends[row] as number) } }),
    targets: pick(rows.targets, outputs),
    mask: pick(rows.mask, outputs),
  };
}

export interface ServedNetwork {
  readonly network: Network;
  readonly trained: TrainedNetwork;
  readonly prepared: Pick<PreparedTask, "set" | "preparation">;
  readonly shape: readonly number[];
  readonly window: number;
  readonly output: ModelOutput;
}

export function servedNetwork({ network, trained, prepared, shape, window, output }: ServedNetwork): ServedModel {
  const { set, preparation } = prepared;
  const onnx = buildServedGraph(network, {
    shape,
    inputName: "features",
    outputName: output.name,
    head: headFor(output, preparation.targetScale),
    weights: new Map([...weightsFrom(trained.parameters, trained.slots), ...weightsFrom(trained.statistics, trained.statisticSlots)]),
  });
  return { onnx, inputName: "features", window, columns: set.dataset.columns, reads: set.id, normaliser: preparation.normaliser };
}
