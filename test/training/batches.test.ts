/** Batches: each row once an epoch, in an order that is drawn, with its own features, targets and weights; and answers to more rows than one call takes. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { createLane } from "../../training/engine/lane.ts";
import { drawOrder, fillNoise, randomOfEpoch } from "../../training/engine/noise.ts";
import { openRowReader } from "../../training/engine/row-reader.ts";
import { checkFinite, createRowSource, type RowParts, windowEnds } from "../../training/engine/row-source.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import type { Session } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { buildForwardPass } from "../../training/tensors/forward-pass.ts";
import { answerRows } from "../../training/train/train-network.ts";

const folder = mkdtempSync(join(tmpdir(), "edgebook-batches-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const orderOf = (rows: number, draw: () => number): number[] => {
  const order = new Uint32Array(rows);
  drawOrder(order, draw);
  return [...order];
};

describe("the order of an epoch", () => {
  it("visits every row once, in another order each epoch: neighbours nearly repeat each other", () => {
    const epochs = [1, 2, 3].map((epoch) => orderOf(50, randomOfEpoch(7, epoch)));
    const inOrder = Array.from({ length: 50 }, (_, row) => row);
    for (const order of epochs) expect([...order].sort((one, other) => one - other)).toEqual(inOrder);
    expect(new Set([...epochs, inOrder].map(String)).size).toBe(4);
    expect(orderOf(50, randomOfEpoch(7, 2))).toEqual(epochs[1]);
    expect(orderOf(50, randomOfEpoch(8, 2))).not.toEqual(epochs[1]);
  });

  it("draws each place among all that are left: a biased order would show some rows early in every epoch", () => {
    // By hand, with the places that are drawn: 0 of 4, 0 of 3, 0 of 2; then always the last.
    expect(orderOf(4, () => 0)).toEqual([1, 2, 3, 0]);
    expect(orderOf(4, () => 0.999)).toEqual([0, 1, 2, 3]);
  });
});

describe("noise", () => {
  it("is uniform on [0, 1), and another for each step, worker and seed: equal masks would train the same units each time", () => {
    const draw = (key: { seed: number; call: number; worker: number }): Float32Array => {
      const noise = new Float32Array(20_000);
      fillNoise(noise, key);
      return noise;
    };
    const base = draw({ seed: 1, call: 0, worker: 0 });
    const others = [draw({ seed: 2, call: 0, worker: 0 }), draw({ seed: 1, call: 1, worker: 0 }), draw({ seed: 1, call: 0, worker: 1 })];
    for (const noise of [base, ...others]) {
      expect(noise.every((value) => value >= 0 && value < 1)).toBe(true);
      // Twenty thousand draws: the mean's standard deviation is 0.002, a tenth's share's too.
      expect(Math.abs(noise.reduce((sum, value) => sum + value, 0) / noise.length - 0.5)).toBeLessThan(0.01);
      for (let tenth = 0; tenth < 10; tenth++)
        expect(Math.abs(noise.filter((value) => Math.floor(10 * value) === tenth).length / noise.length - 0.1)).toBeLessThan(0.01);
    }
    for (const other of others) {
      const product = base.reduce((sum, value, index) => sum + (value - 0.5) * ((other[index] as number) - 0.5), 0);
      // Correlation within five standard deviations of none.
      expect(Math.abs((12 * product) / base.length)).toBeLessThan(5 / Math.sqrt(base.length));
    }
    expect(draw({ seed: 1, call: 0, worker: 0 })).toEqual(base);
  });
});

/** Table row r holds 10 r and 10 r + 1. */
function parts(options: { rows: number; window: number; ends: readonly number[] }): RowParts {
  const { rows, window, ends } = options;
  return {
    table: { kind: "memory", values: Float32Array.from({ length: 2 * rows }, (_, cell) => 10 * Math.floor(cell / 2) + (cell % 2)) },
    tableRows: rows,
    columns: 2,
    window,
    ends: Uint32Array.from(ends),
    outputs: 1,
    targets: Float32Array.from(ends),
    weights: new Float32Array(ends.length).fill(1),
    weightsPer: "cell",
  };
}

