/**
 * Who answers, as the inference Worker's own code has it on a real onnxruntime, bucket and database: roles that the database gives, faults of what was
 * published, stores that fail, and asks that hold anything at all. Answers are compared with matrix products in plain doubles.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { InferenceSession } from "onnxruntime-web/wasm";
import { afterEach, beforeAll, describe, expect, it, type MockInstance, onTestFinished, vi } from "vitest";
import { featureSetV1, featureSetV2 } from "../../core/features/registry.ts";
import { modelKey } from "../../core/wire/keys.ts";
import type { ModelCalibration, ModelManifest } from "../../models/contract.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import type { InferenceAnswers } from "../../workers/inference/answers.ts";
import type { ModelFault, ModelRefusal, PredictAsk, Prediction, RowSet } from "../../workers/inference/contract.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import { ModelRoster } from "../../workers/inference/model-roster.ts";
import { MAX_MODELS, ModelStore } from "../../workers/inference/model-store.ts";
import { loadOnnxruntime } from "../../workers/inference/onnxruntime.ts";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { linearAnswer, linearModel } from "./linear-model.ts";
import {
  at,
  coldInference,
  countingBucket,
  countingDatabase,
  exported,
  failingBucket,
  failingDatabase,
  filesOf,
  giveRole,
  manifestKeyOf,
  publish,
  publishFiles,
  unpublishAll,
} from "./published-models.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";
const OUTPUTS = forecastColumns().length;
const ROW = featureSetV1.columns.map((_, index) => Math.fround(Math.sin(index)));
const V1: RowSet = { fingerprint: featureSetV1.fingerprint, rows: [ROW] };

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS));
afterEach(unpublishAll);

describe("the roster", () => {
  it("is the shipped model until one is published, which plays within a minute, and gives the role back where it loses it", async () => {
    const answers = coldInference();
    const shipped = {
      key: 0,
      slot: "forecast",
      market: "*",
      role: "active",
      source: "shipped",
      fellBackFrom: { fault: "never-published", model: null },
    };
    const first = await answers.roster(at(NOW));
    expect(first).toMatchObject({ roles: [shipped], refused: [] });
    const key = await publish(await filesOf({ version: "2" }));
    expect(await answers.roster(at(NOW + MINUTE - 1))).toEqual(first);
    const second = await answers.roster(at(NOW + MINUTE));
    expect(second.roles).toEqual([
      {
        slot: "forecast",
        market: "*",
        role: "active",
        key,
        id: "linear",
        version: "2",
        source: "r2",
        family: "mlp",
        fingerprint: featureSetV1.fingerprint,
        featureSet: "v1",
        window: 1,
        label: "point",
        answer: "moves",
        fellBackFrom: null,
      },
    ]);
    expect(second.revision).not.toBe(first.revision);
    await env.DB.prepare("DELETE FROM model_roles").run();
    expect(await answers.roster(at(NOW + 2 * MINUTE))).toEqual(first);
  });

  it("changes with the database, forth and back, and the answers with it", async () => {
    const answers = coldInference();
    const keys = [
      await publishFiles(await filesOf({ version: "1", seed: 1 })),
      await publishFiles(await filesOf({ version: "2", seed: 2 })),
    ];
    for (const [minute, seed] of [1, 2, 1, 2].entries()) {
      await giveRole(keys[seed - 1] ?? -1);
      await answers.roster(at(NOW + minute * MINUTE));
      const answer = await forecast(answers, { market: BTC, sets: [V1] }, NOW + minute * MINUTE);
      expect(answer).toMatchObject({ ok: true, version: `${seed}`, key: keys[seed - 1], fellBackFrom: null });
      expectMoves(answer, expectedMoves(seed));
    }
  });

  it("is read by one statement a minute, however many ask, and reads no file again as long as roles stay", async () => {
    const files = await filesOf();
    await publish(files);
    const statements: string[] = [];
    const reads: string[] = [];
    const answers = coldInference();
    const around = (now: number): ReturnType<typeof at> =>
      at(now, { database: countingDatabase(statements), bucket: countingBucket(reads) });
    const asked = Array.from({ length: 50 }, (_, index) =>
      index % 2 === 0 ? answers.roster(around(NOW)) : answers.predict([{ market: BTC, slot: "forecast", sets: [V1] }], around(NOW)),
    );
    await Promise.all(asked);
    await answers.roster(around(NOW + MINUTE - 1));
    expect(statements).toHaveLength(1);
    expect(reads.sort()).toEqual([await manifestKeyOf(files), modelKey({ id: "linear", version: "1" })]);
    await answers.roster(around(NOW + MINUTE));
    expect([statements.length, reads.length]).toEqual([2, 2]);
  });

  it.each<{ what: string; expected: ModelFault; spoil: (files: ModelFiles) => Promise<void> }>([
    {
      what: "a flipped byte",
      expected: "hash-mismatch",
      spoil: async ({ artifact }) =>
        void (await env.TAPES.put(modelKey({ id: "linear", version: "1" }), artifact.with(100, (artifact[100] ?? 0) ^ 1))),
    },
    {
      what: "a manifest that was changed after publishing",
      expected: "hash-mismatch",
      spoil: async (files) => void (await env.TAPES.put(await manifestKeyOf(files), `${files.manifest} `)),
    },
    { what: "no model file", expected: "not-found", spoil: () => env.TAPES.delete(modelKey({ id: "linear", version: "1" })) },
    { what: "no manifest", expected: "not-found", spoil: async (files) => env.TAPES.delete(await manifestKeyOf(files)) },
    {
      what: "a manifest of five megabytes",
      expected: "too-large",
      spoil: async (files) => void (await env.TAPES.put(await manifestKeyOf(files), " ".repeat(5_000_000))),
    },
    {
      what: "a model of forty megabytes",
      expected: "too-large",
      spoil: async () => void (await env.TAPES.put(modelKey({ id: "linear", version: "1" }), new Uint8Array(40_000_000))),
    },
    {
      what: "a manifest that isn't one, published so",
      expected: "bad-manifest",
      spoil: async ({ manifest, artifact }) =>
        void (await publish({ source: "r2", manifest: manifest.replace('"opset":17', '"opset":0'), artifact })),
    },
    {
      what: "golden answers that it doesn't give",
      expected: "golden-mismatch",
      spoil: async () => void (await publish(await filesOf({ change: (manifest) => withGoldenOff(manifest, 1) }))),
    },
  ])(
    "with $what in the active model has the shipped one instead, says why, and has it back when it is mended",
    async ({ expected, spoil }) => {
      const answers = coldInference();
      const files = await filesOf();
      const key = await publish(files);
      await spoil(files);
      const model = { key, id: "linear", version: "1" };
      expect((await answers.roster(at(NOW))).roles).toMatchObject([
        { key: 0, source: "shipped", fellBackFrom: { fault: expected, model } },
      ]);
      expect(await forecast(answers, { market: BTC, sets: [V1] }, NOW)).toMatchObject({
        ok: true,
        key: 0,
        fellBackFrom: { fault: expected, model },
      });
      await publish(files);
      expect((await answers.roster(at(NOW + MINUTE))).roles).toMatchObject([{ key, source: "r2", fellBackFrom: null }]);
    },
  );

  it("stays while the database or the bucket fails: the stores are at fault, not the model", async () => {
    const answers = coldInference();
    const key = await publish(await filesOf());
    await publish(await filesOf({ id: "other" }), { role: "shadow" });
    const before = await answers.roster(at(NOW));
    for (const [minute, stores] of [
      { database: failingDatabase },
      { bucket: failingBucket },
      { database: failingDatabase, bucket: failingBucket },
    ].entries()) {
      const around = at(NOW + (minute + 1) * MINUTE, stores);
      expect(await answers.roster(around)).toEqual(before);
      expect((await answers.predict([{ market: BTC, slot: "forecast", sets: [V1] }], around)).answers).toMatchObject([
        { active: { ok: true, key } },
      ]);
    }
  });

  it.each([
    ["database", { database: failingDatabase }, null],
    ["bucket", { bucket: failingBucket }, "linear"],
  ] as const)(
    "is the shipped model where the %s fails from the start, and that is not taken for a new deployment",
    async (_, stores, id) => {
      const answers = coldInference();
      const key = await publish(await filesOf());
      const model = id === null ? null : { id };
      expect((await answers.roster(at(NOW, stores))).roles).toMatchObject([
        { key: 0, fellBackFrom: { fault: "store-unreachable", model } },
      ]);
      expect((await answers.roster(at(NOW + MINUTE))).roles).toMatchObject([{ key, fellBackFrom: null }]);
    },
  );

  it("of a market is its own before that of all markets, in either slot", async () => {
    const answers = coldInference();
    await publish(await filesOf({ id: "all", seed: 1 }));
    await publish(await filesOf({ id: "btc", seed: 2 }), { market: BTC });
    await publish(await filesOf({ id: "turn", seed: 3 }), { slot: "signal", market: BTC });
    const { answers: got } = await answers.predict(
      [
        { market: ETH, slot: "forecast", sets: [V1] },
        { market: BTC, slot: "forecast", sets: [V1] },
        { market: BTC, slot: "signal", sets: [V1] },
        { market: ETH, slot: "signal", sets: [V1] },
      ],
      at(NOW),
    );
    expect(got.map(({ active }) => (active.ok ? active.modelId : active.fault))).toEqual(["all", "btc", "turn", "never-published"]);
    for (const [index, seed] of [1, 2, 3].entries()) expectMoves(got[index]?.active, expectedMoves(seed));
  });

  it("holds up no answer: what is known answers while the database is silent, for three minutes, and the look is done behind", async () => {
    const answers = coldInference();
    const key = await publish(await filesOf());
    await answers.roster(at(NOW));
    const silent = { prepare: () => ({ bind: () => ({ raw: () => new Promise(() => undefined) }) }) } as unknown as D1Database;
    const behind: Promise<unknown>[] = [];
    const around = (now: number, database: D1Database): ReturnType<typeof at> =>
      at(now, { database, untilDone: (work) => void behind.push(work) });
    const asks: PredictAsk[] = [{ market: BTC, slot: "forecast", sets: [V1] }];
    expect((await answers.predict(asks, around(NOW + MINUTE, silent))).answers).toMatchObject([{ active: { ok: true, key } }]);
    expect(behind).toHaveLength(1);
    const other = await publish(await filesOf({ version: "2" }));
    expect((await answers.predict(asks, around(NOW + 2 * MINUTE, env.DB))).answers).toMatchObject([{ active: { ok: true, key } }]);
    await behind[1];
    expect((await answers.predict(asks, around(NOW + 2 * MINUTE, silent))).answers).toMatchObject([{ active: { ok: true, key: other } }]);
    const third = await publish(await filesOf({ version: "3" }));
    const late = await answers.predict(asks, around(NOW + 5 * MINUTE, env.DB));
    expect(late.answers).toMatchObject([{ active: { ok: true, key: third } }]);
  });

  it("lets a shadow whose file the bucket never gives hold up no active model's answer", async () => {
    const answers = coldInference();
    const key = await publish(await filesOf());
    await publish(await filesOf({ id: "shade" }), { role: "shadow" });
    await answers.roster(at(NOW));
    const silent = { get: () => new Promise(() => undefined) } as unknown as R2Bucket;
    const asks: PredictAsk[] = [{ market: BTC, slot: "forecast", sets: [V1] }];
    let isShadowed = false;
    void answers.shadows(asks, at(NOW, { bucket: silent })).then(() => {
      isShadowed = true;
    });
    expect((await answers.predict(asks, at(NOW, { bucket: silent }))).answers).toMatchObject([{ active: { ok: true, key } }]);
    expect(isShadowed).toBe(false);
  });

  it("is whole while its model is published again with another manifest: who hasn't read the new role yet, and who has, read their own", async () => {
    const files = await filesOf();
    const key = await publish(files);
    const again = await filesOf({ change: (manifest) => ({ ...manifest, trainedOn: { ...manifest.trainedOn, source: "elsewhere" } }) });
    // The files are there before the database names them.
    await env.TAPES.put(await manifestKeyOf(again), again.manifest);
    expect((await coldInference().roster(at(NOW))).roles).toMatchObject([{ key, fellBackFrom: null }]);
    await publish(again);
    expect((await coldInference().roster(at(NOW))).roles).toMatchObject([{ key, fellBackFrom: null }]);
    expect(await env.TAPES.head(await manifestKeyOf(files))).not.toBeNull();
  });

  it("names a shadow that is faulty, and nobody stands in for it; the active one answers all the same", async () => {
    const answers = coldInference();
    await publish(await filesOf());
    const key = await publish(await filesOf({ id: "torn" }), { role: "shadow" });
    await env.TAPES.delete(modelKey({ id: "torn", version: "1" }));
    const before = await answers.roster(at(NOW));
    // Its manifest is whole: only who asks it learns that the file is gone.
    expect(before).toMatchObject({ roles: [{ id: "linear" }, { id: "torn", role: "shadow" }], refused: [] });
    const asks: PredictAsk[] = [{ market: BTC, slot: "forecast", sets: [V1] }];
    expect((await answers.predict(asks, at(NOW))).answers).toMatchObject([{ active: { ok: true } }]);
    const predicted = await answers.shadows(asks, at(NOW));
    expect(predicted.answers).toMatchObject([[{ key, answer: { ok: false, fault: "not-found" } }]]);
    const after = await answers.roster(at(NOW));
    expect(after).toMatchObject({
      revision: predicted.revision,
      roles: [{ id: "linear" }],
      refused: [{ key, role: "shadow", fault: "not-found" }],
    });
    expect(after.revision).not.toBe(before.revision);
  });

  it("is none when nothing was published and the shipped model is faulty: a refusal with both reasons", async () => {
    const answers = coldInference({ ...shippedModel, manifest: "{}" });
    const refused = { fault: "bad-manifest", detail: expect.stringContaining("no published model is active") };
    expect(await answers.roster(at(NOW))).toMatchObject({ roles: [], refused: [{ key: 0, role: "active", ...refused }] });
    expect(await forecast(answers, { market: BTC, sets: [V1] }, NOW)).toMatchObject({ ok: false, ...refused });
  });

  it("gives claims and scores of whoever plays, without weights, statistics and golden vectors", async () => {
    const answers = coldInference();
    const key = await publish(await filesOf());
    const [view] = await answers.models(at(NOW));
    expect(view).toMatchObject({ key, source: "r2", manifest: { id: "linear", trainedOn: { source: "made by hand" } } });
    expect(view?.manifest).not.toHaveProperty("golden");
    expect(view?.manifest).not.toHaveProperty("normaliser");
  });
});

describe("an isolate's memory", () => {
  it("loads a cold model once for ten thousand who ask at the same time", async () => {
    await publish(await filesOf());
    const reads: string[] = [];
    const answers = coldInference();
    const sessions = await watchSessions();
    const around = at(NOW, { bucket: countingBucket(reads) });
    const ask: PredictAsk = { market: BTC, slot: "forecast", sets: [V1] };
    const all = await Promise.all(Array.from({ length: 10_000 }, () => answers.predict([ask], around)));
    expect(all.every(({ answers: [answer] }) => answer?.active.ok && answer.active.key !== 0)).toBe(true);
    expect(reads.filter((key) => key.endsWith("model.onnx"))).toHaveLength(1);
    expect(sessions.created).toHaveBeenCalledTimes(1);
  });

  it("holds six models: the seventh takes the place of the one that was asked longest ago, which is loaded again when it is asked", async () => {
    const markets = Array.from({ length: 7 }, (_, index) => `v:M${index}`);
    for (const [index, market] of markets.entries()) await publish(await filesOf({ id: `m${index}`, seed: index }), { market });
    const reads: string[] = [];
    const answers = coldInference();
    const around = at(NOW, { bucket: countingBucket(reads) });
    const ask = async (index: number): Promise<number> => {
      const before = reads.filter((key) => key.endsWith("model.onnx")).length;
      const { answers: got } = await answers.predict([{ market: markets[index] ?? "", slot: "forecast", sets: [V1] }], around);
      expectMoves(got[0]?.active, expectedMoves(index));
      return reads.filter((key) => key.endsWith("model.onnx")).length - before;
    };
    await answers.roster(around);
    for (let index = 0; index < MAX_MODELS; index++) await ask(index);
    const releases = await watchReleases();
    expect([MAX_MODELS, await ask(0), await ask(6)]).toEqual([6, 0, 1]);
    expect(releases).toHaveBeenCalledTimes(1);
    expect([await ask(0), await ask(1)]).toEqual([0, 1]);
  });

  it("never holds more than six, whoever asks for how many at once", async () => {
    const markets = Array.from({ length: 9 }, (_, index) => `v:M${index}`);
    for (const [index, market] of markets.entries()) await publish(await filesOf({ id: `m${index}`, seed: index }), { market });
    const sessions = await watchSessions();
    const answers = coldInference();
    const asks = markets.map((market): PredictAsk => ({ market, slot: "forecast", sets: [V1] }));
    const { answers: got } = await answers.predict([...asks, ...asks], at(NOW));
    for (const [index, { active }] of got.entries()) expectMoves(active, expectedMoves(index % 9));
    expect(sessions.most()).toBeLessThanOrEqual(MAX_MODELS);
    expect(sessions.held()).toBeLessThanOrEqual(MAX_MODELS);
  });

  it("is given back by a model that loses its role, and by one that fails its checks", async () => {
    const answers = coldInference();
    await publish(await filesOf({ version: "1" }));
    await answers.roster(at(NOW));
    const releases = await watchReleases();
    await publish(await filesOf({ version: "2" }));
    await answers.roster(at(NOW + MINUTE));
    await expect.poll(() => releases.mock.calls.length).toBe(1);
    await publish(await filesOf({ version: "3", change: (manifest) => withGoldenOff(manifest, 1) }));
    await answers.roster(at(NOW + 2 * MINUTE));
    await expect.poll(() => releases.mock.calls.length).toBe(3);
  });

  it("keeps a model as long as somebody uses it, however many replace it meanwhile", async () => {
    const store = new ModelStore(shippedModel);
    const roster = new ModelRoster(store);
    await publish(await filesOf({ version: "1", seed: 1 }));
    const cast = await roster.current(at(NOW));
    const [version] = [...cast.versions.values()];
    if (version === undefined) throw new Error("nobody plays");
    const held = await store.use(version, at(NOW), async (model) => {
      if ("ok" in model) throw new Error(model.detail);
      for (const [minute, next] of ["2", "3", "4"].entries()) {
        await publish(await filesOf({ version: next, seed: Number(next) }));
        expect((await roster.current(at(NOW + (minute + 1) * MINUTE))).roster.roles).toMatchObject([{ version: next }]);
      }
      expectRow(await model.answer([ROW]), expectedMoves(1));
      return model;
    });
    // Let go, it is released: what is replaced doesn't fill the memory.
    await expect(held.answer([ROW])).rejects.toThrow("was released");
  });

  it("is loaded anew when whoever loaded never came back: one killed request doesn't hang the others for ever", async () => {
    await publish(await filesOf());
    const answers = coldInference();
    const silent = { get: () => new Promise(() => undefined) } as unknown as R2Bucket;
    void answers.roster(at(NOW, { bucket: silent }));
    expect((await answers.roster(at(NOW + MINUTE))).roles).toMatchObject([{ source: "r2", fellBackFrom: null }]);
  });

  it("is looked at anew when a database never came back", async () => {
    await publish(await filesOf());
    const answers = coldInference();
    const silent = { prepare: () => ({ bind: () => ({ raw: () => new Promise(() => undefined) }) }) } as unknown as D1Database;
    void answers.roster(at(NOW, { database: silent }));
    expect((await answers.roster(at(NOW + MINUTE))).roles).toMatchObject([{ source: "r2", fellBackFrom: null }]);
  });

  it("asks for a faulty model once a minute, not once a request", async () => {
    await publish(await filesOf());
    const answers = coldInference();
    await answers.roster(at(NOW));
    await publish(await filesOf({ id: "torn", change: (manifest) => withGoldenOff(manifest, 1) }), { role: "shadow" });
    const reads: string[] = [];
    const around = (now: number): ReturnType<typeof at> => at(now, { bucket: countingBucket(reads) });
    await answers.roster(around(NOW + MINUTE));
    for (let call = 0; call < 5; call++)
      await answers.shadows([{ market: BTC, slot: "forecast", sets: [V1] }], around(NOW + MINUTE + call));
    expect(reads.filter((key) => key.endsWith("model.onnx"))).toHaveLength(1);
    await answers.roster(around(NOW + 2 * MINUTE + 10));
    expect(reads.filter((key) => key.endsWith("model.onnx"))).toHaveLength(2);
  });

  it("keeps a refusal for a minute: whoever asked by an older roster doesn't load what is known to be faulty", async () => {
    const key = await publishFiles(await filesOf({ change: (manifest) => withGoldenOff(manifest, 1) }));
    const row = await env.DB.prepare("SELECT manifest_sha256 FROM models WHERE key = ?").bind(key).first<string>("manifest_sha256");
    const version = { key, id: "linear", version: "1", manifestSha256: row ?? "", bytes: 1 };
    const store = new ModelStore(shippedModel);
    const reads: string[] = [];
    const outcomeAt = (now: number): Promise<string> =>
      store.use(version, at(now, { bucket: countingBucket(reads) }), (model) => ("ok" in model ? model.fault : "loaded"));
    expect([await outcomeAt(NOW), await outcomeAt(NOW + MINUTE - 1), reads.length]).toEqual(["golden-mismatch", "golden-mismatch", 2]);
    expect([await outcomeAt(NOW + MINUTE), reads.length]).toEqual(["golden-mismatch", 4]);
  });
});

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
          { fingerprint: featureSetV1.fingerprint, rows: [rowOf(index, featureSetV1.columns)] },
          { fingerprint: featureSetV2.fingerprint, rows: [99, 98, index].map((seed) => rowOf(seed, featureSetV2.columns)) },
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
    { what: "an empty set", sets: [{ ...V1, rows: [] }], expected: "needs-a-window" },
    { what: "a row that is too short", sets: [{ ...V1, rows: [ROW.slice(1)] }], expected: "shape-mismatch" },
    { what: "a row that is too long", sets: [{ ...V1, rows: [[...ROW, 0]] }], expected: "shape-mismatch" },
    { what: "NaN in a row", sets: [{ ...V1, rows: [ROW.with(3, Number.NaN)] }], expected: "shape-mismatch" },
    { what: "infinity in a row", sets: [{ ...V1, rows: [ROW.with(3, Number.POSITIVE_INFINITY)] }], expected: "shape-mismatch" },
    { what: "an absent value in a row", sets: [{ ...V1, rows: [ROW.with(3, null as unknown as number)] }], expected: "shape-mismatch" },
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
    const ask = (row: readonly number[]): PredictAsk => ({ market: BTC, slot: "forecast", sets: [{ ...V1, rows: [row] }] });
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
    const sets = [{ fingerprint: featureSetV2.fingerprint, rows: [featureSetV2.columns.map(() => 0)] }];
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
    const setOf = (given: readonly (readonly number[])[]): RowSet[] => [{ fingerprint: featureSet.fingerprint, rows: given }];
    expect(await forecast(answers, { market: BTC, sets: setOf(rows.slice(1)) }, NOW)).toMatchObject({
      fault: "needs-a-window",
      detail: expect.stringContaining("100 rows"),
    });
    for (const given of [rows, [...rows.toReversed().slice(0, 28), ...rows]]) {
      expectMoves(await forecast(answers, { market: BTC, sets: setOf(given) }, NOW), golden.outputs[0] ?? [], golden.tolerance);
    }
  });

  it("answer signals by classes, each question by itself, and are refused as forecasts", async () => {
    const files = await exported("volumes", "classes");
    const { featureSet, golden, output } = JSON.parse(files.manifest) as ModelManifest;
    const answers = coldInference();
    const key = await publish(files, { slot: "signal" });
    await giveRole(key, { market: BTC });
    const sets = [{ fingerprint: featureSet.fingerprint, rows: [golden.inputs[0] ?? []] }];
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

async function forecast(answers: InferenceAnswers, ask: Omit<PredictAsk, "slot">, now: number): Promise<Prediction | ModelRefusal> {
  const { answers: got } = await answers.predict([{ ...ask, slot: "forecast" }], at(now));
  const active = got[0]?.active;
  if (active === undefined) throw new Error("no answer");
  return active;
}

/** The naive product. */
function expectedMoves(seed: number, row: readonly number[] = ROW): number[] {
  return linearAnswer(row, linearModel({ id: "x", version: "1", seed }).weights, OUTPUTS);
}

