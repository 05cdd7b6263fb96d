/**
 * The inference Worker's own code on a real onnxruntime: every fault that a model's file may have is named, and a forecast over HTTP is the model's own
 * answer. Who answers in which role is in model-roles.test.ts, what an ask gives in predictions.test.ts.
 */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import { createApp } from "../../workers/api/app.ts";
import { forecastSchema } from "../../workers/api/forecast-schemas.ts";
import { modelListSchema } from "../../workers/api/model-schemas.ts";
import { healthSchema, problemSchema } from "../../workers/api/schemas.ts";
import type { PublicEnv } from "../../workers/env.ts";
import type { InferenceRpc, ModelRefusal } from "../../workers/inference/contract.ts";
import { loadModel } from "../../workers/inference/load-model.ts";
import type { LoadedModel } from "../../workers/inference/loaded-model.ts";
import type { ModelFiles } from "../../workers/inference/model-files.ts";
import signalManifest from "../../workers/inference/shipped/signal/manifest.json" with { type: "json" };
import signalArtifact from "../../workers/inference/shipped/signal/model.onnx";
import { shippedModel } from "../../workers/inference/shipped-model.ts";
import { advanceClock } from "./clock.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";
import { feedRpc } from "./exchange-control.ts";
import { linearAnswer, linearModel } from "./linear-model.ts";
import { at, coldInference, filesOf, manifestKeyOf, publish, publishFiles, unpublishAll, withGoldenOff } from "./published-models.ts";
import { warmFeed } from "./warm-feed.ts";

const ROW = featureSetV1.columns.map((_, index) => Math.fround(Math.sin(index)));

