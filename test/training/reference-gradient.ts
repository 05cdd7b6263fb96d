/**
 * A stored gradient of a whole network, made by PyTorch in float64 (bench/peers/reference_gradients.py tells how, and what a sketch is), and our own gradient
 * of the same network at the same place: parameters, inputs, targets, weights and noise come from seeded numbers, alike on both sides.
 */

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { seededBits, seededUniform } from "../../bench/seeded-numbers.ts";
import { decodeModel } from "../../training/onnx/decode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import type { Precision } from "../../training/tensors/graph-builder.ts";
import type { Loss } from "../../training/tensors/losses/contract.ts";
import { lossOf } from "../../training/tensors/losses/registry.ts";
import { buildGradientStep, type GradientStep, type Network, type ParameterSlot } from "../../training/tensors/training-step.ts";
import { evaluateGraph } from "./float64-evaluator.ts";

const BUCKETS = 128;
const SEEDS = { inputs: 1, targets: 2, weights: 3, noise: 4, parameters: 1_000, sketch: 2_000 };
const INPUT_SCALE = 1.75;
/** Of the whole gradient: below that a parameter's own is rounding (a bias of attention's keys has none at all). */
const FLOOR = 1e-4;

const referenceShape = z.strictObject({
  network: z.string(),
  group: z.enum(["bench", "family"]),
  made: z.string(),
  /** Of the batch that goes in. */
  shape: z.array(z.int()),
  outputs: z.int(),
  loss: z.enum(["cross-entropy", "squared", "huber"]),
  noise: z.int(),
  lossValue: z.number(),
  /** Of the whole gradient. */
  norm: z.number(),
  /** How far PyTorch's own float32 is from it: of the whole gradient, relative. */
  errorOfFloat32: z.number(),
  parameters: z.array(
    z.strictObject({
      name: z.string(),
      shape: z.array(z.int()),
      /** It starts from scale times a seeded number on [-1, 1), plus offset. */
      scale: z.number(),
      offset: z.number(),
      norm: z.number(),
      /** Base64 of float64, little-endian. */
      sketch: z.string(),
    }),
  ),
});

export type Reference = z.infer<typeof referenceShape>;

export async function readReference(path: string | URL): Promise<Reference> {
  return referenceShape.parse(JSON.parse(await readFile(path, "utf8")));
}

export interface OwnGradient {
  readonly slots: readonly ParameterSlot[];
  readonly loss: number;
  readonly gradient: Float32Array | Float64Array;
}

/** @param engine "float32": by onnxruntime's native kernels, as training runs it; "float64": by the plain evaluator of the tests. */
export async function ownGradient(network: Network, reference: Reference, engine: Precision): Promise<OwnGradient> {
  const { outputs, shape } = reference;
  const [rows, ...one] = shape as [number, ...number[]];
  const step = buildGradientStep(network, { rows, shape: one, outputs, loss: lossNamed(reference.loss), precision: engine });
  const answer = engine === "float32" ? await runNatively(step, feedsOf(step, reference)) : evaluate(step, feedsOf(step, reference));
  return { slots: step.slots, loss: answer.loss?.[0] ?? Number.NaN, gradient: answer.gradient ?? new Float64Array(0) };
}

function lossNamed(id: Reference["loss"]): Loss {
  return lossOf(id === "huber" ? { id, delta: 1 } : { id });
}

interface Feed {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
type Answer = Record<string, Float32Array | Float64Array>;

async function runNatively(step: GradientStep, feeds: Record<string, Feed>): Promise<Answer> {
  const session = await (await loadRuntime("node")).open(step.model);
  const answer = await session.run(feeds);
  await session.release();
  return answer;
}

function evaluate(step: GradientStep, feeds: Record<string, Feed>): Answer {
  const doubles = Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]);
  const answer = evaluateGraph(decodeModel(step.model).graph, Object.fromEntries(doubles));
  return Object.fromEntries(Object.entries(answer).map(([name, { data }]) => [name, data]));
}

