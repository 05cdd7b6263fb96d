/**
 * The leak detectors of datasets and runs: each is quiet about an honest simulated market, and fails on one that was made to leak its way. Loss prevented:
 * skill that is believed, and is the answer seen.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetVolumes10 } from "../../core/features/volumes-10/feature-set.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { simulatedSource } from "../../training/datasets/simulated-source.ts";
import { datasetLeaks } from "../../training/leaks/dataset-leaks.ts";
import { chanceR2 } from "../../training/leaks/leak-check.ts";
import { rowsTurned, shiftFeatures } from "../../training/leaks/moved-rows.ts";
import { traceStatistics } from "../../training/leaks/traced-statistics.ts";
import type { LeakVerdict } from "../../training/leaks/verdict.ts";
import { defaultSettings } from "../../training/networks/settings.ts";
import { silent } from "../../training/progress.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { fitNormaliser } from "../../training/train/normaliser.ts";
import type { RunCard } from "../../training/train/run-card.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
const folder = scratchFolder();
let honest: Dataset;

async function simulated(name: string, featureSet?: FeatureSet): Promise<Dataset> {
  await buildDataset({
    sources: [simulatedSource({ preset: "large-tick", seed: 1, hours: 1.5 })],
    folder: join(folder, name),
    command: ["test"],
    progress: silent,
    ...(featureSet === undefined ? {} : { featureSet }),
  });
  return readDataset(join(folder, name));
}

beforeAll(async () => {
  honest = await simulated("honest");
});

/** The detectors that gave an alarm. */
function alarms(verdicts: readonly LeakVerdict[]): string[] {
  return verdicts.flatMap(({ detector, failure }) => (failure === null ? [] : [detector]));
}

/** The same rows with another first column. */
function withColumn(dataset: Dataset, cellOf: (row: number) => number): Dataset {
  const features = allFeatures(dataset).slice();
  for (let row = 0; row < dataset.rows; row++) features[row * dataset.columns] = cellOf(row);
  return { ...dataset, features: { kind: "memory", values: features } };
}

/** How far the mid moves from `row` to the next one, bps; 0 where nobody knows. */
function nextMove({ card, targets, outputs, rows }: Dataset, row: number): number {
  const column = card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === 1_000);
  return row < rows ? (targets[row * outputs + column] as number) : 0;
}

describe("a dataset", () => {
  it("that is honest raises no alarm: one that cries at honest skill would be turned off", () => {
    const verdicts = datasetLeaks(honest);
    expect(verdicts.map(({ detector }) => detector)).toEqual(["labels turned", "features of the next row", "features of the last row"]);
    expect(alarms(verdicts)).toEqual([]);
  });

  it("with a column that holds the next row's mid is caught: a row of the future adds nothing to what it knows already", () => {
    const leaking = withColumn(honest, (row) => nextMove(honest, row));
    expect(alarms(datasetLeaks(leaking))).toContain("features of the next row");
  });

  it("with a column of two rows later is caught: the older row forecasts better than the row itself", () => {
    const leaking = withColumn(honest, (row) => nextMove(honest, row + 1));
    expect(alarms(datasetLeaks(leaking))).toContain("features of the last row");
  });

  it("whose second half is its first once more is caught: a recording joined twice tests on what it taught", () => {
    const half = Math.floor(honest.rows / 2);
    const twice = {
      ...honest,
      features: { kind: "memory" as const, values: repeated(allFeatures(honest), half * honest.columns) },
      targets: repeated(honest.targets, half * honest.outputs),
    };
    expect(alarms(datasetLeaks(twice))).toEqual(["labels turned"]);
  });

  it("is asked for what other rows' labels tell of its own: a column that holds those labels, and nothing of its row, is no alarm", () => {
    const half = Math.floor(honest.rows / 2);
    const others = withColumn(honest, (row) => nextMove(honest, (row + half) % honest.rows));
    expect(alarms(datasetLeaks(others))).not.toContain("labels turned");
  });

  it("of bare volumes is told that the alarm is dead: silence of a detector that can't see is no proof", async () => {
    const verdicts = datasetLeaks(await simulated("volumes", featureSetVolumes10));
    expect(alarms(verdicts)).toEqual(["features of the next row"]);
    expect(verdicts[1]?.failure).toMatch(/^the alarm is dead/);
  });
});

describe("the command", () => {
  const leaks = (...words: string[]) => spawnSync(process.execPath, [MAIN, "leaks", ...words], { encoding: "utf8" });

  it("fails where rows know the next price, in a sentence and in JSON: a script that goes on would train on it", async () => {
    // Half of the next move stands in the first column, and no column tells the last one.
    await writeToyDataset(join(folder, "foretold"), [{ rows: 2_000, seed: 7, signal: 0.5 }]);
    const told = leaks("--data", join(folder, "foretold"));
    expect([told.status, told.stdout]).toEqual([1, expect.stringContaining("! features of the next row: the alarm is dead")]);
    const json = leaks("--data", join(folder, "foretold"), "--json");
    expect([json.status, JSON.parse(json.stdout).isClean]).toEqual([1, false]);
  });

  it("ends well where nothing is found, and refuses to look at nothing", () => {
    const told = leaks("--data", join(folder, "honest"), "--simulate", "small-tick:1:0.05", "--cuts", "1");
    expect([told.status, told.stdout]).toEqual([0, expect.stringContaining("no leak was found")]);
    const nothing = leaks();
    expect([nothing.status, nothing.stderr]).toEqual([1, expect.stringContaining("nothing to look at")]);
  });
});