describe("the shipped model", () => {
  it("passes every check, so that a fresh deployment serves forecasts", async () => {
    expect(fault(await loadModel(shippedModel))).toBeNull();
  });

  it("of signals passes them too, and gives its golden rows here what it gave offline, to 1e-5", async () => {
    const files: ModelFiles = { source: "shipped", manifest: JSON.stringify(signalManifest), artifact: new Uint8Array(signalArtifact) };
    const model = await loaded(files);
    const { inputs, outputs } = signalManifest.golden;
    const answers = await model.answerEach(inputs.map((row) => Float64Array.from(row)));
    for (const [row, answer] of answers.entries()) {
      expect(answer).toHaveLength(3);
      for (const [at, value] of (answer as number[]).entries())
        expect(Math.abs(value - (outputs[row]?.[at] ?? Number.NaN))).toBeLessThan(1e-5);
    }
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

describe("a forecast over HTTP, from the venue's frames to the model's moves", () => {
  const BTC = "/v1/markets/binance-spot:BTCUSDT";
  const model = linearModel({ id: "linear", version: "1", seed: 1 });

  beforeAll(async () => {
    await applyD1Migrations(env.DB, env.MIGRATIONS);
    await publish(await filesOf({}));
    await warmFeed();
  });

  it("is the model's answer to the feed's own row: bid, mid and ask at each horizon, with what it rests on", async () => {
    const features = await feedRpc().features("binance-spot:BTCUSDT", [{ fingerprint: featureSetV1.fingerprint, rows: 1 }]);
    if (!features.ok) throw new Error(features.detail);
    const [set] = features.sets;
    if (set === undefined || "refusal" in set) throw new Error(set?.refusal.detail);
    const { status, body } = answerOf(forecastSchema, await get(`${BTC}/forecast`));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      asOf: features.featureTime,
      // As of the row: the last frame, which put the bid at 100.00, came after its grid time.
      present: { bid: "99.990000", mid: "100.000000", ask: "100.010000" },
      model: { id: "linear", version: "1", source: "r2", label: "point" },
      fingerprint: featureSetV1.fingerprint,
    });
    const moves = linearAnswer(Array.from(set.rows), model.weights, forecastColumns().length);
    expect(body.horizons.map(({ horizonMs }) => horizonMs)).toEqual([1_000, 5_000, 10_000, 30_000, 60_000, 300_000]);
    for (const [index, { target, horizonMs }] of forecastColumns().entries()) {
      const horizon = body.horizons.find((each) => each.horizonMs === horizonMs);
      const side = horizon?.[target];
      expect(horizon?.targetTime).toBe(features.featureTime + horizonMs);
      expect(side?.moveBps).toBeCloseTo(moves[index] ?? Number.NaN, 3);
      expect(Number(side?.price)).toBeCloseTo(Number(body.present[target]) * (1 + (side?.moveBps ?? Number.NaN) / 10_000), 5);
    }
  });

  it("of one horizon is that one; of a horizon the model doesn't have, a refusal that lists those it has", async () => {
    const one = answerOf(forecastSchema, await get(`${BTC}/forecast?horizonMs=5000`));
    expect(one.body.horizons.map(({ horizonMs }) => horizonMs)).toEqual([5_000]);
    expect(await get(`${BTC}/forecast?horizonMs=7000`)).toMatchObject({
      status: 400,
      body: { type: "/problems/unknown-horizon", available: [1_000, 5_000, 10_000, 30_000, 60_000, 300_000] },
    });
  });

  it("leaves out the horizons that the features have outlived, and refuses when none is left", async () => {
    // The market falls silent, for less than makes its book stale.
    advanceClock(7_000);
    const quiet = answerOf(forecastSchema, await get(`${BTC}/forecast`));
    expect(quiet.body).toMatchObject({
      expired: [1_000, 5_000],
      horizons: [10_000, 30_000, 60_000, 300_000].map((horizonMs) => ({ horizonMs })),
    });
    expect(quiet.body.rowAgeMs).toBeGreaterThanOrEqual(7_000);
    const { status, headers, body } = answerOf(problemSchema, await get(`${BTC}/forecast?horizonMs=5000`));
    expect({ status, type: body.type, reason: body.reason, expired: body.expired }).toEqual({
      status: 503,
      type: "/problems/row-too-old",
      reason: "row-too-old",
      expired: [5_000],
    });
    expect(headers.get("retry-after")).toBe("2");
    expect(answerOf(problemSchema, await get(`${BTC}/forecast?horizonMs=7000`)).body.type).toBe("/problems/unknown-horizon");
  });

  it("without a model that passes its checks is a refusal with the model's fault", async () => {
    const faulty = coldInference({ ...shippedModel, manifest: "{}" });
    await unpublishAll();
    const { status, headers, body } = answerOf(problemSchema, await get(`${BTC}/forecast`, faulty));
    expect({ status, type: body.type, reason: body.reason }).toEqual({
      status: 503,
      type: "/problems/model-unavailable",
      reason: "bad-manifest",
    });
    expect(headers.get("retry-after")).toBe("60");
    expect(await get("/v1/models", faulty)).toMatchObject({ status: 503 });
    await publish(await filesOf({}));
  });

  it("says in /v1/models who plays which role, with scores and every version, and in /v1/health when it is not the published one", async () => {
    const shade = await publish(await filesOf({ id: "shade" }), { role: "shadow" });
    const spare = await publishFiles(await filesOf({ version: "0" }));
    const answers = coldInference();
    const { body: models } = answerOf(modelListSchema, await get("/v1/models", answers));
    const identity = { id: "linear", version: "1" };
    expect(models.active).toMatchObject({
      ...identity,
      label: "point",
      source: "r2",
      fellBackFrom: null,
      outputs: forecastColumns(),
      calibration: null,
    });
    expect(models.models).toMatchObject([identity, { id: "shade", key: shade }]);
    expect(models.roles).toMatchObject([
      { ...identity, slot: "forecast", market: "*", role: "active" },
      { id: "shade", role: "shadow" },
    ]);
    expect(models.versions?.map(({ key }) => key).sort()).toEqual([models.active?.key, shade, spare].sort());
    await env.TAPES.put(await manifestKeyOf(await filesOf({})), "{");
    const spoilt = coldInference();
    const fellBackFrom = { fault: "hash-mismatch" };
    expect((await get("/v1/models", spoilt)).body).toMatchObject({ active: { source: "shipped", fellBackFrom }, roles: [{ key: 0 }, {}] });
    const { body } = answerOf(healthSchema, await get("/v1/health", spoilt));
    expect(body).toMatchObject({ status: "degraded", model: { source: "shipped" } });
    expect(body.reasons).toEqual([expect.stringContaining("the published model is not served: hash-mismatch")]);
  });

  const published = coldInference();

  /** The whole public app, with the inference Worker's own code behind the binding. */
  async function get(path: string, answers = published): Promise<Answer> {
    const inference: InferenceRpc = {
      roster: () => answers.roster(at(Date.now())),
      models: () => answers.models(at(Date.now())),
      predict: (asks) => answers.predict(asks, at(Date.now())),
      shadows: (asks) => answers.shadows(asks, at(Date.now())),
    };
    const bound = { ...env, INFERENCE: inference } as unknown as PublicEnv;
    const response = await createApp().fetch(new Request(`https://edgebook.test${path}`), bound);
    return readAnswer(path, response);
  }
});

function largest(numbers: readonly number[]): number {
  return Math.max(...numbers.map(Math.abs));
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
