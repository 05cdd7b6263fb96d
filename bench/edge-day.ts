/**
 * `npm run bench -- edge-day`: a day of a simulated market replayed through the edge in the Workers runtime, and its scorecards beside the offline scores of the same models. It is
 * test/workerd/edge-day.test.ts, longer: what it holds is said there, and what fails there fails here.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scorecard } from "../core/scoring/scorecard.ts";
import type { ScoresOfModels } from "../test/training/edge-day-contract.ts";
import type { BenchResult } from "./report.ts";

interface Report {
  readonly ticks: number;
  readonly cards: readonly { readonly model: string; readonly cards: readonly Scorecard[] }[];
  readonly offline: ScoresOfModels;
}

const TEST = "test/workerd/edge-day.test.ts";
/** The test cuts the connection half an hour in. */
const SHORTEST_HOURS = 1;

export async function benchEdgeDay({ hours }: { readonly hours: number }): Promise<BenchResult[]> {
  if (!(hours >= SHORTEST_HOURS)) throw new Error(`edge-day takes ${SHORTEST_HOURS} hour or more, not ${hours}`);
  const folder = await mkdtemp(join(tmpdir(), "edgebook-edge-day-"));
  const file = join(folder, "report.json");
  const start = performance.now();
  try {
    const code = await runTest({ EDGE_DAY_HOURS: String(hours), EDGE_DAY_REPORT: file });
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
function runTest(settings: Readonly<Record<string, string>>): Promise<number> {
  const runner = join(import.meta.dirname, "..", "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [runner, "run", "-c", "vitest.workerd.config.ts", TEST], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, ...settings },
    stdio: ["ignore", process.stderr, process.stderr],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function resultsOf({ ticks, cards, offline }: Report, { hours, seconds }: { hours: number; seconds: number }): BenchResult[] {
  return cards.flatMap(({ model, cards: [card] }) => {
    const own = offline[model];
    if (card === undefined || own === undefined) return [];
    const r2 = card.moves.map((move, at) => ({ ...of(move), scored: move.scored, edge: move.r2, offline: own.outputs[at]?.r2 ?? null }));
    const differences = r2.map(({ edge, offline: other }) => Math.abs((edge ?? Number.NaN) - (other ?? Number.NaN)));
    return [
      {
        name: `edge-day ${model}`,
        sizes: { hours, ticks, uncovered: card.uncovered },
        seconds,
        largestDifference: Math.max(...differences),
        r2,
        hash: createHash("sha256").update(JSON.stringify(own)).digest("hex").slice(0, 16),
      },
    ];
  });
}

function of({ target, horizonMs }: { target: string; horizonMs: number }): { target: string; horizonMs: number } {
  return { target, horizonMs };
}
