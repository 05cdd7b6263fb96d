/**
 * `npm run bench -- forecast-http`: the forecast endpoint of the LSTM and of boosted trees in workerd, beside FastAPI and onnxruntime answering the same model from
 * the same rows, which change each second: one hot market and 200 distinct ones, one connection and sixteen, turn by turn on one machine. And the first forecast
 * of a process that was asked for nothing yet.
 *
 * Before anything is timed both must give the same moves, within a thousandth of a basis point. The generator of the load shares the cores with both sides.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ContentHash } from "../core/math/hash.ts";
import { sample } from "./feed.ts";
import type { LoadResult } from "./forecast-http/load.ts";
import { MODEL_NAMES, type ModelName, type TrainedModel, trainModels } from "./forecast-http/models.ts";
import { type Manner, type PythonPeer, startPythonPeer } from "./forecast-http/python-peer.ts";
import { type Bundles, buildBundles, marketNumbered, type Served, serve } from "./forecast-http/serving.ts";
import { type BenchResult, median, pairedRatio } from "./report.ts";

export interface ForecastHttpOptions {
  /** Of a turn. */
  readonly seconds: number;
  readonly rounds: number;
  /** Of the many. */
  readonly markets: number;
  /** Processes started for the first forecast's time. */
  readonly coldStarts: number;
  readonly models: readonly string[];
}

const CONNECTIONS = [1, 16];
/** Of a market in which neither side knows more than the other: 1 and 2 threads of onnxruntime, the faster of which is the peer. */
const THREADS_TRIED = [1, 2];
const TOLERANCE_BPS = 1e-3;
/** Answers of either side that are compared. */
const COMPARED = 20;
const WARM_UP_SECONDS = 1;
const LOAD = fileURLToPath(new URL("./forecast-http/load.ts", import.meta.url));

const TARGETS = ["bid", "mid", "ask"] as const;
/** The row may be older than this when ours answers, which leaves out what is over. */
const SHORTEST_MS = 1_000;

interface Answer {
  readonly asOf: number;
  readonly horizons: readonly ({ readonly horizonMs: number } & Readonly<Record<(typeof TARGETS)[number], { readonly moveBps: number }>>)[];
}

