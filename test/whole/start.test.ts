/**
 * Losses prevented: a system whose parts pass their tests but don't work together; rows whose tape is missing or tells another story than they
 * do; a Ctrl-C that leaves processes behind; a system that has died inside and stands there for ever; recorded data that the next start doesn't take up, or a stop that nobody wrote down.
 */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import type { ModelManifest } from "../../models/contract.ts";
import type { ForecastBody, SignalBody } from "../../workers/api/forecast-schemas.ts";
import type { GapBody, HealthBody, SnapshotBody } from "../../workers/api/schemas.ts";
import { killAtOnce } from "./processes.ts";
import { downloadMinutes, gapsOf, marketsOf, replay, replayedEnd, snapshotsOf, storedEnd } from "./recorded.ts";
import { endEverything, freePort, type System, scratchData, startSystem, until } from "./system.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
/** Features are warm after some 31 s of the market's own time: at this speed, three seconds of ours. */
const FLAGS = ["--venues", "binance-spot", "--markets", "2", "--seed", "11", "--speed", "10"];
const manifest = shippedManifest("manifest.json");
const signalManifest = shippedManifest("signal/manifest.json");

const data = scratchData();
let system: System;
let markets: string[];
/** A minute at whose end features were warm, and the rows of the first market up to it. */
let minute: number;
let rows: SnapshotBody[];
let stoppedAt: number;

beforeAll(async () => {
  system = await startSystem(data, FLAGS);
  markets = await marketsOf(system);
});

afterAll(endEverything);

describe("the first start", () => {
  it("is healthy, with the published model, and serves a forecast of each market", async () => {
    const health = await system.get<HealthBody>("/v1/health");
    expect(health).toMatchObject({ status: "ok", reasons: [], model: { id: manifest.id, version: manifest.version, source: "r2" } });
    expect(markets).toHaveLength(2);
    for (const market of markets) expectForecast(market, await untilForecast(market));
  });

  it("serves a model's signal of each market, with whose it is and what it is worth", async () => {
    for (const market of markets) {
      const signal = await until("a signal", 30_000, async () => {
        const { status, body } = await system.ask<SignalBody>(`/v1/markets/${market}/signal?kind=neural`);
        return status === 200 ? body : null;
      });
      const { id, version } = signalManifest;
      expect(signal).toMatchObject({ market, kind: "neural", model: { id, version, source: "r2", asks: "move", horizonMs: 5_000 } });
      expect(signal.model?.skill.mark).toBe("unknown");
      expect(signal.pressure).toBeCloseTo((signal.model?.up ?? Number.NaN) - (signal.model?.down ?? Number.NaN), 12);
    }
  });

  it("stores each minute, and the tapes that its rows name give the same books and features, bit by bit", async () => {
    minute = minuteOf(Date.now());
    await until("the minute to end", MS_PER_MINUTE + 15_000, () => Date.now() >= minute + MS_PER_MINUTE);
    await system.cron();
    for (const market of markets) {
      const stored = (await snapshotsOf(system, market)).filter((row) => row.minute <= minute);
      expect(stored.at(-1)).toMatchObject({ minute, state: "live", bookState: "normal" });
      expect(stored.at(-1)?.features?.row).toHaveLength(manifest.featureSet.columns.length);
      const recorded = await downloadMinutes(system, stored);
      const replayed = await replay(system, market, recorded);
      expect(replayed).toMatchObject({ malformedFrames: 0, checkpointMismatches: 0 });
      expect(replayed.minutes.map(replayedEnd)).toEqual(stored.map(storedEnd));
      expect(replayed.minutes.map(({ events, trades }) => [events, trades])).toEqual(stored.map(({ events, trades }) => [events, trades]));
      expect(replayed.minutes.at(-1)?.events).toBeGreaterThan(10);
      if (market === markets[0]) rows = stored;
    }
  });

  it("keeps a second one off its data, and goes on", async () => {
    const args = [join("local", "start.ts"), "--port", String(await freePort()), "--data", data];
    const second = await promisify(execFile)(process.execPath, args, { cwd: ROOT }).then(
      () => "it started",
      ({ stderr }: { stderr: string }) => stderr,
    );
    expect(second).toMatch(/could not start: .* is in use by process \d+; .*--data/);
    expect(await system.get<HealthBody>("/v1/health")).toMatchObject({ status: "ok" });
  });

  it("ends on Ctrl-C within ten seconds and leaves no process behind", async () => {
    stoppedAt = Date.now();
    expect(await system.interrupt()).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);
    expect(await system.survivors()).toEqual([]);
  });
});

