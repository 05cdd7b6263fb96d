/** Scores of classes and reconstructions: whose numbers are whose, and what was known when. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DIRECTIONS } from "../../core/labels/classes.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { scoreQuestion } from "../../training/evaluate/class-scores.ts";
import { lastClasses } from "../../training/evaluate/last-classes.ts";
import { scoreReconstruction } from "../../training/evaluate/reconstruction-score.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const QUESTION = { asks: "move", target: "mid", horizonMs: 1_000, labels: DIRECTIONS } as const;

describe("the score of a question", () => {
  // Flat, flat, up, flat, … : the commonest class is right in three of four.
  const actual = Int8Array.from({ length: 400 }, (_, row) => (row % 4 === 2 ? 2 : 1));
  /** Sure of what came with .8, and the rest shared. */
  const knowing = Float64Array.from({ length: 1_200 }, (_, cell) => (cell % 3 === actual[Math.floor(cell / 3)] ? 0.8 : 0.1));
  /** Says flat, always, with .6. */
  const dull = Float64Array.from({ length: 1_200 }, (_, cell) => (cell % 3 === 1 ? 0.6 : 0.2));

  it("shows the model, the line, persistence and the commonest class each by its own answers: mixed up, a dull model would pass", () => {
    const last = Int8Array.from({ length: 400 }, (_, row) => (row === 0 ? -1 : (actual[row - 1] as number)));
    const score = scoreQuestion(QUESTION, { actual, probabilities: knowing, logistic: dull, last }, 1_000);
    expect(score).toMatchObject({ target: "mid", horizonMs: 1_000, rows: 400 });
    expect(score?.model).toMatchObject({ accuracy: 1, macroF1: 1, mcc: 1 });
    expect(score?.model.logLoss).toBeCloseTo(-Math.log(0.8), 12);
    expect(score?.model.brier).toBeCloseTo(0.04 + 2 * 0.01, 12);
    expect(score?.logistic).toMatchObject({ accuracy: 0.75, mcc: 0 });
    expect(score?.logistic?.logLoss).toBeCloseTo(-0.75 * Math.log(0.6) - 0.25 * Math.log(0.2), 12);
    // The commonest class, and the shares of all, whose surprise is their entropy.
    expect(score?.majority).toMatchObject({ accuracy: 0.75, mcc: 0 });
    expect(score?.majority.logLoss).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 12);
    // Of four rows two are as the one before; the first has none before, and flat is said of it.
    expect(score?.persistence).toMatchObject({ accuracy: 0.5, logLoss: null, brier: null });
    expect(score?.confusion).toEqual([
      [0, 0, 0],
      [0, 300, 0],
      [0, 0, 100],
    ]);
    expect(score?.calibration).toHaveLength(1);
    expect(score?.calibration[0]?.probability).toBeCloseTo(0.8, 12);
    expect(score?.calibration[0]).toMatchObject({ rows: 400, share: 1 });
    expect(score?.intervals.accuracy).toEqual({ low: 1, high: 1 });
  });

  it("is none of so few rows that an interval would say nothing", () => {
    const few = { actual: actual.subarray(0, 8), probabilities: knowing.subarray(0, 24), logistic: null, last: actual.subarray(0, 8) };
    expect(scoreQuestion(QUESTION, few, 1_000)).toBeNull();
  });
});

describe("the class that was last known", () => {
  /** Moves of the mid of one second as given; five seconds on they are twice that. A gap before row 6. */
  async function datasetOf(moves: readonly number[]): Promise<Dataset> {
    const path = join(folder, `last-${moves.length}`);
    await writeToyDataset(path, [{ rows: moves.length, seed: 1, signal: 0, gapAt: 6 }]);
    const dataset = await readDataset(path);
    const targets = dataset.targets.slice();
    for (const [row, move] of moves.entries())
      for (let output = 0; output < dataset.outputs; output++) targets[row * dataset.outputs + output] = move;
    return { ...dataset, targets, mask: new Uint8Array(dataset.mask.length).fill(1) };
  }

  it("of a move is that of the one that has just ended, not of one that still runs, and none is seen over a gap", async () => {
    const dataset = await datasetOf([1, -1, 0, 1, 1, -1, 1, -1, 1, 1]);
    expect([...lastClasses(dataset, QUESTION, 0.5)]).toEqual([-1, 2, 0, 1, 2, 2, -1, 2, 0, 2]);
    // Over five seconds, the row five before.
    expect([...lastClasses(dataset, { ...QUESTION, horizonMs: 5_000 }, 0.5)]).toEqual([-1, -1, -1, -1, -1, 2, -1, -1, -1, -1]);
  });

  it("of the next change is the direction of the last one, through seconds without any", async () => {
    const dataset = await datasetOf([0, 1, 0, 0, -1, 0, 1, 0, 0, 1]);
    const question = { asks: "next-change", target: "mid", horizonMs: 5_000, labels: ["down", "up"] } as const;
    expect([...lastClasses(dataset, question, 0)]).toEqual([-1, -1, 1, 1, 1, 0, -1, 1, 1, 1]);
  });
});

describe("the score of a reconstruction", () => {
  it("is beside the columns' means, and names the worst column first", () => {
    // Column a comes back whole, b not at all, c half.
    const rows = 300;
    const targets = Float32Array.from({ length: 3 * rows }, (_, cell) => (Math.floor(cell / 3) % 2 === 0 ? 1 : -1));
    const answers = targets.map((value, cell) => value * ([1, 0, 0.5][cell % 3] as number));
    const score = scoreReconstruction({ rows, targets, answers, columns: ["a", "b", "c"] }, { windowMs: 1_000, intervalMs: 1_000 });
    expect(score?.columns.map(({ column, r2 }) => [column, r2])).toEqual([
      ["b", 0],
      ["c", 0.75],
      ["a", 1],
    ]);
    expect(score?.error).toBeCloseTo((0 + 1 + 0.25) / 3, 12);
    expect(score?.meanError).toBe(1);
    expect(score?.r2).toBeCloseTo(1 - 1.25 / 3, 12);
    expect(score?.r2Low).toBeCloseTo(1 - 1.25 / 3, 12);
  });

  it("leaves out a column that doesn't vary, and is none of few rows", () => {
    const targets = Float32Array.from({ length: 200 }, (_, cell) => (cell % 2 === 0 ? 0 : 1));
    const rows = { rows: 100, targets, answers: new Float32Array(200), columns: ["still", "moving"] };
    expect(scoreReconstruction(rows, { windowMs: 1_000, intervalMs: 1_000 })?.columns.map(({ column }) => column)).toEqual(["moving"]);
    expect(scoreReconstruction({ ...rows, rows: 8, targets: targets.subarray(0, 16) }, { windowMs: 1_000, intervalMs: 1_000 })).toBeNull();
  });
});
