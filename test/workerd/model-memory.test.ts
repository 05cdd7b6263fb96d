/** How many models an isolate holds, and when it gives them back: on a real onnxruntime, whose sessions are counted. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { PredictAsk } from "../../workers/inference/contract.ts";
import { ModelRoster } from "../../workers/inference/model-roster.ts";
import { MAX_MODELS, ModelStore } from "../../workers/inference/model-store.ts";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { BTC, expectedMoves, expectMoves, expectRow, MINUTE, NOW, ROW, V1 } from "./asked-models.ts";
import { at, coldInference, countingBucket, filesOf, publish, publishFiles, unpublishAll, withGoldenOff } from "./published-models.ts";
import { watchReleases, watchSessions } from "./watched-onnxruntime.ts";

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS));
afterEach(unpublishAll);

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
