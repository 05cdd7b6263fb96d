/**
 * The inference Worker's own code on a real onnxruntime and a real bucket: every fault that a published model may have is named, and the
 * shipped model stands in. One file, since importing onnxruntime costs seconds.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { InferenceSession } from "onnxruntime-web/wasm";
import { afterEach, beforeAll, describe, expect, it, type MockInstance, onTestFinished, vi } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { ACTIVE_MODEL_KEY, modelKey } from "../../core/wire/keys.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import { createApp } from "../../workers/api/app.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { InferenceAnswers } from "../../workers/inference/answers.ts";
import type { InferenceRpc, ModelFault, ModelRefusal, Prediction } from "../../workers/inference/former-contract.ts";
import { loadModel } from "../../workers/inference/load-model.ts";
import type { LoadedModel } from "../../workers/inference/loaded-model.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import { ModelServer } from "../../workers/inference/model-server.ts";
import { loadOnnxruntime } from "../../workers/inference/onnxruntime.ts";
import { sha256Hex } from "../../workers/inference/sha256.ts";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { advanceClock } from "./clock.ts";
import { expectAsDocumented } from "./contract-check.ts";
import { feedRpc } from "./exchange-control.ts";
import { linearAnswer, linearModel } from "./linear-model.ts";
import { warmFeed } from "./warm-feed.ts";

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const ROW = featureSetV1.columns.map((_, index) => Math.fround(Math.sin(index)));

describe("the shipped model", () => {
  it("passes every check, so that a fresh deployment serves forecasts", async () => {
    expect(fault(await loadModel(shippedModel))).toBeNull();
  });
});

describe("a model file", () => {
  it("that is as its manifest says is loaded, and answers many rows as it answers each alone", async () => {
    const model = await loaded(await filesOf({}));
    const rows = Array.from({ length: 40 }, (_, row) => ROW.map((value) => value * (row - 20)));
    const together = await model.answer(rows);
    const alone = await Promise.all(rows.map((row) => model.answer([row])));
    expect(together).toEqual(alone.flat());
  });

  it("with one byte flipped is refused by its hash, wherever the byte lies", async () => {
    const files = await filesOf({});
    for (const at of [0, Math.floor(files.artifact.length / 2), files.artifact.length - 1]) {
      const artifact = files.artifact.slice();
      artifact[at] = (artifact[at] ?? 0) ^ 1;
      expect(fault(await loadModel({ ...files, artifact }))).toBe("hash-mismatch");
    }
  });

  it("cut short is refused by its length", async () => {
    const files = await filesOf({});
    expect(await loadModel({ ...files, artifact: files.artifact.subarray(0, -1) })).toMatchObject({
      fault: "hash-mismatch",
      detail: expect.stringContaining(`${files.artifact.length - 1} bytes`),
    });
  });

  it("trained on features that are not computed here is refused by their fingerprint", async () => {
    const files = await filesOf({
      change: (manifest) => ({ ...manifest, featureSet: { ...manifest.featureSet, fingerprint: "f".repeat(16) } }),
    });
    expect(await loadModel(files)).toMatchObject({ fault: "fingerprint-mismatch", detail: expect.stringContaining("f".repeat(16)) });
  });

  it("that claims the fingerprint but orders the columns otherwise is refused", async () => {
    const files = await filesOf({
      change: (manifest) => ({ ...manifest, featureSet: { ...manifest.featureSet, columns: manifest.featureSet.columns.toReversed() } }),
    });
    expect(fault(await loadModel(files))).toBe("fingerprint-mismatch");
  });

  it("whose graph takes another number of columns is refused by its shape", async () => {
    const columns = featureSetV1.columns.length;
    expect(await loadModel(await filesOf({ graphColumns: columns + 1 }))).toMatchObject({
      fault: "shape-mismatch",
      detail: expect.stringContaining(`[batch, ${columns}]`),
    });
  });

  it("that answers the golden rows otherwise than promised is refused, with the answer, and within the tolerance is not", async () => {
    // The tolerance is 1e-4: a basis point's thousandth is beyond it, half of the tolerance within.
    const files = await filesOf({ change: (manifest) => withGoldenOff(manifest, 0.001) });
    expect(await loadModel(files)).toMatchObject({ fault: "golden-mismatch", detail: expect.stringContaining("golden row 1, output 0") });
    expect(fault(await loadModel(await filesOf({ change: (manifest) => withGoldenOff(manifest, -0.001) })))).toBe("golden-mismatch");
    expect(fault(await loadModel(await filesOf({ change: (manifest) => withGoldenOff(manifest, 0.000_05) })))).toBeNull();
  });

  it("that answers with a price of nothing, or less, gives no number, though its golden rows are right", async () => {
    const columns = featureSetV1.columns.length;
    const wild = await loaded(await filesOf({ scale: 300 }));
    const calm = Array.from({ length: columns }, () => 0);
    expect(await wild.answer([calm])).toEqual([forecastColumns().map(() => 0)]);
    const { weights } = linearModel({ id: "linear", version: "1", seed: 1, scale: 300 });
    const outwards = calm.map((_, column) => Math.sign(weights[column * forecastColumns().length] ?? 0));
    const reach = largest(linearAnswer(outwards, weights, forecastColumns().length));
    // The output that moves most moves by so many basis points; 10,000 down is a price of nothing.
    const rowMoving = (bps: number): number[] => outwards.map((value) => (value * bps) / reach);
    for (const bps of [-9_990, 9_990]) expect(largest(((await wild.answer([rowMoving(bps)])) as number[][]).flat())).toBeCloseTo(9_990, 0);
    for (const bps of [-10_010, 10_010, 50_000]) {
      expect(await wild.answer([calm, rowMoving(bps)])).toMatchObject({
        fault: "bad-output",
        detail: expect.stringMatching(/move of -?\d{5}/),
      });
    }
  });

  it("that is no ONNX file is refused by onnxruntime, and the next model still loads", async () => {
    const artifact = new TextEncoder().encode("not a model");
    const refused = await loadModel(await filesOf({ artifact }));
    expect(refused).toMatchObject({ fault: "not-loadable", detail: expect.stringContaining("onnxruntime") });
    expect(fault(await loadModel(await filesOf({})))).toBeNull();
  });

  it("with a corrupt manifest is refused by the field at fault", async () => {
    const files = await filesOf({});
    for (const [manifest, said] of [
      [files.manifest.slice(0, -20), "not JSON"],
      [files.manifest.replace('"clip":10', '"clip":-1'), "normaliser.clip"],
      [files.manifest.replace('"opset":17', '"opset":"17"'), "opset"],
    ] as const) {
      expect(await loadModel({ ...files, manifest })).toMatchObject({ fault: "bad-manifest", detail: expect.stringContaining(said) });
    }
  });

  it("is never asked about a row that is too short or holds no number", async () => {
    const model = await loaded(await filesOf({}));
    expect(await model.answer([ROW, ROW.slice(1)])).toMatchObject({ fault: "shape-mismatch" });
    expect(await model.answer([ROW.with(3, Number.NaN)])).toMatchObject({ fault: "shape-mismatch" });
    expect(await model.answer([])).toEqual([]);
  });
});

describe("the served model", () => {
  afterEach(async () => {
    const { objects } = await env.TAPES.list({ prefix: "models/" });
    await env.TAPES.delete(objects.map(({ key }) => key));
  });

  it("is the shipped one until another is published, and that one within a minute", async () => {
    const answers = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    expect(await answers.active(NOW)).toMatchObject({ ok: true, source: "shipped", fellBackFrom: { fault: "never-published" } });
    await publish(await filesOf({ version: "2" }));
    expect(await answers.active(NOW + MINUTE - 1)).toMatchObject({ source: "shipped" });
    expect(await answers.active(NOW + MINUTE)).toMatchObject({
      source: "r2",
      fellBackFrom: null,
      manifest: { id: "linear", version: "2" },
    });
  });

  it("changes with the pointer, forth and back", async () => {
    const answers = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    for (const [minute, version] of ["1", "2", "1", "2"].entries()) {
      await publish(await filesOf({ version, seed: Number(version) }));
      expect(await answers.active(NOW + minute * MINUTE)).toMatchObject({ manifest: { version } });
      expect(await answers.predict(featureSetV1.fingerprint, [ROW], NOW + minute * MINUTE)).toMatchObject({ ok: true, version });
    }
  });

  it.each<{ what: string; expected: ModelFault; spoil: (files: ModelFiles) => Promise<void> }>([
    {
      what: "a flipped byte",
      expected: "hash-mismatch",
      spoil: async (files) => {
        const artifact = files.artifact.slice();
        artifact[100] = (artifact[100] ?? 0) ^ 1;
        await publish({ ...files, artifact });
      },
    },
    {
      what: "a manifest that was changed after publishing",
      expected: "hash-mismatch",
      spoil: async (files) => {
        await publish(files);
        await env.TAPES.put(modelKey("linear", "1", "manifest.json"), `${files.manifest} `);
      },
    },
    {
      what: "no model file",
      expected: "not-found",
      spoil: async (files) => {
        await publish(files);
        await env.TAPES.delete(modelKey("linear", "1", "model.onnx"));
      },
    },
    {
      what: "a manifest of five megabytes",
      expected: "too-large",
      spoil: async (files) => {
        await publish(files);
        await env.TAPES.put(modelKey("linear", "1", "manifest.json"), " ".repeat(5_000_000));
      },
    },
    {
      what: "a model of forty megabytes",
      expected: "too-large",
      spoil: async (files) => {
        await publish(files);
        await env.TAPES.put(modelKey("linear", "1", "model.onnx"), new Uint8Array(40_000_000));
      },
    },
    {
      what: "a pointer of a megabyte",
      expected: "bad-manifest",
      spoil: async () => void (await env.TAPES.put(ACTIVE_MODEL_KEY, " ".repeat(1_000_000))),
    },
    { what: "a corrupt pointer", expected: "bad-manifest", spoil: async () => void (await env.TAPES.put(ACTIVE_MODEL_KEY, "{")) },
  ])("with $what falls back to the shipped one, says why, and comes back when it is mended", async ({ expected, spoil }) => {
    const answers = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    const files = await filesOf({});
    await spoil(files);
    const fallen = await answers.active(NOW);
    expect(fallen).toMatchObject({ ok: true, source: "shipped", fellBackFrom: { ok: false, fault: expected } });
    await publish(files);
    expect(await answers.active(NOW + MINUTE)).toMatchObject({ source: "r2", fellBackFrom: null });
  });

  it("stays while the bucket fails: the store is at fault, not the model", async () => {
    const server = new ModelServer(shippedModel);
    await publish(await filesOf({}));
    expect(await new InferenceAnswers(server, env.TAPES).active(NOW)).toMatchObject({ fellBackFrom: null });
    expect(await new InferenceAnswers(server, failing).active(NOW + MINUTE)).toMatchObject({ source: "r2", fellBackFrom: null });
  });

  it("is the shipped one where the bucket fails from the start, and that is not taken for a deployment without a published model", async () => {
    const server = new ModelServer(shippedModel);
    await publish(await filesOf({}));
    const fallen = await new InferenceAnswers(server, failing).active(NOW);
    expect(fallen).toMatchObject({ ok: true, source: "shipped", fellBackFrom: { fault: "store-unreachable" } });
    expect(await new InferenceAnswers(server, env.TAPES).active(NOW + MINUTE)).toMatchObject({ source: "r2", fellBackFrom: null });
  });

  it("is loaded once for all who ask a cold isolate at the same time: memory holds one, not one for each", async () => {
    await publish(await filesOf({}));
    const reads: string[] = [];
    const answers = new InferenceAnswers(new ModelServer(shippedModel), counting(reads));
    const asked = Array.from({ length: 20 }, () => answers.predict(featureSetV1.fingerprint, [ROW], NOW));
    for (const prediction of await Promise.all(asked)) expect(prediction).toMatchObject({ ok: true, source: "r2", modelId: "linear" });
    expect(reads.filter((key) => key.endsWith("model.onnx"))).toHaveLength(1);
    expect(reads).toHaveLength(3);
    // Still the same a minute later: the pointer alone is read, and no model is loaded each minute for ever.
    expect(await answers.active(NOW + MINUTE)).toMatchObject({ source: "r2", fellBackFrom: null });
    expect(reads.slice(3)).toEqual([ACTIVE_MODEL_KEY]);
  });

  it("goes on answering those who hold it, however many models replace it meanwhile", async () => {
    const server = new ModelServer(shippedModel);
    const answers = new InferenceAnswers(server, env.TAPES);
    await publish(await filesOf({ version: "1", seed: 1 }));
    const before = await server.serve(env.TAPES, NOW, async (held) => {
      if ("ok" in held) throw new Error(held.detail);
      for (const [minute, version] of ["2", "3", "4"].entries()) {
        await publish(await filesOf({ version, seed: Number(version) }));
        expect(await answers.active(NOW + (minute + 1) * MINUTE)).toMatchObject({ manifest: { version } });
      }
      const moves = await held.model.answer([ROW]);
      return { model: held.model, moves };
    });
    expect(before.moves).toEqual(await (await loaded(await filesOf({ version: "1", seed: 1 }))).answer([ROW]));
    // Let go, it is released: what is replaced doesn't fill the memory.
    await expect(before.model.answer([ROW])).rejects.toThrow("was released");
  });

  it("is looked for anew when whoever looked never came back: one killed request doesn't hang the others for ever", async () => {
    await publish(await filesOf({}));
    const server = new ModelServer(shippedModel);
    const silent = { get: () => new Promise(() => undefined) } as unknown as R2Bucket;
    void new InferenceAnswers(server, silent).active(NOW);
    expect(await new InferenceAnswers(server, env.TAPES).active(NOW + MINUTE)).toMatchObject({ source: "r2", fellBackFrom: null });
  });

  it("is the newer one when a look that was taken for dead comes back late with an older: that one's memory is given back", async () => {
    const server = new ModelServer(shippedModel);
    await publish(await filesOf({ version: "1", seed: 1 }));
    let arrive = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const older = await env.TAPES.get(ACTIVE_MODEL_KEY);
    const slow = { get: (key: string) => (key === ACTIVE_MODEL_KEY ? arrived.then(() => older) : env.TAPES.get(key)) };
    const late = new InferenceAnswers(server, slow as unknown as R2Bucket).active(NOW);
    await publish(await filesOf({ version: "2", seed: 2 }));
    const answers = new InferenceAnswers(server, env.TAPES);
    expect(await answers.active(NOW + MINUTE)).toMatchObject({ manifest: { version: "2" } });
    const releases = await watchReleases();
    arrive();
    expect(await late).toMatchObject({ manifest: { version: "2" } });
    expect(await answers.active(NOW + MINUTE + 1)).toMatchObject({ manifest: { version: "2" } });
    expect(releases).toHaveBeenCalledTimes(1);
  });

  it("gives its memory back once it is replaced, and so does one that fails its checks", async () => {
    const answers = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    await publish(await filesOf({ version: "1", seed: 1 }));
    await answers.active(NOW);
    const releases = await watchReleases();
    await publish(await filesOf({ version: "2", seed: 2 }));
    await answers.active(NOW + MINUTE);
    expect(releases).toHaveBeenCalledTimes(1);
    expect(fault(await loadModel(await filesOf({ change: (manifest) => withGoldenOff(manifest, 1) })))).toBe("golden-mismatch");
    expect(releases).toHaveBeenCalledTimes(2);
  });

  it("is none when the shipped one is faulty too: the fault is the published one's, which somebody can mend now", async () => {
    await publish(await filesOf({}));
    await env.TAPES.delete(modelKey("linear", "1", "model.onnx"));
    const answers = new InferenceAnswers(new ModelServer({ ...shippedModel, manifest: "{}" }), env.TAPES);
    expect(await answers.active(NOW)).toMatchObject({
      ok: false,
      fault: "not-found",
      detail: expect.stringContaining("the shipped model: bad-manifest"),
    });
  });

  it("is none when nothing was published and the shipped one is faulty: a refusal with both reasons", async () => {
    const answers = new InferenceAnswers(new ModelServer({ ...shippedModel, manifest: "{}" }), env.TAPES);
    const refused = { ok: false, fault: "bad-manifest", detail: expect.stringContaining("no model was ever published") };
    expect(await answers.active(NOW)).toMatchObject(refused);
    expect(await answers.predict(featureSetV1.fingerprint, [ROW], NOW)).toMatchObject(refused);
  });

  it("refuses rows of other features and more rows than it takes, and answers its own with what is in the manifest", async () => {
    const answers = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    await publish(await filesOf({}));
    expect(await answers.predict("0".repeat(16), [ROW], NOW)).toMatchObject({ ok: false, fault: "fingerprint-mismatch" });
    expect(await answers.predict(featureSetV1.fingerprint, new Array(5_000).fill(ROW), NOW)).toMatchObject({
      ok: false,
      fault: "shape-mismatch",
    });
    const prediction = await answers.predict(featureSetV1.fingerprint, [ROW, ROW], NOW);
    expect(prediction).toMatchObject({ ok: true, modelId: "linear", source: "r2", columns: forecastColumns() });
    expect((prediction as Prediction).movesBps).toHaveLength(2);
  });
});

describe("a forecast over HTTP, from the venue's frames to the model's moves", () => {
  const BTC = "/v1/markets/binance-spot:BTCUSDT";
  const model = linearModel({ id: "linear", version: "1", seed: 1 });

  beforeAll(async () => {
    await applyD1Migrations(env.DB, env.MIGRATIONS);
    await publish(await filesOf({}));
    await warmFeed();
  });

  it("is the model's answer to the feed's own row: bid, mid and ask at each horizon, with what it rests on", async () => {
    const features = await feedRpc().features("binance-spot:BTCUSDT");
    if (!features.ok) throw new Error(features.detail);
    const { status, body } = await get(`${BTC}/forecast`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      asOf: features.featureTime,
      // As of the row: the last frame, which put the bid at 100.00, came after its grid time.
      present: { bid: "99.990000", mid: "100.000000", ask: "100.010000" },
      model: { id: "linear", version: "1", source: "r2" },
      fingerprint: featureSetV1.fingerprint,
    });
    const moves = linearAnswer(features.row, model.weights, forecastColumns().length);
    expect(body.horizons.map(({ horizonMs }: { horizonMs: number }) => horizonMs)).toEqual([1_000, 5_000, 10_000, 30_000, 60_000, 300_000]);
    for (const [index, { target, horizonMs }] of forecastColumns().entries()) {
      const horizon = body.horizons.find((each: { horizonMs: number }) => each.horizonMs === horizonMs);
      expect(horizon.targetTime).toBe(features.featureTime + horizonMs);
      expect(horizon[target].moveBps).toBeCloseTo(moves[index] ?? Number.NaN, 3);
      expect(Number(horizon[target].price)).toBeCloseTo(Number(body.present[target]) * (1 + horizon[target].moveBps / 10_000), 5);
    }
  });

  it("of one horizon is that one; of a horizon the model doesn't have, a refusal that lists those it has", async () => {
    const one = await get(`${BTC}/forecast?horizonMs=5000`);
    expect(one.body.horizons.map(({ horizonMs }: { horizonMs: number }) => horizonMs)).toEqual([5_000]);
    expect(await get(`${BTC}/forecast?horizonMs=7000`)).toMatchObject({
      status: 400,
      body: { type: "/problems/unknown-horizon", available: [1_000, 5_000, 10_000, 30_000, 60_000, 300_000] },
    });
  });

  it("leaves out the horizons that the features have outlived, and refuses when none is left", async () => {
    // The market falls silent, for less than makes its book stale.
    advanceClock(7_000);
    const quiet = await get(`${BTC}/forecast`);
    expect(quiet.body).toMatchObject({
      expired: [1_000, 5_000],
      horizons: [10_000, 30_000, 60_000, 300_000].map((horizonMs) => ({ horizonMs })),
    });
    expect(quiet.body.rowAgeMs).toBeGreaterThanOrEqual(7_000);
    const { status, headers, body } = await get(`${BTC}/forecast?horizonMs=5000`);
    expect({ status, type: body.type, reason: body.reason, expired: body.expired }).toEqual({
      status: 503,
      type: "/problems/row-too-old",
      reason: "row-too-old",
      expired: [5_000],
    });
    expect(headers.get("retry-after")).toBe("2");
    expect((await get(`${BTC}/forecast?horizonMs=7000`)).body.type).toBe("/problems/unknown-horizon");
  });

  it("without a model that passes its checks is a refusal with the model's fault", async () => {
    const faulty = new InferenceAnswers(new ModelServer({ ...shippedModel, manifest: "{}" }), env.TAPES);
    await env.TAPES.delete(ACTIVE_MODEL_KEY);
    const { status, headers, body } = await get(`${BTC}/forecast`, faulty);
    expect({ status, type: body.type, reason: body.reason }).toEqual({
      status: 503,
      type: "/problems/model-unavailable",
      reason: "bad-manifest",
    });
    expect(headers.get("retry-after")).toBe("60");
    expect(await get("/v1/models", faulty)).toMatchObject({ status: 503 });
    await publish(await filesOf({}));
  });

  it("says in /v1/models which model it is, and in /v1/health when it is not the published one", async () => {
    expect((await get("/v1/models")).body.active).toMatchObject({
      label: "point",
      id: "linear",
      source: "r2",
      fellBackFrom: null,
      outputs: forecastColumns(),
    });
    const spoilt = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);
    await env.TAPES.put(ACTIVE_MODEL_KEY, "{");
    expect((await get("/v1/models", spoilt)).body.active).toMatchObject({ source: "shipped", fellBackFrom: { fault: "bad-manifest" } });
    const { body } = await get("/v1/health", spoilt);
    expect(body).toMatchObject({ status: "degraded", model: { source: "shipped" } });
    expect(body.reasons).toEqual([expect.stringContaining("the published model is not served")]);
  });

  const published = new InferenceAnswers(new ModelServer(shippedModel), env.TAPES);

  /** The whole public app, with the inference Worker's own code behind the binding. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever came, and are matched by what they must be.
  async function get(path: string, answers = published): Promise<{ status: number; headers: Headers; body: any }> {
    const inference: InferenceRpc = {
      active: () => answers.active(Date.now()),
      predict: (fingerprint, rows) => answers.predict(fingerprint, rows, Date.now()),
    };
    const bound = { ...env, INFERENCE: inference } as unknown as PublicEnv;
    const response = await createApp().fetch(new Request(`https://edgebook.test${path}`), bound);
    const body: unknown = await response.json();
    expectAsDocumented(path, { status: response.status, contentType: response.headers.get("content-type") }, body);
    return { status: response.status, headers: response.headers, body };
  }
});

/** Watches onnxruntime give back the memory of models, by the real calls, until the test ends. */
async function watchReleases(): Promise<MockInstance> {
  const { InferenceSession } = await loadOnnxruntime();
  const releases = vi.spyOn(Reflect.get(InferenceSession, "prototype") as InferenceSession, "release");
  onTestFinished(() => releases.mockRestore());
  return releases;
}

