/** Convolution and pooling: each way that a gradient is computed has its own windows, and a wrong border is a small error that training hides. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeModel } from "../../training/onnx/encode.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { differentiate } from "../../training/tensors/differentiate.ts";
import { emitReshape, emitSum } from "../../training/tensors/emit.ts";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { zeros } from "../../training/tensors/initialisers.ts";
import { convolution } from "../../training/tensors/operators/convolution.ts";
import { averagePooling, globalMean, maximumPooling } from "../../training/tensors/operators/pooling.ts";
import type { WindowOptions } from "../../training/tensors/operators/window.ts";
import { allDistinct, checkRules, type RuleCase } from "./gradient-check.ts";

const small = fc.integer({ min: 1, max: 3 });

interface Drawn {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly window: WindowOptions;
}

/** The window along one axis, with `more` elements beyond the one that it covers at first. */
interface Along {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly more: number;
}

const anyWindow = fc.record<Along>({
  kernel: small,
  stride: small,
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 3 }),
  after: fc.integer({ min: 0, max: 3 }),
  more: fc.integer({ min: 0, max: 4 }),
});

function drawn(axes: fc.Arbitrary<readonly Along[]>): fc.Arbitrary<Drawn> {
  return fc.record({ batch: small, inputs: small, outputs: small, axes }).map(({ axes: along, ...rest }) => ({
    ...rest,
    sizes: along.map(({ kernel, dilation, before, after, more }) => Math.max(1, dilation * (kernel - 1) + 1 - before - after) + more),
    kernel: along.map(({ kernel }) => kernel),
    window: {
      stride: along.map(({ stride }) => stride),
      padding: along.map(({ before, after }): [number, number] => [before, after]),
      dilation: along.map(({ dilation }) => dilation),
    },
  }));
}

function convolutionCase({ batch, inputs, outputs, sizes, kernel, window }: Drawn): RuleCase {
  return {
    shapes: [[batch, inputs, ...sizes], [outputs, inputs, ...kernel], [outputs]],
    build: (graph, [x, weights, bias]) => convolution(graph, x as Value, { weights: weights as Value, bias: bias as Value }, window),
  };
}

/** As long as the kernel, with a whole number of windows. */
const sideBySide = fc
  .record({ kernel: small, count: small })
  .map(({ kernel, count }): Along => ({ kernel, stride: kernel, dilation: 1, before: 0, after: 0, more: (count - 1) * kernel }));
const unmoving: Along = { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, more: 2 };
const moving = anyWindow.map((along): Along => ({ ...along, stride: 1 }));

describe("gradient rules agree with central differences", () => {
  it.each<[string, fc.Arbitrary<readonly Along[]>]>([
    ["one axis, any window", fc.tuple(anyWindow)],
    ["one axis, a stride of 1", fc.tuple(moving)],
    ["one axis, windows side by side", fc.tuple(sideBySide)],
    ["two axes, any window", fc.tuple(anyWindow, anyWindow)],
    ["two axes, a stride of 1", fc.tuple(moving, moving)],
    ["two axes, windows side by side", fc.tuple(sideBySide, sideBySide)],
    ["two axes, a window down the first alone", fc.tuple(moving, fc.constant(unmoving))],
    [
      "two axes, one window over the whole of the second",
      fc.tuple(fc.constant(unmoving), fc.constant({ ...unmoving, kernel: 3, more: 0 })),
    ],
  ])("convolution over %s", (_, axes) => checkRules(drawn(axes), convolutionCase, 25));

  const pooled = fc.array(
    fc.record({ kernel: small, stride: small, more: fc.integer({ min: 0, max: 4 }), padding: fc.tuple(fc.nat(1), fc.nat(1)) }),
    { minLength: 1, maxLength: 2 },
  );
  const pooling = fc.record({ batch: small, channels: small, along: pooled }).map(({ batch, channels, along }) => ({
    shape: [batch, channels, ...along.map(({ kernel, more }) => kernel + more)],
    options: {
      kernel: along.map(({ kernel }) => kernel),
      stride: along.map(({ stride }) => stride),
      // At most half of the window.
      padding: along.map(({ kernel, padding: [before, after] }): [number, number] => (kernel === 1 ? [0, 0] : [before, after])),
    },
  }));

  it("the largest of windows", () =>
    checkRules(
      pooling,
      ({ shape, options }) => ({ shapes: [shape], build: (graph, [x]) => maximumPooling(graph, x as Value, options), draw: allDistinct }),
      25,
    ));

  it("the mean of windows", () =>
    checkRules(
      pooling,
      ({ shape, options }) => ({ shapes: [shape], build: (graph, [x]) => averagePooling(graph, x as Value, options) }),
      25,
    ));

  it("the mean of all", () =>
    checkRules(pooling, ({ shape }) => ({ shapes: [shape], build: (graph, [x]) => globalMean(graph, x as Value) })));

  it("convolution without a bias", () =>
    checkRules(
      drawn(fc.tuple(moving)),
      (sizes) => {
        const { shapes } = convolutionCase(sizes);
        return {
          shapes: shapes.slice(0, 2),
          build: (graph, [x, weights]) => convolution(graph, x as Value, { weights: weights as Value, bias: null }, sizes.window),
        };
      },
      4,
    ));
});

