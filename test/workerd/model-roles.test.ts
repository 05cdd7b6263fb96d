/**
 * Who answers, as the inference Worker's own code has it on a real onnxruntime, bucket and database: roles that the database gives, faults of what was
 * published, and stores that fail.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { modelKey } from "../../core/wire/keys.ts";
import type { ModelFault, PredictAsk } from "../../workers/inference/contract.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { BTC, ETH, expectedMoves, expectMoves, forecast, MINUTE, NOW, V1 } from "./asked-models.ts";
import {
  at,
  coldInference,
  countingBucket,
  countingDatabase,
  failingBucket,
  failingDatabase,
  filesOf,
  giveRole,
  manifestKeyOf,
  publish,
  publishFiles,
  unpublishAll,
  withGoldenOff,
} from "./published-models.ts";

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

  it("reads of a shadow nothing for a prediction, its manifest for who asks who plays, its file for who asks it", async () => {
    const [lead, shadow] = [await filesOf(), await filesOf({ id: "later" })];
    await publish(lead);
    const key = await publish(shadow, { role: "shadow" });
    const reads: string[] = [];
    const answers = coldInference();
    const around = (now: number): ReturnType<typeof at> => at(now, { bucket: countingBucket(reads) });
    const asks: PredictAsk[] = [{ market: BTC, slot: "forecast", sets: [V1] }];
    const leads = [await manifestKeyOf(lead), modelKey({ id: "linear", version: "1" })].sort();
    const predicted = await answers.predict(asks, around(NOW));
    expect(predicted.answers).toMatchObject([{ active: { ok: true } }]);
    expect(reads.sort()).toEqual(leads);
    // Nor for the looks that come each minute.
    await answers.predict(asks, around(NOW + MINUTE));
    await answers.predict(asks, around(NOW + MINUTE + 1));
    expect(reads.sort()).toEqual(leads);
    const rosters = await Promise.all(Array.from({ length: 20 }, () => answers.roster(around(NOW + MINUTE + 2))));
    for (const roster of rosters)
      expect(roster).toMatchObject({ revision: predicted.revision, roles: [{ id: "linear" }, { id: "later", key }] });
    expect(reads.sort()).toEqual([...leads, await manifestKeyOf(shadow)].sort());
    expect((await answers.shadows(asks, around(NOW + MINUTE + 3))).answers).toMatchObject([[{ key, answer: { ok: true } }]]);
    // A shadow is loaded from both of its files.
    expect(reads).toHaveLength(5);
  });

  it("asks a shadow that no one has asked for, in an isolate that only predicts", async () => {
    const answers = coldInference();
    await publish(await filesOf());
    const key = await publish(await filesOf({ id: "later" }), { role: "shadow" });
    const asks: PredictAsk[] = [{ market: BTC, slot: "forecast", sets: [V1] }];
    await answers.predict(asks, at(NOW));
    expect((await answers.shadows(asks, at(NOW))).answers).toMatchObject([[{ key, answer: { ok: true } }]]);
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
