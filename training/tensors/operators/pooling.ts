/** Pooling over the axes behind [batch, channels]: the largest or the mean of each window, or the mean of all. */

import { emitMean, emitMultiply, emitReshape } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape, sizeOf } from "../shape.ts";
import { outputSizes, transposedAttributes, type WindowAxis, type WindowOptions, windowAttributes, windowAxes } from "./window.ts";

export interface PoolingOptions extends Pick<WindowOptions, "stride" | "padding"> {
  readonly kernel: readonly number[];
}

/**
 * The largest of each window; the gradient goes to the first of equal ones in the order of memory, as PyTorch has it. Padding never wins.
 * @param x [batch, channels, …sizes]
 * @returns [batch, channels, …outputs]
 */
export function maximumPooling(graph: GraphBuilder, x: Value, options: PoolingOptions): Value {
  const axes = poolingAxes(x, options);
  const shape = [...x.shape.slice(0, 2), ...outputSizes(axes)];
  if (!graph.isTraining) return graph.emit("MaxPool", [x], shape, windowAttributes(axes));
  const [y, places] = graph.emitMany("MaxPool", [x], { shapes: [shape, shape], attributes: windowAttributes(axes) }) as [Value, Value];
  return graph.differentiable(y, [x], (gradient) => {
    const [from, to] = [sizeOf(shape), sizeOf(x.shape)];
    const nothing = graph.emit("Expand", [graph.scalar(0), graph.integers([to])], [to]);
    const inputs = [nothing, emitReshape(graph, { ...places, type: "int64" }, [from]), emitReshape(graph, gradient, [from])];
    const added = graph.emit("ScatterElements", inputs, [to], { axis: { int: 0 }, reduction: { text: "add" } });
    return [emitReshape(graph, added, x.shape)];
  });
}

/**
 * The mean of each window, padding counted as zeros, as PyTorch has it.
 * @param x [batch, channels, …sizes]
 * @returns [batch, channels, …outputs]
 */
export function averagePooling(graph: GraphBuilder, x: Value, options: PoolingOptions): Value {
  const axes = poolingAxes(x, options);
  const shape = [...x.shape.slice(0, 2), ...outputSizes(axes)];
  const { kernel_shape, strides, pads } = windowAttributes(axes);
  const y = graph.emit("AveragePool", [x], shape, { kernel_shape, strides, pads, count_include_pad: { int: 1 } });
  return graph.differentiable(y, [x], (gradient) => {
    // Each channel by itself is a convolution by a constant kernel.
    const planes = sizeOf(x.shape.slice(0, 2));
    const share = graph.constant(new Array<number>(sizeOf(options.kernel)).fill(1 / sizeOf(options.kernel)), [1, 1, ...options.kernel]);
    const apart = emitReshape(graph, gradient, [planes, 1, ...outputSizes(axes)]);
    const spread = graph.emit("ConvTranspose", [apart, share], [planes, 1, ...x.shape.slice(2)], transposedAttributes(axes));
    return [emitReshape(graph, spread, x.shape)];
  });
}

/** [batch, channels, …sizes] to [batch, channels]. */
export function globalMean(graph: GraphBuilder, x: Value): Value {
  if (x.shape.length < 3) throw new ShapeError(`nothing to take the mean of in ${showShape(x.shape)}`);
  const sizes = x.shape.slice(2);
  const mean = emitMean(
    graph,
    x,
    sizes.map((_, axis) => axis + 2),
  );
  return graph.differentiable(emitReshape(graph, mean, x.shape.slice(0, 2)), [x], (gradient) => {
    const share = emitMultiply(graph, gradient, graph.scalar(1 / sizeOf(sizes)));
    const column = emitReshape(graph, share, [...x.shape.slice(0, 2), ...sizes.map(() => 1)]);
    return [graph.emit("Expand", [column, graph.integers(x.shape.map(fixedSize))], x.shape)];
  });
}

/** Throws where a window could lie in the padding alone. */
function poolingAxes(x: Value, { kernel, ...options }: PoolingOptions): WindowAxis[] {
  const axes = windowAxes(x, kernel, options);
  if (axes.some((axis) => 2 * Math.max(axis.before, axis.after) > axis.kernel)) {
    throw new ShapeError(`padding of more than half of the window ${showShape(kernel)}`);
  }
  return axes;
}
