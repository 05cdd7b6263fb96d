/**
 * Datasets whose columns take weights from data. Loss prevented: a column that was fitted to the rows which it is then scored on, and nobody told; a fit of one market in another's rows; a
 * model of columns that no instance computes, found out when it is served.
 */

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV2Fitted } from "../../core/features/v2-fitted/feature-set.ts";
import { Random } from "../../core/math/random.ts";
import { datasetCommand } from "../../training/command-line/dataset.ts";
import { planComparison } from "../../training/compare/plan-comparison.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import type { DatasetFit } from "../../training/datasets/card.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { fitOfCard, fitToSources } from "../../training/datasets/feature-fit.ts";
import { importedSources } from "../../training/datasets/imported-source.ts";
import { simulatedSource } from "../../training/datasets/simulated-source.ts";
import { unseenRows } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { sourceLeaks } from "../../training/leaks/source-leaks.ts";
import { traceStatistics } from "../../training/leaks/traced-statistics.ts";
import { silent } from "../../training/progress.ts";
import type { FeedSource } from "../../training/replay/feed-source.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { type Run, readRun } from "../../training/train/run-folder.ts";
import { familyOf, rowsOfRun } from "../../training/train/run-rows.ts";
import { importFiles, put } from "../archive/workplace.ts";
import { comparisonOf, modelsNamed } from "./compare/comparing.ts";
import { scratchFolder } from "./toy-data.ts";

const folder = scratchFolder();
/** Where the simulator's time begins: 2026-01-01T00:00Z. */
const START = 1_767_225_600_000;
const HALF_HOUR = START + 1_800_000;
const HORIZONS_MS = [1_000, 5_000];
const source = simulatedSource({ preset: "large-tick", seed: 4, hours: 1 });
let fit: DatasetFit;
let dataset: Dataset;

async function datasetOf(name: string, options: { fit: DatasetFit; sources?: readonly FeedSource[] }): Promise<Dataset> {
  const { sources = [source], fit } = options;
  const told = { horizonsMs: HORIZONS_MS, command: ["test"], progress: silent };
  await buildDataset({ sources, folder: join(folder, name), featureSet: featureSetV2Fitted(fit), fit, ...told });
  return readDataset(join(folder, name));
}

/** The card with a fit that ends at another time. */
function fittedUntil({ card, ...rest }: Dataset, until: number): Dataset {
  return { ...rest, card: { ...card, fit: { ...fit, until, to: until - 1_000 } } };
}

beforeAll(async () => {
  fit = await fitToSources([source], { until: HALF_HOUR, progress: silent });
  dataset = await datasetOf("fitted", { fit });
}, 120_000);

