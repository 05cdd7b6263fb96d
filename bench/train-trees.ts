/**
 * `npm run bench -- train-trees`: seconds from arrays to a model, ours beside LightGBM's, in turn within one run, each in a process of its own with
 * the same rows, settings and threads. LightGBM runs in the way that is fastest here, as short rounds beforehand tell.
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
/** Enough to see which way of running is the fastest. */
const WARM_UP_TREES = 20;

export async function benchTrainTrees(options: TrainTreesBenchOptions): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const size of SIZES.filter(({ name }) => options.sizes.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), "edgebook-train-trees-"));
    try {
      const drawn = drawData(speedSet(size.columns), { seed: 1, rows: size.rows, testRows: TEST_ROWS });
      writeRows(folder, drawn);
      for (const growth of options.growth) {
        const result = await raceAt(size, { folder, drawn, growth: GROWTHS[growth], options });
        process.stderr.write(`${lineOf(result)}\n`);
        results.push(result);
      }
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
  const own = await TreeContender.start("edgebook");
  if (typeof own === "string") throw new Error(`our own trainer didn't start: ${own}`);
  const peer = await fastestPeer(request, drawn);
  try {
    await own.train({ ...request, settings: { ...settings, rounds: WARM_UP_TREES } }, drawn.test);
    const trained: { own: Trained[]; peer: Trained[] } = { own: [], peer: [] };
    for (let round = 0; round < options.rounds; round++) {
      const turns = [
        async () => trained.own.push(await own.train(request, drawn.test)),
        async () =>
          typeof peer !== "string" && trained.peer.push(await peer.contender.train({ ...request, layout: peer.layout }, drawn.test)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    return report(size, { own: trained.own, peerTrained: trained.peer, growth, peer, options });
  } finally {
    own.stop();
    if (typeof peer !== "string") peer.contender.stop();
  }
}

/** LightGBM as it is fastest here: its layout of histograms, and whether its threads spin or sleep while they wait (on a busy machine, spinning is ruinous). */
interface Peer {
  readonly contender: TreeContender;
  readonly layout: "row" | "col";
  readonly waiting: "default" | "passive";
}

async function fastestPeer(request: Omit<TrainRequest, "answers">, { test }: Drawn): Promise<Peer | string> {
  let fastest: { peer: Peer; seconds: number } | null = null;
  for (const waiting of ["default", "passive"] as const) {
    const contender = await TreeContender.start("lightgbm", waiting === "passive" ? { OMP_WAIT_POLICY: "passive" } : {});
    if (typeof contender === "string") return contender;
    for (const layout of ["row", "col"] as const) {
      const few = { ...request, settings: { ...request.settings, rounds: WARM_UP_TREES }, layout };
      const { seconds } = await contender.train(few, test);
      if (fastest !== null && fastest.seconds <= seconds) continue;
      if (fastest !== null && fastest.peer.contender !== contender) fastest.peer.contender.stop();
      fastest = { peer: { contender, layout, waiting }, seconds };
    }
    if (fastest !== null && fastest.peer.contender !== contender) contender.stop();
  }
  if (fastest === null) throw new Error("no way to run LightGBM was tried");
  return fastest.peer;
}

interface Raced {
  readonly own: readonly Trained[];
  readonly peerTrained: readonly Trained[];
  readonly peer: Peer | string;
  readonly growth: TreeGrowth;
  readonly options: TrainTreesBenchOptions;
}

function report(size: Size, { own, peerTrained, peer, growth, options }: Raced): BenchResult {
  const [first] = own;
  if (first === undefined) throw new Error("no round was run");
  const hashes = new Set(own.map(({ hash }) => hash));
  if (hashes.size > 1) throw new Error(`the same rows and seed gave ${hashes.size} models`);
  const base = {
    name: `train-trees ${size.name} ${growth.kind}`,
    sizes: { rows: size.rows, columns: size.columns, trees: SHARED_SETTINGS.rounds, threads: options.threads, rounds: options.rounds },
    seconds: median(own.map(({ seconds }) => seconds)),
    hash: String(first.hash),
    cpuSeconds: median(own.map(({ cpuSeconds }) => cpuSeconds)),
    peakMiB: peakMiB(own),
    testLoss: first.testLoss,
  };
  return typeof peer === "string" ? { ...base, peerAbsent: peer } : { ...base, ...besidePeer(size, { own, peerTrained, peer }) };
}

function besidePeer(
  size: Size,
  { own, peerTrained, peer }: { own: readonly Trained[]; peerTrained: readonly Trained[]; peer: Peer },
): { ratio: number; peer: string; [detail: string]: unknown } {
  const ratioOf = (measure: "seconds" | "cpuSeconds"): number =>
    pairedRatio(
      own.map((trained) => trained[measure]),
      peerTrained.map((trained) => trained[measure]),
    );
  const ratio = ratioOf("seconds");
  return {
    ratio,
    peer: `LightGBM ${peer.contender.version}, ${peer.layout}-wise, ${peer.waiting} waiting`,
    peerSeconds: median(peerTrained.map(({ seconds }) => seconds)),
    peerCpuSeconds: median(peerTrained.map(({ cpuSeconds }) => cpuSeconds)),
    peerPeakMiB: peakMiB(peerTrained),
    peerTestLoss: peerTrained[0]?.testLoss,
    // Ours over the peer's: below 1 is faster.
    shareOfPeersTime: 1 / ratio,
    shareOfPeersCpu: 1 / ratioOf("cpuSeconds"),
    aim: size.aim,
    isMet: 1 / ratio <= size.aim,
  };
}

function peakMiB(trained: readonly Trained[]): number {
  return Math.round(Math.max(...trained.map(({ peakBytes }) => peakBytes)) / 2 ** 20);
}

function lineOf({
  name,
  seconds,
  peakMiB,
  testLoss,
  peer,
  peerSeconds,
  peerPeakMiB,
  peerTestLoss,
  shareOfPeersTime,
  aim,
  peerAbsent,
}: BenchResult): string {
  const digits = (value: unknown, count: number): string => (typeof value === "number" ? value.toFixed(count) : "-");
  const own = `${name}: ${seconds.toFixed(2)} s, ${peakMiB} MiB, loss ${digits(testLoss, 4)}`;
  if (peer === undefined) return `${own}; the peer is absent: ${peerAbsent}`;
  const theirs = `${peer}: ${digits(peerSeconds, 2)} s, ${peerPeakMiB} MiB, loss ${digits(peerTestLoss, 4)}`;
  return `${own}; ${theirs}; share of its time ${digits(shareOfPeersTime, 2)}, aim ${digits(aim, 2)}`;
}
