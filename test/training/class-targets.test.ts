/** Classes of a dataset's moves: a threshold that saw the test part, or a class that nobody ever saw, and the scores are worth nothing. */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { ClassQuestion } from "../../models/contract.ts";
import { classQuestions, familyAt } from "../../models/forecasts.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { checkClasses, classTargets, fitThresholds } from "../../training/train/class-targets.ts";
import { fitStatistics } from "../../training/train/fit-statistics.ts";
import { rowsOfRun } from "../../training/train/run-rows.ts";
import { scratchFolder, TOY_HORIZONS_MS, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
let dataset: Dataset;

beforeAll(async () => {
  await writeToyDataset(join(folder, "data"), [{ rows: 600, seed: 3, signal: 0.5, gapAt: 300 }]);
  dataset = await readDataset(join(folder, "data"));
});

const directionQuestions = (): readonly ClassQuestion[] => classQuestions({ horizonsMs: TOY_HORIZONS_MS, asks: "move" });

const nextChange = (): readonly ClassQuestion[] => classQuestions({ horizonsMs: TOY_HORIZONS_MS, asks: "next-change" });

const upTo = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row);

describe("thresholds", () => {
  it("come from the rows that are named and from no other", () => {
    const [, atFive] = directionQuestions();
    if (atFive === undefined) throw new Error("no question");
    const column = dataset.card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === 5_000);
    const sizes = Array.from({ length: 200 }, (_, row) => Math.abs(dataset.targets[row * 12 + column] ?? Number.NaN)).sort((a, b) => a - b);
    const [threshold = Number.NaN] = fitThresholds(dataset, upTo(200), [atFive]);
    // A third of 200 numbers, 199 steps between them.
    const place = 199 / 3;
    const below = Math.floor(place);
    expect(threshold).toBeCloseTo((sizes[below] ?? 0) + (place - below) * ((sizes[below + 1] ?? 0) - (sizes[below] ?? 0)), 12);
    const spoilt = { ...dataset, targets: dataset.targets.map((value, cell) => (cell >= 200 * 12 ? 1e6 : value)) };
    expect(fitThresholds(spoilt, upTo(200), directionQuestions())).toEqual(fitThresholds(dataset, upTo(200), directionQuestions()));
  });

  it("of a run come from its training rows: what the others held would be known before it happened", () => {
    const kinds = [...MODEL_FAMILIES.values()]
      .filter(({ forecasts }) => forecasts?.kinds.includes("classes") === true)
      .flatMap((family) => familyAt(family, { horizonsMs: TOY_HORIZONS_MS, asks: "move" }) ?? []);
    expect(kinds.length).toBeGreaterThan(0);
    const spoilt = { ...dataset, targets: dataset.targets.map((value, cell) => (cell >= 200 * 12 ? 1e6 : value)) };
    for (const family of kinds) {
      const statistics = fitStatistics(dataset, upTo(200), { family, answer: "classes" });
      expect(fitStatistics(spoilt, upTo(200), { family, answer: "classes" })).toEqual(statistics);
      expect(fitStatistics(spoilt, upTo(250), { family, answer: "classes" }).output).not.toEqual(statistics.output);
    }
  });

  it("of a whole run don't move with an outlier in the validation or the test part: what is flat would hang on what came later", () => {
    const known = MODEL_FAMILIES.get("linear");
    const family = known === undefined ? null : familyAt(known, { horizonsMs: TOY_HORIZONS_MS, asks: "move" });
    if (family === null) throw new Error("no linear");
    const model = { answer: "classes", size: "paper" } as const;
    const shares = { trainShare: 0.6, validationShare: 0.25 };
    const { split, statistics } = rowsOfRun(dataset, { family, model, shares });
    const first = split.validation[0] ?? Number.NaN;
    // Every move from the first validation row on a hundred times as large.
    const spoilt = { ...dataset, targets: dataset.targets.map((value, cell) => (cell >= first * 12 ? 100 * value : value)) };
    expect(rowsOfRun(spoilt, { family, model, shares }).statistics).toEqual(statistics);
    const sooner = { ...dataset, targets: dataset.targets.map((value, cell) => (cell >= (first - 200) * 12 ? 100 * value : value)) };
    expect(rowsOfRun(sooner, { family, model, shares }).statistics).not.toEqual(statistics);
  });

  it("of a question that no training row can answer are refused with what to do", () => {
    const unknown = { ...dataset, mask: new Uint8Array(dataset.mask.length) };
    expect(() => fitThresholds(unknown, upTo(200), directionQuestions())).toThrow(/no training row knows where the mid goes in 1 s/);
  });
});