describe("a fit", () => {
  it("knows the rows before its moment alone: without all that came later it is the same, and with some of it another", async () => {
    const first = async (until: number): Promise<DatasetFit> => {
      const cut: FeedSource = {
        ...source,
        async *records(onProgress) {
          for await (const block of source.records(onProgress))
            yield block.filter((record) => !("receivedAt" in record) || record.receivedAt < until);
        },
      };
      return fitToSources([cut], { until: HALF_HOUR, progress: silent });
    };
    // What comes within two seconds writes the last row.
    expect(await first(HALF_HOUR + 2_000)).toEqual(fit);
    expect((await first(HALF_HOUR - 60_000)).hash).not.toBe(fit.hash);
    expect(fit).toMatchObject({ market: "binance-spot:LARGEUSDT", until: HALF_HOUR, to: HALF_HOUR - 1_000 });
    // The first rows are cold.
    expect(fit.from).toBeGreaterThanOrEqual(START + 31_000);
    expect(fit.rows).toBe((fit.to - fit.from) / 1_000 + 1);
  }, 120_000);

  it("makes columns that don't move with what is sent after them", async () => {
    const short = simulatedSource({ preset: "small-tick", seed: 3, hours: 0.05 });
    const options = { featureSet: featureSetV2Fitted(fit), cuts: 3, mostRecords: 200_000, progress: silent, random: new Random(11) };
    expect((await sourceLeaks([short], options)).map(({ detector, failure }) => [detector, failure])).toEqual([
      ["history cut", null],
      ["future shuffled", null],
    ]);
  });

  it("to a recording that begins late, or to two markets, is refused with what to do", async () => {
    await expect(fitToSources([source], { until: START + 600_000, progress: silent })).rejects.toThrow(
      /^\d{3} rows are too few to fit columns to: 1000 are wanted \(binance-spot:LARGEUSDT before 2026-01-01T00:10:00Z\): name a later --fit-until/,
    );
    await expect(fitToSources([source], { until: START, progress: silent })).rejects.toThrow(/^0 rows are too few/);
    const other = simulatedSource({ preset: "small-tick", seed: 4, hours: 0.01 });
    await expect(fitToSources([source, other], { until: HALF_HOUR, progress: silent })).rejects.toThrow(
      "are fitted to one instrument, and here are binance-spot:LARGEUSDT (tick 0.01) and binance-spot:SMALLUSDT",
    );
  }, 120_000);

  it("counts no step over a silence: a price that nobody heard of for five seconds moved by none of what was seen before", async () => {
    // Every minute the book falls silent, and comes back ten dollars higher; else its mid wanders by a cent.
    const lines = Array.from({ length: 1_300 * 2 }, (_, index) => index * 500)
      .filter((ms) => ms % 60_000 < 53_000)
      .map((ms, index) => {
        const bid = 90_000 + 10 * Math.floor(ms / 60_000) + ((index * 7_919) % 101 < 50 ? 0 : 0.01);
        const lots = 0.5 + ((index * 104_729) % 97) / 10;
        const side = (best: number, step: number, size: number) =>
          Array.from({ length: 10 }, (_, level) => [Number((best + step * level).toFixed(2)), Number((size + level).toFixed(2))]);
        return JSON.stringify({
          type: "snapshot",
          E: START + ms,
          R: START + ms + 30,
          b: side(bid, -0.01, lots),
          a: side(bid + 0.01, 0.01, 4),
        });
      });
    const { markets, failure } = await importFiles("standx", [put("diffL20_silent.ndjson.gz", `${lines.join("\n")}\n`)], {});
    expect(failure).toBeNull();
    const sources = await importedSources([markets[0]?.file ?? ""], null);
    const { microPrice, rows } = await fitToSources(sources, { until: START + 3_600_000, progress: silent });
    expect(rows).toBeGreaterThan(1_000);
    // A thousand ticks up once a minute would be some seventeen a second, and hundreds by the next move.
    for (const adjustment of microPrice.adjustments) expect(Math.abs(adjustment)).toBeLessThan(10);
  }, 60_000);
});

describe("a dataset of it", () => {
  it("carries the fit, and another day's rows can be made by it: the fingerprint is the same", async () => {
    expect(dataset.card.fit).toEqual(fit);
    const later = simulatedSource({ preset: "large-tick", seed: 5, hours: 0.05 });
    const same = fitOfCard(dataset.card, [later]);
    const { card } = await datasetOf("later", { fit: same, sources: [later] });
    expect(card.featureSet.fingerprint).toBe(dataset.card.featureSet.fingerprint);
  });

  it("gives its fit to no other market, and none that was changed by hand", () => {
    const small = simulatedSource({ preset: "small-tick", seed: 4, hours: 0.01 });
    expect(() => fitOfCard(dataset.card, [small])).toThrow("the fit is of binance-spot:LARGEUSDT with a tick of 0.01, and says nothing of");
    const changed = { ...dataset.card, fit: { ...fit, unitTicks: fit.unitTicks + 1 } };
    expect(() => fitOfCard(changed, [source])).toThrow("is not the one that its hash names");
    const { fit: _, ...without } = dataset.card;
    expect(() => fitOfCard({ ...without, featureSet: { ...without.featureSet, id: "v2" } }, [source])).toThrow("takes nothing from data");
  });

  it("teaches where its fit ends before validation, and is refused where rows would choose or score that the columns know", () => {
    const { family, settings: model } = familyOf("trees", dataset);
    const { split } = rowsOfRun(dataset, { family, model });
    expect(() => rowsOfRun(fittedUntil(dataset, split.validationFrom), { family, model })).not.toThrow();
    expect(() => rowsOfRun(fittedUntil(dataset, split.validationFrom + 1_000), { family, model })).toThrow(
      /columns of v2-fitted were fitted to rows up to \S+, and rows from \S+ on choose or score: .* Make the dataset with --fit-until/,
    );
    const options = { models: modelsNamed("ridge"), validationShare: 0.2, horizonsMs: HORIZONS_MS };
    const cut = { kind: "share", fitShare: 0.7 } as const;
    const validationFrom = planComparison([dataset], { ...options, cut }).folds[0]?.validationFrom ?? Number.NaN;
    expect(() => planComparison([fittedUntil(dataset, validationFrom)], { ...options, cut })).not.toThrow();
    expect(() => planComparison([fittedUntil(dataset, validationFrom + 1_000)], { ...options, cut })).toThrow("choose or score");
    // Walk-forward, the first fold's validation is what counts.
    expect(() => planComparison([dataset], { ...options, cut: { kind: "walk", folds: 3, walk: "expanding" } })).toThrow("choose or score");
  });

  it("can be compared on as any other", async () => {
    const comparison = await comparisonOf([dataset], {
      out: join(folder, "compared"),
      models: modelsNamed("ridge"),
      horizonsMs: HORIZONS_MS,
    });
    expect(comparison.folds[0]?.test.length).toBeGreaterThan(500);
  });
});

