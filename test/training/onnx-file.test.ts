/** The ONNX writer against what reads the files: onnxruntime itself, our own reader, and the bytes that the format prescribes. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Head, headFor } from "../../training/networks/heads.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import { decodeModel } from "../../training/onnx/decode.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { DOMAINS, type OnnxModel, OPSET } from "../../training/onnx/model.ts";
import { MalformedProtobuf, readFields } from "../../training/onnx/protobuf-reader.ts";
import { ProtobufWriter } from "../../training/onnx/protobuf-writer.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { squaredError } from "../../training/tensors/losses/squared-error.ts";
import { buildServedGraph, weightsFrom } from "../../training/tensors/served-graph.ts";
import { buildGradientStep } from "../../training/tensors/training-step.ts";

const everything: OnnxModel = {
  opset: OPSET,
  domains: DOMAINS,
  graph: {
    name: "all kinds",
    nodes: [
      {
        operator: "Split",
        domain: "",
        inputs: ["x", ""],
        outputs: ["a", "b"],
        attributes: { axis: { int: -1 }, alpha: { float: 0.5 }, mode: { text: "é" } },
      },
      { operator: "Fancy", domain: "com.microsoft", inputs: [], outputs: ["c"], attributes: { perm: { ints: [1, 0, 300] } } },
      {
        operator: "Ensemble",
        domain: "ai.onnx.ml",
        inputs: [],
        outputs: ["e"],
        attributes: {
          values: { floats: [0.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -149] },
          modes: { texts: ["BRANCH_LT", "", "LEAF"] },
          noFloats: { floats: [] },
          noTexts: { texts: [] },
          noInts: { ints: [] },
        },
      },
      {
        operator: "If",
        domain: "",
        inputs: ["c"],
        outputs: ["d"],
        attributes: { body: { graph: { name: "inner", nodes: [], constants: [], inputs: [], outputs: [] } } },
      },
    ],
    constants: [
      { name: "f", type: "float32", shape: [2], data: Float32Array.of(1.5, -2) },
      { name: "d", type: "float64", shape: [], data: Float64Array.of(Math.PI) },
      { name: "i", type: "int64", shape: [1], data: BigInt64Array.of(-5n) },
      { name: "t", type: "bool", shape: [0], data: new Uint8Array(0) },
    ],
    inputs: [{ name: "x", type: "float32", shape: ["batch", 3] }],
    outputs: [{ name: "c", type: "float64", shape: [] }],
  },
};

describe("the file format", () => {
  it("what was written is read back, every kind of attribute and constant included", () => {
    expect(decodeModel(encodeModel(everything))).toEqual(everything);
  });

  it("integers are varints as the format prescribes: a shape that is read wrong loads as another model", () => {
    const bytes = (value: number | bigint): number[] => {
      const writer = new ProtobufWriter();
      writer.integer(1, value);
      return Array.from(writer.finish());
    };
    expect(bytes(0)).toEqual([8, 0]);
    expect(bytes(127)).toEqual([8, 127]);
    expect(bytes(300)).toEqual([8, 0xac, 2]);
    expect(bytes(-1)).toEqual([8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
  });

  it("any 64-bit integer survives writing and reading", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer({ min: 1, max: 10_000 }), (value, field) => {
        const writer = new ProtobufWriter();
        writer.integer(field, value);
        expect([...readFields(writer.finish())]).toEqual([{ field, integer: value }]);
      }),
    );
  });

  it("a file cut short anywhere is refused or lacks something; it is never read as if whole, and never hangs", () => {
    const whole = encodeModel(everything);
    for (let length = 0; length < whole.length; length++) {
      let read: OnnxModel | null = null;
      try {
        read = decodeModel(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedProtobuf);
      }
      if (read !== null) expect(read).not.toEqual(everything);
    }
  });

  it("an operator of another domain runs, and by the version that the file names: one that nobody knows is refused", async () => {
    const scaled: OnnxModel = {
      opset: OPSET,
      domains: { "ai.onnx.ml": 3 },
      graph: {
        name: "scaled",
        nodes: [
          {
            operator: "Scaler",
            domain: "ai.onnx.ml",
            inputs: ["x"],
            outputs: ["y"],
            attributes: { offset: { floats: Float32Array.of(1, 2) }, scale: { floats: [10, 100] } },
          },
        ],
        constants: [],
        inputs: [{ name: "x", type: "float32", shape: [1, 2] }],
        outputs: [{ name: "y", type: "float32", shape: [1, 2] }],
      },
    };
    const runtime = await loadRuntime("wasm");
    const session = await runtime.open(encodeModel(scaled));
    const { y } = await session.run({ x: { shape: [1, 2], data: Float32Array.of(3, 4) } });
    expect(Array.from(y ?? [])).toEqual([20, 200]);
    await session.release();
    await expect(runtime.open(encodeModel({ ...scaled, domains: { "ai.onnx.ml": 1_000 } }))).rejects.toThrow(/ai\.onnx\.ml/);
  });

  it("a constant whose numbers don't fill its shape is a bug that must not reach a file", () => {
    const constants = [{ name: "w", type: "float32" as const, shape: [2, 3], data: new Float32Array(5) }];
    expect(() => encodeModel({ opset: OPSET, graph: { name: "g", nodes: [], constants, inputs: [], outputs: [] } })).toThrow(
      /5 numbers for the shape \[2, 3\]/,
    );
  });
});

describe("the served graph", () => {
  const columns = 3;
  const step = buildGradientStep(mlpNetwork(2, [4]), { rows: 2, shape: [columns], outputs: 2, loss: squaredError });
  const numbers = Float32Array.from({ length: step.parameterCount }, (_, index) => Math.sin(index + 1) / 2);
  const weights = weightsFrom(numbers, step.slots);
  const served = buildServedGraph(mlpNetwork(2, [4]), {
    shape: [columns],
    inputName: "features",
    outputName: "moves_bps",
    head: inBps([2, 3]),
    weights,
  });

  it.each(["node", "wasm"] as const)(
    "runs on onnxruntime (%s) with any number of rows, and answers what the formula says",
    async (name) => {
      const session = await (await loadRuntime(name)).open(served);
      const rows = [
        [0.5, -1, 2],
        [0, 0, 0],
        [1, 1, 1],
      ];
      const answer = await session.run({ features: { shape: [3, columns], data: Float32Array.from(rows.flat()) } });
      const expected = rows.flatMap((row) => naiveForward(row, weights).map((value, output) => value * ([2, 3][output] as number)));
      for (const [index, value] of (answer.moves_bps ?? new Float32Array(0)).entries())
        expect(value).toBeCloseTo(expected[index] as number, 5);
      expect(answer.moves_bps?.length).toBe(6);
      await session.release();
    },
  );

  it("says its own input and output: what a loader checks before it trusts a file", () => {
    const { graph, opset } = decodeModel(served);
    expect(opset).toBe(OPSET);
    expect(graph.inputs).toEqual([{ name: "features", type: "float32", shape: ["batch", columns] }]);
    expect(graph.outputs).toEqual([{ name: "moves_bps", type: "float32", shape: ["batch", 2] }]);
  });

  it("weights of another network are refused", () => {
    expect(() =>
      buildServedGraph(mlpNetwork(2, [5]), { shape: [columns], inputName: "x", outputName: "y", head: inBps([1, 1]), weights }),
    ).toThrow(/12 weights for hidden1.weights, which has 15/);
    expect(() =>
      buildServedGraph(mlpNetwork(2, [4, 4]), { shape: [columns], inputName: "x", outputName: "y", head: inBps([1, 1]), weights }),
    ).toThrow(/no weights/);
  });
});

function inBps(scale: readonly number[]): Head {
  return headFor({ name: "moves_bps", unit: "bps", columns: [] }, scale);
}

/** Linear, SiLU, linear, in plain loops. */
function naiveForward(row: readonly number[], weights: ReadonlyMap<string, Float32Array>): number[] {
  const layer = (input: readonly number[], name: string): number[] => {
    const bias = Array.from(weights.get(`${name}.bias`) ?? []);
    const matrix = weights.get(`${name}.weights`) ?? new Float32Array(0);
    return bias.map((start, out) =>
      input.reduce((sum, value, index) => sum + value * (matrix[index * bias.length + out] as number), start),
    );
  };
  const hidden = layer(row, "hidden1").map((value) => value / (1 + Math.exp(-value)));
  return layer(hidden, "output");
}
