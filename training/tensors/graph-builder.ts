/**
 * Builds one ONNX graph out of values with known shapes, and keeps the tape of what was done, so that differentiate.ts can append
 * the backward pass to the same graph. No number is computed here: the runtime that gets the graph does all arithmetic.
 *
 * One forward definition serves twice. While training, a parameter is a value that differs from step to step; while serving
 * (`weights` given) it is a constant of the file, and no tape is kept.
 */

import type { Attribute, Graph, Node, TensorConstant, ValueDeclaration } from "../onnx/model.ts";
import type { Initialiser } from "./initialisers.ts";
import { type Shape, sizeOf } from "./shape.ts";

export type Precision = "float32" | "float64";

/** A tensor of the graph: a name and what is known of it. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  /** A gradient is wanted of it: it is a parameter or computed from one. */
  readonly isDifferentiable: boolean;
}

/** One differentiable step: `backward` turns the gradient of the output into those of the inputs (null where none is needed). */
export interface TapeEntry {
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly backward: (gradient: Value) => readonly (Value | null)[];
}

export interface Parameter {
  readonly value: Value;
  readonly initialise: Initialiser;
  /** Weight decay shrinks matrices; shrinking biases only shifts the answer. */
  readonly isDecayed: boolean;
}

export interface GraphBuilderOptions {
  /** float64 is for checking gradients; everything else runs in float32. */
  readonly precision?: Precision;
  /** Name to numbers: parameters become constants, and the graph only goes forward. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
}

export class GraphBuilder {
  readonly precision: Precision;
  readonly tape: TapeEntry[] = [];
  readonly parameters: Parameter[] = [];
  private nodes: Node[] = [];
  private readonly weights: ReadonlyMap<string, Float32Array> | null;
  private readonly constants: TensorConstant[] = [];
  private readonly inputs: ValueDeclaration[] = [];
  private readonly outputs: ValueDeclaration[] = [];
  private readonly shared = new Map<string, Value>();
  private named = 0;

  constructor(options: GraphBuilderOptions = {}) {
    this.precision = options.precision ?? "float32";
    this.weights = options.weights ?? null;
  }

  /** A tensor that the caller feeds at each run. */
  input(name: string, shape: Shape): Value {
    this.inputs.push({ name, type: this.precision, shape });
    return { name, shape, isDifferentiable: false };
  }

  /** A tensor to be learnt. Throws when serving with weights that lack it or have another size. */
  parameter(name: string, shape: readonly number[], options: { initialise: Initialiser; isDecayed: boolean }): Value {
    const value = { name, shape, isDifferentiable: this.weights === null };
    this.parameters.push({ value, ...options });
    if (this.weights === null) return value;
    const data = this.weights.get(name);
    if (data === undefined) throw new Error(`no weights for parameter ${name}`);
    this.constants.push({ name, type: "float32", shape, data });
    return value;
  }

  /** A tensor of fixed numbers, in this graph's precision. */
  constant(numbers: ArrayLike<number>, shape: readonly number[]): Value {
    const name = this.nextName("k");
    this.constants.push({ name, type: this.precision, shape, data: this.floats(numbers) });
    return { name, shape, isDifferentiable: false };
  }

  /** A single number; equal numbers share one constant. */
  scalar(number: number): Value {
    return this.once(`scalar ${number}`, () => this.constant([number], []));
  }

  /** Whole numbers for the inputs that ONNX types as int64: shapes, axes, sizes. */
  integers(numbers: readonly number[]): Value {
    return this.once(`integers ${numbers.join(" ")}`, () => {
      const name = this.nextName("i");
      this.constants.push({ name, type: "int64", shape: [numbers.length], data: BigInt64Array.from(numbers.map(BigInt)) });
      return { name, shape: [numbers.length], isDifferentiable: false };
    });
  }

  /** Appends a node without a gradient rule: rules themselves are made of these. */
  emit(operator: string, inputs: readonly Value[], shape: Shape, attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const output = { name: this.nextName("t"), shape, isDifferentiable: false };
    this.append(operator, inputs, [output.name], attributes);
    return output;
  }

  /** Appends a node with several outputs. */
  emitMany(
    operator: string,
    inputs: readonly Value[],
    options: { shapes: readonly Shape[]; attributes: Readonly<Record<string, Attribute>> },
  ): Value[] {
    const outputs = options.shapes.map((shape) => ({ name: this.nextName("t"), shape, isDifferentiable: false }));
    this.append(
      operator,
      inputs,
      outputs.map((output) => output.name),
      options.attributes,
    );
    return outputs;
  }

  /** Notes the gradient rule of `output`. @returns the output, differentiable when one of the inputs is. */
  differentiable(output: Value, inputs: readonly Value[], backward: TapeEntry["backward"]): Value {
    if (!inputs.some((input) => input.isDifferentiable)) return output;
    const value = { ...output, isDifferentiable: true };
    this.tape.push({ inputs, output: value, backward });
    return value;
  }

  /** Gives a value the name under which the runtime returns it. */
  output(name: string, value: Value): void {
    this.append("Identity", [value], [name], {});
    this.outputs.push({ name, type: this.precision, shape: value.shape });
  }

  /**
   * Takes all parameters out of one flat input [count], so that the optimiser, a checkpoint and clipping each handle one
   * buffer. Called once, after the forward pass has declared them; its nodes go to the front, as ONNX wants.
   */
  unpackParameters(name: string): Value {
    const sizes = this.parameters.map((parameter) => sizeOf(parameter.value.shape));
    const flat = this.input(name, [sizes.reduce((sum, size) => sum + size, 0)]);
    const forward = this.nodes;
    this.nodes = [];
    const parts = this.emitMany("Split", [flat, this.integers(sizes)], {
      shapes: sizes.map((size) => [size]),
      attributes: { axis: { int: 0 } },
    });
    for (const [index, { value }] of this.parameters.entries()) {
      this.append("Reshape", [parts[index] as Value, this.integers(value.shape as readonly number[])], [value.name], {});
    }
    this.nodes.push(...forward);
    return flat;
  }

  finish(name: string): Graph {
    return { name, nodes: this.nodes, constants: this.constants, inputs: this.inputs, outputs: this.outputs };
  }

  private append(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    this.nodes.push({ operator, domain: "", inputs: inputs.map((input) => input.name), outputs, attributes });
  }

  private once(key: string, make: () => Value): Value {
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.shared.set(key, made);
    return made;
  }

  private floats(numbers: ArrayLike<number>): Float32Array | Float64Array {
    return this.precision === "float32" ? Float32Array.from(numbers) : Float64Array.from(numbers);
  }

  private nextName(prefix: string): string {
    return `${prefix}${this.named++}`;
  }
}
