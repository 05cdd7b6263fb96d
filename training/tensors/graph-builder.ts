/**
 * Builds one ONNX graph out of values with known shapes, and keeps the tape of what was done, so that differentiate.ts can append
 * the backward pass to the same graph. No number is computed here: the runtime that gets the graph does all arithmetic.
 *
 * One forward definition serves three purposes:
 *
 * | purpose | parameters | running statistics | dropout | tape |
 * |---|---|---|---|---|
 * | training | one flat input | of the batch, and noted | drops | kept |
 * | answering: validation while training goes on | one flat input | one flat input | none | none |
 * | serving | constants of the file | constants of the file | none | none |
 *
 * An operator asks `isTraining` where the two sides differ: served graphs have ONNX's own operators alone, fused where ONNX has them.
 */

import {
  type Attribute,
  type ElementType,
  type Graph,
  type Node,
  type OnnxModel,
  OPSET,
  type TensorConstant,
  type ValueDeclaration,
} from "../onnx/model.ts";
import type { Initialiser } from "./initialisers.ts";
import { type Shape, ShapeError, sizeOf } from "./shape.ts";

export type Precision = "float32" | "float64";
export type GraphPurpose = "training" | "answering" | "serving";

/** A tensor of the graph: a name and what is known of it. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  /** A gradient is wanted of it: it is a parameter or computed from one. */
  readonly isDifferentiable: boolean;
}

/**
 * One differentiable step: `backward` turns the gradients of the outputs (null: the loss does not depend on that one; never all null) into those
 * of the inputs (null where none is needed).
 */
export interface TapeEntry {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly backward: (gradients: readonly (Value | null)[]) => readonly (Value | null)[];
}

export interface Parameter {
  readonly value: Value;
  readonly initialise: Initialiser;
  /** Weight decay shrinks matrices; shrinking biases only shifts the answer. */
  readonly isDecayed: boolean;
  /** Its Frobenius norm is held below this after each step (max-norm.ts); no limit unless told. */
  readonly maxNorm?: number;
}

/** What is not learnt by gradients but followed: the mean and variance of batch normalisation. */
export interface Statistic {
  readonly name: string;
  readonly size: number;
  /** What every element starts from. */
  readonly initial: number;
  /** [size] that of this batch, while training; else the running one. */
  readonly value: Value;
}

export interface GraphBuilderOptions {
  /** float64 is for checking gradients; everything else runs in float32. */
  readonly precision?: Precision;
  /** "training" unless weights are given, which makes it "serving". */
  readonly purpose?: GraphPurpose;
  /** Name to numbers, of parameters and statistics: they become constants. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
}

/** onnxruntime's own operators ("com.microsoft") have one version. */
const CONTRIBUTED_OPSET = 1;

/** See nextName. */
const GENERATED_NAME = /^(?:b|body|i|k|n|t)\d+$/;

export class GraphBuilder {
  readonly precision: Precision;
  readonly purpose: GraphPurpose;
  readonly tape: TapeEntry[] = [];
  readonly parameters: Parameter[] = [];
  readonly statistics: Statistic[] = [];
  private nodes: Node[] = [];
  private readonly weights: ReadonlyMap<string, Float32Array> | null;
  private readonly constants: TensorConstant[] = [];
  private readonly inputs: ValueDeclaration[] = [];
  private readonly outputs: ValueDeclaration[] = [];
  private readonly shared = new Map<string, Value>();
  private readonly noises: Value[] = [];
  private readonly scopes: string[] = [];
  private readonly domains: Record<string, number> = {};
  /** Of parameters, statistics, inputs and outputs. */
  private readonly taken = new Set<string>();
  private named = 0;

  constructor(options: GraphBuilderOptions = {}) {
    this.precision = options.precision ?? "float32";
    this.weights = options.weights ?? null;
    this.purpose = options.purpose ?? (this.weights === null ? "training" : "serving");
    if ((this.purpose === "serving") !== (this.weights !== null)) throw new Error("weights are given for serving, and for that alone");
  }

