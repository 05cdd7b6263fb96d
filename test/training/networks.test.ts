/** The networks are those of their sources: a layer too few, or a width mistyped, and a comparison under a paper's name is none. */

import { describe, expect, it } from "vitest";
import { familyAt } from "../../models/forecasts.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { besideLine } from "../../training/networks/beside-line.ts";
import { duelingQOf } from "../../training/networks/dueling-q.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import { networkOf } from "../../training/networks/registry.ts";
import type { NetworkSettings } from "../../training/networks/settings.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";
import { reshape, slice } from "../../training/tensors/operators/layout.ts";
import { buildServedGraph } from "../../training/tensors/served-graph.ts";
import { sizeOf } from "../../training/tensors/shape.ts";
import type { Network } from "../../training/tensors/training-step.ts";

function parameterCount(id: string, settings: NetworkSettings, given = 40): number {
  const known = MODEL_FAMILIES.get(id);
  // Twelve moves: of three prices at four horizons.
  const family = known === undefined ? null : familyAt(known, { horizonsMs: [1_000, 5_000, 10_000, 30_000], asks: null });
  const columns = family?.columns ?? given;
  const network = family === null ? null : networkOf(family, settings, columns);
  if (family === null || network === null) throw new Error(`no network of ${id}`);
  const graph = new GraphBuilder();
  network(graph, graph.input("features", family.window === 1 ? [2, columns] : [2, family.window, columns]));
  return graph.parameters.reduce((sum, { value }) => sum + sizeOf(value.shape), 0);
}

describe("the number of parameters, counted from the layers that the source names", () => {
  it.each<[string, NetworkSettings["answer"], number]>([
    // 20-100-50-2
    ["volumes", "classes", 20 * 100 + 100 + (100 * 50 + 50) + (50 * 2 + 2)],
    // LSTM 40 of 40 columns, 64, 12
    ["lstm", "moves", 4 * 40 * (40 + 40 + 1) + (40 * 64 + 64) + (64 * 12 + 12)],
    // 128 each way, 64, 32, 12
    ["bilstm", "moves", 2 * 4 * 128 * (40 + 128 + 1) + (256 * 64 + 64) + (64 * 32 + 32) + (32 * 12 + 12)],
    // GRU 64 with the reset gate's second bias
    ["gru", "moves", 3 * 64 * (40 + 64 + 1) + 64 + (64 * 64 + 64) + (64 * 12 + 12)],
    // 400-64-16-64-400
    ["autoencoder", "reconstruction", 400 * 64 + 64 + (64 * 16 + 16) + (16 * 64 + 64) + (64 * 400 + 400)],
    // BiN 2·40 + 2·10 + 2; BL 60x40, 10x10, 60x10; BL 120x60, 10x5, 120x5; TABL 12x120, 5x5, λ, 5x1, 12
    ["binctabl", "moves", 102 + (2_400 + 100 + 600) + (7_200 + 50 + 600) + (1_440 + 25 + 1 + 5 + 12)],
    // 15-128-128-(1 + 112)
    ["dueling-q", "action-values", 15 * 128 + 128 + (128 * 128 + 128) + (128 + 1) + (128 * 112 + 112)],
    // 180-64, 8 convolutions of 64, one to 128, 3 of 128, dense 20, dense 20, each convolution 3 wide
    ["resnet1d", "moves", 3 * (180 * 64 + 8 * 64 * 64 + 64 * 128 + 3 * 128 * 128) + 9 * 64 + 4 * 128 + (128 * 20 + 20) + (20 * 20 + 20)],
  ])("%s", (id, answer, count) => {
    expect(parameterCount(id, { answer, size: "paper" })).toBe(count);
  });

  it("deeplob has the 142 thousand that others counted (three classes, without the biases that batch norm makes idle)", () => {
    const paper = parameterCount("deeplob", { answer: "moves", size: "paper" });
    expect(paper).toBeGreaterThan(140_000);
    expect(paper).toBeLessThan(147_000);
  });

  it("of an mlp with widths of its own and a line beside it: 27-256-128-12, and 27 x 12", () => {
    const stack = 27 * 256 + 256 + (256 * 128 + 128) + (128 * 12 + 12);
    const own = { answer: "moves", size: "paper", hidden: [256, 128], dropout: 0.25 } as const;
    expect(parameterCount("mlp", own, 27)).toBe(stack);
    expect(parameterCount("mlp", { ...own, hasLine: true }, 27)).toBe(stack + 27 * 12);
  });

  it.each(["small", "large"] as const)("a %s network is %s", (size) => {
    for (const id of [
      "mlp",
      "volumes",
      "lstm",
      "bilstm",
      "gru",
      "binctabl",
      "deeplob",
      "tlob",
      "mlplob",
      "autoencoder",
      "conv-autoencoder",
      "coded-mlp",
      "coded-lstm",
      "resnet1d",
      "dueling-q",
    ]) {
      const answer = MODEL_FAMILIES.get(id)?.answers[0].kind ?? "moves";
      const [own, paper] = [parameterCount(id, { answer, size }), parameterCount(id, { answer, size: "paper" })];
      if (size === "small") expect(own, id).toBeLessThan(paper);
      else expect(own, id).toBeGreaterThan(paper);
    }
  });
});

