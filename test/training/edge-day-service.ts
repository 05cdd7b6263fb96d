/**
 * Node's side of test/workerd/edge-day.test.ts. `/models`: two models trained on another seed of the simulated market, exported, and published by the registry's own
 * functions into a store in memory, whose statements and objects are the answer. `/scores`: those models evaluated on the dataset that a recorded tape gives, only the
 * ticks that were asked having targets. `/report`: what came of it, into the file EDGE_DAY_REPORT.
 */

import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabelKind } from "../../core/labels/moves.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { recordedSources } from "../../training/datasets/recorded-sources.ts";
import { parseSimulation, simulatedSource } from "../../training/datasets/simulated-source.ts";
import { evaluateModel } from "../../training/evaluate/evaluate-model.ts";
import { openModel } from "../../training/evaluate/model-folder.ts";
import { exportRun, writeExport } from "../../training/export/export-run.ts";
import { silent } from "../../training/progress.ts";
import { publishFiles, readModel } from "../../training/publish/publish-model.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { LINE_DEFAULTS } from "../../training/train/fit-lines.ts";
import { fitLinesRun } from "../../training/train/fit-lines-run.ts";
import { TREE_DEFAULTS } from "../../training/train/fit-trees.ts";
import { readRun } from "../../training/train/run-folder.ts";
import { trainTreesRun } from "../../training/train/train-trees-run.ts";
import type { OfflineScores, PublishedModels, ScoresAsked, ScoresOfModels } from "./edge-day-contract.ts";
import { memoryStore } from "./publish/memory-store.ts";

interface Trained {
  readonly id: string;
  readonly label: LabelKind;
}

const HORIZONS_MS = [1_000, 5_000, 10_000, 30_000];
const TRAINED_ON = "small-tick:51:1.5";
const LINE: Trained = { id: "edge-day-line", label: "anchored" };
const TREES: Trained = { id: "edge-day-trees", label: "point" };

let models: Promise<{ folder: string; published: PublishedModels }> | null = null;

export async function answerEdgeDay(path: string, body: string): Promise<Response> {
  try {
    models ??= makeModels();
    const { folder, published } = await models;
    if (path === "/models") return Response.json(published);
    if (path === "/report") return Response.json(await report(body));
    return Response.json(await scoresOf(folder, published, JSON.parse(body) as ScoresAsked));
  } catch (error) {
    return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
  }
}

async function makeModels(): Promise<{ folder: string; published: PublishedModels }> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-edge-day-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const { id, label } of [LINE, TREES]) {
    const [data, out] = [join(folder, `data-${label}`), join(folder, `run-${id}`)];
    await buildDataset({
      sources: [simulatedSource(parseSimulation(TRAINED_ON))],
      folder: data,
      horizonsMs: HORIZONS_MS,
      label,
      command: [],
      progress: silent,
    });
    const dataset = await readDataset(data);
    const run = { dataset, dataFolder: data, out, progress: silent, commit: null };
    if (id === LINE.id) await fitLinesRun({ ...run, family: "linear", settings: LINE_DEFAULTS });
    else
      await trainTreesRun({
        ...run,
        family: "trees",
        settings: { ...TREE_DEFAULTS, rounds: 30, learningRate: 0.2, maxBins: 32 },
        threads: 1,
      });
    await writeExport(join(folder, id), await exportRun(await readRun(out), { id, dataset, evaluation: null }));
  }
  return { folder, published: await publish(folder) };
}

async function publish(folder: string): Promise<PublishedModels> {
  const store = memoryStore();
  const statements: string[] = [];
  const listening = {
    ...store,
    execute: async (given: Parameters<typeof store.execute>[0]) => {
      statements.push(...given.map(({ text }) => text));
      await store.execute(given);
    },
  };
  const now = (): number => 1;
  const names = [];
  for (const [{ id }, as] of [
    [LINE, "active"],
    [TREES, "shadow"],
  ] as const) {
    const { version } = await publishFiles(await readModel(join(folder, id)), listening, { as, now });
    names.push(`${id}@${version?.version}`);
  }
  const objects = Object.fromEntries([...store.objects].map(([key, bytes]) => [key, Buffer.from(bytes).toString("base64")]));
  return { statements, objects, active: names[0] as string, shadow: names[1] as string };
}

async function scoresOf(folder: string, published: PublishedModels, { tape, ticks }: ScoresAsked): Promise<ScoresOfModels> {
  const work = await mkdtemp(join(folder, "scores-"));
  const file = join(work, "day.tape.gz");
  await writeFile(file, Buffer.from(tape, "base64"));
  const runtime = await loadRuntime("node");
  const scores: Record<string, OfflineScores> = {};
  for (const { id, label } of [LINE, TREES]) {
    const data = join(work, label);
    const sources = await recordedSources([file], { venue: "binance-spot", market: null });
    await buildDataset({ sources, folder: data, horizonsMs: HORIZONS_MS, label, command: [], progress: silent });
    const asked = new Set(ticks);
    const dataset = onlyTicks(await readDataset(data), asked);
    const model = await openModel(join(folder, id), runtime);
    const evaluation = await evaluateModel(model, dataset, { commit: null });
    await model.session.release();
    const name = id === LINE.id ? published.active : published.shadow;
    scores[name] = summaryOf(dataset, asked, evaluation.scores);
    if (evaluation.leftOut > 0) throw new Error(`${evaluation.leftOut} rows were taken for training's`);
  }
  await rm(work, { recursive: true });
  return scores;
}

/** For `npm run bench -- edge-day`. */
async function report(body: string): Promise<null> {
  const { EDGE_DAY_REPORT } = process.env;
  if (EDGE_DAY_REPORT !== undefined) await writeFile(EDGE_DAY_REPORT, body);
  return null;
}

/** Rows of other ticks have no targets. */
function onlyTicks(dataset: Dataset, ticks: ReadonlySet<number>): Dataset {
  const { outputs, times } = dataset;
  return { ...dataset, mask: dataset.mask.map((known, at) => (ticks.has(times[Math.floor(at / outputs)] as number) ? known : 0)) };
}

function summaryOf(
  { outputs, mask, card, times }: Dataset,
  ticks: ReadonlySet<number>,
  scores: readonly { target: string; horizonMs: number; r2: number }[],
): OfflineScores {
  const rows = Array.from(times.keys()).filter((row) => ticks.has(times[row] as number));
  return {
    rows: rows.length,
    uncovered: rows.filter((row) => !mask.subarray(row * outputs, (row + 1) * outputs).includes(1)).length,
    outputs: card.targets.map(({ target, horizonMs }, output) => ({
      target,
      horizonMs,
      rows: rows.filter((row) => mask[row * outputs + output] === 1).length,
      r2: scores.find((score) => score.target === target && score.horizonMs === horizonMs)?.r2 ?? null,
    })),
  };
}