  get isTraining(): boolean {
    return this.purpose === "training";
  }

  /** Builds a layer: its parameters get the name in front, and a shape error names it. Scopes nest: "block1.conv2". */
  scope<T>(name: string, build: () => T): T {
    this.scopes.push(name);
    try {
      return build();
    } catch (error) {
      if (error instanceof ShapeError && error.layer === null) throw new ShapeError(error.message, this.scopes.join("."));
      throw error;
    } finally {
      this.scopes.pop();
    }
  }

  /** A tensor that the caller feeds at each run; of this graph's precision unless another type is told. */
  input(name: string, shape: Shape, type: ElementType = this.precision): Value {
    this.claim(name);
    this.inputs.push({ name, type, shape });
    return { name, shape, type, isDifferentiable: false };
  }

  /** A tensor to be learnt. Throws when serving with weights that lack it or have another size, and when the name is taken. */
  parameter(name: string, shape: readonly number[], options: Omit<Parameter, "value">): Value {
    const value: Value = { name: this.scoped(name), shape, type: this.precision, isDifferentiable: this.isTraining };
    this.claim(value.name);
    this.parameters.push({ value, ...options });
    if (this.purpose === "serving") this.storeWeights(value.name, shape);
    return value;
  }

  /**
   * A running statistic. While training its value is what `observe` gives of the batch, and it comes back from each step to be blended by whoever
   * runs it; otherwise it is the running one.
   */
  statistic(name: string, size: number, options: { initial: number; observe: () => Value }): Value {
    const full = this.scoped(name);
    this.claim(full);
    const value: Value = this.isTraining ? options.observe() : { name: full, shape: [size], type: this.precision, isDifferentiable: false };
    this.statistics.push({ name: full, size, initial: options.initial, value });
    if (this.purpose === "serving") this.storeWeights(full, [size]);
    return value;
  }

  /** Uniform numbers on [0, 1), new at each step; fed through one flat input by whoever runs the step. For training alone. */
  noise(shape: readonly number[]): Value {
    if (!this.isTraining) throw new Error("noise is for training alone");
    const value: Value = { name: this.nextName("n"), shape, type: this.precision, isDifferentiable: false };
    this.noises.push(value);
    return value;
  }

  /** How many numbers of noise a step takes. */
  get noiseCount(): number {
    return this.noises.reduce((sum, value) => sum + sizeOf(value.shape), 0);
  }

  /** A tensor of fixed numbers, in this graph's precision. */
  constant(numbers: ArrayLike<number>, shape: readonly number[]): Value {
    const name = this.nextName("k");
    this.constants.push({ name, type: this.precision, shape, data: this.floats(numbers) });
    return { name, shape, type: this.precision, isDifferentiable: false };
  }

  /** A single number; equal numbers share one constant. */
  scalar(number: number): Value {
    return this.once(`scalar ${number}`, () => this.constant([number], []));
  }

  /** A tensor of one number throughout; equal ones share one constant. */
  filled(number: number, shape: readonly number[]): Value {
    return this.once(`filled ${number} ${shape.join(" ")}`, () => this.constant(new Float64Array(sizeOf(shape)).fill(number), shape));
  }

  /** Whole numbers for the inputs that ONNX types as int64: shapes, axes, sizes. */
  integers(numbers: readonly number[]): Value {
    return this.once(`integers ${numbers.join(" ")}`, () => {
      const name = this.nextName("i");
      this.constants.push({ name, type: "int64", shape: [numbers.length], data: BigInt64Array.from(numbers.map(BigInt)) });
      return { name, shape: [numbers.length], type: "int64", isDifferentiable: false };
    });
  }