/** A key longer than R2 allows makes the real bucket throw. */
const failing = { get: () => env.TAPES.get("k".repeat(2_000)) } as unknown as R2Bucket;

/** The real bucket, with every key that is read written down. */
function counting(reads: string[]): R2Bucket {
  const get = (key: string): Promise<R2ObjectBody | null> => {
    reads.push(key);
    return env.TAPES.get(key);
  };
  return { get } as unknown as R2Bucket;
}

interface FilesOptions {
  readonly version?: string;
  readonly seed?: number;
  readonly graphColumns?: number;
  /** Of all weights. */
  readonly scale?: number;
  /** In place of the graph. */
  readonly artifact?: Uint8Array;
  readonly change?: (manifest: ModelManifest) => ModelManifest;
}

/** Files as `publish` would put them: the manifest carries the artifact's true hash. */
async function filesOf({ version = "1", seed = 1, artifact, change, ...graph }: FilesOptions): Promise<ModelFiles> {
  const model = linearModel({ id: "linear", version, seed, ...graph });
  const bytes = artifact ?? model.artifact;
  const claimed = { file: "model.onnx", sha256: await sha256Hex(bytes), bytes: bytes.byteLength } as const;
  const manifest = { ...model.manifest, artifact: claimed };
  return { source: "r2", manifest: JSON.stringify(change?.(manifest) ?? manifest), artifact: bytes };
}