describe("a run on it", () => {
  let run: Run;
  beforeAll(async () => {
    const [data, out] = [join(folder, "fitted"), join(folder, "run")];
    const settings = { ...LINE_DEFAULTS, lambdas: [0.1] };
    await fitLinesRun({ dataset, dataFolder: data, out, family: "linear", settings, progress: silent, commit: null });
    run = await readRun(out);
  });

  it("has its columns' fit traced to rows before validation, and an alarm where it isn't", () => {
    const of = (data: Dataset): (string | null)[] =>
      traceStatistics(run.card, data).flatMap(({ detector, failure }) => (detector === "columns fitted" ? [failure] : []));
    expect(of(dataset)).toEqual([null]);
    expect(of(fittedUntil(dataset, dataset.card.to))).toEqual(["columns were fitted to rows that choose or score"]);
  });

  it("is not scored on other rows that its columns know", () => {
    const other = { ...dataset.card, sha256: "0".repeat(64) };
    expect(() => unseenRows(run.card, { ...dataset, card: other })).toThrow("choose or score");
  });

  it("is not exported, and the reason is said: no instance computes its columns", async () => {
    await expect(exportRun(run, { id: "toy", dataset, evaluation: null })).rejects.toThrow(
      "the run's columns (v2-fitted) were fitted to rows of binance-spot:LARGEUSDT, and no feed computes them, so no instance could serve it",
    );
  });
});

describe("the command", () => {
  const run = (...given: string[]): Promise<unknown> =>
    datasetCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(["--out", join(folder, "unused"), ...given], { from: "user" });

  it.each([
    [["--features", "v2-fitted"], "--features v2-fitted takes --fit-until TIME"],
    [["--features", "v2", "--fit-until", "2026-01-01T00:30Z"], "--fit-until and --fitted-as are of --features v2-fitted: leave them out"],
    [["--fit-until", "yesterday"], "a UTC day or moment such as 2026-01-07"],
    [["--features", "v2-fitted", "--fit-until", "2026-01-01", "--fitted-as", "x"], "cannot be used with"],
    [["--features", "v2-fitted", "--fitted-as", join(folder, "none")], "holds no dataset.json"],
    [["--features", "v2-fitted", "--fit-until", "2025-12-31"], "0 rows are too few to fit columns to"],
  ])("%s is refused with what to do", async (given, message) => {
    await expect(run("--simulate", "large-tick:4:0.01", ...given)).rejects.toThrow(message);
  });

  it("takes no fit for rows that have none: of minute rows and matrices it says so", async () => {
    await expect(run("x", "--snapshots", "--fit-until", "2026-01-01")).rejects.toThrow("--fit-until says nothing of minute rows");
    await expect(run("x", "--fi2010", "--fitted-as", "x")).rejects.toThrow("--fitted-as says nothing of FI-2010");
  });
});
