/**
 * Datasets whose feature rows stay in their file. What is trained on them and scored on them has to be, bit for bit, what it would be in memory: else a model
 * would hang on the machine that it was trained on.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetLevels10 } from "../../core/features/levels-10/feature-set.ts";
import { Random } from "../../core/math/random.ts";
import { parseCard } from "../../training/datasets/card.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures, eachFeatureRow, featureRange } from "../../training/datasets/feature-rows.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { exportRun } from "../../training/export/export-run.ts";
import { blocksOf } from "../../training/linear/rows.ts";
import { silent } from "../../training/progress.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { evenly } from "../../training/train/baseline-line.ts";
import type { PreparedRows } from "../../training/train/contract.ts";
import { explainRun } from "../../training/train/explain-run.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { allInputs, copyInputs, inputsBetween, linearRows } from "../../training/train/input-table.ts";
import { fitNormaliser } from "../../training/train/normaliser.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { trainTreesRun } from "../../training/train/train-trees-run.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const data = join(folder, "data");
let held: Dataset;
let filed: Dataset;

beforeAll(async () => {
  // Two markets, a gap, and a column that hardly ever varies: it is muted, in a way that has to be found in passes too.
  const spoil = (row: Float64Array, index: number): void => {
    row[3] = index % 500 === 0 ? 1 : 0;
  };
  await writeToyDataset(data, [
    { rows: 1_700, seed: 21, signal: 0.5, gapAt: 600, spoil },
    { rows: 1_300, seed: 22, signal: 0.5, market: "toy:OTHER", spoil },
  ]);
  held = await readDataset(data);
  filed = await readDataset(data, { memoryBytes: 0 });
});

/** A runner that shows how a million numbers differ takes minutes. */
function digestOf(values: Float32Array | Float64Array): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}

/** All files of a folder but those that say when or where. */
function filesOf(out: string): Record<string, string> {
  const names = readdirSync(out).filter((name) => name !== "environment.json");
  return Object.fromEntries(
    names.toSorted().map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(out, name)))
        .digest("hex"),
    ]),
  );
}

/** Runs the same on both, and compares every file, the scores and the exported model. @returns the folder of the run from the file. */
async function expectSame(name: string, make: (dataset: Dataset, out: string) => Promise<unknown>): Promise<string> {
  const [one, other] = [join(folder, `${name}-held`), join(folder, `${name}-filed`)];
  await make(held, one);
  await make(filed, other);
  expect(filesOf(other)).toEqual(filesOf(one));
  const runtime = await loadRuntime("node");
  const run = await readRun(other);
  const scores = await evaluateRun(run, filed, { runtime, commit: null });
  expect(scores).toEqual(await evaluateRun(run, held, { runtime, commit: null }));
  return other;
}

it("a dataset keeps its rows in the file only where it has to", () => {
  expect(held.features.kind).toBe("memory");
  expect(filed.features).toEqual({ kind: "file", path: join(data, "features.f64") });
  expect(digestOf(allFeatures(filed))).toBe(digestOf(allFeatures(held)));
});

