/**
 * Trains a family's network on a handful of random windows by the plainest of loops, one graph for the gradient and Adam in JavaScript, and exports it: what
 * the contract of all families is proved with, in Node and in workerd. Shares nothing with training/engine.
 */

import { createHash } from "node:crypto";
import { featureSetNamed } from "../../core/features/registry.ts";
import { Random } from "../../core/math/random.ts";
import type { AnswerKind, ModelFamily, ModelManifest, ModelOutput, Normaliser } from "../../models/contract.ts";
import { prepareWindows } from "../../models/prepare.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { inputShape, outputOf, outputWidth } from "../../models/shapes.ts";
import type { MemoryTable } from "../../training/engine/row-source.ts";
import { buildLinearGraph } from "../../training/linear/linear-graph.ts";
import { answerRidge } from "../../training/linear/ridge.ts";
import { headFor } from "../../training/networks/heads.ts";
import { lossFor } from "../../training/networks/losses.ts";
import { networkOf } from "../../training/networks/registry.ts";
import { answerFor, type NetworkSettings, type NetworkSize } from "../../training/networks/settings.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { OPSET } from "../../training/onnx/model.ts";
import type { Tensor } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { emitConcat, emitReshape } from "../../training/tensors/emit.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";
import { buildServedGraph } from "../../training/tensors/served-graph.ts";
import { sizeOf } from "../../training/tensors/shape.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { meanError } from "../../training/train/baseline.ts";
import { leftByLine, sumOfBoth } from "../../training/train/correction.ts";
import { answerLine, fitLines } from "../../training/train/fit-lines.ts";
import { answerTrees, askedOf, fitTrees, type RunTreeSettings, TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { buildServedEnsemble } from "../../training/trees/served-ensemble.ts";

/** How much of the batch's statistics goes into the running ones at each step. */
const MOMENTUM = 0.3;
const SCALE_BPS = 3;

export interface TinyTask {
  readonly family: ModelFamily;
  readonly answer: AnswerKind;
  readonly size: NetworkSize;
  /** What else a run may ask of the network. */
  readonly besides?: Pick<NetworkSettings, "hidden" | "dropout" | "hasLine">;
  readonly rows: number;
  /** At most. */
  readonly steps: number;
  /** Stops once the loss is below this share of the first; 0 unless told. */
  readonly until?: number;
  readonly learningRate: number;
}

export interface TinyModel {
  /** Of each step. */
  readonly losses: readonly number[];
  readonly network: Network;
  readonly output: ModelOutput;
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly columns: readonly string[];
  /** [window x columns] of each row, as the network takes it: normalised. */
  readonly shape: readonly number[];
}

/** What answers in the units that are served, whoever made it, and its file. */
export interface TinyFile {
  readonly losses: readonly number[];
  readonly output: ModelOutput;
  readonly shape: readonly number[];
  readonly file: Uint8Array;
  /** @param rows [rows x shape] normalised. */
  answer(rows: Float32Array): Promise<number[][]>;
}

export async function makeTiny(task: TinyTask): Promise<TinyFile> {
  if (task.family.id === "linear") return makeLine(task);
  if (task.family.id === "trees") return makeTrees(task);
  if (task.family.id === "corrected") return makeCorrected(task);
  const model = await trainTiny(task);
  const { losses, output, shape } = model;
  return { losses, output, shape, file: servedFileOf(model), answer: (rows) => answerAsTrainer(model, rows) };
}

export function familyNamed(id: string): ModelFamily {
  const family = MODEL_FAMILIES.get(id);
  if (family === undefined) throw new Error(`no family ${id}`);
  return family;
}

/** What a row of the family holds. */
export function rowsOf(family: ModelFamily): { id: string; fingerprint: string; columns: readonly string[]; intervalMs: number } {
  const rows = family.inputs.kind === "layout" ? family.inputs.layout : featureSetNamed(family.inputs.featureSet ?? "v1");
  if (rows === null) throw new Error(`${family.id} reads a feature set that there isn't`);
  const { id, fingerprint, columns } = rows;
  return { id, fingerprint, columns, intervalMs: "intervalMs" in rows ? rows.intervalMs : 1_000 };
}

async function trainTiny(task: TinyTask): Promise<TinyModel> {
  const { family, answer, size, rows, steps } = task;
  const { columns } = rowsOf(family);
  const shape = inputShape(family, columns.length).slice(1).map(Number);
  const told = answerFor(family, answer);
  const thresholds = told.kind === "classes" ? told.questions.map(({ labels }) => (labels.length === 2 ? 0 : 0.5)) : [];
  const output = outputOf(told, thresholds);
  const outputs = outputWidth(output, sizeOf(shape));
  const network = networkOf(family, { answer, size, ...task.besides }, columns.length);
  if (network === null) throw new Error(`${family.id} has no network`);
  const random = new Random(17);
  const graph = new GraphBuilder();
  const loss = lossFor(task.family.id, output).build(graph, network(graph, graph.input("features", [rows, ...shape])), {
    targets: graph.input("targets", [rows, outputs]),
    weights: graph.input("weights", [rows, outputs]),
    total: graph.input("total", [1]),
  });
  const flat = graph.unpackParameters("parameters");
  graph.unpackNoise("noise");
  const gradients = differentiate(
    graph,
    loss,
    graph.parameters.map(({ value }) => value),
  );
  graph.output("loss", loss);
  graph.output(
    "gradient",
    emitConcat(
      graph,
      gradients.map((gradient) => emitReshape(graph, gradient, [sizeOf(gradient.shape)])),
      0,
    ),
  );
  for (const [index, { value }] of graph.statistics.entries()) graph.output(`statistic${index}`, value);
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("tiny")));
  const features = output.unit === "normalised" ? plainWindows(random, { rows, shape }) : normals(random, rows * sizeOf(shape));
  const feeds: Record<string, Tensor> = {
    features: { shape: [rows, ...shape], data: features },
    targets: { shape: [rows, outputs], data: truthOf(output, { rows, outputs, features, random }) },
    weights: { shape: [rows, outputs], data: new Float32Array(rows * outputs).fill(1) },
    total: { shape: [1], data: Float32Array.of(rows * outputs) },
  };
  const parameters = new Float32Array(sizeOf(flat.shape));
  let offset = 0;
  for (const { value, initialise } of graph.parameters) {
    const drawn = initialise(value.shape as readonly number[], () => random.uniform());
    parameters.set(drawn, offset);
    offset += drawn.length;
  }
  const adam = adamOf(parameters, task.learningRate);
  const statistics = graph.statistics.map(({ size: count, initial }) => new Float32Array(count).fill(initial));
  const losses: number[] = [];
  for (let step = 0; step < steps && !(Math.min(...losses) < (task.until ?? 0) * (losses[0] ?? 0)); step++) {
    const noise = Float32Array.from({ length: graph.noiseCount }, () => random.uniform());
    const given = await session.run({
      ...feeds,
      parameters: { shape: [parameters.length], data: parameters },
      ...(noise.length > 0 ? { noise: { shape: [noise.length], data: noise } } : {}),
    });
    losses.push(given.loss?.[0] ?? Number.NaN);
    adam(given.gradient as Float32Array);
    for (const [index, running] of statistics.entries()) {
      const seen = given[`statistic${index}`] as Float32Array;
      for (const [at, value] of running.entries()) running[at] = value + MOMENTUM * ((seen[at] as number) - value);
    }
  }
  await session.release();
  const weights = new Map<string, Float32Array>(graph.statistics.map(({ name }, index) => [name, statistics[index] as Float32Array]));
  offset = 0;
  for (const { value } of graph.parameters) {
    const count = sizeOf(value.shape);
    weights.set(value.name, parameters.slice(offset, offset + count));
    offset += count;
  }
  return {
    losses,
    network,
    output,
    parameters,
    statistics: Float32Array.from(statistics.flatMap((part) => [...part])),
    weights,
    columns,
    shape,
  };
}

