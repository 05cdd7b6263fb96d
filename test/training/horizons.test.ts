/** Runs at the horizons of their data: an answer at another horizon than its name says, or rows that share a long label with the test part, and the scores are of nothing. */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { labelKindOf } from "../../core/labels/moves.ts";
import { parseManifest } from "../../models/manifest.ts";
import { datasetCommand } from "../../training/command-line/dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { parseHorizons, withHorizons } from "../../training/datasets/horizons.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import type { NetworkSettings } from "../../training/networks/settings.ts";
import { silent } from "../../training/progress.ts";
import type { Runtime } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { type Run, readRun } from "../../training/train/run-folder.ts";
import { familyOf, rowsOfRun } from "../../training/train/run-rows.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { trainTreesRun } from "../../training/train/train-trees-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
let data: Dataset;
let runtime: Runtime;

beforeAll(async () => {
  await writeToyDataset(join(folder, "data"), [{ rows: 3_000, seed: 21, signal: 0.5 }], { horizonsMs: [1_000, 2_000, 7_000, 40_000] });
  data = await readDataset(join(folder, "data"));
  runtime = await loadRuntime("node");
});

async function trained(family: "mlp" | "trees" | "linear", dataset: Dataset, model: Partial<NetworkSettings> = {}): Promise<Run> {
  const out = join(folder, `${family}-${dataset.outputs}-${model.asks ?? model.answer ?? "moves"}`);
  const shared = { dataset, dataFolder: folder, out, family, progress: silent, commit: null };
  const told = { ...shared, model: { answer: "moves", size: "small", ...model } as const };
  if (family === "mlp")
    await trainRun({ ...told, runtime, settings: { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, workers: 1 }, checkpoints: null });
  else if (family === "linear") await fitLinesRun({ ...told, settings: LINE_DEFAULTS });
  else await trainTreesRun({ ...told, settings: { ...TREE_DEFAULTS, rounds: 3, minRows: 20 }, threads: 1 });
  return readRun(out);
}

const horizonsIn = (columns: readonly { horizonMs: number }[]): number[] => [...new Set(columns.map(({ horizonMs }) => horizonMs))];

