/**
 * `npm run bench -- tree-quality`: the test loss of our trees beside the better peer's, on data sets of different kinds, with the same settings. Fails
 * where ours is more than half a percent above, beyond what chance explains: two standard errors of the mean over draws.
 *
 * A set is drawn several times and the losses' means are compared: on sets without a first split that gains but by chance, one draw tells of luck
 * alone (three draws of "xor" gave LightGBM 0.76 to 1.04). Squared errors are shown as roots.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import type { TreeGrowth, TreeObjective, TreeSettings } from "../training/trees/contract.ts";
import type { BenchResult } from "./report.ts";
import { GROWTHS, SHARED_SETTINGS } from "./train-trees.ts";
import { type ContenderName, TreeContender, writeRows } from "./trees/contenders.ts";
import { type Drawn, drawData, QUALITY_SETS } from "./trees/data-sets.ts";
import { standxRows } from "./trees/standx-rows.ts";

export interface TreeQualityOptions {
  /** Null: what each set needs. */
  readonly draws: number | null;
  readonly rows: number | null;
  readonly threads: number;
  /** Of the recording that real features are made of; 0 leaves them out. */
  readonly hours: number;
  /** Names of sets; all of them unless told. */
  readonly sets: readonly string[] | null;
  readonly growth: readonly TreeGrowth["kind"][];
}

const TOLERANCE = 0.005;
const DRAWS = 5;
const ROWS = 20_000;
const TEST_ROWS = 50_000;
const PEERS = ["lightgbm", "sklearn"] as const;

interface Contest {
  readonly name: string;
  readonly about: string;
  readonly objective: TreeObjective;
  readonly rows: number;
  readonly draws: readonly (() => Drawn)[];
}

