/** A comparison that is fair: the same rows for all, nothing chosen by what is scored, and the same outcome when it was interrupted. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetLevels10, featureSetVolumes10 } from "../../../core/features/registry.ts";
import { prepareInput } from "../../../models/prepare.ts";
import { CommandError } from "../../../training/command-error.ts";
import { type AlignedData, alignDatasets } from "../../../training/compare/aligned-data.ts";
import { compareModels } from "../../../training/compare/compare-models.ts";
import type { Comparison } from "../../../training/compare/comparison.ts";
import type { ComparedModel } from "../../../training/compare/contract.ts";
import { networkModel } from "../../../training/compare/models/networks.ts";
import { moveOver } from "../../../training/compare/models/recursive.ts";
import type { Dataset } from "../../../training/datasets/dataset-reader.ts";
import { mlpOf } from "../../../training/networks/mlp.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { scratchFolder } from "../toy-data.ts";
import { asSet, comparisonOf, modelsNamed, toyDataset, valuesOf } from "./comparing.ts";

const folder = scratchFolder();
let toy: Dataset;

beforeAll(async () => {
  toy = await toyDataset(folder);
});

describe("what is compared", () => {
  it("gives every model and combination its line for every output, so that no weak one is left out of the table", async () => {
    const models = modelsNamed("persistence", "last-label", "momentum", "imbalance", "ridge", "trees", "corrected");
    const comparison = await compareModels(await comparisonOf([toy], { out: join(folder, "lines"), models }));
    expect(comparison.models.map(({ id }) => id)).toEqual([
      ...["persistence", "last-label", "momentum", "imbalance", "ridge", "trees", "corrected"],
      ...["mean", "median", "stacking"],
    ]);
    for (const { scores } of comparison.models) expect(scores.map(({ target, horizonMs }) => `${target}@${horizonMs}`)).toHaveLength(6);
    const nextSecond = r2By(comparison, "mid", 1_000);
    expect(nextSecond.persistence).toBe(0);
    // The first column, an imbalance of one level, tells half of each second's variance.
    for (const id of ["imbalance", "ridge", "corrected", "stacking"]) expect(nextSecond[id]).toBeGreaterThan(0.4);
    expect(Math.abs(nextSecond.momentum ?? 1)).toBeLessThan(0.05);
    expect(nextSecond["last-label"]).toBeLessThan(-0.5);
  });

  it("puts networks of other columns and windows beside them, on rows that all can answer", async () => {
    const sets = [toy, asSet(toy, featureSetLevels10), asSet(toy, featureSetVolumes10)];
    const models = modelsNamed("ridge", "logistic", "volumes", "mlp", "coded-mlp", "plain-mlp", "binctabl");
    const comparison = await compareModels(await comparisonOf(sets, { out: join(folder, "networks"), models }));
    expect(comparison.refused).toEqual([]);
    // The first nine rows have no window of ten behind them: nobody is fitted on them.
    expect(comparison.rows).toBe(2_991);
    const nextSecond = r2By(comparison, "mid", 1_000);
    for (const { id, scores } of comparison.models) expect(scores, id).toHaveLength(6);
    // A few hundred rows teach a network of thousands of parameters little: it has to be no worse than "no move", not good.
    for (const { id } of models) expect(nextSecond[id], id).toBeGreaterThan(-0.05);
  });

  it("keeps files that answer as the models that were scored: what is timed, and could be served, is what the table is of", async () => {
    const sets = [toy, asSet(toy, featureSetLevels10)];
    const models = modelsNamed("momentum", "ridge", "trees", "corrected", "mlp", "corrected-mlp", "corrected-lstm", "coded-mlp");
    const out = join(folder, "served");
    const options = await comparisonOf(sets, { out, models });
    const comparison = await compareModels(options);
    const [fold] = options.folds;
    if (fold === undefined) throw new Error("no fold");
    for (const { id } of models) {
      const kept = comparison.models.find((model) => model.id === id);
      expect(kept?.costs.served, id).not.toBeNull();
      const { answers, forecasts } = await servedAnswers(join(out, "models", id, "fold-1"), { data: options.data, rows: fold.test });
      const largest = answers.reduce((most, answer, cell) => Math.max(most, Math.abs(answer - (forecasts[cell] as number))), 0);
      expect(largest, id).toBeLessThan(1e-3);
    }
  });

  it("trains its networks on the rows they are given: small batches of enough rows find the planted signal", async () => {
    const mlp = networkModel({
      ...{ id: "small-batches", title: "", reads: null, window: 1, network: mlpOf, size: "paper" },
      ...{ epochs: 10, learningRate: 3e-3, batch: 32, mostRows: 10_000 },
    });
    const comparison = await compareModels(await comparisonOf([toy], { out: join(folder, "signal"), models: [mlp], horizonsMs: [1_000] }));
    expect(r2By(comparison, "mid", 1_000)["small-batches"]).toBeGreaterThan(0.3);
  });

  it("says probabilities and intervals for each, calibrated on validation rows: nine of ten outcomes lie within", async () => {
    const comparison = await compareModels(
      await comparisonOf([toy], { out: join(folder, "classes"), models: modelsNamed("persistence", "ridge", "logistic") }),
    );
    const mid = (id: string) =>
      comparison.models.find((one) => one.id === id)?.scores.find(({ target, horizonMs }) => target === "mid" && horizonMs === 1_000);
    const [none, line, logit] = [mid("persistence"), mid("ridge"), mid("logistic")];
    // Three classes of a third each: who knows nothing has ln 3.
    expect(none?.classes?.logLoss).toBeCloseTo(1.0986, 1);
    expect(line?.classes?.logLoss).toBeLessThan(1);
    expect(logit?.classes?.logLoss).toBeLessThan(1);
    expect(line?.classes?.mcc).toBeGreaterThan(0.3);
    for (const score of [none, line]) expect(score?.coverage?.held).toBeCloseTo(0.9, 1);
  });

  it("tells the mid's skill by hour and by thirds of the fit rows' volatility and spread, no row twice or left out", async () => {
    const comparison = await compareModels(await comparisonOf([toy], { out: join(folder, "slices"), models: modelsNamed("ridge") }));
    const [ridge] = comparison.models;
    for (const by of ["hour", "volatility", "spread"]) {
      const own = ridge?.slices.filter((slice) => slice.by === by && slice.horizonMs === 1_000) ?? [];
      expect(
        own.reduce((sum, { rows }) => sum + rows, 0),
        by,
      ).toBe(899);
    }
  });

  it("claims nothing on a random walk", async () => {
    const walk = await toyDataset(folder, { seed: 5, signal: 0 });
    const models = modelsNamed("persistence", "ridge", "trees", "corrected");
    const comparison = await compareModels(await comparisonOf([walk], { out: join(folder, "walk"), models }));
    for (const { id, scores } of comparison.models) for (const { r2 } of scores) expect(r2, id).toBeLessThan(0.02);
  });

  it("scores every model on the same rows, of the test part alone", async () => {
    const models = modelsNamed("persistence", "ridge");
    const comparison = await compareModels(await comparisonOf([toy], { out: join(folder, "same"), models }));
    const [fold] = comparison.folds;
    // Of 3,000 rows the last 900 are scored, those of them that a move over 5 s still fits into.
    expect(fold?.test.rows).toBe(900);
    for (const { scores } of comparison.models) {
      expect(scores.filter(({ horizonMs }) => horizonMs === 5_000).map(({ rows }) => rows)).toEqual([895, 895, 895]);
    }
    expect(fold?.validation.to).toBeLessThan((fold?.test.from ?? 0) - comparison.purgeMs + 1_000);
    expect(fold?.fit.to).toBeLessThan((fold?.validation.from ?? 0) - comparison.purgeMs + 1_000);
  });

  it("tells why a model can't be compared, rather than leaving it out silently", async () => {
    const picky: ComparedModel = { ...(modelsNamed("ridge")[0] as ComparedModel), id: "picky", refusal: () => "it wants what isn't there" };
    const comparison = await compareModels(
      await comparisonOf([toy], { out: join(folder, "picky"), models: [...modelsNamed("persistence"), picky] }),
    );
    expect(comparison.refused).toEqual([{ id: "picky", reason: "it wants what isn't there" }]);
    expect(comparison.models.map(({ id }) => id)).toEqual(["persistence"]);
  });
});

describe("a model that finds while it is fitted that it can't be", () => {
  it("is told with its reason and left out, and the others are compared: one market without a class cost a whole night", async () => {
    const [ridge] = modelsNamed("ridge") as [ComparedModel];
    const late: ComparedModel = { ...ridge, id: "late", fit: () => Promise.reject(new CommandError("no row of this kind")) };
    const told: string[] = [];
    const comparison = await compareModels({
      ...(await comparisonOf([toy], { out: join(folder, "late"), models: [late, ridge] })),
      onWarning: (message) => told.push(message),
    });
    expect(comparison.refused).toEqual([{ id: "late", reason: "no row of this kind" }]);
    expect(comparison.models.map(({ id }) => id)).toEqual(["ridge"]);
    expect(told).toContain("late is left out: no row of this kind");
  });

  it("in its second fold is in no table: a score of half the rows would stand beside those of all", async () => {
    const [ridge] = modelsNamed("ridge") as [ComparedModel];
    let asked = 0;
    const fit: ComparedModel["fit"] = (task) => (++asked === 2 ? Promise.reject(new CommandError("no more")) : ridge.fit(task));
    const models = [...modelsNamed("persistence"), { ...ridge, id: "half", fit }];
    const comparison = await compareModels(
      await comparisonOf([toy], { out: join(folder, "half"), models, cut: { kind: "walk", folds: 3, walk: "expanding" } }),
    );
    expect(asked).toBe(2);
    expect(comparison.models.map(({ id }) => id)).toEqual(["persistence"]);
    expect(comparison.refused).toEqual([{ id: "half", reason: "no more" }]);
  });
});

describe("a network that is rolled forward", () => {
  // A steady drift of 1 bp a step.
  it.each([
    { label: "point", roll: 10, stepsAhead: 10, sum: 10, total: 55, expected: 10 },
    { label: "anchored", roll: 10, stepsAhead: 10, sum: 10, total: 55, expected: 5.5 },
    { label: "anchored", roll: 1, stepsAhead: 1, sum: 1, total: 1, expected: 1 },
    // Rolled for half of it: the rest stays at 30.
    { label: "anchored", roll: 30, stepsAhead: 60, sum: 30, total: 465, expected: 22.75 },
    { label: "point", roll: 30, stepsAhead: 60, sum: 30, total: 465, expected: 30 },
  ] as const)("answers what a $label move over $stepsAhead steps is: $expected of $roll rolled", ({ label, expected, ...rolled }) => {
    expect(moveOver(label, rolled)).toBe(expected);
  });
});

describe("what the test rows came to", () => {
  it("is in no array that a model is given, those of the sets neither", async () => {
    const seen: number[] = [];
    const peeking: ComparedModel = {
      ...(modelsNamed("persistence")[0] as ComparedModel),
      id: "peeking",
      fit(task) {
        const { data, test } = task;
        for (const { dataset } of [data.main, ...data.sets.values()]) seen.push(dataset.targets.length, dataset.mask.length);
        const outputs = data.columns.length;
        for (const row of test) seen.push(...data.targets.subarray(row * outputs, (row + 1) * outputs).map(Math.abs));
        return (modelsNamed("persistence")[0] as ComparedModel).fit(task);
      },
    };
    await compareModels(await comparisonOf([toy, asSet(toy, featureSetVolumes10)], { out: join(folder, "peeking"), models: [peeking] }));
    expect(seen.length).toBeGreaterThan(900 * 6);
    expect(Math.max(...seen)).toBe(0);
  });

  it("moves no forecast of any model or combination: they see validation alone", async () => {
    const models = modelsNamed("momentum", "ridge", "logistic", "trees", "corrected", "volumes", "mlp");
    const options = await comparisonOf([toy, asSet(toy, featureSetVolumes10)], { out: join(folder, "honest"), models });
    const spoilt = {
      ...options,
      out: join(folder, "spoilt"),
      data: withTestMoves(options.data, options.folds[0]?.test ?? new Uint32Array()),
    };
    const [honest, other] = [await compareModels(options), await compareModels(spoilt)];
    expect(forecastHashes(join(folder, "spoilt"), models)).toEqual(forecastHashes(join(folder, "honest"), models));
    const weights = (of: Comparison): unknown => of.models.find(({ id }) => id === "stacking")?.notes;
    expect(weights(other)).toEqual(weights(honest));
    // And the scores did move: the other moves were looked at, at the end.
    expect(r2By(other, "mid", 1_000).ridge).not.toBe(r2By(honest, "mid", 1_000).ridge);
  });
});

describe("what looks too good", () => {
  it("is told: a column that knows the move over five seconds gives a score that nobody has honestly", async () => {
    const { columns, outputs } = toy;
    const values = valuesOf(toy).slice();
    const mid = toy.card.targets.findIndex(({ target, horizonMs }) => target === "mid" && horizonMs === 5_000);
    for (let row = 0; row < toy.rows; row++) values[row * columns + 3] = toy.targets[row * outputs + mid] as number;
    const models = modelsNamed("persistence", "ridge");
    const told = await compareModels(
      await comparisonOf([{ ...toy, features: { kind: "memory", values } }], { out: join(folder, "leaking"), models }),
    );
    expect(told.suspicions.join()).toMatch(/R² (0\.9\d\d|1\.000) of ridge, mid at 5 s/);
    const honest = await compareModels(await comparisonOf([toy], { out: join(folder, "not-leaking"), models }));
    expect(honest.suspicions).toEqual([]);
  });
});

describe("going on", () => {
  it("gives what a comparison that never stopped gives, and fits nothing twice", async () => {
    const models = modelsNamed("persistence", "ridge", "trees");
    const whole = await compareModels(await comparisonOf([toy], { out: join(folder, "whole"), models }));
    const out = join(folder, "interrupted");
    const failing = models.map((model) =>
      model.id === "trees" ? { ...model, fit: () => Promise.reject(new Error("the power went")) } : model,
    );
    await expect(compareModels(await comparisonOf([toy], { out, models: failing }))).rejects.toThrow("the power went");
    const kept: string[] = [];
    const resumed = await compareModels({
      ...(await comparisonOf([toy], { out, models, resume: true })),
      onModel: ({ id, isKept }) => kept.push(`${id} ${isKept}`),
    });
    expect(kept).toEqual(["persistence true", "ridge true", "trees false"]);
    expect(withoutCosts(resumed)).toEqual(withoutCosts(whole));
  });

  it("takes up nothing that other threads fitted: they divide batches, and what a network learns", async () => {
    const models = modelsNamed("ridge");
    const out = join(folder, "other-threads");
    await compareModels(await comparisonOf([toy], { out, models }));
    const kept: boolean[] = [];
    const options = await comparisonOf([toy], { out, models, resume: true });
    await compareModels({ ...options, threads: 2, onModel: ({ isKept }) => kept.push(isKept) });
    expect(kept).toEqual([false]);
  });

  it("takes up nothing that was fitted to other rows", async () => {
    const models = modelsNamed("ridge");
    const out = join(folder, "other-rows");
    await compareModels(await comparisonOf([toy], { out, models }));
    const kept: boolean[] = [];
    const options = await comparisonOf([toy], { out, models, resume: true, cut: { kind: "share", fitShare: 0.6 } });
    await compareModels({ ...options, onModel: ({ isKept }) => kept.push(isKept) });
    expect(kept).toEqual([false]);
  });
});

describe("two markets", () => {
  it("that do the same at the same time are no more than one: twice the rows make no score surer", async () => {
    const again: Dataset = {
      ...toy,
      rows: 2 * toy.rows,
      features: { kind: "memory", values: twice(valuesOf(toy)) },
      targets: twice(toy.targets),
      mask: Uint8Array.from([...toy.mask, ...toy.mask]),
      times: twice(toy.times),
      segments: Uint32Array.from([...toy.segments, ...toy.segments.map((segment) => segment + 1_000)]),
      parts: Uint32Array.from([...toy.parts, ...toy.parts.map(() => 1)]),
      card: { ...toy.card, parts: ["one:A", "two:B"].map((market) => ({ ...(toy.card.parts[0] as (typeof toy.card.parts)[0]), market })) },
    };
    const models = modelsNamed("last-label", "ridge");
    const one = await compareModels(await comparisonOf([toy], { out: join(folder, "one-market"), models }));
    const two = await compareModels(await comparisonOf([again], { out: join(folder, "two-markets"), models }));
    const scoreOf = ({ models: of }: Comparison) => of[0]?.scores.find(({ target, horizonMs }) => target === "mid" && horizonMs === 5_000);
    expect(scoreOf(two)?.rows).toBe(2 * (scoreOf(one)?.rows ?? 0));
    expect(scoreOf(two)?.againstRidge?.statistic).toBeCloseTo(scoreOf(one)?.againstRidge?.statistic ?? Number.NaN, 2);
    expect(scoreOf(two)?.interval?.low).toBeCloseTo(scoreOf(one)?.interval?.low ?? Number.NaN, 4);
    expect(scoreOf(two)?.interval?.high).toBeCloseTo(scoreOf(one)?.interval?.high ?? Number.NaN, 4);
  });
});

describe("rows beside each other", () => {
  it("are refused where a move differs: the sets are not of the same events", async () => {
    const other = await toyDataset(folder, { seed: 2 });
    const named = { ...other, card: { ...other.card, featureSet: { ...other.card.featureSet, id: "other" } } };
    expect(() => alignDatasets([toy, named])).toThrow(/not made from the same events/);
  });

  it("are those that all sets have: a second that one lacks is scored of none", () => {
    const short: Dataset = { ...toy, card: { ...toy.card, featureSet: { ...toy.card.featureSet, id: "short" } }, rows: 2_000 };
    const cut = { ...short, segments: toy.segments.slice(0, 2_000), times: toy.times.slice(0, 2_000) };
    const data = alignDatasets([toy, cut]);
    expect(data.rows).toBe(2_000);
    expect([...data.sets.values()].map(({ rows }) => rows.length)).toEqual([2_000, 2_000]);
  });

  it("are refused where labels or horizons differ", () => {
    const smoothed: Dataset = { ...toy, card: { ...toy.card, label: "smoothed", featureSet: { ...toy.card.featureSet, id: "other" } } };
    expect(() => alignDatasets([toy, smoothed])).toThrow(/v2 has point, other has smoothed/);
  });
});

function r2By(comparison: Comparison, target: string, horizonMs: number): Record<string, number | undefined> {
  return Object.fromEntries(
    comparison.models.map(({ id, scores }) => [id, scores.find((score) => score.target === target && score.horizonMs === horizonMs)?.r2]),
  );
}

function twice(values: Float64Array): Float64Array {
  return Float64Array.from([...values, ...values]);
}

function withoutCosts({ models, ...comparison }: Comparison): unknown {
  return { ...comparison, models: models.map(({ costs, ...model }) => model) };
}

/** The same data in which the test rows came to something else. */
function withTestMoves(data: AlignedData, test: Uint32Array): AlignedData {
  const targets = data.targets.slice();
  const outputs = data.columns.length;
  for (const row of test)
    for (let cell = row * outputs; cell < (row + 1) * outputs; cell++) targets[cell] = -3 * (targets[cell] as number) + 1;
  return { ...data, targets };
}

