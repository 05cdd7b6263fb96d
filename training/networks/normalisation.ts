/** Layers of normalisation with their parameters: gains start at 1 and shifts at 0, and neither decays. */

import type { GraphBuilder, Value } from "../tensors/graph-builder.ts";
import { constant, zeros } from "../tensors/initialisers.ts";
import { batchNormalisation } from "../tensors/operators/batch-normalisation.ts";
import { bilinearNormalisation } from "../tensors/operators/bilinear-normalisation.ts";
import { layerNormalisation } from "../tensors/operators/layer-normalisation.ts";
import { transpose } from "../tensors/operators/layout.ts";
import { fixedSize } from "../tensors/shape.ts";

/** The softplus of it is 1/2: both ways of a bilinear normalisation weigh the same at first. */
const HALF = -0.432_752_129_567_189_5;

/** Layer norm, over the last axis. */
export function normalisedRows(graph: GraphBuilder, x: Value, name: string): Value {
  return graph.scope(name, () => {
    const width = fixedSize(x.shape.at(-1));
    return layerNormalisation(graph, x, { gain: gain(graph, "gain", [width]), bias: shift(graph, "bias", [width]) });
  });
}

/** Batch norm of each channel. @param x [batch, channels, …sizes] */
export function batchNormalised(graph: GraphBuilder, x: Value, name: string): Value {
  return graph.scope(name, () => {
    const channels = fixedSize(x.shape[1]);
    return batchNormalisation(graph, x, { scale: gain(graph, "scale", [channels]), shift: shift(graph, "shift", [channels]) });
  });
}

/** Bilinear normalisation of a window as it comes in. @param x [batch, time, features] */
export function bilinearNormalised(graph: GraphBuilder, x: Value, name: string): Value {
  return graph.scope(name, () => {
    const [time, features] = [fixedSize(x.shape[1]), fixedSize(x.shape[2])];
    const turned = transpose(graph, x, [0, 2, 1]);
    const normalised = bilinearNormalisation(graph, turned, {
      timeScale: gain(graph, "time_scale", [features, 1]),
      timeShift: shift(graph, "time_shift", [features, 1]),
      featureScale: gain(graph, "feature_scale", [1, time]),
      featureShift: shift(graph, "feature_shift", [1, time]),
      timeWeight: graph.parameter("time_weight", [1], { initialise: constant(HALF), isDecayed: false }),
      featureWeight: graph.parameter("feature_weight", [1], { initialise: constant(HALF), isDecayed: false }),
    });
    return transpose(graph, normalised, [0, 2, 1]);
  });
}

function gain(graph: GraphBuilder, name: string, shape: readonly number[]): Value {
  return graph.parameter(name, shape, { initialise: constant(1), isDecayed: false });
}

function shift(graph: GraphBuilder, name: string, shape: readonly number[]): Value {
  return graph.parameter(name, shape, { initialise: zeros, isDecayed: false });
}
