/**
 * Node's side of test/workerd/edge-day.test.ts and edge-day-recording.test.ts. `/models`: two models trained on another seed of the simulated market, or on what a recording holds
 * before the stretch that is played, exported, and published by the registry's own functions into a store in memory, whose statements and objects are the answer. `/scores`: those
 * models evaluated on the dataset that a recorded tape gives, only the ticks that were asked having targets. `/stretch` and `/events`: the stretch, and its events in their order, some
 * at each call; `/imported-scores`: the tape's dataset beside that of the events. `/report`: what came of it, into the file EDGE_DAY_REPORT.
 */

import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLines } from "../../archive/line-reader.ts";
import type { LabelKind } from "../../core/labels/moves.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { recordedSources } from "../../training/datasets/recorded-sources.ts";
import { parseSimulation, simulatedSource } from "../../training/datasets/simulated-source.ts";
import { evaluateModel } from "../../training/evaluate/evaluate-model.ts";
import type { ForecastScore } from "../../training/evaluate/forecast-score.ts";
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
import type {
  EventLines,
  ImportedScores,
  ModelsAsked,
  OfflineScores,
  PublishedModels,
  RecordingStretch,
  ScoresAsked,
  StretchFacts,
  TapedScores,
  TapePiece,
} from "./edge-day-contract.ts";
import { compareDatasets, type HorizonsByTick, horizonsByTick, isAnsweredIn, withTargets } from "./edge-day-datasets.ts";
import { type CutRecording, cutRecording } from "./edge-day-recording.ts";
import { memoryStore } from "./publish/memory-store.ts";

interface Trained {
  readonly id: string;
  readonly label: LabelKind;
}

const HORIZONS_MS = [1_000, 5_000, 10_000, 30_000];
/** Of imported events: the recording's feed is silent each half minute, so that no target of half a minute would be without a silence. */
const RULE = { overGapsFromMs: 30_000 };
const TRAINED_ON = "small-tick:51:1.5";
const LINE: Trained = { id: "edge-day-line", label: "anchored" };
const TREES: Trained = { id: "edge-day-trees", label: "point" };
const TRAINED = [LINE, TREES];

interface Made {
  readonly folder: string;
  readonly published: PublishedModels;
  readonly cut: CutRecording | null;
}

/** By what they were asked with. */
const made = new Map<string, Promise<Made>>();
let tape: Uint8Array[] = [];
let playing: AsyncIterator<readonly string[]> | null = null;

export async function answerEdgeDay(path: string, body: string): Promise<Response> {
  try {
    return Response.json(await answerOf(path, body));
  } catch (error) {
    return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
  }
}

async function answerOf(path: string, body: string): Promise<unknown> {
  if (path === "/report") return await report(body);
  if (path === "/events") return await nextEvents();
  if (path === "/tape") return takeTape(JSON.parse(body) as TapePiece);
  const asked = JSON.parse(body) as ModelsAsked;
  const models = await madeOf(asked.stretch);
  if (path === "/models") return models.published;
  if (path === "/stretch") return begin(models);
  if (path === "/scores") return await scoresOf(models, asked as ScoresAsked);
  if (path === "/imported-scores") return await importedScores(models, asked as ScoresAsked);
  throw new Error(`nothing is at ${path}`);
}

function madeOf(stretch: RecordingStretch | null): Promise<Made> {
  const key = JSON.stringify(stretch);
  const models = made.get(key) ?? makeModels(stretch);
  made.set(key, models);
  return models;
}

async function makeModels(stretch: RecordingStretch | null): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), "edgebook-edge-day-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const cut = stretch === null ? null : await cutRecording(stretch, folder);
  const sources =
    cut === null ? [simulatedSource(parseSimulation(TRAINED_ON))] : await recordedSources([cut.before], { venue: null, market: null });
  for (const { id, label } of TRAINED) {
    const [data, out] = [join(folder, `data-${label}`), join(folder, `run-${id}`)];
    await buildDataset({ sources, folder: data, horizonsMs: HORIZONS_MS, label, command: [], progress: silent, rule: RULE });
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
  return { folder, published: await publish(folder), cut };
}

function takeTape({ isFirst, bytes }: TapePiece): null {
  if (isFirst) tape = [];
  tape.push(Buffer.from(bytes, "base64"));
  return null;
}

function begin({ cut }: Made): StretchFacts {
  if (cut === null) throw new Error("nothing recorded is to be played");
  playing = eventLines(cut.stretch);
  return cut.facts;
}