function forecastHashes(out: string, models: readonly ComparedModel[]): string[] {
  return models.map(({ id }) => String(JSON.parse(readFileSync(join(out, "models", id, "fold-1", "model.json"), "utf8")).forecasts));
}

/** What the file in a model's folder answers to rows, and what was kept as its forecasts of them. */
async function servedAnswers(
  path: string,
  { data, rows }: { data: AlignedData; rows: Uint32Array },
): Promise<{ answers: Float32Array; forecasts: Float32Array }> {
  const { served, cells } = JSON.parse(readFileSync(join(path, "model.json"), "utf8"));
  const set = data.sets.get(served.reads);
  if (set === undefined) throw new Error(`no set ${served.reads}`);
  const size = served.window * served.columns;
  const inputs = new Float32Array(rows.length * size);
  for (const [at, row] of rows.entries()) {
    const end = ((set.rows[row] as number) + 1) * served.columns;
    for (let from = 0; from < size; from += served.columns)
      prepareInput(
        valuesOf(set.dataset).subarray(end - size + from, end - size + from + served.columns),
        served.normaliser,
        inputs,
        at * size + from,
      );
  }
  const session = await (await loadRuntime("node")).open(readFileSync(join(path, "model.onnx")));
  const shape = [rows.length, ...(served.window === 1 ? [] : [served.window]), served.columns];
  const answer = await session.run({ [served.inputName]: { shape, data: inputs } });
  await session.release();
  const flat = readFileSync(join(path, "forecasts.f32"));
  const forecasts = new Float32Array(flat.buffer.slice(flat.byteOffset, flat.byteOffset + flat.byteLength));
  return { answers: Float32Array.from(answer.moves_bps ?? []), forecasts: forecasts.slice(cells[0]) };
}
