/** The part that onnxruntime-node and onnxruntime-web share: both implement the interfaces of onnxruntime-common. */

import type { Tensor as OrtTensor } from "onnxruntime-node";
import type { Session, Tensor, Tensors } from "./contract.ts";

type TensorConstructor = new (type: "float32" | "float64", data: Float32Array | Float64Array, dims: readonly number[]) => OrtTensor;

type OrtTensors = Readonly<Record<string, OrtTensor>>;

/** What differs between the two. */
export interface OrtCalls {
  /** Of the graph. */
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly run: (feeds: OrtTensors) => Promise<OrtTensors>;
  /** A call that is done when it returns and writes its outputs into buffers of the caller; null where there is none. */
  readonly runInPlace: ((feeds: OrtTensors, fetches: OrtTensors) => void) | null;
  /** Whether what is fed and fetched may lie in shared memory. */
  readonly takesSharedMemory: boolean;
  readonly release: () => Promise<void>;
}

export function wrapSession(TensorOf: TensorConstructor, calls: OrtCalls): Session {
  const wrap = (tensors: Tensors): Record<string, OrtTensor> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, new TensorOf(typeOf(tensor), tensor.data, tensor.shape)]));
  return {
    async run(inputs) {
      checkInputs(inputs, calls.inputNames);
      const results = await calls.run(wrap(inputs));
      const outputs: Record<string, Float32Array | Float64Array> = {};
      for (const [name, tensor] of Object.entries(results)) outputs[name] = floatsOf(name, tensor.data);
      return outputs;
    },
    bind(inputs, outputs) {
      checkInputs(inputs, calls.inputNames);
      checkOutputs(outputs, calls.outputNames);
      const staged = calls.takesSharedMemory ? { inputs, outputs, before: [], after: [] } : stage(inputs, outputs);
      const feeds = wrap(staged.inputs);
      if (calls.runInPlace !== null) {
        const { runInPlace } = calls;
        const fetches = wrap(staged.outputs);
        return () => {
          for (const [from, to] of staged.before) to.set(from);
          runInPlace(feeds, fetches);
          for (const [from, to] of staged.after) to.set(from);
          return null;
        };
      }
      return async () => {
        for (const [from, to] of staged.before) to.set(from);
        const results = await calls.run(feeds);
        for (const [name, { data }] of Object.entries(outputs)) {
          const { data: answer, dims } = results[name] as OrtTensor;
          checkFits({ name, dims, data: answer }, outputs[name] as Tensor);
          data.set(floatsOf(name, answer));
        }
      };
    },
    release: () => calls.release(),
  };
}

/**
 * The native binding looks at no names: a kernel that finds an input missing says so at best, and takes one that it can do without for left out.
 */
function checkInputs(inputs: Tensors, names: readonly string[]): void {
  for (const name of names) if (!Object.hasOwn(inputs, name)) throw new TypeError(`the input ${name} is missing`);
  for (const name of Object.keys(inputs)) if (!names.includes(name)) throw new TypeError(`the graph has no input ${name}`);
}

/** Some outputs may be left out. */
function checkOutputs(outputs: Tensors, names: readonly string[]): void {
  const asked = Object.keys(outputs);
  if (asked.length === 0) throw new TypeError("no output is asked for");
  for (const name of asked) if (!names.includes(name)) throw new TypeError(`the graph has no output ${name}`);
}

/** As the native kernels see to when they write in place. */
function checkFits({ name, dims, data }: { name: string; dims: readonly number[]; data: unknown }, into: Tensor): void {
  const isSameType = data instanceof Float32Array === into.data instanceof Float32Array;
  if (isSameType && dims.length === into.shape.length && dims.every((size, axis) => size === into.shape[axis])) return;
  throw new TypeError(`output ${name} is ${isSameType ? `[${dims.join(", ")}]` : "of another type"}, not [${into.shape.join(", ")}]`);
}

type Copy = readonly [from: Float32Array | Float64Array, to: Float32Array | Float64Array];

/** Private copies of what lies in shared memory, and what to copy before and after a call. */
function stage(inputs: Tensors, outputs: Tensors): { inputs: Tensors; outputs: Tensors; before: Copy[]; after: Copy[] } {
  const before: Copy[] = [];
  const after: Copy[] = [];
  const own = (tensors: Tensors, note: (shared: Tensor, copy: Tensor) => void): Tensors =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => {
        if (!(tensor.data.buffer instanceof SharedArrayBuffer)) return [name, tensor];
        const copy = { shape: tensor.shape, data: tensor.data.slice() };
        note(tensor, copy);
        return [name, copy];
      }),
    );
  return {
    inputs: own(inputs, (shared, copy) => before.push([shared.data, copy.data])),
    outputs: own(outputs, (shared, copy) => after.push([copy.data, shared.data])),
    before,
    after,
  };
}

function typeOf(tensor: Tensor): "float32" | "float64" {
  return tensor.data instanceof Float32Array ? "float32" : "float64";
}

function floatsOf(name: string, data: unknown): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new TypeError(`output ${name} holds no floats`);
}