async function nextEvents(): Promise<EventLines> {
  const next = await playing?.next();
  return { lines: next === undefined || next.done === true ? [] : next.value };
}

async function* eventLines(path: string): AsyncGenerator<readonly string[]> {
  for await (const { lines, firstLine } of readLines(path)) {
    const events = (firstLine === 1 ? lines.slice(1) : lines).filter((line) => line !== "");
    if (events.length > 0) yield events;
  }
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

async function scoresOf({ folder, published }: Made, asked: ScoresAsked): Promise<TapedScores> {
  const work = await mkdtemp(join(folder, "scores-"));
  const ticks = horizonsByTick(asked.ticks);
  const scores: Record<string, OfflineScores> = {};
  let gaps: Readonly<Record<string, number>> = {};
  for (const trained of TRAINED) {
    const whole = await tapedDataset(work, trained, asked);
    gaps = whole.card.parts[0]?.gaps ?? {};
    const dataset = withTargets(whole, isAnsweredIn(whole, ticks));
    scores[nameOf(trained, published)] = summaryOf(dataset, ticks, await evaluated(join(folder, trained.id), dataset));
  }
  await rm(work, { recursive: true });
  return { scores, gaps };
}

async function importedScores({ folder, published, cut }: Made, asked: ScoresAsked): Promise<Record<string, ImportedScores>> {
  if (cut === null) throw new Error("nothing recorded was played");
  const work = await mkdtemp(join(folder, "imported-"));
  const sources = await recordedSources([cut.stretch], { venue: null, market: null });
  const scores: Record<string, ImportedScores> = {};
  for (const trained of TRAINED) {
    const data = join(work, `imported-${trained.label}`);
    await buildDataset({ sources, folder: data, horizonsMs: HORIZONS_MS, label: trained.label, command: [], progress: silent, rule: RULE });
    const pair = { taped: await tapedDataset(work, trained, asked), imported: await readDataset(data) };
    scores[nameOf(trained, published)] = await compareDatasets(pair, {
      ticks: horizonsByTick(asked.ticks),
      evaluate: (dataset) => evaluated(join(folder, trained.id), dataset),
    });
  }
  await rm(work, { recursive: true });
  return scores;
}

async function tapedDataset(work: string, { label }: Trained, { venue, silenceMs }: ScoresAsked): Promise<Dataset> {
  const [file, data] = [join(work, "day.tape.gz"), join(work, label)];
  await writeFile(file, tape);
  const sources = await recordedSources([file], { venue, market: null });
  const silence = silenceMs === null ? {} : { silenceMs };
  await buildDataset({ sources, folder: data, horizonsMs: HORIZONS_MS, label, command: [], progress: silent, ...silence });
  return await readDataset(data);
}

async function evaluated(model: string, dataset: Dataset): Promise<readonly ForecastScore[]> {
  const opened = await openModel(model, await loadRuntime("node"));
  const { leftOut, scores } = await evaluateModel(opened, dataset, { commit: null });
  await opened.session.release();
  if (leftOut > 0) throw new Error(`${leftOut} rows were taken for training's`);
  return scores;
}

function nameOf({ id }: Trained, { active, shadow }: PublishedModels): string {
  return id === LINE.id ? active : shadow;
}

/** For `npm run bench -- edge-day`. */
async function report(body: string): Promise<null> {
  const { EDGE_DAY_REPORT } = process.env;
  if (EDGE_DAY_REPORT !== undefined) await writeFile(EDGE_DAY_REPORT, body);
  return null;
}

function summaryOf(dataset: Dataset, ticks: HorizonsByTick, scores: readonly ForecastScore[]): OfflineScores {
  const { outputs, mask, card, times } = dataset;
  const isAnswered = isAnsweredIn(dataset, ticks);
  const rows = Array.from(times.keys()).filter((row) => ticks.has(times[row] as number));
  return {
    rows: rows.length,
    uncovered: rows.filter((row) => !mask.subarray(row * outputs, (row + 1) * outputs).includes(1)).length,
    outputs: card.targets.map(({ target, horizonMs }, output) => ({
      target,
      horizonMs,
      asked: rows.filter((row) => isAnswered(row, output)).length,
      rows: rows.filter((row) => mask[row * outputs + output] === 1).length,
      r2: scores.find((score) => score.target === target && score.horizonMs === horizonMs)?.r2 ?? null,
    })),
  };
}
