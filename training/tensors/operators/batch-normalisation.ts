/**
 * Batch normalisation (Ioffe and Szegedy 2015): y = scale (x - m) / √(v + ε) + shift, with m and v of each channel over batch and sizes.
 *
 * While training m and v are the batch's, and are handed out to be blended into running ones; v as it is estimated of the population, count / (count - 1)
 * times the batch's, as PyTorch does. Otherwise they are the running ones: one node, which onnxruntime folds into the convolution in front of it.
 * With n the count, r = 1/√(v + ε), s = Σ g, q = r Σ g (x - m): dscale = q, dshift = s, dx = scale r (g - s/n - (x - m) r q/n), which is a
 * multiple of g and one of x for each channel.
 */

import { emitAdd, emitMultiply, emitNegate, emitReshape, emitSubtract, emitSum } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { isSameShape, type Shape, ShapeError, showShape, sizeOf } from "../shape.ts";

export interface BatchNormalisationLayer {
  /** [channels] each */
  readonly scale: Value;
  readonly shift: Value;
  /** ε; that of PyTorch unless told. */
  readonly epsilon?: number;
}

const EPSILON = 1e-5;

/**
 * Declares the statistics "mean" and "variance" in the scope that it is called in.
 * @param x [batch, channels, …sizes]
 */
export function batchNormalisation(graph: GraphBuilder, x: Value, layer: BatchNormalisationLayer): Value {
  const { scale, shift, epsilon = EPSILON } = layer;
  const channels = x.shape[1];
  if (typeof channels !== "number" || !isSameShape(scale.shape, [channels]) || !isSameShape(shift.shape, [channels])) {
    throw new ShapeError(`scale and shift of ${showShape(scale.shape)} and ${showShape(shift.shape)} can't take ${showShape(x.shape)}`);
  }
  if (graph.isTraining) return ofBatch(graph, x, { scale, shift, epsilon, channels });
  const mean = graph.statistic("mean", channels, { initial: 0, observe: notTraining });
  const variance = graph.statistic("variance", channels, { initial: 1, observe: notTraining });
  return graph.emit("BatchNormalization", [x, scale, shift, mean, variance], x.shape, { epsilon: { float: epsilon } });
}

interface Layer {
  readonly scale: Value;
  readonly shift: Value;
  readonly epsilon: number;
  readonly channels: number;
}

function ofBatch(graph: GraphBuilder, x: Value, layer: Layer): Value {
  const { scale, shift, epsilon, channels } = layer;
  const count = sizeOf(x.shape) / channels;
  if (count < 2) throw new ShapeError(`no variance in one value a channel: ${showShape(x.shape)}`);
  const [y, mean, variance] = graph.emitMany("BatchNormalization", [x, scale, shift, ...overwritten(graph, scale)], {
    shapes: [x.shape, [channels], [channels]],
    attributes: { training_mode: { int: 1 }, momentum: { float: 0 }, epsilon: { float: epsilon } },
  }) as [Value, Value, Value];
  graph.statistic("mean", channels, { initial: 0, observe: () => mean });
  const estimated = emitMultiply(graph, variance, graph.scalar(count / (count - 1)));
  graph.statistic("variance", channels, { initial: 1, observe: () => estimated });
  return graph.differentiable(y, [x, scale, shift], (gradient) => {
    const root = graph.emit("Sqrt", [emitAdd(graph, variance, graph.scalar(epsilon))], [channels]);
    const inverse = graph.emit("Reciprocal", [root], [channels]);
    const ofShift = channelSums(graph, gradient, channels);
    const withInput = channelSums(graph, emitMultiply(graph, gradient, x), channels);
    const ofScale = emitMultiply(graph, emitSubtract(graph, withInput, emitMultiply(graph, mean, ofShift)), inverse);
    if (!x.isDifferentiable) return [null, ofScale, ofShift];
    const share = graph.scalar(1 / count);
    const byGradient = emitMultiply(graph, scale, inverse);
    const byInput = emitNegate(graph, emitMultiply(graph, emitMultiply(graph, byGradient, inverse), emitMultiply(graph, ofScale, share)));
    const constant = emitNegate(
      graph,
      emitAdd(graph, emitMultiply(graph, byInput, mean), emitMultiply(graph, byGradient, emitMultiply(graph, ofShift, share))),
    );
    const factor = emitReshape(graph, byGradient, [channels, ...x.shape.slice(2).map(() => 1)]);
    const rest = perChannel(graph, x, { factor: byInput, constant });
    return [emitAdd(graph, emitMultiply(graph, gradient, factor), rest), ofScale, ofShift];
  });
}

/**
 * The running statistics that the node blends the batch's into: any numbers, since with a momentum of 0 it gives what it found. onnxruntime
 * writes the result over them, even over a constant that other nodes read (microsoft/onnxruntime#29790, read 2026-11-27): so they are made here,
 * each by an operator of its own, lest equal nodes be merged.
 */
function overwritten(graph: GraphBuilder, scale: Value): [Value, Value] {
  return [emitNegate(graph, scale), graph.emit("Abs", [scale], scale.shape)];
}

/** factor x + constant in one pass over x: what the node does with a mean of 0 and a variance of 1. */
function perChannel(graph: GraphBuilder, x: Value, { factor, constant }: { factor: Value; constant: Value }): Value {
  const channels = factor.shape[0] as number;
  const mean = graph.constant(new Float32Array(channels), [channels]);
  const variance = graph.constant(new Float32Array(channels).fill(1), [channels]);
  return graph.emit("BatchNormalization", [x, factor, constant, mean, variance], x.shape, { epsilon: { float: 0 } });
}

/** Over sizes, then batch: in one go it takes twice the time. */
function channelSums(graph: GraphBuilder, value: Value, channels: number): Value {
  const sizes: Shape = value.shape.slice(2);
  const perRow =
    sizes.length === 0
      ? value
      : emitSum(
          graph,
          value,
          sizes.map((_, axis) => axis + 2),
        );
  return emitReshape(graph, emitSum(graph, perRow, [0]), [channels]);
}

function notTraining(): never {
  throw new Error("no batch is observed outside of training");
}
