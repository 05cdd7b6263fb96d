/**
 * `npm run bench -- train-trees`: seconds from arrays to a model, ours beside LightGBM's, in turn within one run, each in a process of its own with
 * the same rows, settings and threads. LightGBM runs in that of its two layouts of histograms which is faster here, as a round beforehand tells.
 * Binning counts on both sides; reading files and starting processes doesn't. Test losses are measured by one program for both.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TreeGrowth, TreeSettings } from "../training/trees/contract.ts";
import { type BenchResult, median, pairedRatio } from "./report.ts";
import { type Trained, type TrainRequest, TreeContender, writeRows } from "./trees/contenders.ts";
import { type Drawn, drawData, speedSet } from "./trees/data-sets.ts";

export interface TrainTreesBenchOptions {
  readonly rounds: number;
  readonly threads: number;
  /** Names of SIZES; all of them unless told. */
  readonly sizes: readonly string[];
  readonly growth: readonly TreeGrowth["kind"][];
}

interface Size {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Our seconds as a share of the peer's that are aimed at. */
  readonly aim: number;
}

export const SIZES: readonly Size[] = [
  { name: "100kx40", rows: 100_000, columns: 40, aim: 0.75 },
  { name: "1Mx40", rows: 1_000_000, columns: 40, aim: 0.85 },
  { name: "200kx200", rows: 200_000, columns: 200, aim: 0.85 },
];

export const GROWTHS: Readonly<Record<TreeGrowth["kind"], TreeGrowth>> = {
  "depth-wise": { kind: "depth-wise", maxDepth: 6 },
  // As many leaves as a full tree of depth 6, less one: LightGBM's usual power of two less one.
  "leaf-wise": { kind: "leaf-wise", maxLeaves: 63, maxDepth: 64 },
};

/** What both libraries take; rows a child and the least hessian are LightGBM's own defaults. */
export const SHARED_SETTINGS: Omit<TreeSettings, "objective" | "growth" | "threads"> = {
  rounds: 200,
  learningRate: 0.1,
  maxBins: 255,
  lambda: 1,
  minHessian: 1e-3,
  minRows: 20,
  minGain: 0,
  rowShare: 1,
  columnShare: 1,
  monotone: null,
  earlyStoppingRounds: null,
  seed: 1,
};

const TEST_ROWS = 50_000;

export async function benchTrainTrees(options: TrainTreesBenchOptions): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of SIZES.filter(({ name }) => options.sizes.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), "edgebook-train-trees-"));
    try {
      const drawn = drawData(speedSet(size.columns), { seed: 1, rows: size.rows, testRows: TEST_ROWS });
      writeRows(folder, drawn);
      for (const growth of options.growth) results.push(await raceAt(size, { folder, drawn, growth: GROWTHS[growth], options }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}

interface Race {
  readonly folder: string;
  readonly drawn: Drawn;
  readonly growth: TreeGrowth;
  readonly options: TrainTreesBenchOptions;
}

/** New processes for each size: their peaks of memory are its own. */
async function raceAt(size: Size, { folder, drawn, growth, options }: Race): Promise<BenchResult> {
  const settings: TreeSettings = { ...SHARED_SETTINGS, objective: { kind: "squared-error" }, growth, threads: options.threads };
  const request = { folder, columns: size.columns, isWeighted: false, settings };
  const own = await startOwn();
  const peer = await TreeContender.start("lightgbm");
  try {
    const layout = typeof peer === "string" ? null : await fasterLayout(peer, request, drawn);
    await own.train({ ...request, settings: { ...settings, rounds: 5 } }, drawn.test);
    const rounds: { own: Trained[]; peer: Trained[] } = { own: [], peer: [] };
    for (let round = 0; round < options.rounds; round++) {
      const turns = [
        async () => rounds.own.push(await own.train(request, drawn.test)),
        async () => typeof peer !== "string" && rounds.peer.push(await peer.train({ ...request, ...layout }, drawn.test)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    return report(size, {
      ...rounds,
      growth,
      peerName: typeof peer === "string" ? null : `LightGBM ${peer.version}`,
      layout,
      options,
      why: peer,
    });
  } finally {
    own.stop();
    if (typeof peer !== "string") peer.stop();
  }
}

async function startOwn(): Promise<TreeContender> {
  const own = await TreeContender.start("edgebook");
  if (typeof own === "string") throw new Error(`our own trainer didn't start: ${own}`);
  return own;
}

async function fasterLayout(
  peer: TreeContender,
  request: Omit<TrainRequest, "answers">,
  { test }: Drawn,
): Promise<{ layout: "row" | "col" }> {
  const few = { ...request, settings: { ...request.settings, rounds: 40 } };
  const row = await peer.train({ ...few, layout: "row" }, test);
  const column = await peer.train({ ...few, layout: "col" }, test);
  return { layout: row.seconds < column.seconds ? "row" : "col" };
}

interface Raced {
  readonly own: readonly Trained[];
  readonly peer: readonly Trained[];
  readonly growth: TreeGrowth;
  readonly peerName: string | null;
  readonly layout: { layout: "row" | "col" } | null;
  readonly options: TrainTreesBenchOptions;
  readonly why: TreeContender | string;
}

function report(size: Size, { own, peer, growth, peerName, layout, options, why }: Raced): BenchResult {
  const [first] = own;
  if (first === undefined) throw new Error("no round was run");
  const hashes = new Set(own.map(({ hash }) => hash));
  if (hashes.size > 1) throw new Error(`the same rows and seed gave ${hashes.size} models`);
  const seconds = own.map((trained) => trained.seconds);
  const base = {
    name: `train-trees ${size.name} ${growth.kind}`,
    sizes: { rows: size.rows, columns: size.columns, trees: SHARED_SETTINGS.rounds, threads: options.threads, rounds: options.rounds },
    seconds: median(seconds),
    hash: String(first.hash),
    cpuSeconds: median(own.map(({ cpuSeconds }) => cpuSeconds)),
    peakMiB: Math.round(Math.max(...own.map(({ peakBytes }) => peakBytes)) / 2 ** 20),
    testLoss: first.testLoss,
  };
  const [firstPeer] = peer;
  if (peerName === null || firstPeer === undefined) return { ...base, peerAbsent: typeof why === "string" ? why : "no round" };
  const peerSeconds = peer.map((trained) => trained.seconds);
  const ratio = pairedRatio(seconds, peerSeconds);
  return {
    ...base,
    ratio,
    peer: `${peerName}, ${layout?.layout}-wise`,
    peerSeconds: median(peerSeconds),
    peerCpuSeconds: median(peer.map(({ cpuSeconds }) => cpuSeconds)),
    peerPeakMiB: Math.round(Math.max(...peer.map(({ peakBytes }) => peakBytes)) / 2 ** 20),
    peerTestLoss: firstPeer.testLoss,
    /** Ours over the peer's: below 1 is faster. */
    shareOfPeersTime: 1 / ratio,
    shareOfPeersCpu:
      1 /
      pairedRatio(
        own.map(({ cpuSeconds }) => cpuSeconds),
        peer.map(({ cpuSeconds }) => cpuSeconds),
      ),
    aim: size.aim,
    isMet: 1 / ratio <= size.aim,
  };
}
