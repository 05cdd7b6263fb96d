/**
 * `npm run bench -- edge-day`: a day of a simulated market replayed through the edge in the Workers runtime, and its scorecards beside the offline scores of the same models. It is
 * test/workerd/edge-day.test.ts, longer: what it holds is said there, and what fails there fails here. `--recording DIR`: a day of a StandX recording, which is
 * test/workerd/edge-day-recording.test.ts.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Scorecard } from "../core/scoring/scorecard.ts";
import type { ImportedScores, ScoresOfModels } from "../test/training/edge-day-contract.ts";
import type { BenchResult } from "./report.ts";

interface Report {
  readonly ticks: number;
  readonly cards: readonly { readonly model: string; readonly cards: readonly Scorecard[] }[];
  readonly offline: ScoresOfModels;
  /** Of a recording: in the feed's ledger. */
  readonly silences?: number;
  /** Of a recording. */
  readonly imported?: Readonly<Record<string, ImportedScores>>;
}

export interface EdgeDayBenchOptions {
  readonly hours: number;
  /** A folder of StandX files; null: a simulated market. */
  readonly recording: string | null;
  /** Of a recording: the UTC date at which the stretch begins. What was received before it trains the models. */
  readonly date: string;
}

/** The simulated test cuts the connection half an hour in. */
const SHORTEST_HOURS = 1;

export async function benchEdgeDay({ hours, recording, date }: EdgeDayBenchOptions): Promise<BenchResult[]> {
  if (!(hours >= SHORTEST_HOURS)) throw new Error(`edge-day takes ${SHORTEST_HOURS} hour or more, not ${hours}`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new Error(`--date is a day such as 2026-01-06, not "${date}"`);
  if (recording !== null && !existsSync(recording)) {
    process.stderr.write(`edge-day is skipped: there is no folder ${recording}\n`);
    return [];
  }
  const folder = await mkdtemp(join(tmpdir(), "edgebook-edge-day-"));
  const file = join(folder, "report.json");
  const start = performance.now();
  try {
    const settings = { EDGE_DAY_HOURS: String(hours), EDGE_DAY_REPORT: file };
    const code =
      recording === null
        ? await runTest("edge-day", settings)
        : await runTest("edge-day-recording", { ...settings, EDGE_DAY_RECORDING: resolve(recording), EDGE_DAY_DATE: date });
    const seconds = (performance.now() - start) / 1_000;
    const text = await readFile(file, "utf8").catch(() => null);
    const results = text === null ? [] : resultsOf(JSON.parse(text) as Report, { hours, seconds });
    if (code !== 0) process.exitCode = 1;
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns its exit code. What it prints goes to stderr: stdout is for results. */
function runTest(test: string, settings: Readonly<Record<string, string>>): Promise<number> {
  const runner = join(import.meta.dirname, "..", "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [runner, "run", "-c", "vitest.workerd.config.ts", `test/workerd/${test}.test.ts`], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, ...settings },
    stdio: ["ignore", process.stderr, process.stderr],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function resultsOf(
  { ticks, cards, offline, silences, imported }: Report,
  { hours, seconds }: { hours: number; seconds: number },
): BenchResult[] {
  return cards.flatMap(({ model, cards: [card] }) => {
    const own = offline[model];
    const { outputs: importedR2, ...importedRows } = imported?.[model] ?? {};
    if (card === undefined || own === undefined) return [];
    const r2 = card.moves.map((move, at) => ({ ...of(move), scored: move.scored, edge: move.r2, offline: own.outputs[at]?.r2 ?? null }));
    const differences = r2.map(({ edge, offline: other }) => Math.abs((edge ?? Number.NaN) - (other ?? Number.NaN)));
    return [
      {
        name: `edge-day ${model}`,
        sizes: { hours, ticks, uncovered: card.uncovered, ...(silences === undefined ? {} : { silences }) },
        seconds,
        largestDifference: Math.max(...differences),
        r2,
        ...(importedR2 === undefined ? {} : { imported: { ...importedRows, r2: importedR2 } }),
        hash: createHash("sha256").update(JSON.stringify(own)).digest("hex").slice(0, 16),
      },
    ];
  });
}

function of({ target, horizonMs }: { target: string; horizonMs: number }): { target: string; horizonMs: number } {
  return { target, horizonMs };
}
