/**
 * What comes of an ask, on a real onnxruntime: which rows are taken, what is refused and stops no other, and what models of windows and of classes answer.
 * Answers are compared with matrix products in plain doubles.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { featureSetV1, featureSetV2 } from "../../core/features/registry.ts";
import { modelKey } from "../../core/wire/keys.ts";
import type { ModelCalibration, ModelManifest } from "../../models/contract.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import type { ModelFault, PredictAsk, RowSet } from "../../workers/inference/contract.ts";
import { MAX_MODELS } from "../../workers/inference/model-store.ts";
import { BTC, ETH, expectedMoves, expectMoves, forecast, MINUTE, NOW, OUTPUTS, ROW, V1 } from "./asked-models.ts";
import { linearAnswer, linearModel } from "./linear-model.ts";
import { at, coldInference, exported, filesOf, giveRole, publish, unpublishAll } from "./published-models.ts";
import { rowSetOf } from "./row-set.ts";
import { watchRuns } from "./watched-onnxruntime.ts";

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS));
afterEach(unpublishAll);

describe("a prediction", () => {
  it("comes from the set of the model's own fingerprint, from the newest of more rows than it eats, and many asks from one run", async () => {
    const answers = coldInference();
    const key = await publish(await filesOf({ seed: 5, featureSet: featureSetV2 }));
    const shadow = await publish(await filesOf({ id: "shade", seed: 6 }), { role: "shadow" });
    const rowOf = (seed: number, columns: readonly string[]): number[] => columns.map((_, index) => Math.fround(Math.cos(seed + index)));
    const asks = Array.from(
      { length: 20 },
      (_, index): PredictAsk => ({
        market: `v:M${index}`,
        slot: "forecast",
        sets: [
          rowSetOf(featureSetV1, [rowOf(index, featureSetV1.columns)]),
          rowSetOf(
            featureSetV2,
            [99, 98, index].map((seed) => rowOf(seed, featureSetV2.columns)),
          ),
        ],
      }),
    );
    const runs = await watchRuns();
    const { answers: got } = await answers.predict(asks, at(NOW));
    const { answers: shadowed } = await answers.shadows(asks, at(NOW));
    // One each for the golden rows, one each for all asks.
    expect(runs).toHaveBeenCalledTimes(4);
    for (const [index, { active }] of got.entries()) {
      expect(active).toMatchObject({
        ok: true,
        key,
        kind: "moves",
        label: "point",
        source: "r2",
        trainedOn: "made by hand",
        calibrated: null,
      });
      expect(active.ok && active.kind === "moves" && active.columns).toEqual(forecastColumns());
      const weights = linearModel({ id: "x", version: "1", seed: 5, featureSet: featureSetV2 }).weights;
      expectMoves(active, linearAnswer(rowOf(index, featureSetV2.columns), weights, OUTPUTS));
      expect(shadowed[index]).toMatchObject([{ key: shadow, id: "shade", version: "1" }]);
      expectMoves(shadowed[index]?.[0]?.answer, expectedMoves(6, rowOf(index, featureSetV1.columns)));
    }
  });

  it.each<{ what: string; sets: readonly RowSet[]; expected: ModelFault }>([
    { what: "no rows at all", sets: [], expected: "fingerprint-mismatch" },
    { what: "rows of other features alone", sets: [{ ...V1, fingerprint: "0".repeat(16) }], expected: "fingerprint-mismatch" },
    { what: "an empty set", sets: [rowSetOf(featureSetV1, [])], expected: "needs-a-window" },
    { what: "a row that is too short", sets: [rowSetOf(featureSetV1, [ROW.slice(1)])], expected: "shape-mismatch" },
    { what: "a row that is too long", sets: [rowSetOf(featureSetV1, [[...ROW, 0]])], expected: "shape-mismatch" },
    { what: "NaN in a row", sets: [rowSetOf(featureSetV1, [ROW.with(3, Number.NaN)])], expected: "shape-mismatch" },
    { what: "infinity in a row", sets: [rowSetOf(featureSetV1, [ROW.with(3, Number.POSITIVE_INFINITY)])], expected: "shape-mismatch" },
    { what: "whole rows of another length", sets: [{ ...V1, columns: 9 }], expected: "shape-mismatch" },
    { what: "an array for each row", sets: [{ ...V1, rows: [ROW] as unknown as Float64Array }], expected: "shape-mismatch" },
  ])("from $what is refused, and takes nothing from the asks beside it", async ({ sets, expected }) => {
    const answers = coldInference();
    await publish(await filesOf());
    await publish(await filesOf({ id: "shade", seed: 6 }), { role: "shadow" });
    const good: PredictAsk = { market: ETH, slot: "forecast", sets: [V1] };
    const asks: PredictAsk[] = [good, { market: BTC, slot: "forecast", sets }, good];
    const { answers: got } = await answers.predict(asks, at(NOW));
    const { answers: shadowed } = await answers.shadows(asks, at(NOW));
    expect(got[1]?.active).toMatchObject({ ok: false, fault: expected });
    expect(shadowed[1]).toMatchObject([{ id: "shade", answer: { ok: false, fault: expected } }]);
    for (const index of [0, 2]) {
      expectMoves(got[index]?.active, expectedMoves(1));
      expectMoves(shadowed[index]?.[0]?.answer, expectedMoves(6));
    }
  });

  it("that would be absurd is refused by itself: a wild row of one market stops no other", async () => {
    const answers = coldInference();
    await publish(await filesOf({ scale: 300 }));
    const { weights } = linearModel({ id: "x", version: "1", seed: 1, scale: 300 });
    const wild = ROW.map((_, column) => 10 * Math.sign(weights[column * OUTPUTS] ?? 0));
    const calm = ROW.map(() => 0);
    const ask = (row: readonly number[]): PredictAsk => ({ market: BTC, slot: "forecast", sets: [rowSetOf(featureSetV1, [row])] });
    const reach = Math.max(...linearAnswer(wild, weights, OUTPUTS).map(Math.abs));
    expect(reach).toBeGreaterThan(10_000);
    const { answers: got } = await answers.predict([ask(calm), ask(wild)], at(NOW));
    expect(got).toMatchObject([{ active: { ok: true } }, { active: { ok: false, fault: "bad-output" } }]);
  });

  it("of anchored moves says so; of smoothed ones there is none", async () => {
    const answers = coldInference();
    await publish(await filesOf({ id: "mean", change: (manifest) => ({ ...manifest, label: "anchored" }) }));
    await publish(await filesOf({ id: "past", change: (manifest) => ({ ...manifest, label: "smoothed" }) }), { market: BTC });
    expect(await forecast(answers, { market: ETH, sets: [V1] }, NOW)).toMatchObject({ ok: true, label: "anchored" });
    expect(await forecast(answers, { market: BTC, sets: [V1] }, NOW)).toMatchObject({
      ok: false,
      fault: "not-a-forecast",
      detail: expect.stringContaining("smoothed moves"),
    });
  });

  it("carries the interval and the probabilities of the mid's calibration, each read in the forecast's own bin", async () => {
    const bins = [
      { upToBps: 0, lowBps: -3, highBps: 1, down: 0.6, flat: 0.3, up: 0.1, rows: 60 },
      { upToBps: null, lowBps: -1, highBps: 3, down: 0.1, flat: 0.3, up: 0.6, rows: 40 },
    ];
    const outputs = [
      { target: "mid", horizonMs: 10_000, thresholdBps: 2, bins },
      { target: "mid", horizonMs: 1_000, thresholdBps: 1, bins },
      { target: "ask", horizonMs: 1_000, thresholdBps: 1, bins },
    ] as const;
    const calibration: ModelCalibration = { from: 0, to: 1, rows: 100, coverage: 0.9, outputs };
    const answers = coldInference();
    await publish(await filesOf({ change: (manifest) => ({ ...manifest, calibration }) }));
    const answer = await forecast(answers, { market: BTC, sets: [V1] }, NOW);
    if (!answer.ok || answer.kind !== "moves") throw new Error("no moves");
    const expected = [1_000, 10_000].map((horizonMs, index) => {
      const at = forecastColumns().findIndex((column) => column.target === "mid" && column.horizonMs === horizonMs);
      const move = answer.movesBps[at] ?? Number.NaN;
      const bin = bins[move <= 0 ? 0 : 1];
      if (bin === undefined) throw new Error("no bin");
      const { down, flat, up } = bin;
      return { horizonMs, lowBps: move + bin.lowBps, highBps: move + bin.highBps, down, flat, up, thresholdBps: [1, 2][index] };
    });
    expect(answer.calibrated).toEqual(expected);
    expect((await answers.models(at(NOW)))[0]?.manifest.calibration).toEqual(calibration);
  });

  it("of more asks than any instance has is refused beyond that number, and no answer is put in another's place", async () => {
    const answers = coldInference();
    await publish(await filesOf());
    const ask: PredictAsk = { market: BTC, slot: "forecast", sets: [V1] };
    const { answers: got } = await answers.predict(new Array<PredictAsk>(1_003).fill(ask), at(NOW));
    expect(got).toHaveLength(1_003);
    expect(got.map(({ active }) => active.ok)).toEqual([...new Array(1_000).fill(true), false, false, false]);
    expect(got[1_000]?.active).toMatchObject({ fault: "too-large" });
  });

  it("says which rows are wanted where the shipped model stands in and was given none of its own, with the roster's new revision", async () => {
    const answers = coldInference();
    await publish(await filesOf({ featureSet: featureSetV2 }));
    const before = await answers.roster(at(NOW));
    // The model's place is taken by others meanwhile, and its file is gone when it is asked again.
    for (let index = 0; index < MAX_MODELS; index++) await publish(await filesOf({ id: `m${index}` }), { market: `v:M${index}` });
    await answers.roster(at(NOW + MINUTE));
    for (let index = 0; index < MAX_MODELS; index++) {
      await answers.predict([{ market: `v:M${index}`, slot: "forecast", sets: [V1] }], at(NOW + MINUTE));
    }
    await env.TAPES.delete(modelKey({ id: "linear", version: "1" }));
    const sets = [rowSetOf(featureSetV2, [featureSetV2.columns.map(() => 0)])];
    const first = await answers.predict([{ market: BTC, slot: "forecast", sets }], at(NOW + MINUTE));
    expect(first.answers).toMatchObject([{ active: { ok: false, fault: "fingerprint-mismatch" } }]);
    expect(first.revision).not.toBe(before.revision);
    const again = await answers.predict([{ market: BTC, slot: "forecast", sets: [...sets, V1] }], at(NOW + MINUTE));
    expect(again).toMatchObject({
      revision: first.revision,
      answers: [{ active: { ok: true, key: 0, fellBackFrom: { fault: "not-found" } } }],
    });
  });
});

describe("models of other families", () => {
  it("eat windows: as many rows are refused as are too few, and of more the newest are taken", async () => {
    const files = await exported("gru", "moves");
    const { featureSet, golden } = JSON.parse(files.manifest) as ModelManifest;
    const columns = featureSet.columns.length;
    const [window = []] = golden.inputs;
    const rows = Array.from({ length: 100 }, (_, row) => window.slice(row * columns, (row + 1) * columns));
    const answers = coldInference();
    await publish(files);
    expect((await answers.roster(at(NOW))).roles).toMatchObject([{ family: "gru", window: 100, fingerprint: featureSet.fingerprint }]);
    expect(await forecast(answers, { market: BTC, sets: [rowSetOf(featureSet, rows.slice(1))] }, NOW)).toMatchObject({
      fault: "needs-a-window",
      detail: expect.stringContaining("100 rows"),
    });
    for (const given of [rows, [...rows.toReversed().slice(0, 28), ...rows]]) {
      expectMoves(
        await forecast(answers, { market: BTC, sets: [rowSetOf(featureSet, given)] }, NOW),
        golden.outputs[0] ?? [],
        golden.tolerance,
      );
    }
  });

  it("answer signals by classes, each question by itself, and are refused as forecasts", async () => {
    const files = await exported("volumes", "classes");
    const { featureSet, golden, output } = JSON.parse(files.manifest) as ModelManifest;
    const answers = coldInference();
    const key = await publish(files, { slot: "signal" });
    await giveRole(key, { market: BTC });
    const sets = [rowSetOf(featureSet, [golden.inputs[0] ?? []])];
    const { answers: got } = await answers.predict(
      [
        { market: BTC, slot: "signal", sets },
        { market: BTC, slot: "forecast", sets },
      ],
      at(NOW),
    );
    expect(got[1]?.active).toMatchObject({ ok: false, fault: "not-a-forecast", detail: expect.stringContaining("classes") });
    const signal = got[0]?.active;
    if (!signal?.ok || signal.kind !== "classes" || output.unit !== "probability") throw new Error("no classes");
    expect(signal.groups.map(({ probabilities: _, ...group }) => group)).toEqual(output.groups);
    const flat = signal.groups.flatMap(({ probabilities }) => probabilities);
    for (const [index, value] of (golden.outputs[0] ?? []).entries())
      expect(Math.abs((flat[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(golden.tolerance);
  });

  it("that answer neither are refused in both slots", async () => {
    const files = await exported("autoencoder", "reconstruction");
    const answers = coldInference();
    const key = await publish(files);
    await giveRole(key, { slot: "signal" });
    for (const slot of ["forecast", "signal"] as const) {
      const { answers: got } = await answers.predict([{ market: BTC, slot, sets: [V1] }], at(NOW));
      expect(got).toMatchObject([{ active: { ok: false, fault: "not-a-forecast", detail: expect.stringContaining("reconstruction") } }]);
    }
  });
});
