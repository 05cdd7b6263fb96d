/** A small training that is over in a moment, with everything in it that a checkpoint must hold: several parameters, noise, a running statistic. */

import { Random } from "../../../core/math/random.ts";
import type { EngineTask } from "../../../training/engine/contract.ts";
import { createRowSource, type RowSource } from "../../../training/engine/row-source.ts";
import { DEFAULT_TRAIN_SETTINGS, type TrainSettings } from "../../../training/engine/settings.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { emitMean, emitReshape } from "../../../training/tensors/emit.ts";
import type { GraphBuilder, Value } from "../../../training/tensors/graph-builder.ts";
import { fanInUniform, zeros } from "../../../training/tensors/initialisers.ts";
import { squaredError } from "../../../training/tensors/losses/squared-error.ts";
import { tanh } from "../../../training/tensors/operators/activations.ts";
import { add, subtract } from "../../../training/tensors/operators/arithmetic.ts";
import { linear } from "../../../training/tensors/operators/linear.ts";
import type { Network } from "../../../training/tensors/training-step.ts";

export const COLUMNS = 5;
export const OUTPUTS = 2;

/** One hidden layer. */
export const plainNetwork: Network = (graph, input) => layer(graph, tanh(graph, layer(graph, input, ["hidden", 8])), ["output", OUTPUTS]);

/** The same with its input centred by a followed mean. */
export const centredNetwork: Network = (graph, input) => plainNetwork(graph, centred(graph, input));

/** The same with noise on it while training. */
export const restlessNetwork: Network = (graph, input) => {
  const shaken = centred(graph, input);
  return plainNetwork(graph, graph.isTraining ? add(graph, shaken, graph.noise(input.shape as number[])) : shaken);
};

function centred(graph: GraphBuilder, input: Value): Value {
  const mean = graph.statistic("mean", COLUMNS, { initial: 0, observe: () => emitReshape(graph, emitMean(graph, input, [0]), [COLUMNS]) });
  return subtract(graph, input, mean);
}

function layer(graph: GraphBuilder, input: Value, [name, width]: readonly [string, number]): Value {
  const weights = graph.parameter(`${name}.weights`, [Number(input.shape[1]), width], { initialise: fanInUniform, isDecayed: true });
  const bias = graph.parameter(`${name}.bias`, [width], { initialise: zeros, isDecayed: false });
  return linear(graph, input, { weights, bias });
}

/** Targets are the sum and the difference of the first two columns, with noise; one target in seven is missing. */
export function toyRows(rows: number, seed: number): RowSource {
  const random = new Random(seed);
  const values = Float32Array.from({ length: rows * COLUMNS }, () => random.normal() + 1);
  const targets = Float32Array.from({ length: rows * OUTPUTS }, (_, cell) => {
    const row = Math.floor(cell / OUTPUTS) * COLUMNS;
    const sign = cell % OUTPUTS === 0 ? 1 : -1;
    return 0.5 * ((values[row] as number) + sign * (values[row + 1] as number)) + 0.1 * random.normal();
  });
  return createRowSource({
    table: { kind: "memory", values },
    tableRows: rows,
    columns: COLUMNS,
    window: 1,
    ends: Uint32Array.from({ length: rows }, (_, row) => row),
    outputs: OUTPUTS,
    targets,
    weights: targets.map((_, cell) => (cell % 7 === 3 ? 0 : 1)),
    weightsPer: "cell",
  });
}

export const TOY_SETTINGS: TrainSettings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 4, batch: 16, learningRate: 1e-2 };

export async function toyTask(options: { settings?: Partial<TrainSettings>; network?: Network } = {}): Promise<EngineTask> {
  return {
    runtime: await loadRuntime("node"),
    network: options.network ?? restlessNetwork,
    loss: squaredError,
    shape: [COLUMNS],
    train: toyRows(150, 1),
    validation: toyRows(60, 2),
    settings: { ...TOY_SETTINGS, ...options.settings },
    data: "toy",
  };
}