/** The graph that answers while training goes on, with the head done here in plain doubles. @param rows [rows x shape] normalised. */
async function answerAsTrainer(model: TinyModel, rows: Float32Array): Promise<number[][]> {
  const graph = new GraphBuilder({ purpose: "answering" });
  graph.output("answer", model.network(graph, graph.input("features", ["batch", ...model.shape])));
  graph.unpackParameters("parameters");
  graph.unpackStatistics("statistics");
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("answering")));
  const { parameters, statistics } = model;
  const given = await session.run({
    features: { shape: [rows.length / sizeOf(model.shape), ...model.shape], data: rows },
    parameters: { shape: [parameters.length], data: parameters },
    ...(statistics.length > 0 ? { statistics: { shape: [statistics.length], data: statistics } } : {}),
  });
  await session.release();
  const width = outputWidth(model.output, sizeOf(model.shape));
  return inRows(given.answer as Float32Array, width).map((row) => naiveHead(model.output, row));
}

function servedFileOf(model: TinyModel): Uint8Array {
  const width = outputWidth(model.output, sizeOf(model.shape));
  return buildServedGraph(model.network, {
    shape: model.shape,
    inputName: "features",
    outputName: model.output.name,
    head: headFor(model.output, new Array(width).fill(SCALE_BPS)),
    weights: model.weights,
  });
}

