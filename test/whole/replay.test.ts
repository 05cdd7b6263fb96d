/**
 * Loss prevented: a capture of the real venue that becomes another book, or other features, at the edge than offline, so that a model is served
 * what it was not trained on.
 */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Comparison } from "../../training/replay/compare-with-running.ts";
import type { MarketReport } from "../../training/replay/replay-report.ts";
import type { BookBody, HealthBody, MarketDetailView } from "../../workers/api/schemas.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { endEverything, type System, scratchData, startSystem, until } from "./system.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const MARKET = "binance-spot:BTCUSDT";
const capture = recording("wire/binance-spot-btcusdt-20240808.ndjson.gz");
const name = `a real capture through a real socket ${capture === null ? WITHOUT_RECORDINGS : ""}`.trim();

describe.skipIf(capture === null)(name, () => {
  let data: string;
  let system: System;

  beforeAll(async () => {
    data = scratchData();
    // 346 s of the venue, in some 17 s of ours.
    system = await startSystem(data, ["--replay", capture ?? "", "--speed", "20"]);
  });

  afterAll(endEverything);

  it("loses no frame, and its best bid and ask are the venue's own at every equal update id", async () => {
    const told = await untilPlayed(data);
    const [feed] = await until("every frame to be taken", 10_000, async () => {
      const { feeds } = await system.get<HealthBody>("/v1/health");
      return feeds[0]?.frames === told.frames ? feeds : null;
    });
    expect(feed).toMatchObject({ malformedFrames: 0, marketsLive: 1 });
    const { proof } = await system.get<MarketDetailView>(`/v1/markets/${MARKET}`);
    console.log(`book against the venue's quote: ${proof?.comparisons} comparisons, ${proof?.mismatches} mismatches`);
    expect(proof?.comparisons).toBeGreaterThan(500);
    expect(proof?.mismatches).toBe(0);
  });

  it("is the same book and the same feature bytes in an offline replay of the file", async () => {
    const [report] = await replayAgainst(system);
    expect(report?.comparison).toMatchObject({ isEqual: true });
    // What `isEqual` stands on, asked once more here: an instance that is elsewhere must not count as equal.
    const market = await system.get<MarketDetailView>(`/v1/markets/${MARKET}`);
    const book = await system.get<BookBody>(`/v1/markets/${MARKET}/book`);
    expect(book.contentHash).toBe(report?.bookHash);
    expect(market.proof).toMatchObject({ lastSequence: report?.lastSequence, comparisons: report?.comparisons, mismatches: 0 });
    expect(market.featureRows).toMatchObject({ count: report?.featureRows, hash: report?.rowsHash });
    expect(report?.warmRows).toBeGreaterThan(300);
  });
});

/** What the simulator says of itself when it has told everything. */
async function untilPlayed(data: string): Promise<{ frames: number }> {
  const firstLine = readFileSync(join(data, "logs", "simulator.log"), "utf8").split("\n")[0] ?? "";
  const { listening } = JSON.parse(firstLine) as { listening: number };
  return until("the end of the capture", 60_000, async () => {
    const response = await fetch(`http://127.0.0.1:${listening}/simulator/status`);
    const status = (await response.json()) as { done: boolean; frames: number };
    return status.done ? status : null;
  });
}

async function replayAgainst(system: System): Promise<(MarketReport & { comparison: Comparison })[]> {
  const args = [join("training", "command-line", "main.ts"), "replay", capture ?? "", "--against", system.address, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const reports = JSON.parse(stdout) as { markets: (MarketReport & { comparison: Comparison })[] }[];
  return reports.flatMap(({ markets }) => markets);
}