describe.each(["mlp", "trees", "linear"] as const)("a run of %s", (family) => {
  it("answers the horizons of its dataset, is scored and exported at these", async () => {
    const run = await trained(family, data);
    const evaluation = await evaluateRun(run, data, { runtime, commit: null });
    // Of a test part of 450 rows 410 have a target 40 s ahead, which five blocks of two times that fit into.
    expect(horizonsIn(evaluation.scores)).toEqual([1_000, 2_000, 7_000, 40_000]);
    // One part, one price: errors in ticks are those in bps by so many ticks a bps.
    const ticksPerBps = (data.card.parts[0]?.midTicks ?? Number.NaN) / 10_000;
    for (const { errors } of evaluation.scores) expect(errors?.rmseTicks).toBeCloseTo((errors?.rmseBps ?? Number.NaN) * ticksPerBps, 9);
    const { manifest, manifestText } = await exportRun(run, { id: "toy", dataset: data, evaluation });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    expect(manifest.output.unit === "bps" && manifest.output.columns.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual(
      [1_000, 2_000, 7_000, 40_000].flatMap((horizonMs) => [`bid@${horizonMs}`, `mid@${horizonMs}`, `ask@${horizonMs}`]),
    );
  }, 60_000);

  it("trained on some of them answers these alone, and is scored and exported with the whole dataset at hand", async () => {
    const some = withHorizons(data, [2_000, 7_000]);
    const run = await trained(family, some);
    expect(horizonsIn(run.card.outputs)).toEqual([2_000, 7_000]);
    expect(run.card.data.sha256).toBe(data.card.sha256);
    // The rows between two parts are those of the longest horizon that is trained.
    expect(run.card.split.purgeMs).toBe(7_000 + data.card.featureSet.warmupMs);
    const evaluation = await evaluateRun(run, data, { runtime, commit: null });
    expect(evaluation).toEqual(await evaluateRun(run, some, { runtime, commit: null }));
    expect(evaluation.scores.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toEqual([
      ...["bid@2000", "mid@2000", "ask@2000"],
      ...["bid@7000", "mid@7000", "ask@7000"],
    ]);
    const { manifest } = await exportRun(run, { id: "toy", dataset: data, evaluation });
    expect(manifest.output.unit === "bps" && horizonsIn(manifest.output.columns)).toEqual([2_000, 7_000]);
  }, 60_000);

  it("of classes is asked which way each move goes, or once which way the mid changes next", async () => {
    const some = withHorizons(data, [1_000, 7_000]);
    const moves = await trained(family, some, { answer: "classes" });
    const next = await trained(family, some, { answer: "classes", asks: "next-change" });
    expect([moves.card.model.thresholdsBps.length, next.card.model.thresholdsBps]).toEqual([2, [0]]);
    const evaluation = await evaluateRun(next, data, { runtime, commit: null });
    expect(evaluation.classes?.map(({ asks, horizonMs, labels }) => [asks, horizonMs, labels])).toEqual([
      ["next-change", 7_000, ["down", "up"]],
    ]);
    const { manifest, manifestText } = await exportRun(next, { id: "toy", dataset: data, evaluation });
    expect(parseManifest(manifestText)).toEqual({ manifest });
    expect(manifest.output.unit === "probability" && manifest.output.groups.map(({ asks }) => asks)).toEqual(["next-change"]);
  }, 60_000);
});

describe("a dataset of which nothing is said", () => {
  it("is of anchored moves up to five minutes, and its card says so: silence in a card means point", () => {
    const command = datasetCommand();
    expect(command.getOptionValue("label")).toBe("anchored");
    expect(command.getOptionValue("horizons")).toEqual([1_000, 5_000, 10_000, 30_000, 60_000, 300_000]);
    expect(labelKindOf({})).toBe("point");
  });
});

describe("a dataset with some of its horizons", () => {
  it("has the very targets of these, with their masks, and the same rows and name", () => {
    const some = withHorizons(data, [1_000, 40_000]);
    expect([some.outputs, some.rows, some.card.sha256]).toEqual([6, 3_000, data.card.sha256]);
    for (const row of [0, 7, 2_959, 2_960, 2_998, 2_999]) {
      const own = [...data.targets.subarray(row * 12, row * 12 + 12)];
      const known = [...data.mask.subarray(row * 12, row * 12 + 12)];
      expect([...some.targets.subarray(row * 6, row * 6 + 6)]).toEqual([...own.slice(0, 3), ...own.slice(9)]);
      expect([...some.mask.subarray(row * 6, row * 6 + 6)]).toEqual([...known.slice(0, 3), ...known.slice(9)]);
    }
    expect(withHorizons(data, [1_000, 2_000, 7_000, 40_000])).toBe(data);
  });

  it("that it lacks is refused with the command that makes it", () => {
    expect(() => withHorizons(data, [1_000, 5_000])).toThrow(
      "the dataset has no targets at 5000 ms, only at 1000, 2000, 7000, 40000: make one with `edgebook dataset --horizons 1000,2000,5000,7000,40000`",
    );
    expect(parseHorizons("1000, 5000")).toEqual([1_000, 5_000]);
    for (const text of ["", "1000,", "5000,1000", "1500", "1e3", "-1000"]) expect(() => parseHorizons(text), text).toThrow("--horizons");
  });

  it("can be trained on where a longer horizon leaves no row: the refusal says with what option", async () => {
    const stretches = Array.from({ length: 40 }, (_, index) => ({
      rows: 25,
      seed: index,
      signal: 0.5,
      startTime: 1_767_225_600_000 + index * 60_000,
    }));
    await writeToyDataset(join(folder, "short"), stretches);
    const dataset = await readDataset(join(folder, "short"));
    const { family, settings: model } = familyOf("linear", dataset);
    expect(() => rowsOfRun(dataset, { family, model })).toThrow(
      "Leave it out with `--horizons 1000,5000,10000`. Record longer; of imported events",
    );
    const some = withHorizons(dataset, [1_000, 5_000, 10_000]);
    expect(rowsOfRun(some, { ...familyOf("linear", some), model }).train.outputs).toBe(9);
  });

  it("asks no next change where the moves of one step aren't there", () => {
    const some = withHorizons(data, [2_000, 7_000]);
    const model = { answer: "classes", size: "small", asks: "next-change" } as const;
    const { family } = familyOf("linear", some, model);
    expect(() => rowsOfRun(some, { family, model })).toThrow("no moves of mid at 1000 ms");
  });

  it("refuses a question of moves for a family that knows none, and a question where moves are answered", () => {
    expect(() => familyOf("linear", data, { answer: "moves", size: "paper", asks: "next-change" })).toThrow("give --answer classes");
    expect(() => familyOf("autoencoder", data, { answer: "reconstruction", size: "paper", asks: "move" })).toThrow(
      "its answers are always the same",
    );
  });
});