describe("windows", () => {
  it("never cross a gap, and rows too young for one are left out: prices of before it are of another market", () => {
    const segments = [0, 0, 0, 0, 1, 1, 2, 2, 2];
    expect([...windowEnds(segments, 3)]).toEqual([2, 3, 8]);
    expect([...windowEnds(segments, 1)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...windowEnds(segments, 2, Uint32Array.of(0, 1, 4, 7))]).toEqual([1, 7]);
  });

  it("come out of memory and out of a file alike, whatever the window, longer than 64 numbers too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(100), { minLength: 1, maxLength: 9 }), async (window, offsets) => {
        const ends = offsets.map((offset) => window - 1 + offset);
        const memory = parts({ rows: window + 100, window, ends });
        const path = join(folder, "rows.f32");
        const { table } = memory;
        if (table.kind !== "memory") throw new Error("the table is in memory");
        writeFileSync(path, Buffer.concat([Buffer.from("head"), Buffer.from(table.values.buffer)]));
        const items = Uint32Array.from(ends, (_, item) => ends.length - 1 - item);
        const expected = [...items].flatMap((item) =>
          Array.from({ length: window }, (_, back) => (ends[item] as number) - window + 1 + back).flatMap((row) => [
            10 * row,
            10 * row + 1,
          ]),
        );
        for (const source of [memory, { ...memory, table: { kind: "file" as const, path, offset: 4 } }]) {
          const reader = openRowReader(createRowSource(source));
          const into = new Float32Array(items.length * window * 2);
          await reader.gather(items, into);
          reader.close();
          expect([...into]).toEqual(expected);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("that would start before the table, and a file cut short, are refused: they would hold something else", async () => {
    expect(() => createRowSource(parts({ rows: 5, window: 3, ends: [1] }))).toThrow(/item 0 ends at row 1: it has no 3 rows/);
    const path = join(folder, "short.f32");
    writeFileSync(path, Buffer.alloc(20));
    const reader = openRowReader(
      createRowSource({ ...parts({ rows: 5, window: 1, ends: [4] }), table: { kind: "file", path, offset: 0 } }),
    );
    await expect(reader.gather(Uint32Array.of(0), new Float32Array(2))).rejects.toThrow(/ends before byte 40/);
    reader.close();
  });
});

describe("a lane", () => {
  it("fills up a last batch with rows of weight 0: rows left over from the batch before would count twice", () => {
    const source = createRowSource({ ...parts({ rows: 9, window: 2, ends: [1, 2, 3, 4, 5] }), weights: Float32Array.of(1, 2, 0, 3, 1) });
    const fed: Record<string, readonly number[]> = {};
    let inputs: Parameters<Session["bind"]>[0] = {};
    const session: Session = {
      run: () => Promise.reject(new Error("not used")),
      bind(given) {
        inputs = given;
        return async () => {
          for (const [name, tensor] of Object.entries(inputs)) fed[name] = [...tensor.data];
        };
      },
      release: () => Promise.resolve(),
    };
    const lane = createLane(
      session,
      { source, reader: openRowReader(source) },
      { rows: 3, shape: [2, 2], noiseCount: 0, inputs: {}, outputs: {} },
    );
    lane.items.set([3, 4, 3]);
    expect(lane.fill(2, 4)).toBeNull();
    void lane.run();
    expect(fed).toEqual({ features: [30, 31, 40, 41, 40, 41, 50, 51, 30, 31, 40, 41], targets: [4, 5, 4], weights: [3, 1, 0], total: [4] });
    expect([...source.itemWeights]).toEqual([1, 2, 0, 3, 1]);
  });
});

describe("numbers that are none", () => {
  it("are named with their row before training; where there is no target, anything may lie", () => {
    const clean = parts({ rows: 4, window: 1, ends: [0, 1, 2, 3] });
    const values = Float32Array.of(0, 0, 0, Number.POSITIVE_INFINITY, 0, 0, 0, 0);
    expect(() => checkFinite(createRowSource({ ...clean, table: { kind: "memory", values } }), "training")).toThrow(
      new CommandError("training row 1 holds Infinity in column 1: make the dataset without it"),
    );
    const targets = Float32Array.of(0, Number.NaN, 0, 0);
    expect(() => checkFinite(createRowSource({ ...clean, targets }), "validation")).toThrow(/target 0 of validation row 1 is NaN/);
    checkFinite(createRowSource({ ...clean, targets, weights: Float32Array.of(1, 0, 1, 1) }), "training");
    expect(() => checkFinite(createRowSource({ ...clean, weights: Float32Array.of(1, 1, -1, 1) }), "training")).toThrow(
      /weight of training row 2 is -1/,
    );
  });
});

describe("answers to rows", () => {
  const weights = { parameters: Float32Array.of(2, -1, 0.5, 0), statistics: new Float32Array(0) };

  it("are each row's own where they take more than one call: a second block over the first would shift every score", async () => {
    const rows = 8_200;
    const source = {
      rows,
      columns: 1,
      outputs: 2,
      inputs: { kind: "memory" as const, values: Float32Array.from({ length: rows }, (_, row) => row) },
      targets: new Float32Array(2 * rows),
      mask: new Float32Array(2 * rows),
    };
    const session = await (await loadRuntime("node")).open(buildForwardPass(mlpNetwork(2, []), [1]));
    // One layer: weights 2 and -1, biases 0.5 and 0.
    const answers = await answerRows(session, weights, source);
    await session.release();
    expect(answers).toEqual(Float32Array.from({ length: 2 * rows }, (_, cell) => (cell % 2 === 0 ? cell + 0.5 : (1 - cell) / 2)));
  });

  it("to windows see the rows up to their own", async () => {
    // Answers the sum of the window.
    const session = await (await loadRuntime("node")).open(
      buildForwardPass(
        (graph, input) => {
          const flat = graph.emit("ReduceSum", [input, graph.integers([1, 2])], ["batch"], { keepdims: { int: 0 } });
          const scale = graph.parameter("scale", [1], { initialise: () => Float32Array.of(1), isDecayed: false });
          return graph.emit("Mul", [graph.emit("Reshape", [flat, graph.integers([-1, 1])], ["batch", 1]), scale], ["batch", 1]);
        },
        [3, 1],
      ),
    );
    const answers = await answerRows(
      session,
      { parameters: Float32Array.of(1), statistics: new Float32Array(0) },
      {
        rows: 2,
        columns: 1,
        outputs: 1,
        inputs: { kind: "memory" as const, values: Float32Array.of(1, 2, 4, 8, 16, 32) },
        windows: { size: 3, ends: Uint32Array.of(2, 5) },
        targets: new Float32Array(2),
        mask: new Float32Array(2),
      },
    );
    await session.release();
    expect([...answers]).toEqual([7, 56]);
  });
});