function feedsOf(step: GradientStep, reference: Reference): Record<string, Feed> {
  const { shape, outputs, loss, noise } = reference;
  const rows = shape[0] as number;
  const weights = loss === "cross-entropy" ? rowWeights(rows) : cellWeights(rows * outputs);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const feeds: Record<string, Feed> = {
    features: { shape, data: seeded(SEEDS.inputs, shape.reduce(product), (number) => INPUT_SCALE * number) },
    targets: {
      shape: [rows, outputs],
      data: loss === "cross-entropy" ? classTargets(rows, outputs) : seeded(SEEDS.targets, rows * outputs),
    },
    weights: { shape: [rows, weights.length / rows], data: weights },
    total: { shape: [1], data: Float32Array.of(total) },
    parameters: { shape: [step.parameterCount], data: startOf(step, reference) },
  };
  return noise === 0
    ? feeds
    : { ...feeds, noise: { shape: [noise], data: seeded(SEEDS.noise, noise, (number) => Math.fround(number + 1) / 2) } };
}

function seeded(seed: number, count: number, change: (number: number) => number = (number) => number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => change(seededUniform(seed, index)));
}

function classTargets(rows: number, classes: number): Float32Array {
  const targets = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) targets[row * classes + (seededBits(SEEDS.targets, row) % classes)] = 1;
  return targets;
}

function rowWeights(rows: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => 1 + (seededBits(SEEDS.weights, row) % 2));
}

/** Every eighth cell or so has no target. */
function cellWeights(cells: number): Float32Array {
  return Float32Array.from({ length: cells }, (_, cell) => (seededBits(SEEDS.weights, cell) % 8 === 0 ? 0 : 1));
}

function startOf(step: GradientStep, { parameters }: Reference): Float32Array {
  const flat = new Float32Array(step.parameterCount);
  for (const [index, { offset, size }] of step.slots.entries()) {
    const start = parameters[index] ?? { scale: 0, offset: 0 };
    flat.set(
      seeded(SEEDS.parameters + index, size, (number) => Math.fround(start.scale * number) + start.offset),
      offset,
    );
  }
  return flat;
}

export interface GradientError {
  /** Of the whole gradient: length of the difference over the length of the reference. */
  readonly whole: number;
  /** The worst parameter's own, by name: a small one may be all wrong without showing in the whole. Of one whose gradient is all but nothing, over a floor. */
  readonly worst: { readonly name: string; readonly error: number };
}

/** Both from the sketches: true to some 6 % of themselves. Throws where the parameters are not the reference's. */
export function gradientError(own: OwnGradient, reference: Reference): GradientError {
  const named = own.slots.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join("\n");
  const wanted = reference.parameters.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join("\n");
  if (named !== wanted) throw new Error(`other parameters than the reference's:\n${named}\nwhere it has\n${wanted}`);
  let squares = 0;
  let worst = { name: "", error: -1 };
  for (const [index, { name, offset, size }] of own.slots.entries()) {
    const { sketch, norm } = reference.parameters[index] as Reference["parameters"][number];
    const mine = sketchOf(own.gradient.subarray(offset, offset + size), SEEDS.sketch + index);
    const theirs = doublesOf(sketch);
    const square = mine.reduce((sum, value, bucket) => sum + (value - (theirs[bucket] ?? Number.NaN)) ** 2, 0);
    squares += square;
    const error = Math.sqrt(square) / Math.max(norm, FLOOR * reference.norm);
    if (!(error <= worst.error)) worst = { name, error };
  }
  return { whole: Math.sqrt(squares) / reference.norm, worst };
}

function sketchOf(values: Float32Array | Float64Array, seed: number): Float64Array {
  if (values.length <= BUCKETS) return Float64Array.from(values);
  const sums = new Float64Array(BUCKETS);
  for (let index = 0; index < values.length; index++) {
    const bits = seededBits(seed, index);
    const bucket = (bits >>> 1) & (BUCKETS - 1);
    sums[bucket] = (sums[bucket] as number) + (1 - 2 * (bits & 1)) * (values[index] as number);
  }
  return sums;
}

function doublesOf(base64: string): Float64Array {
  const bytes = Buffer.from(base64, "base64");
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
}

function product(a: number, b: number): number {
  return a * b;
}
