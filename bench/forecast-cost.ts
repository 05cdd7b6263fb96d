/**
 * `npm run bench -- forecast-cost`: the CPU time of what forecasts are made of, for workers/cost. Clocks stand still inside a Worker, so it is the operating system's count of workerd
 * (Linux /proc), in which the bundles that are deployed run; its D1 and R2 are miniflare's and are counted too, so that production costs less.
 *
 * Cron runs in turn on an instance of few markets and one of many: what each further market costs is the difference, whatever a run costs besides. A run forecasts each market, and scores
 * what the run before recorded: prices of the minutes to come lie there already, and the run is told that they are over.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentHash } from "../core/math/hash.ts";
import { MS_PER_MINUTE, MS_PER_SECOND } from "../core/units/time.ts";
import { encodePathRow } from "../core/wire/price-path.ts";
import { pause, sample } from "./feed.ts";
import { MODEL_NAMES, type ModelName, type TrainedModel, trainModels } from "./forecast-http/models.ts";
import { type Bundles, buildBundles, marketNumbered, type Served, serve } from "./forecast-http/serving.ts";
import type { BenchResult } from "./report.ts";

export interface ForecastCostOptions {
  readonly models: readonly string[];
  /** Of the larger instance. */
  readonly markets: number;
  /** Of cron, of each instance. */
  readonly runs: number;
}

const FEW = 3;
/** Of scores a run takes some forty markets at most, and then the difference would be of less. */
const MOST_MARKETS = 39;
const KEPT_REQUESTS = 2_000;
const ROUNDS_OF_MARKETS = 4;
const WARM_UP_RUNS = 3;
const STARTS = 3;
/** A run is told that it is so much later: five minutes of horizon are over, and nobody records an earlier forecast any more. */
const LATER_MS = 8 * MS_PER_MINUTE;
const SECONDS_PER_MINUTE = 60;
const CRON = "* * * * *";

export async function benchForecastCost(options: ForecastCostOptions): Promise<BenchResult[]> {
  if (process.platform !== "linux") throw new Error("this bench reads /proc: it runs on Linux");
  const { models, markets, runs } = options;
  if (!(markets > FEW && markets <= MOST_MARKETS && runs > 0))
    throw new Error(`--markets from ${FEW + 1} to ${MOST_MARKETS}, --runs from 1`);
  const names = MODEL_NAMES.filter((name) => models.length === 0 || models.includes(name));
  if (names.length === 0 || models.some((name) => !names.includes(name as ModelName)))
    throw new Error(`--models are of ${MODEL_NAMES.join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "edgebook-forecast-cost-"));
  try {
    const trained = trainModels(folder, names);
    const bundles = buildBundles();
    const results: BenchResult[] = [];
    for (const model of trained) results.push(await measure(model, bundles, options));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(model: TrainedModel, bundles: Bundles, { markets, runs }: ForecastCostOptions): Promise<BenchResult> {
  const start = performance.now();
  const cold = await coldMs(model, bundles);
  const [few, many] = await Promise.all([FEW, markets].map((count) => serve(bundles, { model, markets: count })));
  if (few === undefined || many === undefined) throw new Error("two instances were started");
  try {
    await Promise.all([storePrices(few, FEW), storePrices(many, markets)]);
    const [fewMs, manyMs] = await cronMs([few, many], runs);
    const scored = await scoredOf(many);
    const requests = await requestMs(many, markets);
    const cpuMs = {
      runOfFew: round(fewMs),
      runOfMany: round(manyMs),
      perCronForecast: round((manyMs - fewMs) / (markets - FEW)),
      perRequestComputed: round(requests.computed),
      perRequestKept: round(requests.kept),
      perColdStart: round(cold),
    };
    return {
      name: `forecast-cost ${model.name}`,
      sizes: { markets, runs, scored: scored.forecasts, scorings: scored.writes, bytes: model.manifest.artifact.bytes },
      seconds: (performance.now() - start) / 1_000,
      cpuMs,
      hash: new ContentHash().text(model.manifest.artifact.sha256).integer(markets).digest(),
    };
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

/** Of a process that was asked for nothing yet, the first forecast: the Workers' code, onnxruntime and the model, all loaded. */
async function coldMs(model: TrainedModel, bundles: Bundles): Promise<number> {
  let spent = 0;
  for (let start = 0; start < STARTS; start++) {
    const served = await serve(bundles, { model, markets: FEW });
    spent += await cpuMsOf(served, () => forecast(served, 0));
    await served.stop();
  }
  return spent / STARTS;
}

/** Turn by turn. Runs lie more than a second apart: of each second there is one forecast. */
async function cronMs(instances: readonly Served[], runs: number): Promise<[number, number]> {
  const spent = instances.map(() => 0);
  for (let run = -WARM_UP_RUNS; run < runs; run++) {
    for (const [at, served] of instances.entries()) {
      const ms = await cpuMsOf(served, () => cronRun(served));
      if (run >= 0) spent[at] = (spent[at] ?? 0) + ms;
    }
    await pause(MS_PER_SECOND);
  }
  const [few = 0, many = 0] = spent.map((ms) => ms / runs);
  return [few, many];
}

async function cronRun(served: Served): Promise<void> {
  const worker = await served.workerd.getWorker("edgebook");
  const { outcome } = await worker.scheduled({ scheduledTime: new Date(Date.now() + LATER_MS), cron: CRON });
  if (outcome !== "ok") throw new Error(`a run of cron ended as ${outcome}`);
}

async function requestMs(served: Served, markets: number): Promise<{ computed: number; kept: number }> {
  let computed = 0;
  for (let round = 0; round < ROUNDS_OF_MARKETS; round++) {
    await pause(2 * MS_PER_SECOND);
    computed += await cpuMsOf(served, async () => {
      for (let number = 0; number < markets; number++) await forecast(served, number);
      // What is put off, the ledger's write above all, is paid too.
      await pause(MS_PER_SECOND);
    });
  }
  const kept = await cpuMsOf(served, async () => {
    for (let request = 0; request < KEPT_REQUESTS; request++) await forecast(served, 0);
  });
  return { computed: computed / (ROUNDS_OF_MARKETS * markets), kept: kept / KEPT_REQUESTS };
}

async function forecast({ base }: Served, number: number): Promise<void> {
  const response = await fetch(`${base}/v1/markets/${marketNumbered(number)}/forecast`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} of market ${number}: ${text}`);
}