describe("class targets", () => {
  it("are the signs of the moves beyond the threshold, and absent where the move is", () => {
    const questions = directionQuestions();
    const thresholds = fitThresholds(dataset, upTo(400), questions);
    const { width, targets, mask } = classTargets(dataset, questions, thresholds);
    expect(width).toBe(12);
    for (let row = 0; row < dataset.rows; row++) {
      for (const [index, threshold] of thresholds.entries()) {
        const cell = row * 12 + index * 3 + 1;
        const move = dataset.targets[cell] ?? Number.NaN;
        const isKnown = dataset.mask[cell] === 1;
        const wanted = isKnown ? [Number(move < -threshold), Number(Math.abs(move) <= threshold), Number(move > threshold)] : [0, 0, 0];
        expect([...targets.subarray(cell - 1, cell + 2)]).toEqual(wanted);
        expect([...mask.subarray(cell - 1, cell + 2)]).toEqual(isKnown ? [1, 1, 1] : [0, 0, 0]);
      }
    }
    // The rows before the gap and the end reach no further.
    expect(mask.filter((one) => one === 0).length).toBe(3 * 2 * (1 + 5 + 10 + 30));
  });

  it("of the next change look no further than the segment, and have no threshold", () => {
    const questions = nextChange();
    expect(fitThresholds(dataset, upTo(400), questions)).toEqual([0]);
    const { width, targets, mask } = classTargets(dataset, questions, [0]);
    expect(width).toBe(2);
    const mid = 1;
    for (let row = 0; row < dataset.rows; row++) {
      let at = row;
      while (at < dataset.rows && dataset.mask[at * 12 + mid] === 1 && dataset.targets[at * 12 + mid] === 0) at++;
      const isKnown = at < dataset.rows && dataset.mask[at * 12 + mid] === 1 && at < row + 30;
      const isUp = (dataset.targets[at * 12 + mid] ?? 0) > 0;
      expect([...targets.subarray(2 * row, 2 * row + 2)]).toEqual(isKnown ? [Number(!isUp), Number(isUp)] : [0, 0]);
      expect(mask[2 * row]).toBe(Number(isKnown));
    }
  });

  it("of the next change reach as many seconds as the question asks, and not one more", () => {
    const questions = nextChange();
    // The mid moves with row 50 alone.
    const still = dataset.targets.map((_, cell) => (cell === 50 * 12 + 1 ? 1 : 0));
    const { mask } = classTargets({ ...dataset, targets: still }, questions, [0]);
    const known = Array.from({ length: 300 }, (_, row) => row).filter((row) => mask[2 * row] === 1);
    expect(known).toEqual(Array.from({ length: 30 }, (_, at) => 21 + at));
  });

  it("without one of the classes are refused: it could not be learnt", () => {
    const [question] = directionQuestions() as [ClassQuestion];
    const rising = { ...dataset, targets: dataset.targets.map(Math.abs) };
    const targets = classTargets(rising, [question], [0.5]);
    expect(() => checkClasses(targets, upTo(400), [question])).toThrow(/none is "down" for where the mid goes in 1 s/);
    const honest = classTargets(dataset, [question], fitThresholds(dataset, upTo(400), [question]));
    expect(() => checkClasses(honest, upTo(400), [question])).not.toThrow();
  });
});