describe("from the file and from memory come the same bytes:", () => {
  it("a network of one row", async () => {
    const runtime = await loadRuntime("node");
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 2, batch: 64, workers: 2 };
    await expectSame("mlp", (dataset, out) =>
      trainRun({ dataset, dataFolder: data, out, family: "mlp", runtime, settings, progress: silent, checkpoints: null, commit: null }),
    );
  });

  it("a network of windows, for classes, with its logistic line, and the file that is exported", async () => {
    const runtime = await loadRuntime("node");
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 64, workers: 1 };
    const model = { answer: "classes", size: "small" } as const;
    const out = await expectSame("gru", (dataset, to) =>
      trainRun({
        dataset,
        dataFolder: data,
        out: to,
        family: "gru",
        model,
        runtime,
        settings,
        progress: silent,
        checkpoints: null,
        commit: null,
      }),
    );
    const run = await readRun(out);
    const one = await exportRun(run, { id: "gru", dataset: filed, evaluation: null });
    const other = await exportRun(run, { id: "gru", dataset: held, evaluation: null });
    expect(one.manifestText).toBe(other.manifestText);
  });

  it("an autoencoder, whose targets are its rows", async () => {
    const path = join(folder, "levels");
    await writeToyDataset(path, [{ rows: 1_500, seed: 23, signal: 0.5 }], { featureSet: featureSetLevels10 });
    const runtime = await loadRuntime("node");
    const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 1, batch: 64, workers: 1 };
    const curves = [];
    for (const memoryBytes of [0, 1e9]) {
      const out = join(folder, `autoencoder-${memoryBytes}`);
      const dataset = await readDataset(path, { memoryBytes });
      await trainRun({
        dataset,
        dataFolder: path,
        out,
        family: "autoencoder",
        runtime,
        settings,
        progress: silent,
        checkpoints: null,
        commit: null,
      });
      curves.push(filesOf(out));
    }
    expect(curves[0]).toEqual(curves[1]);
  });

  it.each(["moves", "classes"] as const)("lines for %s", async (answer) => {
    const model = { answer, size: "paper" } as const;
    await expectSame(`lines-${answer}`, (dataset, out) =>
      fitLinesRun({ dataset, dataFolder: data, out, family: "linear", model, settings: LINE_DEFAULTS, progress: silent, commit: null }),
    );
  });

  it("trees, what they look at, and what explains them", async () => {
    const settings = { ...TREE_DEFAULTS, rounds: 10, learningRate: 0.2, minRows: 20, earlyStoppingRounds: 5 };
    const only = ["mid@1000", "mid@5000"];
    const out = await expectSame("trees", (dataset, to) =>
      trainTreesRun({ dataset, dataFolder: data, out: to, family: "trees", settings, threads: 1, only, progress: silent, commit: null }),
    );
    const run = await readRun(out);
    expect(explainRun(run, filed, { rows: 100, progress: silent })).toEqual(explainRun(run, held, { rows: 100, progress: silent }));
  });
});

