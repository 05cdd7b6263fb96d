/** Operators on each element by itself, with broadcasting. */

import { broadcastShape, type Call, type Kernel, type Kernels, needed, repeatTo } from "./kernel.ts";

type Attributes = Call["attributes"];

/** TensorProto.DataType of the targets of a Cast that change a number. */
const INTEGERS = [6, 7];
const BOOL = 9;

export const ELEMENTWISE: Kernels = {
  Abs: each(() => Math.abs),
  Cast: each((attributes) => castTo(attributes.int("to", 1))),
  Ceil: each(() => Math.ceil),
  Cos: each(() => Math.cos),
  Elu: each((attributes) => {
    const alpha = attributes.float("alpha", 1);
    return (x) => (x >= 0 ? x : alpha * Math.expm1(x));
  }),
  Erf: each(() => erf),
  Exp: each(() => Math.exp),
  Floor: each(() => Math.floor),
  HardSigmoid: each((attributes) => {
    const alpha = attributes.float("alpha", 0.2);
    const beta = attributes.float("beta", 0.5);
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  }),
  HardSwish: each(() => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Identity: each(() => (x) => x),
  IsNaN: each(() => (x) => Number(Number.isNaN(x))),
  LeakyRelu: each((attributes) => {
    const alpha = attributes.float("alpha", 0.01);
    return (x) => (x >= 0 ? x : alpha * x);
  }),
  Log: each(() => Math.log),
  Neg: each(() => (x) => -x),
  Not: each(() => (x) => Number(x === 0)),
  Reciprocal: each(() => (x) => 1 / x),
  Relu: each(() => (x) => Math.max(0, x)),
  Sigmoid: each(() => (x) => 1 / (1 + Math.exp(-x))),
  Sign: each(() => Math.sign),
  Sin: each(() => Math.sin),
  Softplus: each(() => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Sqrt: each(() => Math.sqrt),
  Tanh: each(() => Math.tanh),
  ThresholdedRelu: each((attributes) => {
    const alpha = attributes.float("alpha", 1);
    return (x) => (x > alpha ? x : 0);
  }),
  "com.microsoft:QuickGelu": each((attributes) => {
    const alpha = attributes.float("alpha", 1.702);
    return (x) => x / (1 + Math.exp(-alpha * x));
  }),
  "com.microsoft:Gelu": each(() => (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))),

  Add: folded((a, b) => a + b),
  Sub: folded((a, b) => a - b),
  Mul: folded((a, b) => a * b),
  Div: folded((a, b) => a / b),
  Pow: folded((a, b) => a ** b),
  Max: folded(Math.max),
  Min: folded(Math.min),
  Sum: folded((a, b) => a + b),
  And: folded((a, b) => Number(a !== 0 && b !== 0)),
  Or: folded((a, b) => Number(a !== 0 || b !== 0)),
  Equal: folded((a, b) => Number(a === b)),
  Greater: folded((a, b) => Number(a > b)),
  GreaterOrEqual: folded((a, b) => Number(a >= b)),
  Less: folded((a, b) => Number(a < b)),
  LessOrEqual: folded((a, b) => Number(a <= b)),

  Where: (call) => {
    const inputs = [needed(call, 0), needed(call, 1), needed(call, 2)];
    const shape = broadcastShape(inputs.map((input) => input.shape));
    const [condition, yes, no] = inputs.map((input) => repeatTo(input, shape).data) as [Float64Array, Float64Array, Float64Array];
    return [{ shape, data: condition.map((truth, index) => (truth === 0 ? no : yes)[index] as number) }];
  },
  Clip: (call) => {
    const { shape, data } = needed(call, 0);
    const low = call.inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY;
    const high = call.inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY;
    return [{ shape, data: data.map((x) => Math.min(high, Math.max(low, x))) }];
  },
};

function each(functionOf: (attributes: Attributes) => (x: number) => number): Kernel {
  return (call) => {
    const { shape, data } = needed(call, 0);
    const apply = functionOf(call.attributes);
    return [{ shape, data: data.map((x) => apply(x)) }];
  };
}

/** Over any number of inputs, from the left. */
function folded(apply: (a: number, b: number) => number): Kernel {
  return (call) => {
    const inputs = call.inputs.map((_, index) => needed(call, index));
    const shape = broadcastShape(inputs.map((input) => input.shape));
    const [first, ...others] = inputs.map((input) => repeatTo(input, shape).data) as [Float64Array, ...Float64Array[]];
    return [{ shape, data: others.reduce((sofar, next) => sofar.map((a, index) => apply(a, next[index] as number)), first) }];
  };
}

function castTo(type: number): (x: number) => number {
  if (type === BOOL) return (x) => Number(x !== 0);
  return INTEGERS.includes(type) ? Math.trunc : (x) => x;
}

/** By 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms have one sign. Beyond 6 it is 1 to the last bit. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
