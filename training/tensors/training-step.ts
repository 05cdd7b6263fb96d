/**
 * The gradient of one batch, or of a worker's part of one, as one ONNX graph: forward, loss, backward. Everything that changes from step to step goes
 * in and comes out as a tensor, so the graph holds no state. The optimiser is no part of it: see optimisers/contract.ts for why.
 *
 * | inputs | shape | | outputs | shape |
 * |---|---|---|---|---|
 * | features | [rows, ...shape] | | loss: this part's share of the batch's | [1] |
 * | targets | [rows, outputs] | | gradient | [count] |
 * | weights | [rows, outputs] or [rows, 1], as the loss says | | observed: statistics of these rows, where the network has any | [statistics] |
 * | total: of the weights of the whole batch | [1] | | | |
 * | parameters | [count] | | | |
 * | noise, where the network asks for any | [noise] | | | |
 */

import { encodeModel } from "../onnx/encode.ts";
import { differentiate } from "./differentiate.ts";
import { emitConcat, emitReshape } from "./emit.ts";
import { GraphBuilder, type Precision, type Value } from "./graph-builder.ts";
import type { Random } from "./initialisers.ts";
import type { Loss } from "./losses/contract.ts";
import { type NormLimit, normLimitsOf } from "./max-norm.ts";
import { sizeOf } from "./shape.ts";

/** A forward pass: declares its parameters in the graph and builds the answer [rows, outputs] to the input [rows, ...shape]. */
export type Network = (graph: GraphBuilder, input: Value) => Value;

export interface StepOptions {
  readonly rows: number;
  /** Of one row's features, e.g. [columns] or [window, columns]. */
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly loss: Loss;
  readonly precision?: Precision;
}

/** Where a parameter or a running statistic lies in its flat vector. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface GradientStep {
  readonly model: Uint8Array;
  readonly slots: readonly ParameterSlot[];
  readonly parameterCount: number;
  /** [parameterCount] 1 where weight decay applies. */
  readonly decayed: Float32Array;
  /** To be held after each step by whoever runs it; see max-norm.ts. */
  readonly normLimits: readonly NormLimit[];
  readonly statisticSlots: readonly ParameterSlot[];
  /** What the running statistics start from, flat; empty where there are none. */
  readonly statistics: Float32Array;
  readonly noiseCount: number;
  /** Draws the first parameters, [parameterCount]. */
  initialise(random: Random): Float32Array;
}

/** Throws ShapeError where the network and the shapes don't fit. */
export function buildGradientStep(network: Network, options: StepOptions): GradientStep {
  const { rows, outputs, loss: lossKind } = options;
  const graph = new GraphBuilder({ precision: options.precision ?? "float32" });
  const predicted = network(graph, graph.input("features", [rows, ...options.shape]));
  const loss = lossKind.build(graph, predicted, {
    targets: graph.input("targets", [rows, outputs]),
    weights: graph.input("weights", [rows, lossKind.weightsPer === "cell" ? outputs : 1]),
    total: graph.input("total", [1]),
  });
  const values = graph.parameters.map((parameter) => parameter.value);
  const gradient = concatenate(graph, differentiate(graph, loss, values));
  graph.unpackParameters("parameters");
  graph.unpackNoise("noise");
  graph.output("loss", loss);
  graph.output("gradient", gradient);
  const observed = graph.statistics.map((statistic) => statistic.value);
  if (observed.length > 0) graph.output("observed", concatenate(graph, observed));
  const slots = slotsOf(graph.parameters.map(({ value }) => ({ name: value.name, shape: value.shape as readonly number[] })));
  return {
    model: encodeModel(graph.model("gradient_step")),
    slots,
    parameterCount: slots.reduce((sum, slot) => sum + slot.size, 0),
    decayed: flatten(slots.map(({ size }, index) => new Float32Array(size).fill(graph.parameters[index]?.isDecayed ? 1 : 0))),
    normLimits: normLimitsOf(graph.parameters),
    statisticSlots: slotsOf(graph.statistics.map(({ name, size }) => ({ name, shape: [size] }))),
    statistics: flatten(graph.statistics.map(({ size, initial }) => new Float32Array(size).fill(initial))),
    noiseCount: graph.noiseCount,
    initialise: (random) => flatten(graph.parameters.map(({ value, initialise }) => initialise(value.shape as readonly number[], random))),
  };
}

/** All of them in one vector, in the order of their slots. */
function concatenate(graph: GraphBuilder, values: readonly Value[]): Value {
  return emitConcat(
    graph,
    values.map((value) => emitReshape(graph, value, [sizeOf(value.shape)])),
    0,
  );
}

function slotsOf(parts: readonly { name: string; shape: readonly number[] }[]): ParameterSlot[] {
  let offset = 0;
  return parts.map(({ name, shape }) => {
    const size = sizeOf(shape);
    const slot = { name, shape, offset, size };
    offset += size;
    return slot;
  });
}

function flatten(parts: readonly Float32Array[]): Float32Array {
  const flat = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}