export async function benchForecastHttp(options: ForecastHttpOptions): Promise<BenchResult[]> {
  const { models, ...counts } = options;
  if (!Object.values(counts).every((count) => count > 0))
    throw new Error("--seconds, --rounds, --markets and --cold-starts are positive numbers");
  const names = MODEL_NAMES.filter((name) => models.length === 0 || models.includes(name));
  if (names.length === 0 || models.some((name) => !names.includes(name as ModelName)))
    throw new Error(`--models are of ${MODEL_NAMES.join(", ")}`);
  const folder = mkdtempSync(join(tmpdir(), "edgebook-forecast-http-"));
  try {
    tell("training");
    const trained = trainModels(folder, names);
    tell("bundles");
    const bundles = buildBundles();
    const results: BenchResult[] = [];
    for (const model of trained) results.push(...(await race(model, bundles, options)));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function race(model: TrainedModel, bundles: Bundles, options: ForecastHttpOptions): Promise<BenchResult[]> {
  const cold = await coldStarts(model, bundles, options);
  tell(`${model.name}: first forecast ${cold.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  const served = await serve(bundles, { model, markets: options.markets });
  const peers = await startPeers(model);
  try {
    const compared = await compare(served, typeof peers === "string" ? null : peers.plain);
    const results: BenchResult[] = [
      {
        name: `forecast-http ${model.name} cold`,
        sizes: { starts: cold.length, bytes: model.manifest.artifact.bytes },
        seconds: median(cold) / 1_000,
        worstSeconds: Math.max(...cold) / 1_000,
        hash: compared.hash,
      },
    ];
    for (const markets of [1, options.markets]) {
      for (const connections of CONNECTIONS) {
        const result = await raceAt({ model, served, peers, compared, markets, connections }, options);
        tell(lineOf(result));
        results.push(result);
      }
    }
    return results;
  } finally {
    if (typeof peers !== "string") await Promise.all([peers.plain.stop(), peers.kept.stop()]);
    await served.stop();
  }
}

/** @returns ms from the first request of each process to its answer. */
async function coldStarts(model: TrainedModel, bundles: Bundles, { coldStarts: count, markets }: ForecastHttpOptions): Promise<number[]> {
  const taken: number[] = [];
  for (let start = 0; start < count; start++) {
    const served = await serve(bundles, { model, markets });
    const began = performance.now();
    await forecastOf(served.base, marketNumbered(0));
    taken.push(performance.now() - began);
    await served.stop();
  }
  return taken;
}

interface Peers {
  readonly plain: PythonPeer;
  readonly kept: PythonPeer;
  readonly threads: number;
}

async function startPeers(model: TrainedModel): Promise<Peers | string> {
  let fastest: { threads: number; requestsPerSecond: number } | null = null;
  for (const threads of THREADS_TRIED) {
    const peer = await startPythonPeer(model, { manner: "plain", threads });
    if (typeof peer === "string") {
      tell(`no peer: ${peer}`);
      return peer;
    }
    const { requestsPerSecond } = await turn(peer, { markets: 1, connections: 16, seconds: WARM_UP_SECONDS });
    if (fastest === null || requestsPerSecond > fastest.requestsPerSecond) fastest = { threads, requestsPerSecond };
    await peer.stop();
  }
  const threads = fastest?.threads ?? 1;
  const start = async (manner: Manner): Promise<PythonPeer> => {
    const peer = await startPythonPeer(model, { manner, threads });
    if (typeof peer === "string") throw new Error(`the peer started once, and not again: ${peer}`);
    return peer;
  };
  return { plain: await start("plain"), kept: await start("kept"), threads };
}

interface Compared {
  /** Of the moves that are compared, to a hundredth of a basis point; they are of the seconds in which they were asked for. */
  readonly hash: string;
  readonly peerHash: string | null;
  readonly largestDifferenceBps: number | null;
}

/** The same markets at the same seconds of both. */
async function compare(served: Served, peer: PythonPeer | null): Promise<Compared> {
  const [ours, theirs] = [new ContentHash(), new ContentHash()];
  let largest = 0;
  peer?.resume();
  for (let number = 0; number < COMPARED; number++) {
    const market = marketNumbered(number);
    const answer = await forecastOf(served.base, market);
    const moves = addMoves(answer, ours);
    if (peer === null) continue;
    const expected = new Map(addMoves(await forecastOf(peer.base, market, `?asOf=${answer.asOf}`), theirs));
    for (const [output, move] of moves) largest = Math.max(largest, Math.abs(move - (expected.get(output) ?? Number.NaN)));
  }
  peer?.pause();
  if (!(largest <= TOLERANCE_BPS)) throw new Error(`the two sides differ by up to ${largest} bps`);
  return { hash: ours.digest(), peerHash: peer === null ? null : theirs.digest(), largestDifferenceBps: peer === null ? null : largest };
}

/** @returns each move in bps, by its target and horizon; horizons whose time is over are in neither answer alike, and left out. */
function addMoves({ horizons }: Answer, hash: ContentHash): [string, number][] {
  return horizons
    .filter(({ horizonMs }) => horizonMs > SHORTEST_MS)
    .flatMap((horizon) => TARGETS.map((target): [string, number] => [`${target}@${horizon.horizonMs}`, horizon[target].moveBps]))
    .map(([output, move]) => {
      hash.integer(Math.round(move * 100));
      return [output, move];
    });
}

interface Turn extends LoadResult {
  /** Of the side's process, an answer: the generator of the load isn't in it. */
  readonly cpuMs: number;
}

interface Setting {
  readonly model: TrainedModel;
  readonly served: Served;
  readonly peers: Peers | string;
  readonly compared: Compared;
  readonly markets: number;
  readonly connections: number;
}

async function raceAt(
  { model, served, peers, compared, markets, connections }: Setting,
  options: ForecastHttpOptions,
): Promise<BenchResult> {
  const sides: Side[] = [
    { name: "ours", base: served.base, pid: served.pid },
    ...(typeof peers === "string" ? [] : [named("plain", peers.plain), named("kept", peers.kept)]),
  ];
  const turns = new Map<string, Turn[]>(sides.map(({ name }) => [name, []]));
  for (const side of sides) await turn(side, { markets, connections, seconds: WARM_UP_SECONDS });
  for (let round = 0; round < options.rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      turns.get(side.name)?.push(await turn(side, { markets, connections, seconds: options.seconds }));
    }
  }
  const ours = turns.get("ours") ?? [];
  const rate = (results: readonly Turn[]): number => median(results.map(({ requestsPerSecond }) => requestsPerSecond));
  const rates = (results: readonly Turn[]): number[] => results.map(({ requestsPerSecond }) => 1 / requestsPerSecond);
  const cpus = (results: readonly Turn[]): number[] => results.map(({ cpuMs }) => cpuMs);
  const besidePeer = (manner: Manner): Record<string, unknown> => {
    const results = turns.get(manner) ?? [];
    return {
      ratio: pairedRatio(rates(ours), rates(results)),
      cpuRatio: pairedRatio(cpus(ours), cpus(results)),
      requestsPerSecond: rate(results),
      ...latencies(results),
    };
  };
  return {
    name: `forecast-http ${model.name} ${markets === 1 ? "hot market" : `${markets} markets`} x${connections}`,
    sizes: { markets, connections, rounds: options.rounds, turnSeconds: options.seconds, bytes: model.manifest.artifact.bytes },
    seconds: 1 / rate(ours),
    requestsPerSecond: rate(ours),
    ...latencies(ours),
    ...(typeof peers === "string"
      ? { peerAbsent: peers }
      : {
          ratio: pairedRatio(rates(ours), rates(turns.get("plain") ?? [])),
          peer: `${peers.plain.version}, ${peers.threads} threads`,
          plain: besidePeer("plain"),
          kept: besidePeer("kept"),
        }),
    ...compared,
  };
}

interface Side {
  readonly name: string;
  readonly base: string;
  /** Of its process. */
  readonly pid: number;
  readonly resume?: () => void;
  readonly pause?: () => void;
}

function named(name: Manner, peer: PythonPeer): Side {
  return { ...peer, name };
}

/** Fails where an answer isn't 200: a refusal costs nothing, and would win. */
async function turn(
  { base, pid, resume, pause }: Omit<Side, "name">,
  { markets, connections, seconds }: { markets: number; connections: number; seconds: number },
): Promise<Turn> {
  const paths = Array.from({ length: markets }, (_, number) => `/v1/markets/${marketNumbered(number)}/forecast`);
  resume?.();
  try {
    const before = sample(pid).cpuSeconds;
    const { stdout } = await promisify(execFile)(process.execPath, [LOAD, JSON.stringify({ url: base, paths, connections, seconds })]);
    const result = JSON.parse(stdout) as LoadResult;
    if (result.failed > 0 || result.answered === 0)
      throw new Error(`${base}: ${result.failed} requests failed, ${result.answered} were answered`);
    return { ...result, cpuMs: ((sample(pid).cpuSeconds - before) * 1_000) / result.answered };
  } finally {
    pause?.();
  }
}

function latencies(results: readonly Turn[]): { p50Ms: number; p99Ms: number; cpuMs: number } {
  return {
    cpuMs: median(results.map(({ cpuMs }) => cpuMs)),
    p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
  };
}

async function forecastOf(base: string, market: string, query = ""): Promise<Answer> {
  const response = await fetch(`${base}/v1/markets/${market}/forecast${query}`);
  if (!response.ok) throw new Error(`${response.status} of ${market}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

function lineOf({ name, requestsPerSecond, p50Ms, p99Ms, cpuMs, ratio }: BenchResult): string {
  const beside = ratio === undefined ? "" : `, ${ratio.toFixed(2)} x the peer`;
  return `${name}: ${Number(requestsPerSecond).toFixed(0)} requests/s, p50 ${Number(p50Ms).toFixed(2)} ms, p99 ${Number(p99Ms).toFixed(2)} ms, CPU ${Number(cpuMs).toFixed(2)} ms${beside}`;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
