/**
 * The check of a gradient rule, over random shapes:
 *
 * 1. the analytic gradient of a randomly weighted sum of all outputs against central differences, both in float64 by the evaluator;
 * 2. onnxruntime's single-precision answer and gradient against the evaluator's of the same graph, so that its kernels mean what the evaluator does;
 * 3. the graph that is served answers as the one that trains, by ONNX's own operators alone.
 *
 * Differences with steps of h and 2h are combined so that their errors of h² cancel (Richardson); what is left is near 1e-12.
 */

import fc from "fast-check";
import { expect } from "vitest";
import { Random } from "../../core/math/random.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import type { Graph, OnnxModel } from "../../training/onnx/model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { emitAdd, emitConcat, emitMultiply, emitReshape, emitSum } from "../../training/tensors/emit.ts";
import { GraphBuilder, type GraphBuilderOptions, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { sizeOf } from "../../training/tensors/shape.ts";
import { evaluateGraph, type Float64Tensor } from "./float64-evaluator.ts";

/** h. Numbers must lie further than 2h from a kink. */
const STEP = 1e-3;
/** Relative to the largest element of the gradient. */
const TOLERANCE = 1e-8;
const SINGLE_TOLERANCE = 2e-5;
/** A gradient of zeros would agree with a function that forgets its input. */
const LEAST_GRADIENT = 1e-3;
const SHAPES_TRIED = 12;

export interface RuleCase {
  /** Of the parameters, all of which the outputs depend on. */
  readonly shapes: readonly (readonly number[])[];
  readonly build: (graph: GraphBuilder, parameters: Value[]) => Value | readonly Value[];
  /** Where to differentiate, for all parameters in a row; standard normal unless told. */
  readonly draw?: Draw;
  /** Of dropout and batch statistics, which a served graph has not. */
  readonly differsWhenServed?: true;
}

export type Draw = (random: Random, count: number) => readonly number[];

/** Normal numbers, none near to one of `kinks`. */
export function awayFrom(kinks: readonly number[]): Draw {
  return (random, count) =>
    Array.from({ length: count }, () => {
      for (;;) {
        const number = 1.5 * random.normal();
        if (kinks.every((kink) => Math.abs(number - kink) > 10 * STEP)) return number;
      }
    });
}

/** Numbers above `least`. */
export function above(least: number): Draw {
  return (random, count) => Array.from({ length: count }, () => least + Math.abs(random.normal()));
}

/** Numbers in random order, each 0.1 from the next: the largest of any of them is clear. */
export const allDistinct: Draw = (random, count) => {
  const numbers = Array.from({ length: count }, (_, index) => (index - count / 2 + 0.5) * 0.1);
  for (let last = count - 1; last > 0; last--) {
    const other = random.integerBelow(last + 1);
    [numbers[last], numbers[other]] = [numbers[other] as number, numbers[last] as number];
  }
  return numbers;
};

/** Checks the rule of each case that `ruleOf` makes of what is drawn: sizes, axes, options. */
export function checkRules<T>(drawn: fc.Arbitrary<T>, ruleOf: (drawn: T) => RuleCase, runs = SHAPES_TRIED): Promise<void> {
  const seeds = fc.integer({ min: 0, max: 1_000_000 });
  return fc.assert(
    fc.asyncProperty(drawn, seeds, (sizes, seed) => checkRule(ruleOf(sizes), seed)),
    { numRuns: runs },
  );
}

/** Checks the rule at one place, drawn by the seed. */
export async function checkRule(rule: RuleCase, seed: number): Promise<void> {
  const random = new Random(seed);
  const count = rule.shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const draw: Draw = rule.draw ?? ((_, size) => Array.from({ length: size }, () => random.normal()));
  const at = Float64Array.from(draw(random, count), Math.fround);
  const weightSeed = random.integerBelow(1_000_000);
  const build = (options: GraphBuilderOptions, isBackward: boolean) => buildCheck(rule, { options, weightSeed, isBackward });

  const double = build({ precision: "float64" }, true);
  const noise = Float64Array.from({ length: double.noiseCount }, () => Math.fround(random.uniform()));
  const exact = evaluate(double.model.graph, { at, noise });
  expect(exact.answers.map(({ shape }) => shape)).toEqual(double.shapes);
  const numeric = differences(build({ precision: "float64" }, false).model.graph, { at, noise });
  expectClose(exact.gradient, numeric, TOLERANCE * Math.min(1, largest(numeric)));
  expect(largest(numeric)).toBeGreaterThan(LEAST_GRADIENT);

  const single = build({ precision: "float32" }, true);
  const expected = evaluate(single.model.graph, { at, noise });
  const native = await runNatively(single.model, { at, noise });
  expectClose(native.gradient, expected.gradient, SINGLE_TOLERANCE);
  for (const [index, answer] of expected.answers.entries()) expectClose(native.answers[index] ?? [], answer.data, SINGLE_TOLERANCE);

  if (rule.differsWhenServed) return;
  const served = buildServed(rule, at);
  expect(foreignOperators(served.graph)).toEqual([]);
  const answers = (await runNatively(served, { at: new Float64Array(0), noise: new Float64Array(0) })).answers;
  for (const [index, answer] of expected.answers.entries()) expectClose(answers[index] ?? [], answer.data, SINGLE_TOLERANCE);
}

interface Check {
  readonly model: OnnxModel;
  readonly noiseCount: number;
  readonly shapes: readonly (readonly number[])[];
}

/** Outputs: answer0, answer1, …, loss, and with `isBackward` gradient. */
function buildCheck(rule: RuleCase, how: { options: GraphBuilderOptions; weightSeed: number; isBackward: boolean }): Check {
  const graph = new GraphBuilder(how.options);
  const parameters = declare(graph, rule);
  const answers = [rule.build(graph, parameters)].flat();
  const loss = weightedSum(graph, answers, new Random(how.weightSeed));
  graph.unpackParameters("parameters");
  const { noiseCount } = graph;
  graph.unpackNoise("noise");
  if (how.isBackward) {
    const gradients = differentiate(graph, loss, parameters).map((gradient) => emitReshape(graph, gradient, [sizeOf(gradient.shape)]));
    graph.output("gradient", graph.emit("Identity", [emitConcat(graph, gradients, 0)], [sizeOf(gradients.flatMap(({ shape }) => shape))]));
  }
  graph.output("loss", loss);
  for (const [index, answer] of answers.entries()) graph.output(`answer${index}`, answer);
  return { model: graph.model("check"), noiseCount, shapes: answers.map(({ shape }) => shape as number[]) };
}

function buildServed(rule: RuleCase, at: Float64Array): OnnxModel {
  let from = 0;
  const weights = rule.shapes.map((shape, index): [string, Float32Array] => {
    from += sizeOf(shape);
    return [`p${index}`, Float32Array.from(at.subarray(from - sizeOf(shape), from))];
  });
  const graph = new GraphBuilder({ weights: new Map(weights) });
  for (const [index, answer] of [rule.build(graph, declare(graph, rule))].flat().entries()) graph.output(`answer${index}`, answer);
  return graph.model("served");
}

function declare(graph: GraphBuilder, rule: RuleCase): Value[] {
  return rule.shapes.map((shape, index) => graph.parameter(`p${index}`, shape, { initialise: zeros, isDecayed: false }));
}

/** Unequal weights on the outputs: a rule that is right only for equal gradients would pass otherwise. */
function weightedSum(graph: GraphBuilder, answers: readonly Value[], random: Random): Value {
  const sums = answers.map((answer) => {
    const count = sizeOf(answer.shape);
    const weights = graph.constant(
      Array.from({ length: count }, () => Math.fround(random.normal())),
      answer.shape as number[],
    );
    const flat = emitReshape(graph, emitMultiply(graph, answer, weights), [count]);
    return graph.differentiable(emitSum(graph, flat, [0]), [answer], (gradient) => [
      emitReshape(graph, emitMultiply(graph, weights, gradient), answer.shape),
    ]);
  });
  return sums.reduce((one, other) => graph.differentiable(emitAdd(graph, one, other), [one, other], (gradient) => [gradient, gradient]));
}

interface Place {
  readonly at: Float64Array;
  readonly noise: Float64Array;
}

function evaluate(graph: Graph, { at, noise }: Place): { loss: number; gradient: ArrayLike<number>; answers: Float64Tensor[] } {
  const outputs = evaluateGraph(graph, {
    parameters: { shape: [at.length], data: at },
    noise: { shape: [noise.length], data: noise },
  });
  return { loss: outputs.loss?.data[0] ?? Number.NaN, gradient: outputs.gradient?.data ?? [], answers: answersIn(outputs) };
}

async function runNatively(model: OnnxModel, { at, noise }: Place): Promise<{ gradient: ArrayLike<number>; answers: Float32Array[] }> {
  const session = await (await loadRuntime("node")).open(encodeModel(model));
  const feed = (data: Float64Array) => ({ shape: [data.length], data: Float32Array.from(data) });
  const outputs = await session.run({
    ...(at.length === 0 ? {} : { parameters: feed(at) }),
    ...(noise.length === 0 ? {} : { noise: feed(noise) }),
  });
  await session.release();
  return { gradient: outputs.gradient ?? [], answers: answersIn(outputs as Record<string, Float32Array>) };
}

function answersIn<T>(outputs: Readonly<Record<string, T>>): T[] {
  const count = Object.keys(outputs).filter((name) => name.startsWith("answer")).length;
  return Array.from({ length: count }, (_, index) => outputs[`answer${index}`] as T);
}

function differences(graph: Graph, place: Place): number[] {
  return Array.from(place.at, (_, index) => {
    const lossAt = (shift: number): number => {
      const at = place.at.slice();
      at[index] = (at[index] as number) + shift;
      return evaluate(graph, { ...place, at }).loss;
    };
    const slope = (step: number): number => (lossAt(step) - lossAt(-step)) / (2 * step);
    return (4 * slope(STEP) - slope(2 * STEP)) / 3;
  });
}

function expectClose(numbers: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(numbers.length).toBe(expected.length);
  const scale = Math.max(1, largest(expected));
  const worst = largest(Array.from(numbers, (number, index) => (number - (expected[index] as number)) / scale));
  expect(worst).toBeLessThan(tolerance);
}

/** NaN where any of them is. */
function largest(numbers: ArrayLike<number>): number {
  return Math.max(0, ...Array.from(numbers, Math.abs));
}

/** Operators of other domains than ONNX's, which the edge does not run; also inside bodies. */
function foreignOperators(graph: Graph): string[] {
  return graph.nodes.flatMap(({ domain, operator, attributes }) => [
    ...(domain === "" ? [] : [`${domain}:${operator}`]),
    ...Object.values(attributes).flatMap((attribute) => ("graph" in attribute ? foreignOperators(attribute.graph) : [])),
  ]);
}
