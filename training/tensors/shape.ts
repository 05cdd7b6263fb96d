/** Shapes of values: sizes, or a name for a dimension that the caller of the graph chooses ("batch"). */

export type Dimension = number | "batch";
export type Shape = readonly Dimension[];

/** Two shapes that don't fit, or one that a layer can't take. `GraphBuilder.scope` puts the layer's name in front. */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError";
  /** The layer it was met in, e.g. "block1.conv2"; null until a scope has named itself. */
  readonly layer: string | null;

  constructor(message: string, layer: string | null = null) {
    super(layer === null ? message : `${layer}: ${message}`);
    this.layer = layer;
  }
}

/** "[batch, 4]" */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Number of elements. Throws where a dimension has no fixed size: gradients and parameters need one. */
export function sizeOf(shape: Shape): number {
  return shape.reduce<number>((product, dimension) => product * fixedSize(dimension), 1);
}

export function fixedSize(dimension: Dimension | undefined): number {
  if (typeof dimension !== "number") throw new ShapeError(`the dimension ${String(dimension)} has no fixed size here`);
  return dimension;
}

export function isSameShape(one: Shape, other: Shape): boolean {
  return one.length === other.length && one.every((dimension, axis) => dimension === other[axis]);
}

/** The shape of an element-wise operation, by ONNX's (NumPy's) rule. Throws when the two can't be combined. */
export function broadcast(one: Shape, other: Shape): Shape {
  const rank = Math.max(one.length, other.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = one[axis - rank + one.length] ?? 1;
    const b = other[axis - rank + other.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) throw new ShapeError(`${showShape(one)} and ${showShape(other)} can't be combined`);
    return a === 1 ? b : a;
  });
}

/** Axes of `full` (what `part` was broadcast to) along which `part` was repeated. */
export function repeatedAxes(part: Shape, full: Shape): number[] {
  const missing = full.length - part.length;
  return full.flatMap((dimension, axis) => (axis < missing || (part[axis - missing] === 1 && dimension !== 1) ? [axis] : []));
}