export async function benchTreeQuality(options: TreeQualityOptions): Promise<BenchResult[]> {
  // Time is not what counts here: three processes' threads shall not spin while they wait.
  const environment = { OMP_NUM_THREADS: String(options.threads), OMP_WAIT_POLICY: "passive" };
  const started = await Promise.all((["edgebook", ...PEERS] as const).map((name) => TreeContender.start(name, environment)));
  const contenders = started.filter((contender) => typeof contender !== "string");
  for (const contender of started) if (typeof contender === "string") process.stderr.write(`a peer is absent: ${contender}\n`);
  const folder = mkdtempSync(join(tmpdir(), "edgebook-tree-quality-"));
  const results: BenchResult[] = [];
  try {
    for (const contest of await contests(options)) {
      for (const result of await judge(contest, { contenders, folder, options })) {
        process.stderr.write(`${lineOf(result)}\n`);
        results.push(result);
      }
    }
  } finally {
    for (const contender of contenders) contender.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

async function contests({ sets, draws, rows, hours }: TreeQualityOptions): Promise<Contest[]> {
  const isWanted = (name: string): boolean => sets === null || sets.includes(name);
  const made = QUALITY_SETS.filter(({ name }) => isWanted(name)).map((set) => {
    const ownRows = rows ?? set.rows ?? ROWS;
    const drawAt = (draw: number) => () => drawData(set, { seed: draw + 1, rows: ownRows, testRows: TEST_ROWS });
    return { ...set, rows: ownRows, draws: Array.from({ length: draws ?? set.draws ?? DRAWS }, (_, draw) => drawAt(draw)) };
  });
  if (hours === 0 || !isWanted("standx")) return made;
  const real = await standxRows(hours);
  if (real === null) {
    process.stderr.write("standx is left out: ../shared/data is absent\n");
    return made;
  }
  const about = `features of the StandX book over ${hours} hours, the mid's move in 10 s, folds walking forward`;
  const largest = Math.max(...real.map(({ train }) => train.rows));
  return [...made, { name: "standx", about, objective: { kind: "squared-error" }, rows: largest, draws: real.map((fold) => () => fold) }];
}

interface Judging {
  readonly contenders: readonly TreeContender[];
  readonly folder: string;
  readonly options: TreeQualityOptions;
}

/** What one way of growing came to. */
interface Tally {
  readonly kind: TreeGrowth["kind"];
  readonly losses: ReadonlyMap<ContenderName, number[]>;
  readonly hashes: string[];
  seconds: number;
}

async function judge(contest: Contest, { contenders, folder, options }: Judging): Promise<BenchResult[]> {
  const tallies = options.growth.map(
    (kind): Tally => ({ kind, losses: new Map(contenders.map(({ name }) => [name, []])), hashes: [], seconds: 0 }),
  );
  for (const [draw, makeRows] of contest.draws.entries()) {
    const drawn = makeRows();
    const place = join(folder, `${contest.name}-${draw}`);
    writeRows(place, drawn);
    for (const tally of tallies) await trainAll(contest, tally, { contenders, drawn, place, threads: options.threads });
    rmSync(place, { recursive: true });
  }
  return tallies.map((tally) => resultOf(contest, tally));
}

async function trainAll(
  { objective }: Contest,
  tally: Tally,
  { contenders, drawn, place, threads }: { contenders: readonly TreeContender[]; drawn: Drawn; place: string; threads: number },
): Promise<void> {
  const settings: TreeSettings = { ...SHARED_SETTINGS, objective, growth: GROWTHS[tally.kind], threads };
  const request = { folder: place, columns: drawn.train.columns, isWeighted: drawn.train.weights !== null, settings };
  for (const contender of contenders) {
    const { testLoss, hash, seconds } = await contender.train(request, drawn.test);
    tally.losses.get(contender.name)?.push(objective.kind === "squared-error" ? Math.sqrt(testLoss) : testLoss);
    if (contender.name !== "edgebook") continue;
    tally.hashes.push(String(hash));
    tally.seconds += seconds;
  }
}

function resultOf({ name, about, objective, rows, draws }: Contest, { kind, losses, hashes, seconds }: Tally): BenchResult {
  const means = new Map([...losses].map(([contender, values]) => [contender, meanOf(values)]));
  return {
    name: `tree-quality ${name} ${kind}`,
    set: name,
    growth: kind,
    about,
    sizes: { rows, draws: draws.length, trees: SHARED_SETTINGS.rounds },
    seconds: seconds / draws.length,
    hash: createHash("sha256").update(hashes.join()).digest("hex"),
    measure: objective.kind === "squared-error" ? "root of the mean squared error" : objective.kind,
    losses: Object.fromEntries(means),
    allLosses: Object.fromEntries(losses),
    ...besideTheBetter(losses, means),
  };
}

/** Nothing without a peer. The error of the ratio over draws says what the verdict is worth. */
function besideTheBetter(losses: ReadonlyMap<ContenderName, number[]>, means: ReadonlyMap<ContenderName, number>): Record<string, unknown> {
  const [better] = PEERS.filter((peer) => means.has(peer)).toSorted((left, right) => (means.get(left) ?? 0) - (means.get(right) ?? 0));
  if (better === undefined) return {};
  const ratio = (means.get("edgebook") ?? Number.NaN) / (means.get(better) ?? Number.NaN);
  const ratios = losses.get("edgebook")?.map((loss, draw) => loss / (losses.get(better)?.[draw] ?? Number.NaN)) ?? [];
  const mean = meanOf(ratios);
  const variance = ratios.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (ratios.length - 1);
  const standardError = ratios.length > 1 ? Math.sqrt(variance / ratios.length) : null;
  const isPassed = ratio <= 1 + TOLERANCE + 2 * (standardError ?? 0);
  return { betterPeer: better, lossOverBetterPeers: ratio, standardError, isPassed };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function lineOf(result: BenchResult): string {
  const { losses, verdict, above, error } = cellsOf(result);
  return `${result.name}: ${losses.join(" / ")}, ${above} ${error} ${verdict}`;
}

/** A line for each set and growth: mean losses, how far ours lies above the better peer's, the standard error of that, the verdict. */
export function qualityTable(results: readonly BenchResult[]): string {
  const head = ["set", "growth", "draws", "edgebook", ...PEERS, "above the better", "standard error", "verdict"];
  const table = new Table({ head, style: { head: [], border: [] }, colAligns: head.map((_, column) => (column < 2 ? "left" : "right")) });
  for (const result of results) {
    const { losses, verdict, above, error } = cellsOf(result);
    table.push([String(result.set), String(result.growth), `${result.sizes.draws}`, ...losses, above, error, verdict]);
  }
  const passed = results.filter(({ isPassed }) => isPassed === true).length;
  const rule = "not above the better peer by more than 0.5 % and twice the error";
  return `${table.toString()}\n${passed} of ${results.length} pass: ${rule}\n`;
}

function cellsOf(result: BenchResult): { losses: string[]; above: string; error: string; verdict: string } {
  const losses = result.losses as Partial<Record<ContenderName, number>>;
  const { lossOverBetterPeers: over, standardError, isPassed } = result;
  const percent = (share: number): string => `${share > 0 ? "+" : ""}${(share * 100).toFixed(2)} %`;
  return {
    losses: (["edgebook", ...PEERS] as const).map((name) => losses[name]?.toFixed(4) ?? "absent"),
    above: typeof over === "number" ? percent(over - 1) : "",
    error: typeof standardError === "number" ? `± ${(standardError * 100).toFixed(2)} %` : "",
    verdict: typeof over !== "number" ? "no peer" : isPassed === false ? "FAIL" : over > 1 + TOLERANCE ? "pass, by the error" : "pass",
  };
}
