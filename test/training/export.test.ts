/** What is exported is what was trained, in bytes that depend on nothing else, and what is published is whole. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { getPlatformProxy } from "wrangler";
import { featureSetV2 } from "../../core/features/registry.ts";
import { parseManifest } from "../../models/manifest.ts";
import { mlp } from "../../models/mlp/family.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { DEFAULT_TRAIN_SETTINGS } from "../../training/engine/settings.ts";
import { type Evaluation, evaluateRun } from "../../training/evaluate/evaluate-run.ts";
import { type ExportedModel, exportRun, writeExport } from "../../training/export/export-run.ts";
import { mlpNetwork } from "../../training/networks/mlp.ts";
import { silent } from "../../training/progress.ts";
import { whyNoForecasts } from "../../training/publish/forecasts-of.ts";
import { ModelRegistry } from "../../training/publish/model-registry.ts";
import { adoptPointer, publishFiles, publishModel, readModel } from "../../training/publish/publish-model.ts";
import { sql } from "../../training/publish/sql.ts";
import { wranglerStore } from "../../training/publish/wrangler-store.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { buildForwardPass } from "../../training/tensors/forward-pass.ts";
import { allInputs } from "../../training/train/input-table.ts";
import { prepareRows } from "../../training/train/prepared-rows.ts";
import type { NetworkRun } from "../../training/train/run-folder.ts";
import { answerRows } from "../../training/train/train-network.ts";
import { trainRun } from "../../training/train/train-run.ts";
import { memoryStore } from "./publish/memory-store.ts";
import { readNetworkRun, scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const ROOT = join(import.meta.dirname, "..", "..");
const COMMIT = `${"c0ffee".repeat(6)}beef`;
let dataset: Dataset;
let run: NetworkRun;
let evaluation: Evaluation;
let exported: ExportedModel;

beforeAll(async () => {
  await writeToyDataset(join(folder, "data"), [{ rows: 2_400, seed: 21, signal: 0.5, spoil: (row) => row.fill(60, 26, 27) }]);
  dataset = await readDataset(join(folder, "data"));
  const runtime = await loadRuntime("node");
  const settings = { ...DEFAULT_TRAIN_SETTINGS, epochs: 2, batch: 64 };
  await trainRun({
    dataset,
    dataFolder: join(folder, "data"),
    out: join(folder, "run"),
    family: "mlp",
    runtime,
    settings,
    progress: silent,
    commit: COMMIT,
  });
  run = await readNetworkRun(join(folder, "run"));
  evaluation = await evaluateRun(run, dataset, { runtime, commit: COMMIT });
  exported = await exportRun(run, { id: "toy", dataset, evaluation });
  await writeExport(join(folder, "export"), exported);
});

describe("an export", () => {
  it("is a manifest that the reader accepts, with the file's own hash and all scores", () => {
    const read = parseManifest(readFileSync(join(folder, "export", "manifest.json"), "utf8"));
    expect(read).toEqual({ manifest: exported.manifest });
    const { artifact, version, scores, trainedOn, scoredOn } = exported.manifest;
    expect(createHash("sha256").update(exported.model).digest("hex")).toBe(artifact.sha256);
    expect(artifact.sha256.startsWith(version)).toBe(true);
    // Each score as it was measured, but for what a manifest does not tell.
    expect(scores).toEqual(
      evaluation.scores.map(({ rmseSkill: _skill, againstRidge: _test, errors: _errors, calibration: _calibration, ...score }) => score),
    );
    expect(scores.length).toBe(12);
    expect(trainedOn).toMatchObject({ datasetSha256: dataset.card.sha256, commit: COMMIT });
    expect(scoredOn).toMatchObject({ source: evaluation.source, datasetSha256: dataset.card.sha256, commit: COMMIT });
    // The last 15 % of 2,400 rows, one a second.
    const { from, to } = dataset.card;
    expect(scoredOn).toMatchObject({ from: from + 2_040_000, to, rows: 360, purgeMs: 61_000 });
  });

  it.each(["node", "wasm"] as const)("answers its golden vectors on %s, the extreme ones included", async (name) => {
    const { golden, normaliser, output, input } = exported.manifest;
    const columns = normaliser.mean.length;
    const prepared = new Float32Array(golden.inputs.length * columns);
    golden.inputs.forEach((row, index) => {
      mlp.prepareInput(row, normaliser, prepared, index * columns);
    });
    // Some row must be beyond the clip, or the clip is not tested by whoever checks these vectors.
    expect(Math.max(...prepared)).toBe(normaliser.clip);
    expect(Math.min(...prepared)).toBe(-normaliser.clip);
    const session = await (await loadRuntime(name)).open(exported.model);
    const answer = Array.from(
      (await session.run({ [input.name]: { shape: [golden.inputs.length, columns], data: prepared } }))[output.name] ?? [],
    );
    const expected = golden.outputs.flat();
    expect(answer.length).toBe(expected.length);
    const largest = Math.max(...answer.map((value, index) => Math.abs(value - (expected[index] as number))));
    expect(largest).toBeLessThanOrEqual(golden.tolerance);
    // The vectors are WebAssembly's own; by how much the native kernels differ is what the export measured, or it never asked them.
    expect(largest).toBe(name === "wasm" ? 0 : exported.difference);
    // Constant answers would let any file with these shapes pass.
    expect(new Set(golden.outputs.map((row) => row[0])).size).toBeGreaterThan(5);
    await session.release();
  });

  it("answers in basis points what the trained network answers in units of its targets: without the scale every forecast is of another size", async () => {
    const { golden, input, output } = exported.manifest;
    const rows = golden.inputs.length;
    const inputs: Dataset = { ...dataset, features: { kind: "memory", values: Float64Array.from(golden.inputs.flat()) } };
    const { normaliser, targetScale } = run.card;
    const prepared = prepareRows(
      inputs,
      Uint32Array.from({ length: rows }, (_, row) => row),
      { family: mlp, normaliser, targetScale, targetClip: null },
    );
    const runtime = await loadRuntime("node");
    const trained = await runtime.open(buildForwardPass(mlpNetwork(dataset.outputs), [dataset.columns]));
    const units = await answerRows(trained, run, prepared);
    await trained.release();
    const served = await runtime.open(exported.model);
    const shape = [rows, dataset.columns];
    const answers = (await served.run({ [input.name]: { shape, data: allInputs(prepared) } }))[output.name] ?? new Float32Array();
    await served.release();
    expect(answers.length).toBe(units.length);
    for (const [cell, answer] of answers.entries())
      expect(Math.abs(answer - (units[cell] as number) * (targetScale[cell % dataset.outputs] as number))).toBeLessThan(1e-4);
    // Of scales that were all 1 the above would say nothing.
    for (const scale of targetScale) expect(Math.abs(scale - 1)).toBeGreaterThan(0.1);
  });

  it("holds rows from all over its dataset, and rows far out on either side in every column: a reader that forgets to clip one of them must be found out", () => {
    const { golden, normaliser } = exported.manifest;
    const columns = normaliser.mean.length;
    const typical = [240, 720, 1_200, 1_680, 2_160].map((row) => [...allFeatures(dataset).subarray(row * columns, (row + 1) * columns)]);
    expect(golden.inputs.slice(0, 5)).toEqual(typical);
    const varied = normaliser.scale.flatMap((scale, column) => (scale < 1e9 ? [column] : []));
    expect(varied.length).toBe(columns - 1);
    const deviations = golden.inputs.map((row) =>
      varied.map((column) => ((row[column] as number) - (normaliser.mean[column] as number)) / (normaliser.scale[column] as number)),
    );
    // One deviation beyond the clip of ten, and a thousand million.
    for (const side of [11, -11]) expect(deviations.some((row) => row.every((value) => Math.abs(value - side) < 1e-6))).toBe(true);
    for (const huge of [1e9, -1e9]) expect(golden.inputs).toContainEqual(new Array<number>(columns).fill(huge));
  });

  it("says from when to when it was trained: taken as one moment, no one would see what it has seen", () => {
    // 2,400 rows from midnight on, one a second: 70 % lie before second 1,680, and the last 61 s of them are purged.
    const from = Date.UTC(2026, 0, 1);
    expect(exported.manifest.trainedOn).toMatchObject({ from, to: from + 1_618_000, rows: 1_619, seed: 1 });
  });

  it("is refused where the runtimes do not agree on a number, as on a weight that is none", async () => {
    const parameters = run.parameters.slice();
    parameters[parameters.length - 1] = Number.NaN;
    await expect(exportRun({ ...run, parameters }, { id: "toy", dataset, evaluation })).rejects.toThrow(
      "onnxruntime-node and onnxruntime-web differ by Infinity bps on the golden vectors, more than 0.0001: the model is not exported",
    );
  });

  it("is the same bytes again, and holds no path of this machine", async () => {
    const again = await exportRun(run, { id: "toy", dataset, evaluation });
    expect(Buffer.from(again.model).equals(Buffer.from(exported.model))).toBe(true);
    expect(again.manifestText).toBe(exported.manifestText);
    expect(again.manifestText).not.toContain(folder);
  });

  it("of a run that was not scored says so", async () => {
    const { manifest } = await exportRun(run, { id: "toy", dataset, evaluation: null });
    expect(manifest.scores).toEqual([]);
    expect(manifest.scoredOn).toBeNull();
  });
});

describe("publishing", () => {
  it("puts both files where wrangler dev finds them, into a folder that no start has been in, and makes the version active", async () => {
    const persist = join(folder, "state");
    const published = await publishModel(join(folder, "export"), { local: persist });
    const { id, version } = exported.manifest;
    expect(published).toMatchObject({ version: { id: "toy", version, label: "point" }, active: { id: "toy" }, noForecasts: null });
    const platform = await getPlatformProxy<LocalBindings>({
      configPath: join(ROOT, "wrangler.toml"),
      persist: { path: join(persist, "v3") },
    });
    const read = async (key: string): Promise<Buffer> =>
      Buffer.from((await (await platform.env.TAPES.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
    const manifest = await read(`models/${id}/${version}/manifest-${published.version?.manifestSha256}.json`);
    expect(createHash("sha256").update(manifest).digest("hex")).toBe(published.version?.manifestSha256);
    expect((await read(`models/${id}/${version}/model.onnx`)).equals(Buffer.from(exported.model))).toBe(true);
    const { results } = await platform.env.DB.prepare(
      "SELECT slot, market, role, id, version FROM model_roles JOIN models ON key = model",
    ).all();
    expect(results).toEqual([{ slot: "forecast", market: "*", role: "active", id, version }]);
    await platform.dispose();
  }, 120_000);

  it("leaves a model of another name active where it is told to: a start must not undo what its user published", async () => {
    const store = memoryStore();
    await writeRenamed("mine");
    const toy = await readModel(join(folder, "export"));
    expect((await publishFiles(toy, store, { unlessOther: true })).active?.id).toBe("toy");
    expect((await publishFiles(toy, store, { unlessOther: true })).keys).toHaveLength(2);
    const mine = await publishFiles(await readModel(join(folder, "mine")), store, {});
    const kept = { version: null, active: mine.active, keys: [], noForecasts: null };
    expect(await publishFiles(toy, store, { unlessOther: true })).toEqual(kept);
    expect((await publishFiles(toy, store, { as: "shadow" })).active?.id).toBe("mine");
    expect((await publishFiles(toy, store, {})).active?.id).toBe("toy");
    const log = await new ModelRegistry(store, Date.now).log(20);
    expect(log.map(({ action, model }) => [action, model?.id]).reverse()).toEqual([
      ["publish", "toy"],
      ["activate", "toy"],
      ["publish", "mine"],
      ["activate", "mine"],
      ["shadow", "toy"],
      ["activate", "toy"],
    ]);
  });

  it("takes over the model that an older instance named in its bucket, before anything else is published", async () => {
    await writeRenamed("older");
    const store = memoryStore();
    const registry = new ModelRegistry(store, () => 5);
    const bytes = readFileSync(join(folder, "older", "manifest.json"));
    const { id, version } = (parseManifest(bytes.toString("utf8")) as { manifest: typeof exported.manifest }).manifest;
    const manifestSha256 = createHash("sha256").update(bytes).digest("hex");
    await store.put("models/active.json", Buffer.from(JSON.stringify({ id, version, manifestSha256 })));
    // Its manifest isn't there, or isn't the one that was named: there is nothing to take over.
    expect(await adoptPointer(store, registry)).toBeNull();
    await store.put(`models/${id}/${version}/manifest.json`, Buffer.from(`${bytes.toString("utf8")} `));
    expect(await adoptPointer(store, registry)).toBeNull();
    expect(store.rowsOf("models")).toEqual([]);
    await store.put(`models/${id}/${version}/manifest.json`, bytes);
    expect(await adoptPointer(store, registry)).toMatchObject({ id: "older", version, manifestSha256 });
    expect(await registry.active({ slot: "forecast", market: "*" })).toMatchObject({ id: "older" });
    expect(await store.getText(`models/${id}/${version}/manifest-${manifestSha256}.json`)).toBe(bytes.toString("utf8"));
    expect((await registry.log(1))[0]).toMatchObject({ action: "activate", evidence: { from: "models/active.json" } });
    // Once: what is published afterwards stays.
    expect(await adoptPointer(store, registry)).toBeNull();
  });

  it("gives no role to what is never served, and publishes it all the same where it is told to", async () => {
    const store = memoryStore();
    await writeRenamed("past", { label: "smoothed" });
    const past = await readModel(join(folder, "past"));
    for (const as of ["active", "shadow"] as const) await expect(publishFiles(past, store, { as })).rejects.toThrow(/smoothed.*--only/);
    expect(store.objects.size).toBe(0);
    expect(await publishFiles(past, store, { as: "none" })).toMatchObject({ version: { id: "past" }, active: null });
  });

  it("reaches stores by wrangler's command line as well, which is how the account's own are reached", async () => {
    const persist = join(folder, "by-command-line");
    const why = `"it's"; DROP TABLE models; --`;
    const published = await publishModel(join(folder, "export"), { local: persist, why });
    const store = wranglerStore(["--local", "--persist-to", persist]);
    const registry = new ModelRegistry(store, () => 9);
    expect(await registry.versions()).toEqual([published.version]);
    const { id, version } = exported.manifest;
    expect(await store.getText(`models/${id}/${version}/manifest-${published.version?.manifestSha256}.json`)).toBe(exported.manifestText);
    expect(await store.getText("models/active.json")).toBeNull();
    await store.execute([
      sql`DELETE FROM model_roles`,
      sql`INSERT INTO model_log (at, action, model, evidence) VALUES (9, ${"shadow"}, 1, ${JSON.stringify({ why })})`,
    ]);
    await expect(store.execute([sql`DELETE FROM model_log`, sql`DELETE FROM nowhere`])).rejects.toThrow(/no such table/);
    // All or none.
    expect((await registry.log(9)).map(({ action, evidence }) => [action, evidence])).toEqual([
      ["shadow", { why }],
      ["activate", { why }],
      ["publish", { manifestSha256: published.version?.manifestSha256 }],
    ]);
  }, 240_000);

  it("says which models an instance would load and then refuse each forecast of", () => {
    const { manifest } = exported;
    expect(whyNoForecasts(manifest)).toBeNull();
    const window = (rows: number) => ({ ...manifest, input: { ...manifest.input, shape: ["batch", rows, 27] as const } });
    expect(whyNoForecasts(window(128))).toBeNull();
    expect(whyNoForecasts(window(129))).toBe("feeds keep 128 rows, and it reads 129");
    const v2 = { ...manifest.featureSet, id: "v2", fingerprint: featureSetV2.fingerprint };
    expect(whyNoForecasts({ ...manifest, featureSet: v2 })).toBeNull();
    const levels = { ...manifest.featureSet, id: "levels-10", fingerprint: "8711b1401224b065" };
    expect(whyNoForecasts({ ...manifest, featureSet: levels })).toBe(
      "feeds compute the features v1, v2, volumes-10 unless FEEDS names others, and it reads levels-10",
    );
    const classes = { ...manifest.output, unit: "probability" } as unknown as typeof manifest.output;
    expect(whyNoForecasts({ ...manifest, output: classes })).toBe("it answers classes, and forecasts are made of moves");
  });

  it("refuses a folder without a model, and a model that is not the manifest's", async () => {
    await expect(publishModel(join(folder, "run"), { local: folder })).rejects.toThrow(/edgebook export-model/);
    await writeExport(join(folder, "broken"), exported);
    const path = join(folder, "broken", "model.onnx");
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(path, bytes);
    await expect(publishModel(join(folder, "broken"), { local: folder })).rejects.toThrow(/not the file that its manifest names/);
    writeFileSync(join(folder, "broken", "manifest.json"), "{}");
    await expect(publishModel(join(folder, "broken"), { local: folder })).rejects.toThrow(/not a manifest/);
  });
});

interface LocalBindings extends Record<string, unknown> {
  readonly TAPES: { get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null> };
  readonly DB: { prepare(statement: string): { all(): Promise<{ results: unknown[] }> } };
}

/** The export under another name, in a folder of that name. */
async function writeRenamed(id: string, change: Partial<typeof exported.manifest> = {}): Promise<void> {
  const manifest = { ...exported.manifest, ...change, id };
  await writeExport(join(folder, id), { ...exported, manifest, manifestText: JSON.stringify(manifest) });
}
