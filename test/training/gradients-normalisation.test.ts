/** Normalisation: its gradient has parts that cancel, and one left out trains to a worse minimum without a sound. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeModel } from "../../training/onnx/encode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { batchNormalisation } from "../../training/tensors/operators/batch-normalisation.ts";
import { bilinearNormalisation, standardScore } from "../../training/tensors/operators/bilinear-normalisation.ts";
import { checkRules } from "./gradient-check.ts";

const small = fc.integer({ min: 2, max: 4 });

describe("gradient rules agree with central differences", () => {
  it.each([0, 1, 2])("batch normalisation with %i sizes", (count) =>
    checkRules(fc.tuple(small, small, fc.array(small, { minLength: count, maxLength: count })), ([batch, channels, sizes]) => ({
      shapes: [[batch + 1, channels, ...sizes], [channels], [channels]],
      build: (graph, [x, scale, shift]) =>
        batchNormalisation(graph, x as Value, { scale: scale as Value, shift: shift as Value, epsilon: 0.1 }),
      differsWhenServed: true,
    })),
  );

  it.each([1, 2])("z-scores along axis %i", (axis) =>
    checkRules(fc.tuple(small, small, small), ([batch, features, time]) => ({
      shapes: [[batch, features + 1, time + 1]],
      build: (graph, [x]) => standardScore(graph, x as Value, axis),
    })),
  );

  it("bilinear normalisation, served as it trains", () =>
    checkRules(fc.tuple(small, small, small), ([batch, features, time]) => ({
      shapes: [[batch, features + 1, time + 1], [features + 1, 1], [features + 1, 1], [1, time + 1], [1, time + 1], [1], [1]],
      build: (graph, parameters) => {
        const [x, timeScale, timeShift, featureScale, featureShift, timeWeight, featureWeight] = parameters as [
          Value,
          Value,
          Value,
          Value,
          Value,
          Value,
          Value,
        ];
        return bilinearNormalisation(graph, x, { timeScale, timeShift, featureScale, featureShift, timeWeight, featureWeight });
      },
    })));
});

describe("running statistics", () => {
  const x = { shape: [2, 2, 2], data: Float32Array.of(1, 2, 10, 10, 3, 6, 10, 14) };

  it("of a batch are its mean and the variance of the population, as PyTorch blends them", async () => {
    const graph = new GraphBuilder();
    const one = graph.constant([1, 1], [2]);
    graph.scope("norm", () => batchNormalisation(graph, graph.input("x", [2, 2, 2]), { scale: one, shift: one }));
    for (const { name, value } of graph.statistics) graph.output(`observed.${name}`, value);
    const session = await (await loadRuntime("node")).open(encodeModel(graph.model("batch")));
    const found = await session.run({ x });
    await session.release();
    // 1 2 3 6: mean 3, squares 4 1 0 9 over 3; 10 10 10 14: mean 11, squares 1 1 1 9 over 3.
    expect([...(found["observed.norm.mean"] ?? [])]).toEqual([3, 11]);
    expect((found["observed.norm.variance"] ?? [])[0]).toBeCloseTo(14 / 3, 5);
    expect((found["observed.norm.variance"] ?? [])[1]).toBeCloseTo(4, 5);
  });

  it("are what a served graph normalises by", async () => {
    const weights = new Map([
      ["norm.scale", Float32Array.of(2, 1)],
      ["norm.shift", Float32Array.of(0, -1)],
      ["norm.mean", Float32Array.of(1, 10)],
      ["norm.variance", Float32Array.of(4, 0.25)],
    ]);
    const graph = new GraphBuilder({ weights });
    const y = graph.scope("norm", () => {
      const parameter = (name: string): Value => graph.parameter(name, [2], { initialise: zeros, isDecayed: false });
      return batchNormalisation(graph, graph.input("x", ["batch", 2, 2]), {
        scale: parameter("scale"),
        shift: parameter("shift"),
        epsilon: 0,
      });
    });
    graph.output("y", y);
    const session = await (await loadRuntime("node")).open(encodeModel(graph.model("served")));
    const answer = await session.run({ x });
    await session.release();
    expect([...(answer.y ?? [])]).toEqual([0, 1, -1, -1, 2, 5, -1, 7]);
  });
});

describe("what can't be normalised is refused while building", () => {
  it("a batch of one value a channel", () => {
    const graph = new GraphBuilder();
    const one = graph.constant([1, 1], [2]);
    const build = () => graph.scope("norm", () => batchNormalisation(graph, graph.input("x", [1, 2]), { scale: one, shift: one }));
    expect(build).toThrow("norm: no variance in one value a channel: [1, 2]");
  });

  it("a scale for other channels", () => {
    const graph = new GraphBuilder();
    const one = graph.constant([1, 1], [2]);
    const build = () => graph.scope("norm", () => batchNormalisation(graph, graph.input("x", [4, 3]), { scale: one, shift: one }));
    expect(build).toThrow("norm: scale and shift of [2] and [2] can't take [4, 3]");
  });
});