describe("a broken file of features", () => {
  async function broken(
    name: string,
    spoil: (path: string) => void,
    mend: (card: Record<string, unknown>) => void = () => {},
  ): Promise<string> {
    const path = join(folder, name);
    await writeToyDataset(path, [{ rows: 300, seed: 5, signal: 0.5 }]);
    spoil(join(path, "features.f64"));
    const card = JSON.parse(readFileSync(join(path, "dataset.json"), "utf8")) as Record<string, unknown>;
    mend(card);
    writeFileSync(join(path, "dataset.json"), JSON.stringify(card));
    return path;
  }

  it("is refused where a bit is flipped, it is cut, or it is gone", async () => {
    const flipped = await broken("flipped", (path) => {
      const bytes = readFileSync(path);
      bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    });
    await expect(readDataset(flipped, { memoryBytes: 0 })).rejects.toThrow(/features\.f64 is corrupt \(its hash is not the card's\)/);
    const cut = await broken("cut", (path) => truncateSync(path, 800));
    await expect(readDataset(cut, { memoryBytes: 0 })).rejects.toThrow(/features\.f64 has 800 bytes where its card says 64800/);
  });

  it("is refused where a number is none, with its row and column", async () => {
    const path = join(folder, "nan");
    await writeToyDataset(path, [
      {
        rows: 300,
        seed: 5,
        signal: 0.5,
        spoil: (row, index) => {
          if (index === 150) row[2] = Number.NaN;
        },
      },
    ]);
    const parsed = parseCard(readFileSync(join(path, "dataset.json"), "utf8"));
    if ("malformed" in parsed) throw new Error(parsed.malformed);
    await expect(readDataset(path, { memoryBytes: 0 })).rejects.toThrow(
      `row 150 has NaN in column ${parsed.card.featureSet.columns[2]}: a dataset holds finite numbers only`,
    );
  });

  it("that is cut while it is used is an error, never rows of zeros", async () => {
    const path = await broken("cut-later", () => {});
    const dataset = await readDataset(path, { memoryBytes: 0 });
    truncateSync(join(path, "features.f64"), 8_000);
    expect(() =>
      fitNormaliser(
        dataset,
        Uint32Array.from({ length: 300 }, (_, row) => row),
      ),
    ).toThrow(/ends before row 300: it was changed/);
  });
});

describe("rows of a file of many blocks", () => {
  // 4 MB are read at a time, and prepared: six blocks of 512 rows, and three of 1,048.
  const [rows, columns] = [2_900, 1_000];
  const path = join(folder, "wide.f64");
  const normaliser = { mean: new Array<number>(columns).fill(0.25), scale: new Array<number>(columns).fill(2), clip: 1 };
  let values = new Float64Array(0);

  beforeAll(() => {
    const random = new Random(3);
    values = Float64Array.from({ length: rows * columns }, () => random.normal());
    writeFileSync(path, new Uint8Array(values.buffer));
  });

  it("are each their own, whichever are asked for", () => {
    const table = { features: { kind: "file", path } as const, columns };
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(rows - 1), { maxLength: 40 }), (chosen) => {
        const wanted = Uint32Array.from(chosen).sort();
        const seen: [number, number, number][] = [];
        eachFeatureRow(table, wanted, (from, offset, index) =>
          seen.push([index, from[offset] as number, from[offset + columns - 1] as number]),
        );
        expect(seen).toEqual(
          Array.from(wanted, (row, index) => [index, values[row * columns] as number, values[(row + 1) * columns - 1] as number]),
        );
      }),
      { numRuns: 30 },
    );
    expect(digestOf(featureRange(table, { first: 511, count: 2 }))).toBe(digestOf(values.subarray(511 * columns, 513 * columns)));
  });

  it("are prepared alike alone, in windows, for lines and for trees", () => {
    const ends = Uint32Array.from({ length: 2_400 }, (_, index) => index + 3 + (index > 1_000 ? 490 : 0));
    const answers = {
      rows: ends.length,
      columns,
      outputs: 1,
      targets: Float32Array.from(ends),
      mask: new Float32Array(ends.length).fill(1),
    };
    const prepared = Float32Array.from(values, (value) => Math.min(1, Math.max(-1, (value - 0.25) / 2)));
    const windows = { size: 3, ends };
    const own: PreparedRows = { ...answers, windows, inputs: { kind: "memory", values: prepared } };
    const read: PreparedRows = { ...answers, windows, inputs: { kind: "raw", path, normaliser } };
    expect(digestOf(inputsBetween(read, { first: 900, count: 300 }))).toBe(digestOf(inputsBetween(own, { first: 900, count: 300 })));
    const few = [allInputs(evenly(read, 50)), allInputs(evenly(own, 50))];
    expect(few.map(digestOf)[0]).toBe(few.map(digestOf)[1]);
    const wanted = Uint32Array.of(0, 999, 1_001, 2_399);
    const [one, other] = [new Float32Array(4 * columns), new Float32Array(4 * columns)];
    copyInputs(read, wanted, one);
    copyInputs(own, wanted, other);
    expect(digestOf(one)).toBe(digestOf(other));
    const newest: number[] = [];
    const targets: number[] = [];
    let blocks = 0;
    for (const block of blocksOf(linearRows(read))) {
      blocks++;
      for (let row = 0; row < block.rows; row++) newest.push(block.inputs[row * columns] as number);
      targets.push(...block.targets);
    }
    expect(blocks).toBe(3);
    expect(newest).toEqual(Array.from(ends, (end) => prepared[end * columns] as number));
    expect(targets).toEqual([...ends]);
  });
});