function largest(numbers: readonly number[]): number {
  return Math.max(...numbers.map(Math.abs));
}

/** The second row's answers, all off by so much. */
function withGoldenOff({ golden, ...manifest }: ModelManifest, off: number): ModelManifest {
  const outputs = golden.outputs.map((row, index) => (index === 1 ? row.map((value) => value + off) : row));
  return { ...manifest, golden: { ...golden, outputs } };
}

async function publish({ manifest, artifact }: ModelFiles): Promise<void> {
  const { id, version } = JSON.parse(manifest) as ModelManifest;
  await env.TAPES.put(modelKey(id, version, "model.onnx"), artifact);
  await env.TAPES.put(modelKey(id, version, "manifest.json"), manifest);
  const manifestSha256 = await sha256Hex(new TextEncoder().encode(manifest));
  await env.TAPES.put(ACTIVE_MODEL_KEY, JSON.stringify({ id, version, manifestSha256 }));
}

async function loaded(files: ModelFiles): Promise<LoadedModel> {
  const model = await loadModel(files);
  if ("ok" in model) throw new Error(`${model.fault}: ${model.detail}`);
  return model;
}

/** Null for a model that was loaded; a fault with its detail where a test expected none. */
function fault(outcome: LoadedModel | ModelRefusal): string | null {
  return "ok" in outcome ? outcome.fault : null;
}