  /**
   * Appends a node without a gradient rule: rules themselves are made of these. An operator of another domain is written "com.microsoft:FusedMatMul".
   * The output has this graph's precision; `emitAs` is for others.
   * @param inputs null stands for an optional input left out.
   */
  emit(operator: string, inputs: readonly (Value | null)[], shape: Shape, attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.emitAs(this.precision, operator, { inputs, shape, attributes });
  }

  emitAs(
    type: ElementType,
    operator: string,
    node: { inputs: readonly (Value | null)[]; shape: Shape; attributes?: Readonly<Record<string, Attribute>> },
  ): Value {
    const output: Value = { name: this.nextName("t"), shape: node.shape, type, isDifferentiable: false };
    this.append(operator, node.inputs, [output.name], node.attributes ?? {});
    return output;
  }

  /** Appends a node with several outputs. */
  emitMany(
    operator: string,
    inputs: readonly (Value | null)[],
    options: { shapes: readonly Shape[]; attributes: Readonly<Record<string, Attribute>> },
  ): Value[] {
    const outputs = options.shapes.map(
      (shape): Value => ({ name: this.nextName("t"), shape, type: this.precision, isDifferentiable: false }),
    );
    this.append(
      operator,
      inputs,
      outputs.map((output) => output.name),
      options.attributes,
    );
    return outputs;
  }

  /**
   * A graph inside the graph, for Scan and its like. Its inputs have these shapes; it may use any value of the graph around it, and its constants lie
   * there. Names are unique over all: onnxruntime confuses equal ones.
   */
  body(shapes: readonly Shape[], build: (inputs: readonly Value[]) => readonly Value[]): Graph {
    const around = this.nodes;
    this.nodes = [];
    try {
      const inputs = shapes.map((shape): Value => ({ name: this.nextName("b"), shape, type: this.precision, isDifferentiable: false }));
      const outputs = this.ownOutputs(build(inputs));
      const declare = ({ name, type, shape }: Value): ValueDeclaration => ({ name, type, shape });
      return { name: this.nextName("body"), nodes: this.nodes, constants: [], inputs: inputs.map(declare), outputs: outputs.map(declare) };
    } finally {
      this.nodes = around;
    }
  }

  /** Notes the gradient rule of `output`. @returns the output, differentiable when one of the inputs is. */
  differentiable(output: Value, inputs: readonly Value[], backward: (gradient: Value) => readonly (Value | null)[]): Value {
    const [value] = this.differentiableMany([output], inputs, ([gradient]) => backward(gradient as Value));
    return value as Value;
  }

  /** The same for an operator with several outputs, some of which the loss may not depend on. */
  differentiableMany(outputs: readonly Value[], inputs: readonly Value[], backward: TapeEntry["backward"]): Value[] {
    if (!this.isTraining || !inputs.some((input) => input.isDifferentiable)) return [...outputs];
    // Gradients are kept by name: what is passed on unchanged would get its own gradient twice.
    const same = outputs.find((output) => inputs.some((input) => input.name === output.name));
    if (same !== undefined) throw new Error(`${same.name} is an input and an output of one rule`);
    const values = outputs.map((output) => ({ ...output, isDifferentiable: true }));
    this.tape.push({ inputs, outputs: values, backward });
    return values;
  }

  /** Gives a value the name under which the runtime returns it. */
  output(name: string, value: Value): void {
    this.claim(name);
    this.append("Identity", [value], [name], {});
    this.outputs.push({ name, type: value.type, shape: value.shape });
  }

  /**
   * Takes all parameters out of one flat input [count], so that the optimiser, a checkpoint and clipping each handle one
   * buffer. Called once, after the forward pass has declared them; its nodes go to the front, as ONNX wants.
   */
  unpackParameters(name: string): Value {
    return this.unpack(
      name,
      this.parameters.map((parameter) => parameter.value),
    );
  }

  /** The same for running statistics, in a graph that answers; null when there are none. */
  unpackStatistics(name: string): Value | null {
    return this.statistics.length === 0
      ? null
      : this.unpack(
          name,
          this.statistics.map((statistic) => statistic.value),
        );
  }