describe("the second start on the same data", () => {
  beforeAll(async () => {
    system = await startSystem(data, FLAGS);
  });

  it("still serves what the first had stored", async () => {
    const served = await snapshotsOf(system, markets[0] ?? "");
    expect(served.filter((row) => row.minute <= minute)).toEqual(rows);
    await downloadMinutes(system, served);
  });

  it("has written down for how long it was gone", async () => {
    for (const market of markets) {
      const gap = await until("the hole in the ledger", 15_000, async () => {
        await system.cron();
        return (await gapsOf(system, market)).find(isClosedRestart);
      });
      expect(gap).toMatchObject({ market, channel: "depth", action: "resynced" });
      // The first process went on until it was stopped, and had flushed at most five seconds before.
      expect(gap.from).toBeGreaterThan(stoppedAt - 6_000);
      expect(gap.to).toBeGreaterThan(Math.max(gap.from, stoppedAt));
      expect(gap.to).toBeLessThanOrEqual(Date.now());
    }
  });

  it("ends with an error when the Workers have stopped answering for good, and leaves no process behind", async () => {
    // wrangler starts runtimes anew that died, but not in a way that they answer when all of them did.
    killAtOnce(system.workersProcesses().runtimes);
    expect(await system.ended).toBe(1);
    expect(system.printed).toMatch(/edgebook has ended: the Workers (no longer answer|ended with)/);
    expect(await system.survivors()).toEqual([]);
  });
});

function isClosedRestart({ reason, to }: GapBody): boolean {
  return reason === "restarted" && to !== null;
}

async function untilForecast(market: string): Promise<ForecastBody> {
  return until("a forecast", 30_000, async () => {
    const { status, body } = await system.ask<ForecastBody & { reason?: string }>(`/v1/markets/${market}/forecast`);
    // Until then every refusal has to say that features are warming up.
    if (status !== 200) expect(body.reason).toBe("warming-up");
    return status === 200 ? body : null;
  });
}

function expectForecast(market: string, forecast: ForecastBody): void {
  const { present, model, freshness, proof } = forecast;
  expect(forecast.market).toBe(market);
  expect(model).toMatchObject({ id: manifest.id, version: manifest.version, sha256: manifest.artifact.sha256, source: "r2" });
  expect(forecast.fingerprint).toBe(manifest.featureSet.fingerprint);
  expect(Number(present.bid)).toBeGreaterThan(0);
  expect(Number(present.ask)).toBeGreaterThan(Number(present.bid));
  expect(forecast.coverage).toBeGreaterThan(0);
  expect(forecast.coverage).toBeLessThanOrEqual(1);
  expect(freshness.ageMs).toBeLessThan(5_000);
  expect(forecast.asOf).toBeLessThanOrEqual(freshness.marketTime ?? 0);
  expect(proof.mismatches).toBe(0);
  expect(proof.comparisons).toBeGreaterThan(0);
  expect(forecast.horizons.length).toBeGreaterThan(0);
  for (const horizon of forecast.horizons) {
    expect(horizon.targetTime).toBe(forecast.asOf + horizon.horizonMs);
    const { interval, odds } = horizon;
    expect(Number(interval?.low)).toBeLessThan(Number(interval?.high));
    expect((odds?.down ?? Number.NaN) + (odds?.flat ?? Number.NaN) + (odds?.up ?? Number.NaN)).toBeCloseTo(1, 6);
    for (const side of ["bid", "mid", "ask"] as const) {
      const forecastPrice = horizon[side];
      // A move of a percent within seconds is no forecast of these markets.
      expect(Math.abs(forecastPrice?.moveBps ?? Number.NaN)).toBeLessThan(100);
      expect(Number(forecastPrice?.price)).toBeCloseTo(Number(present[side]) * (1 + (forecastPrice?.moveBps ?? 0) / 10_000), 3);
    }
  }
}

function shippedManifest(path: string): ModelManifest {
  return JSON.parse(readFileSync(new URL(`../../workers/inference/shipped/${path}`, import.meta.url), "utf8"));
}