function repeated(values: Float64Array, length: number): Float64Array {
  return values.map((value, place) => (place < length ? value : (values[place - length] as number)));
}

describe("rows that are moved", () => {
  it("take their neighbour's features within a segment, and lose their targets at its edge: else a gap would be a leak of its own", async () => {
    await writeToyDataset(join(folder, "shifted"), [
      { rows: 60, seed: 3, signal: 0.5, gapAt: 40 },
      { rows: 20, seed: 4, signal: 0.5, market: "toy:B" },
    ]);
    const dataset = await readDataset(join(folder, "shifted"));
    const first = (of: Dataset, row: number): number => allFeatures(of)[row * of.columns] as number;
    const later = shiftFeatures(dataset, "later");
    const earlier = shiftFeatures(dataset, "earlier");
    for (const row of [0, 17, 38, 40, 58, 60, 78]) expect(first(later, row)).toBe(first(dataset, row + 1));
    for (const row of [1, 17, 39, 41, 59, 61, 79]) expect(first(earlier, row)).toBe(first(dataset, row - 1));
    const lost = ({ mask, outputs }: Dataset): number[] =>
      Array.from({ length: 80 }, (_, row) => row).filter(
        (row) => mask[row * outputs] !== dataset.mask[row * outputs] && mask[row * outputs] === 0,
      );
    // The last row of each stretch had no target of the next second to lose.
    expect(lost(later)).toEqual([]);
    expect(lost(earlier)).toEqual([0, 40, 60]);
    expect([39, 59, 79].every((row) => first(later, row) === first(dataset, row))).toBe(true);
  });

  it("are turned by a day where there are two: half of three days would put noon beside midnight", () => {
    expect(rowsTurned(259_200, 1_000)).toBe(86_400);
    expect(rowsTurned(172_800, 1_000)).toBe(86_400);
    expect(rowsTurned(172_799, 1_000)).toBe(86_399);
    expect(rowsTurned(7_169, 1_000)).toBe(3_584);
  });
});

describe("a run's statistics", () => {
  async function runOf(name: string, answer: "moves" | "classes"): Promise<RunCard> {
    const out = join(folder, name);
    const linear = MODEL_FAMILIES.get("linear");
    if (linear === undefined) throw new Error("no linear family");
    const model = { ...defaultSettings(linear), answer };
    await fitLinesRun({
      dataset: honest,
      dataFolder: join(folder, "honest"),
      out,
      family: "linear",
      model,
      settings: { ...LINE_DEFAULTS, lambdas: [0.1] },
      progress: silent,
      commit: null,
    });
    return (await readRun(out)).card;
  }

  it("are the bits that its training rows alone give, of moves and of classes", async () => {
    for (const answer of ["moves", "classes"] as const) {
      const verdicts = traceStatistics(await runOf(`run-${answer}`, answer), honest);
      expect(alarms(verdicts)).toEqual([]);
    }
  });

  it("fitted on all rows are caught, and called so: a scaler that saw the test rows", async () => {
    const card = await runOf("run-scaler", "moves");
    const everything = Uint32Array.from({ length: honest.rows }, (_, row) => row);
    const { mean, scale, clip } = fitNormaliser(honest, everything);
    const leaking = { ...card, normaliser: { mean: [...mean], scale: [...scale], clip } };
    const [traced] = traceStatistics(leaking, honest);
    expect(traced?.failure).toMatch(/^the run's mean\[0\], mean\[1\], mean\[2\] … are of all rows, the test rows among them$/);
  });

  it("that differ in the last bit of one threshold are caught: nearly the same is of other rows", async () => {
    const card = await runOf("run-threshold", "classes");
    const changed = card.model.thresholdsBps.findIndex((threshold) => threshold > 0);
    const thresholdsBps = card.model.thresholdsBps.map((threshold, place) => (place === changed ? threshold * (1 + 2 ** -52) : threshold));
    expect(alarms(traceStatistics({ ...card, model: { ...card.model, thresholdsBps } }, honest))).toEqual(["statistics traced"]);
  });

  it("with a purge that is a second short are caught: the last training label would lie in the validation rows", async () => {
    const card = await runOf("run-purge", "moves");
    const short = { ...card, split: { ...card.split, purgeMs: card.split.purgeMs - 1_000 } };
    expect(alarms(traceStatistics(short, honest))).toContain("purge");
  });

  it("of another dataset are refused, not called a leak", async () => {
    const card = await runOf("run-other", "moves");
    const other = { ...honest, card: { ...honest.card, sha256: "0".repeat(64) } };
    expect(() => traceStatistics(card, other)).toThrow("trained on another dataset");
  });
});

describe("what chance gives", () => {
  it("is by how many horizons go into the rows: labels that share a drift over half an hour are no leak, and a day's skill of 1 % is", () => {
    // 1,046 rows of 1 s hold 34.9 horizons of 30 s; 4 / 34.866… worked out by hand.
    expect(chanceR2({ rows: 1_046, horizonMs: 30_000 }, 1_000)).toBeCloseTo(0.11472, 5);
    expect(chanceR2({ rows: 86_400, horizonMs: 30_000 }, 1_000)).toBe(0.003);
    expect(chanceR2({ rows: 86_400, horizonMs: 1_000 }, 1_000)).toBe(0.003);
    // Minutes: a row is an observation even where the horizon is nearer than the next row.
    expect(chanceR2({ rows: 100, horizonMs: 30_000 }, 60_000)).toBeCloseTo(0.04, 12);
    expect(chanceR2({ rows: 0, horizonMs: 1_000 }, 1_000)).toBe(4);
  });
});