/** A file and a manifest whose golden answers are the trainer's own, within 1e-5 of the largest. */
export async function exportTiny(family: ModelFamily, model: TinyFile): Promise<{ manifest: string; artifact: Uint8Array }> {
  const { id, fingerprint, columns, intervalMs } = rowsOf(family);
  const normaliser: Normaliser = { mean: columns.map((_, at) => at / 8), scale: columns.map((_, at) => 1 + (at % 3)), clip: 5 };
  const random = new Random(29);
  // Few digits, so that the widest window's manifest stays small.
  const inputs = [0, 1].map(() => Array.from(normals(random, sizeOf(model.shape)), (value) => Math.round(value * 64) / 64));
  const outputs = await model.answer(prepareWindows(inputs, normaliser, family.window));
  const largest = outputs.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const artifact = model.file;
  const manifest: ModelManifest = {
    format: "edgebook-model/1",
    id: family.id,
    version: "1",
    family: family.id,
    featureSet: { id, fingerprint, columns },
    intervalMs,
    input: { name: family.inputName, shape: inputShape(family, columns.length) },
    output: model.output,
    normaliser,
    opset: OPSET,
    artifact: { file: "model.onnx", sha256: createHash("sha256").update(artifact).digest("hex"), bytes: artifact.length },
    trainedOn: { source: "noise", datasetSha256: "0".repeat(64), from: 0, to: 1, rows: 1, seed: 17, commit: null },
    scores: [],
    scoredOn: null,
    golden: { inputs, outputs, tolerance: 1e-5 * largest },
  };
  return { manifest: JSON.stringify(manifest), artifact };
}

/** What a code of few numbers can hold, as no code can hold noise: each window is a level and a slope, shared out to the columns in fixed parts. */
function plainWindows(random: Random, { rows, shape }: { rows: number; shape: readonly number[] }): Float32Array {
  const [window = 1, columns = 1] = shape;
  const [level, slope] = [normals(random, columns), normals(random, columns)];
  return Float32Array.from(
    Array.from({ length: rows }, () => {
      const [a, b] = [random.normal(), random.normal()];
      return Array.from({ length: window * columns }, (_, at) => {
        const [step, column] = [Math.floor(at / columns) / window, at % columns];
        return a * (level[column] as number) + b * step * (slope[column] as number);
      });
    }).flat(),
  );
}

/** Enough that a line, and trees of few leaves, have something to find. */
const PLAIN_ROWS = 64;

interface PlainRows {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly inputs: MemoryTable;
  readonly targets: Float32Array;
  readonly mask: Float32Array;
  readonly output: ModelOutput;
}

/** Every move is one column, and every class tells whether one is low, middling or high, so that lines and trees can learn it by heart. */
function plainRows({ family, answer }: TinyTask): PlainRows {
  const columns = rowsOf(family).columns.length;
  const told = answerFor(family, answer);
  const output = outputOf(told, told.kind === "classes" ? told.questions.map(() => 0.5) : []);
  const outputs = outputWidth(output, columns);
  const inputs = normals(new Random(11), PLAIN_ROWS * columns);
  const targets = new Float32Array(PLAIN_ROWS * outputs);
  for (let row = 0; row < PLAIN_ROWS; row++) {
    for (const [index, { from, width }] of askedOf(output).entries()) {
      const value = inputs[row * columns + index] as number;
      if (width === 1) targets[row * outputs + from] = value;
      else targets[row * outputs + from + (value < -0.4 ? 0 : value > 0.4 ? width - 1 : 1)] = 1;
    }
  }
  return {
    rows: PLAIN_ROWS,
    columns,
    outputs,
    inputs: { kind: "memory", values: inputs },
    targets,
    mask: new Float32Array(targets.length).fill(1),
    output,
  };
}

function makeLine(task: TinyTask): TinyFile {
  const rows = plainRows(task);
  const { columns, outputs, output } = rows;
  const { weights, intercepts } = fitLines(rows, rows, { output, settings: { lambdas: [1e-5], hasIntercept: false } });
  const sizes = output.unit === "probability" ? output.groups.map(({ labels }) => labels.length) : [];
  const answer =
    output.unit === "bps"
      ? ({ kind: "ridge", outputScale: new Array<number>(outputs).fill(SCALE_BPS) } as const)
      : ({ kind: "softmax", sizes } as const);
  return {
    losses: [0, 1].map((share) =>
      meanError(
        rows,
        answerLine({ weights, intercepts }, rows).map((value) => share * value),
        output,
      ),
    ),
    output,
    shape: [columns],
    file: buildLinearGraph({ inputName: "features", outputName: output.name, weights, intercepts, columns, answer }),
    answer: async (inputs) =>
      inRows(answerRidge({ weights, intercepts }, { ...rows, rows: inputs.length / columns, inputs }), outputs).map((row) =>
        naiveHead(output, row),
      ),
  };
}

