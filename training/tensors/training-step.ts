/**
 * One whole training step as one ONNX graph: forward, loss, backward, optimiser. Everything that changes from step to step goes in and
 * comes out as a tensor, so the graph holds no state and the runtime's kernels do all the arithmetic.
 *
 * | inputs | shape | | outputs | shape |
 * |---|---|---|---|---|
 * | features | [batch, columns] | | loss | [1] |
 * | targets, mask | [batch, outputs] | | next_parameters, next_first_moment, next_second_moment | [count] |
 * | cells: how many of mask are 1 | [1] | | gradient (with `returnsGradient`) | [count] |
 * | parameters, first_moment, second_moment | [count] | | | |
 * | schedule: see adamw.ts | [3] | | | |
 */

import { encodeModel } from "../onnx/encode.ts";
import { differentiate } from "./differentiate.ts";
import { emitReshape } from "./emit.ts";
import { GraphBuilder, type Precision, type Value } from "./graph-builder.ts";
import type { Random } from "./initialisers.ts";
import { squaredError } from "./losses/squared-error.ts";
import { ADAMW_DEFAULTS, type AdamwSettings, adamw } from "./optimisers/adamw.ts";
import { sizeOf } from "./shape.ts";

/** A forward pass: declares its parameters in the graph and builds the answer [rows, outputs] to the input [rows, columns]. */
export type Network = (graph: GraphBuilder, input: Value) => Value;

export interface StepOptions {
  readonly batch: number;
  readonly columns: number;
  readonly outputs: number;
  readonly optimiser?: AdamwSettings;
  readonly precision?: Precision;
  readonly returnsGradient?: true;
}

/** Where a parameter lies in the flat vector. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface TrainingStep {
  readonly model: Uint8Array;
  readonly slots: readonly ParameterSlot[];
  readonly parameterCount: number;
  /** Draws the first parameters, [parameterCount]. */
  initialise(random: Random): Float32Array;
}

export function buildTrainingStep(network: Network, options: StepOptions): TrainingStep {
  const { batch, columns, outputs } = options;
  const graph = new GraphBuilder({ precision: options.precision ?? "float32" });
  const predicted = network(graph, graph.input("features", [batch, columns]));
  const loss = squaredError.build(graph, predicted, {
    targets: graph.input("targets", [batch, outputs]),
    weights: graph.input("mask", [batch, outputs]),
    total: graph.input("cells", [1]),
  });
  const parameters = graph.unpackParameters("parameters");
  const values = graph.parameters.map((parameter) => parameter.value);
  const gradient = concatenate(graph, differentiate(graph, loss, values));
  appendOptimiser(graph, { parameters, gradient, settings: options.optimiser ?? ADAMW_DEFAULTS });
  graph.output("loss", loss);
  if (options.returnsGradient) graph.output("gradient", gradient);
  return {
    model: encodeModel(graph.model("training_step")),
    slots: slotsOf(graph),
    parameterCount: sizeOf(parameters.shape),
    initialise: (random) => initialise(graph, random),
  };
}

function appendOptimiser(graph: GraphBuilder, step: { parameters: Value; gradient: Value; settings: AdamwSettings }): void {
  const { shape } = step.parameters;
  const decayed = graph.constant(
    graph.parameters.flatMap(({ value, isDecayed }) => Array.from({ length: sizeOf(value.shape) }, () => (isDecayed ? 1 : 0))),
    shape as readonly number[],
  );
  const state = {
    parameters: step.parameters,
    firstMoment: graph.input("first_moment", shape),
    secondMoment: graph.input("second_moment", shape),
    schedule: graph.input("schedule", [3]),
  };
  const next = adamw(graph, state, { gradient: step.gradient, decayed, settings: step.settings });
  graph.output("next_parameters", next.parameters);
  graph.output("next_first_moment", next.firstMoment);
  graph.output("next_second_moment", next.secondMoment);
}

/** All gradients in one vector, in the order of the parameters. */
function concatenate(graph: GraphBuilder, gradients: readonly Value[]): Value {
  const flat = gradients.map((gradient) => emitReshape(graph, gradient, [sizeOf(gradient.shape)]));
  const size = gradients.reduce((sum, gradient) => sum + sizeOf(gradient.shape), 0);
  return graph.emit("Concat", flat, [size], { axis: { int: 0 } });
}

function slotsOf(graph: GraphBuilder): ParameterSlot[] {
  let offset = 0;
  return graph.parameters.map(({ value }) => {
    const size = sizeOf(value.shape);
    const slot = { name: value.name, shape: value.shape as readonly number[], offset, size };
    offset += size;
    return slot;
  });
}

function initialise(graph: GraphBuilder, random: Random): Float32Array {
  const parts = graph.parameters.map(({ value, initialise: draw }) => draw(value.shape as readonly number[], random));
  const flat = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}