it("the first of equal elements gets the gradient, as in PyTorch: another would train another network from the same start", async () => {
  const graph = new GraphBuilder();
  const x = graph.parameter("x", [1, 1, 5], { initialise: zeros, isDecayed: false });
  const y = maximumPooling(graph, x, { kernel: [3], padding: [[1, 1]] });
  const loss = graph.differentiable(emitReshape(graph, emitSum(graph, y, [0, 1, 2]), [1]), [y], () => [
    graph.constant([1, 2, 4, 8, 16], [1, 1, 5]),
  ]);
  graph.unpackParameters("parameters");
  graph.output("gradient", differentiate(graph, loss, [x])[0] as Value);
  const session = await (await loadRuntime("node")).open(encodeModel(graph.model("ties")));
  const { gradient } = await session.run({ parameters: { shape: [5], data: Float32Array.of(7, 7, 7, 1, 1) } });
  await session.release();
  // Windows: [7 7], [7 7 7], [7 7 1], [7 1 1], [1 1].
  expect([...(gradient ?? [])]).toEqual([3, 4, 8, 16, 0]);
});

describe("a window that doesn't fit is refused while building, with the shapes", () => {
  const build =
    (x: number[], weights: number[], window: WindowOptions = {}) =>
    () => {
      const graph = new GraphBuilder();
      const layer = { weights: graph.input("w", weights), bias: null };
      return graph.scope("block1", () => convolution(graph, graph.input("x", x), layer, window));
    };

  it("other channels", () => {
    expect(build([2, 3, 9], [4, 2, 3])).toThrow("block1: kernels of [4, 2, 3] can't take [2, 3, 9]");
  });

  it("another number of axes", () => {
    expect(build([2, 3, 9], [4, 3, 3, 3])).toThrow("block1: a window of [3, 3] can't move over [2, 3, 9]");
    expect(build([2, 3, 9], [4, 3, 3], { stride: [1, 1] })).toThrow("block1: a window of [3] can't move over [2, 3, 9]");
  });

  it("a pooling window that could lie in the padding alone", () => {
    const graph = new GraphBuilder();
    const pool = () => graph.scope("pool", () => maximumPooling(graph, graph.input("x", [2, 3, 9]), { kernel: [3], padding: [[2, 0]] }));
    expect(pool).toThrow("pool: padding of more than half of the window [3]");
  });

  it("a kernel longer than what it moves over", () => {
    expect(build([2, 3, 9], [4, 3, 6], { dilation: [2] })).toThrow("block1: a window of [6] is larger than [2, 3, 9]");
  });
});