async function makeTrees(task: TinyTask): Promise<TinyFile> {
  const rows = plainRows(task);
  const { columns, outputs, output } = rows;
  const settings: RunTreeSettings = output.unit === "bps" ? TREE_SETTINGS : { ...TREE_SETTINGS, objective: { kind: "multiclass" } };
  const { trained } = await fitTrees(rows, rows, { output, settings, threads: 1 });
  const ensembles = trained.flatMap((one) => one?.ensemble ?? []);
  return {
    losses: [1, Math.max(...trained.map((one) => (one?.curve.at(-1)?.trainLoss ?? Number.NaN) / (one?.curve[0]?.trainLoss ?? Number.NaN)))],
    output,
    shape: [columns],
    file: buildServedEnsemble(ensembles, {
      inputName: "features",
      outputName: output.name,
      outputScale: output.unit === "bps" ? new Array<number>(outputs).fill(SCALE_BPS) : null,
    }),
    answer: async (features) =>
      inRows(
        answerTrees(
          ensembles,
          { rows: features.length / columns, columns, outputs, inputs: { kind: "memory", values: features } },
          askedOf(output),
        ),
        outputs,
      ).map((row) => naiveHead(output, row)),
  };
}

/** A line of so large a penalty that it leaves half of each move to the trees. */
async function makeCorrected(task: TinyTask): Promise<TinyFile> {
  const rows = plainRows(task);
  const { columns, outputs, output } = rows;
  const { line, train, validation } = leftByLine(rows, rows, { output, settings: { lambdas: [1], hasIntercept: false } });
  const { trained } = await fitTrees(train, validation, { output, settings: TREE_SETTINGS, threads: 1 });
  const ensembles = trained.flatMap((one) => one?.ensemble ?? []);
  const answered = (inputs: Float32Array): Float32Array => {
    const asked = { ...rows, rows: inputs.length / columns, inputs: { kind: "memory", values: inputs } as const };
    return sumOfBoth(line, answerTrees(ensembles, asked, askedOf(output)), asked);
  };
  const outputScale = new Array<number>(outputs).fill(SCALE_BPS);
  return {
    losses: [meanError(rows, new Float32Array(rows.targets.length), output), meanError(rows, answered(rows.inputs.values), output)],
    output,
    shape: [columns],
    file: buildServedEnsemble(ensembles, { inputName: "features", outputName: output.name, outputScale, line }),
    answer: async (inputs) => inRows(answered(inputs), outputs).map((row) => naiveHead(output, row)),
  };
}

const TREE_SETTINGS: RunTreeSettings = {
  ...TREE_DEFAULTS,
  growth: { kind: "depth-wise", maxDepth: 4 },
  rounds: 20,
  learningRate: 0.3,
  maxBins: 32,
  lambda: 0,
  minRows: 1,
  rowShare: 1,
  columnShare: 1,
  earlyStoppingRounds: null,
};

export function normals(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}

export function inRows(values: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_each, at) => values[row * width + at] as number),
  );
}

/** Random moves and values; one random class of each question; for a reconstruction the input itself. */
function truthOf(
  output: ModelOutput,
  { rows, outputs, features, random }: { rows: number; outputs: number; features: Float32Array; random: Random },
): Float32Array {
  if (output.unit === "normalised") return features.slice();
  if (output.unit !== "probability") return normals(random, rows * outputs);
  const truth = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    let from = row * outputs;
    for (const { labels } of output.groups) {
      truth[from + random.integerBelow(labels.length)] = 1;
      from += labels.length;
    }
  }
  return truth;
}

function naiveHead(output: ModelOutput, row: readonly number[]): number[] {
  if (output.unit === "bps") return row.map((value) => value * SCALE_BPS);
  if (output.unit !== "probability") return [...row];
  let from = 0;
  return output.groups.flatMap(({ labels }) => {
    const powers = row.slice(from, from + labels.length).map(Math.exp);
    from += labels.length;
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  });
}

/** Kingma and Ba 2015, in place. */
function adamOf(parameters: Float32Array, learningRate: number): (gradient: Float32Array) => void {
  const first = new Float64Array(parameters.length);
  const second = new Float64Array(parameters.length);
  let [power1, power2] = [1, 1];
  return (gradient) => {
    power1 *= 0.9;
    power2 *= 0.999;
    for (const [at, slope] of gradient.entries()) {
      first[at] = 0.9 * (first[at] as number) + 0.1 * slope;
      second[at] = 0.999 * (second[at] as number) + 0.001 * slope * slope;
      const step = (first[at] as number) / (1 - power1) / (Math.sqrt((second[at] as number) / (1 - power2)) + 1e-8);
      parameters[at] = (parameters[at] as number) - learningRate * step;
    }
  };
}
