/** Batches: each row once an epoch, with its own targets, in an order that is drawn; and answers to more rows than one call takes. */

import { describe, expect, it } from "vitest";
import { Random } from "../../core/math/random.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { buildForwardPass } from "../../training/tensors/forward-pass.ts";
import { shuffledBatches } from "../../training/train/batches.ts";
import type { PreparedRows } from "../../training/train/prepared-rows.ts";
import { answerRows } from "../../training/train/train-network.ts";

/** Row n has the input n and the targets 10 n and 10 n + 1; row 3 lacks its second target. */
function numberedRows(rows: number): PreparedRows {
  const mask = new Float32Array(rows * 2).fill(1);
  if (rows > 3) mask[7] = 0;
  return {
    rows,
    columns: 1,
    outputs: 2,
    inputs: Float32Array.from({ length: rows }, (_, row) => row),
    targets: Float32Array.from({ length: rows * 2 }, (_, cell) => 10 * Math.floor(cell / 2) + (cell % 2)),
    mask,
  };
}

interface Copied {
  readonly rows: readonly number[];
  readonly targets: readonly number[];
  readonly mask: readonly number[];
  readonly cells: number | undefined;
}

/** A batch's buffers are used again for the next one, so each is copied as it comes. */
function batchesOf(source: PreparedRows, size: number, random: () => number): Copied[] {
  return Array.from(shuffledBatches(source, size, random), ({ rows, features, targets, mask, cells }) => ({
    rows: [...features.data.slice(0, rows)],
    targets: [...targets.data.slice(0, 2 * rows)],
    mask: [...mask.data],
    cells: cells.data[0],
  }));
}

const orderOf = (rows: number, random: () => number): number[] => batchesOf(numberedRows(rows), 4, random).flatMap((batch) => batch.rows);

describe("an epoch", () => {
  it("visits every row once with its own targets and mask, in another order each time: neighbours nearly repeat each other", () => {
    const source = new Random(1);
    const random = (): number => source.uniform();
    const first = batchesOf(numberedRows(10), 4, random);
    const rows = first.flatMap((batch) => batch.rows);
    const inOrder = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect([...rows].sort((one, other) => one - other)).toEqual(inOrder);
    expect(rows).not.toEqual(inOrder);
    expect(orderOf(10, random)).not.toEqual(rows);
    expect(first.flatMap((batch) => batch.targets)).toEqual(rows.flatMap((row) => [10 * row, 10 * row + 1]));
    for (const batch of first)
      expect(batch.mask.slice(0, 2 * batch.rows.length)).toEqual(batch.rows.flatMap((row) => [1, row === 3 ? 0 : 1]));
  });

  it("draws each place among all that are left: a biased order would show some rows early in every epoch", () => {
    // By hand, with the places that are drawn: 0 of 4, 0 of 3, 0 of 2; then always the last.
    expect(orderOf(4, () => 0)).toEqual([1, 2, 3, 0]);
    expect(orderOf(4, () => 0.999)).toEqual([0, 1, 2, 3]);
  });

  it("ends with a batch filled up by nothing: rows left over from the batch before would count twice", () => {
    const source = new Random(2);
    const batches = batchesOf(numberedRows(10), 4, () => source.uniform());
    expect(batches.map((batch) => batch.rows.length)).toEqual([4, 4, 2]);
    expect(batches[2]?.mask.slice(4)).toEqual([0, 0, 0, 0]);
    expect(batches.map((batch) => batch.cells)).toEqual(batches.map((batch) => batch.rows.length * 2 - (batch.rows.includes(3) ? 1 : 0)));
  });

  it("has no batch without a cell: its loss would be 0 / 0, and so would every weight after it", () => {
    const untold = { ...numberedRows(4), mask: new Float32Array(8) };
    expect(batchesOf(untold, 4, () => 0).map((batch) => batch.cells)).toEqual([1]);
  });
});

describe("answers to rows", () => {
  it("are each row's own where they take more than one call: a second block over the first would shift every score", async () => {
    const rows = 8_200;
    const session = await (await loadRuntime("node")).open(buildForwardPass(mlpNetwork(2, []), 1));
    // One layer: weights 2 and -1, biases 0.5 and 0.
    const answers = await answerRows(session, Float32Array.of(2, -1, 0.5, 0), numberedRows(rows));
    await session.release();
    expect(answers).toEqual(Float32Array.from({ length: 2 * rows }, (_, cell) => (cell % 2 === 0 ? cell + 0.5 : (1 - cell) / 2)));
  });
});