describe("a line beside a network", () => {
  it("adds the newest row's line to the answer, and no older row's: of [1, 2] by [3, 0.5] it is 4", async () => {
    // No hidden layer, and an answer layer that says 10 of anything.
    const rest = new Map([
      ["output.weights", new Float32Array(2)],
      ["output.bias", Float32Array.of(10)],
      ["line.weights", Float32Array.of(3, 0.5)],
    ]);
    const answer: Network = (graph, x) => {
      const [rows = "batch", ...sizes] = x.shape;
      const row = sizes.length === 1 ? x : reshape(graph, slice(graph, x, { axis: 1, from: 0, to: 1 }), [rows, 2]);
      return mlpNetwork(1, [])(graph, row);
    };
    const ask = async (window: number, data: readonly number[]): Promise<number[]> => {
      const shape = window === 1 ? [2] : [window, 2];
      const network = besideLine(answer, { window, columns: 2, outputs: 1 });
      const file = buildServedGraph(network, { shape, inputName: "x", outputName: "y", head: (_graph, value) => value, weights: rest });
      const session = await (await loadRuntime("node")).open(file);
      const { y } = await session.run({ x: { shape: [data.length / sizeOf(shape), ...shape], data: Float32Array.from(data) } });
      await session.release();
      return Array.from(y ?? []);
    };
    expect(await ask(1, [1, 2, -1, 4])).toEqual([14, 9]);
    expect(await ask(3, [100, 100, 50, 50, 1, 2])).toEqual([14]);
  });

  it("is of forecasts, and widths and dropout of the mlp: a run that names what it hasn't got would be taken for another", () => {
    const settings = { answer: "moves", size: "small" } as const;
    expect(() => parameterCount("gru", { ...settings, hidden: [8] })).toThrow("gru has layers of its own");
    expect(() => parameterCount("gru", { ...settings, dropout: 0.1 })).toThrow("gru drops as its source says");
    expect(() => parameterCount("autoencoder", { ...settings, answer: "reconstruction", hasLine: true })).toThrow(
      "a line runs beside forecasts",
    );
  });
});

describe("a dueling network", () => {
  it("adds to the state's value the advantages less their mean: 2 and [1, -1, 3] make [2, 0, 4]", async () => {
    const network = duelingQOf({ size: "small", columns: 1, window: 1, outputs: 3 });
    const nothing = (count: number): Float32Array => new Float32Array(count);
    const weights = new Map([
      ["hidden1.weights", nothing(64)],
      ["hidden1.bias", nothing(64)],
      ["hidden2.weights", nothing(64 * 64)],
      ["hidden2.bias", nothing(64)],
      ["value.weights", nothing(64)],
      ["value.bias", Float32Array.of(2)],
      ["advantages.weights", nothing(64 * 3)],
      ["advantages.bias", Float32Array.of(1, -1, 3)],
    ]);
    const file = buildServedGraph(network, { shape: [1], inputName: "x", outputName: "q", head: (_graph, answer) => answer, weights });
    const session = await (await loadRuntime("node")).open(file);
    const { q } = await session.run({ x: { shape: [1, 1], data: Float32Array.of(0.5) } });
    await session.release();
    expect(Array.from(q ?? [])).toEqual([2, 0, 4]);
  });
});
