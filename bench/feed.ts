/**
 * `npm run bench -- feed`: the whole system under 20 symbols and 1,000 frames a second, for two minutes, in the processes that
 * `npm start` runs: what the object's process takes of a core, how its memory goes, and how far the books lag behind the venue.
 *
 * The process is workerd as `wrangler dev` runs it, with all three Workers and local storage in it: an upper bound of the object alone. CPU and
 * memory are the operating system's own (Linux /proc), read from outside, since clocks stand still inside a Worker. The process's memory grows
 * with each HTTP request that it has answered (a Worker that says "hi" does it too, some 10 kB a request, up to a level), so what the feed itself
 * holds is asked of its isolate, after a collection: that is the number that has to stand still. The lag is the venue's time of the newest event
 * in a book against the time at which the API's answer with it arrived, so it includes the request.
 */

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openIsolateHeap } from "./isolate-heap.ts";

const ROOT = resolve(import.meta.dirname, "..");
const PORT = 8799;
export const BASE = `http://127.0.0.1:${PORT}`;
const MARKETS = 20;
/** Gives some 1,020 frames a second over 20 symbols, quotes and trades included; the rate that came about is measured. */
const INTERVAL_MS = 31;
const WARM_UP_MS = 20_000;
const DEFAULT_SECONDS = 120;
/** Parts of the run whose median memory is told, so that a leak can be told from a level that swings. */
const MEMORY_PARTS = 10;
const CLOCK_TICKS_PER_SECOND = 100;
const PAGE_KB = 4;

interface Sample {
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

export async function benchFeed(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--seconds");
  const seconds = at < 0 ? DEFAULT_SECONDS : Number(args[at + 1]);
  if (!(seconds > 0)) throw new Error("--seconds needs a positive number");
  await withRunningSystem(async (parent) => console.log(JSON.stringify(await measure(seconds, parent))));
}

/** Runs `work` beside the system, warm and with all its markets live at BASE. @param work is given the process that started it. */
export async function withRunningSystem(work: (parent: number) => Promise<void>): Promise<void> {
  if (process.platform !== "linux") throw new Error("this bench reads /proc: it runs on Linux");
  const data = mkdtempSync(join(tmpdir(), "edgebook-bench-"));
  const start = [
    "local/start.ts",
    "--port",
    String(PORT),
    "--data",
    data,
    "--venues",
    "binance-spot",
    "--markets",
    String(MARKETS),
    "--interval-ms",
    String(INTERVAL_MS),
  ];
  const system = spawn(process.execPath, start, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise<void>((done) => system.once("exit", () => done()));
  try {
    await untilLive(MARKETS);
    await pause(WARM_UP_MS);
    await work(system.pid ?? 0);
  } finally {
    system.kill("SIGINT");
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}

async function measure(seconds: number, parent: number): Promise<Record<string, unknown>> {
  const pid = workerdOf(parent);
  const first = sample(pid);
  const framesBefore = await frames();
  const began = Date.now();
  const lags: number[] = [];
  const memory: number[] = [first.residentMb];
  const heap = await openIsolateHeap(pid, "edgebook-feed");
  const feedHeap = [await heap.liveMb()];
  const markets = await marketNames();
  for (let second = 0; Date.now() - began < seconds * 1_000; second++) {
    lags.push(...(await lagOf(markets[second % markets.length] ?? "")));
    memory.push(sample(pid).residentMb);
    if (Date.now() - began >= (feedHeap.length * seconds * 1_000) / MEMORY_PARTS) feedHeap.push(await heap.liveMb());
    progress((Date.now() - began) / 1_000, seconds);
    await pause(1_000);
  }
  feedHeap.push(await heap.liveMb());
  heap.close();
  const elapsed = (Date.now() - began) / 1_000;
  const last = sample(pid);
  const received = (await frames()) - framesBefore;
  const health = await get("/v1/health");
  lags.sort((a, b) => a - b);
  return {
    bench: "feed",
    markets: MARKETS,
    seconds: round(elapsed),
    framesPerSecond: round(received / elapsed),
    cpuShareOfOneCore: round((last.cpuSeconds - first.cpuSeconds) / elapsed),
    memoryMbAtStart: first.residentMb,
    memoryMbAtEnd: last.residentMb,
    memoryMbLargest: Math.max(...memory),
    memoryMbByTenth: mediansOf(memory, MEMORY_PARTS),
    feedHeapMbAtStart: feedHeap[0],
    feedHeapMbAtEnd: feedHeap.at(-1),
    feedHeapMbByTenth: feedHeap.slice(1),
    lagMsMedian: lags[Math.floor(lags.length / 2)],
    lagMsP99: lags[Math.floor(lags.length * 0.99)],
    lagMsLargest: lags.at(-1),
    marketsLive: health.feeds[0]?.marketsLive,
    malformedFrames: health.feeds[0]?.malformedFrames,
  };
}

interface Health {
  readonly feeds: readonly { readonly frames: number; readonly marketsLive: number; readonly malformedFrames: number }[];
}

async function frames(): Promise<number> {
  return (await get("/v1/health")).feeds[0]?.frames ?? 0;
}

export async function marketNames(): Promise<string[]> {
  const response = await fetch(`${BASE}/v1/markets`);
  const { markets } = (await response.json()) as { markets: { market: string; state: string }[] };
  return markets.filter(({ state }) => state === "live").map(({ market }) => market);
}

/** One market a second, by turns: asking all of them would measure the asking. Nothing when it has no quote. */
async function lagOf(market: string): Promise<number[]> {
  const response = await fetch(`${BASE}/v1/markets/${market}/quote`);
  const { freshness } = (await response.json()) as { freshness?: { marketTime: number } };
  return freshness === undefined ? [] : [Date.now() - freshness.marketTime];
}

async function get(path: string): Promise<Health> {
  return (await (await fetch(`${BASE}${path}`)).json()) as Health;
}

async function untilLive(count: number): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt++) {
    const health = await get("/v1/health").catch(() => null);
    if (health?.feeds[0]?.marketsLive === count) return;
    await pause(1_000);
  }
  throw new Error(`the ${count} markets did not come alive within two minutes`);
}

/** The workerd process below ours, with the most memory where wrangler runs several. */
export function workerdOf(parent: number): number {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,rss=,comm="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const below = new Set([String(parent)]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, ppid] of rows) {
      if (pid === undefined || ppid === undefined || below.has(pid) || !below.has(ppid)) continue;
      below.add(pid);
      grown = true;
    }
  }
  const candidates = rows.filter(([pid, , , name]) => pid !== undefined && below.has(pid) && name === "workerd");
  candidates.sort((a, b) => Number(b[2]) - Number(a[2]));
  const pid = Number(candidates[0]?.[0]);
  if (!Number.isInteger(pid)) throw new Error("no workerd process was found");
  return pid;
}

export function sample(pid: number): Sample {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
    residentMb: Math.round((pages * PAGE_KB) / 1_024),
  };
}

/** Medians of `parts` stretches of equal length, in order; fewer where there are fewer values. */
function mediansOf(values: readonly number[], parts: number): number[] {
  const length = Math.max(1, Math.ceil(values.length / parts));
  const medians: number[] = [];
  for (let at = 0; at < values.length; at += length) {
    const part = values.slice(at, at + length).sort((a, b) => a - b);
    medians.push(part[Math.floor(part.length / 2)] as number);
  }
  return medians;
}

function progress(done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done.toFixed(0)} of ${of} s`);
}

export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
