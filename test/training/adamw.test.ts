/** AdamW in the graph against the paper's lines in plain JavaScript, over several steps. */

import { expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { OPSET } from "../../training/onnx/model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";
import { ADAMW_DEFAULTS, adamw, adamwSchedule } from "../../training/tensors/optimisers/adamw.ts";

const COUNT = 6;
const STEPS = 25;
const SETTINGS = { ...ADAMW_DEFAULTS, weightDecay: 0.1 };
const DECAYED = [1, 1, 0, 1, 0, 0];

it("takes the steps of Loshchilov and Hutter's algorithm, decay only where it is wanted", async () => {
  const graph = new GraphBuilder({ precision: "float64" });
  const input = (name: string, size: number) => graph.input(name, [size]);
  const state = { parameters: input("p", COUNT), firstMoment: input("m", COUNT), secondMoment: input("v", COUNT), schedule: input("s", 3) };
  const next = adamw(graph, state, { gradient: input("g", COUNT), decayed: graph.constant(DECAYED, [COUNT]), settings: SETTINGS });
  graph.output("p2", next.parameters);
  graph.output("m2", next.firstMoment);
  graph.output("v2", next.secondMoment);
  const session = await (await loadRuntime("node")).open(encodeModel({ graph: graph.finish("adamw"), opset: OPSET }));

  const random = new Random(5);
  const tensor = (data: ArrayLike<number>) => ({ shape: [data.length], data: Float64Array.from(data) });
  const schedule = adamwSchedule(SETTINGS);
  let p: ArrayLike<number> = Array.from({ length: COUNT }, () => random.normal());
  let m: ArrayLike<number> = new Float64Array(COUNT);
  let v: ArrayLike<number> = new Float64Array(COUNT);
  const naive = { p: Array.from(p), m: new Array<number>(COUNT).fill(0), v: new Array<number>(COUNT).fill(0) };
  for (let t = 1; t <= STEPS; t++) {
    const rate = 0.01 * (1 - t / 100);
    const gradient = Array.from({ length: COUNT }, () => 3 * random.normal());
    const answer = await session.run({ p: tensor(p), m: tensor(m), v: tensor(v), g: tensor(gradient), s: tensor(schedule(rate)) });
    p = answer.p2 as Float64Array;
    m = answer.m2 as Float64Array;
    v = answer.v2 as Float64Array;
    naiveStep(naive, { gradient, rate, t });
  }
  for (let index = 0; index < COUNT; index++) {
    expect(p[index]).toBeCloseTo(naive.p[index] as number, 12);
    expect(m[index]).toBeCloseTo(naive.m[index] as number, 12);
    expect(v[index]).toBeCloseTo(naive.v[index] as number, 12);
  }
  await session.release();
});

function naiveStep(state: { p: number[]; m: number[]; v: number[] }, step: { gradient: number[]; rate: number; t: number }): void {
  const { beta1, beta2, epsilon, weightDecay } = SETTINGS;
  for (let index = 0; index < COUNT; index++) {
    const g = step.gradient[index] as number;
    const before = state.p[index] as number;
    state.m[index] = beta1 * (state.m[index] as number) + (1 - beta1) * g;
    state.v[index] = beta2 * (state.v[index] as number) + (1 - beta2) * g * g;
    const mHat = (state.m[index] as number) / (1 - Math.exp(step.t * Math.log(beta1)));
    const vHat = (state.v[index] as number) / (1 - Math.exp(step.t * Math.log(beta2)));
    state.p[index] = before - step.rate * (mHat / (Math.sqrt(vHat) + epsilon) + weightDecay * (DECAYED[index] as number) * before);
  }
}
