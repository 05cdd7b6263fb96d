/** Looks up rows of a table by number, as an embedding does. */

import { emitReshape } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";
import { fixedSize, ShapeError, showShape, sizeOf } from "../shape.ts";

/** TensorProto.DataType of int64. */
const INT64 = 7;

/**
 * @param table [rows, width].
 * @param indices of any shape, whole numbers in [0, rows), also as floats: data, no gradient goes there. The runtime refuses others.
 * @returns [...indices, width]. The gradient of a row is the sum over its uses.
 */
export function gatherRows(graph: GraphBuilder, table: Value, indices: Value): Value {
  if (table.shape.length !== 2) throw new ShapeError(`a table of rows has two axes, not ${showShape(table.shape)}`);
  const [rows, width] = [fixedSize(table.shape[0]), fixedSize(table.shape[1])];
  const at =
    indices.type === "int64"
      ? indices
      : graph.emitAs("int64", "Cast", { inputs: [indices], shape: indices.shape, attributes: { to: { int: INT64 } } });
  const found = graph.emit("Gather", [table, at], [...indices.shape, width]);
  return graph.differentiable(found, [table], (gradient) => {
    const uses = sizeOf(indices.shape);
    const list = graph.emitAs("int64", "Reshape", { inputs: [at, graph.integers([uses, 1])], shape: [uses, 1] });
    const parts = emitReshape(graph, gradient, [uses, width]);
    return [graph.emit("ScatterND", [graph.filled(0, [rows, width]), list, parts], table.shape, { reduction: { text: "add" } })];
  });
}