function expectMoves(answer: Prediction | ModelRefusal | undefined, expected: readonly number[], tolerance = 1e-3): void {
  if (!answer?.ok || answer.kind !== "moves") throw new Error(`no moves: ${JSON.stringify(answer)}`);
  expectRow([answer.movesBps], expected, tolerance);
}

function expectRow(rows: readonly (readonly number[])[] | ModelRefusal, expected: readonly number[], tolerance = 1e-3): void {
  if ("ok" in rows) throw new Error(rows.detail);
  expect(rows[0]).toHaveLength(expected.length);
  for (const [index, value] of expected.entries())
    expect(Math.abs((rows[0]?.[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance);
}

/** The second row's answers, all off by so much. */
function withGoldenOff({ golden, ...manifest }: ModelManifest, off: number): ModelManifest {
  const outputs = golden.outputs.map((row, index) => (index === 1 ? row.map((value) => value + off) : row));
  return { ...manifest, golden: { ...golden, outputs } };
}

/** Watches onnxruntime give back the memory of models, by the real calls, until the test ends. */
async function watchReleases(): Promise<MockInstance> {
  const { InferenceSession } = await loadOnnxruntime();
  const releases = vi.spyOn(Reflect.get(InferenceSession, "prototype") as InferenceSession, "release");
  onTestFinished(() => releases.mockRestore());
  return releases;
}

async function watchRuns(): Promise<MockInstance> {
  const { InferenceSession } = await loadOnnxruntime();
  const runs = vi.spyOn(Reflect.get(InferenceSession, "prototype") as InferenceSession, "run");
  onTestFinished(() => runs.mockRestore());
  return runs;
}

/** Sessions that were made since, how many of them are held now, and the most that were at once. */
async function watchSessions(): Promise<{ created: MockInstance; held: () => number; most: () => number }> {
  const { InferenceSession } = await loadOnnxruntime();
  const create = InferenceSession.create.bind(InferenceSession) as (artifact: Uint8Array) => Promise<InferenceSession>;
  let held = 0;
  let most = 0;
  const created = vi.spyOn(InferenceSession, "create").mockImplementation((async (artifact: Uint8Array) => {
    held++;
    most = Math.max(most, held);
    const session = await create(artifact);
    const release = session.release.bind(session);
    session.release = () => {
      held--;
      return release();
    };
    return session;
  }) as never);
  onTestFinished(() => created.mockRestore());
  return { created, held: () => held, most: () => most };
}