async function cpuMsOf({ pid }: Served, work: () => Promise<void>): Promise<number> {
  const before = sample(pid).cpuSeconds;
  await work();
  return (sample(pid).cpuSeconds - before) * 1_000;
}

/** Of all markets and every minute that a run of this bench can look at: a price that moves. */
async function storePrices(served: Served, markets: number): Promise<void> {
  const database = await served.workerd.getD1Database("DB", "edgebook");
  const first = Math.floor(Date.now() / MS_PER_MINUTE) * MS_PER_MINUTE - 2 * MS_PER_MINUTE;
  const minutes = Array.from({ length: 30 }, (_, at) => first + at * MS_PER_MINUTE);
  const statement =
    database.prepare(`insert into snapshots (market, minute, batch, tick, lot, state, book_state, covered_ms, events, trades, market_time, price_path)
    values (?, ?, 'b', '0.01', '0.01', 'live', 'normal', 60000, 600, 0, ?, ?)`);
  for (let number = 0; number < markets; number++) {
    const rows = minutes.map((minute) =>
      statement.bind(marketNumbered(number), minute, minute + MS_PER_MINUTE - 1, pathText(minute, minute === first)),
    );
    await database.batch(rows);
  }
}

function pathText(minute: number, isFirst: boolean): string {
  const rows = Array.from({ length: SECONDS_PER_MINUTE }, (_, second) => ({
    featureTime: minute + second * MS_PER_SECOND,
    bidTicks: 1_000_000 + ((second * 7) % 11),
    askTicks: 1_000_001 + ((second * 7) % 11),
    isBreak: isFirst && second === 0,
  }));
  return rows.map((row, at) => encodePathRow(row, rows[at - 1] ?? null)).join("");
}

async function scoredOf(served: Served): Promise<{ forecasts: number; writes: number }> {
  const database = await served.workerd.getD1Database("DB", "edgebook");
  const row = await database
    .prepare(
      "select sum(json_extract(sums, '$.counts[0]')) as forecasts, sum(json_extract(sums, '$.counts[2]')) as writes from forecast_scores",
    )
    .first<{ forecasts: number | null; writes: number | null }>();
  if (row?.forecasts == null || row.writes == null) throw new Error("nothing was scored");
  return { forecasts: row.forecasts, writes: row.writes };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