  /** The same for the noise of a training step; null when none was asked for. */
  unpackNoise(name: string): Value | null {
    return this.noises.length === 0 ? null : this.unpack(name, this.noises);
  }

  /** Without the nodes that no output depends on: a second reader of a value, even an idle one, keeps onnxruntime from fusing the first with its maker. */
  finish(name: string): Graph {
    const needed = new Set(this.outputs.map((output) => output.name));
    const nodes = this.nodes.toReversed().filter((node) => {
      const isNeeded = node.outputs.some((output) => needed.has(output));
      if (isNeeded) for (const input of namesRead(node)) needed.add(input);
      return isNeeded;
    });
    const constants = this.constants.filter((constant) => needed.has(constant.name));
    return { name, nodes: nodes.reverse(), constants, inputs: this.inputs, outputs: this.outputs };
  }

  /** The same, with the versions of the operator sets that it uses: what a file says. */
  model(name: string): OnnxModel {
    return { graph: this.finish(name), opset: OPSET, domains: this.domains };
  }

  /** An output of a body must be made by a node of the body, and be one output only: any other is copied. A copy costs as much as a sum. */
  private ownOutputs(values: readonly Value[]): Value[] {
    const made = new Set(this.nodes.flatMap((node) => node.outputs));
    return values.map((value) => (made.delete(value.name) ? value : this.emit("Identity", [value], value.shape)));
  }

  private unpack(name: string, values: readonly Value[]): Value {
    const sizes = values.map((value) => sizeOf(value.shape));
    const flat = this.input(name, [sizes.reduce((sum, size) => sum + size, 0)]);
    const later = this.nodes;
    this.nodes = [];
    // A vector is a part as it is.
    const parts = values.map((value) => (value.shape.length === 1 ? value.name : this.nextName("t")));
    this.append("Split", [flat, this.integers(sizes)], parts, { axis: { int: 0 } });
    for (const [index, part] of parts.entries()) {
      const value = values[index] as Value;
      if (part !== value.name)
        this.append("Reshape", [{ ...flat, name: part }, this.integers(value.shape as readonly number[])], [value.name], {});
    }
    this.nodes.push(...later);
    return flat;
  }

  private storeWeights(name: string, shape: readonly number[]): void {
    const data = this.weights?.get(name);
    if (data === undefined) throw new Error(`no weights for ${name}`);
    if (data.length !== sizeOf(shape)) throw new Error(`${data.length} weights for ${name}, which has ${sizeOf(shape)}`);
    this.constants.push({ name, type: "float32", shape, data });
  }

  private append(
    operator: string,
    inputs: readonly (Value | null)[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const colon = operator.indexOf(":");
    const domain = operator.slice(0, Math.max(colon, 0));
    if (domain !== "") this.domains[domain] = CONTRIBUTED_OPSET;
    this.nodes.push({
      operator: operator.slice(colon + 1),
      domain,
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs,
      attributes,
    });
  }

  /** Parameters share their names with what is fed and given out, e.g. "weights": onnxruntime would take one for the other. */
  private claim(name: string): void {
    if (this.taken.has(name)) throw new Error(`two values are named ${name}: give a layer's parameters a scope`);
    if (GENERATED_NAME.test(name)) throw new Error(`${name} is a name as the graph gives itself: choose another`);
    this.taken.add(name);
  }

  private scoped(name: string): string {
    return [...this.scopes, name].join(".");
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

/** What a node reads, in the graphs inside of it too. */
function namesRead(node: Node): string[] {
  const inner = Object.values(node.attributes).flatMap((attribute) => ("graph" in attribute ? [attribute.graph] : []));
  return [...node.inputs, ...inner.flatMap(({ nodes, outputs }) => [...nodes.flatMap(namesRead), ...outputs.map(({ name }) => name)])];
}
