/**
 * Losses prevented: minutes that were recorded and are gone after the Workers' process was killed; a hole that nobody wrote down; a minute that
 * passes for whole when part of it is missing; a book that goes on from before the hole.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import type { GapBody, HealthBody, SnapshotBody } from "../../workers/api/schemas.ts";
import { killAtOnce } from "./processes.ts";
import { downloadMinutes, gapsOf, marketsOf, type RecordedMinute, replay, replayedEnd, snapshotsOf, storedEnd } from "./recorded.ts";
import { endEverything, type System, scratchData, startSystem, until } from "./system.ts";

const FLAGS = ["--venues", "binance-spot", "--markets", "2", "--seed", "23"];
/** What is flushed each five seconds can be lost for so long, and a flush takes its time. */
const MOST_LOST_MS = 6_000;

const data = scratchData();
let system: System;
let markets: string[];
/** Of the first kill. */
let killedAt: number;

beforeAll(async () => {
  system = await startSystem(data, FLAGS);
  markets = await marketsOf(system);
});

afterAll(endEverything);

describe("kill -9 of the Workers, wrangler with them, in the midst of a minute", () => {
  it("ends npm start with an error, and leaves no process behind", async () => {
    const whole = minuteOf(Date.now());
    await until("a whole minute to be stored, and a part of the next to be flushed", MS_PER_MINUTE + 15_000, async () => {
      const { feeds } = await system.get<HealthBody>("/v1/health");
      return feeds[0]?.lastStoredMinute === whole && feeds[0].tapeBytesHeld > 0;
    });
    const { wrangler, runtimes } = system.workersProcesses();
    expect(runtimes.length).toBeGreaterThan(0);
    killedAt = Date.now();
    killAtOnce([...runtimes, ...wrangler]);
    expect(await system.ended).toBe(1);
    expect(system.printed).toMatch(/edgebook has ended: the Workers ended with/);
    expect(await system.survivors()).toEqual([]);
  });

  it("is taken up by the next start: live books, and the hole in the ledger", async () => {
    system = await startSystem(data, FLAGS);
    for (const market of markets) {
      const hole = await untilHole(market, killedAt);
      expect(hole.from).toBeGreaterThan(killedAt - MOST_LOST_MS);
      expect(hole.from).toBeLessThanOrEqual(killedAt);
      expect(hole.to).toBeGreaterThan(killedAt);
      expect(hole).toMatchObject({ channel: "depth", action: "resynced" });
    }
  });
});

describe("kill -9 of the runtime alone, when a minute has closed and is not stored yet", () => {
  let secondKillAt: number;

  beforeAll(async () => {
    const end = minuteOf(Date.now()) + MS_PER_MINUTE;
    await until("the minute to close", MS_PER_MINUTE + 15_000, async () => {
      if (Date.now() < end) return false;
      const { feeds } = await system.get<HealthBody>("/v1/health");
      return (feeds[0]?.pendingMinutes ?? 0) > 0;
    });
    secondKillAt = Date.now();
    killAtOnce(system.workersProcesses().code);
    await system.untilLive(30_000);
  });

  it("is mended while npm start goes on: live books, and the hole in the ledger", async () => {
    for (const market of markets) expect((await untilHole(market, secondKillAt)).to).toBeGreaterThan(secondKillAt);
  });

  it("has lost no minute of before: each has its row and its tape, and the killed one says how far it was covered", async () => {
    for (const market of markets) {
      const rows = await untilStored(market, minuteOf(secondKillAt) - MS_PER_MINUTE);
      const first = rows[0]?.minute ?? Number.NaN;
      expect(first).toBeLessThan(minuteOf(killedAt));
      expect(rows.map(({ minute }) => minute)).toEqual(rows.map((_, index) => first + index * MS_PER_MINUTE));
      const recorded = await downloadMinutes(system, rows);
      await expectSameEnds(market, recorded);
      await expectKilledMinute(market, recorded);
    }
  });
});

describe("a terminal that is closed", () => {
  it("ends it like Ctrl-C: left to itself it would go on without cron, and nothing would be stored any more", async () => {
    expect(await system.interrupt("SIGHUP")).toBe(0);
    expect(await system.survivors()).toEqual([]);
  });
});

/** The tapes, hole and all, give the books and features that were stored. A minute that nobody was there to close has none. */
async function expectSameEnds(market: string, recorded: readonly RecordedMinute[]): Promise<void> {
  const stored = recorded.map(({ row }) => row).filter(({ bookHash }) => bookHash !== null);
  expect(stored[0]).toBe(recorded[0]?.row);
  const replayed = await replay(system, market, recorded);
  const times = new Set(stored.map(({ minute }) => minute));
  expect(replayed.minutes.filter(({ minute }) => times.has(minute)).map(replayedEnd)).toEqual(stored.map(storedEnd));
  expect(replayed.malformedFrames).toBe(0);
}

async function expectKilledMinute(market: string, recorded: readonly RecordedMinute[]): Promise<void> {
  const hole = await untilHole(market, killedAt);
  const minute = minuteOf(killedAt);
  const row = recorded.find((each) => each.row.minute === minute)?.row;
  expect(row?.coveredMs).toBeGreaterThan(0);
  expect(row?.coveredMs).toBeLessThanOrEqual(MS_PER_MINUTE - (Math.min(hole.to ?? Number.NaN, minute + MS_PER_MINUTE) - hole.from));
  const records = recorded.flatMap((each) => each.records);
  const frames = records.filter(({ kind }) => kind === "frame").map(({ receivedAt }) => receivedAt);
  const before = frames.filter((receivedAt) => receivedAt <= killedAt);
  expect(Math.max(...before)).toBeGreaterThan(killedAt - MOST_LOST_MS);
  expect(frames.length).toBeGreaterThan(before.length);
  expect(records.some(({ kind, receivedAt }) => kind === "hole" && receivedAt > killedAt)).toBe(true);
}

/** The hole that a kill at `at` left, once it is in the ledger and closed. */
async function untilHole(market: string, at: number): Promise<GapBody> {
  const isOfKill = ({ reason, from, to }: GapBody): boolean => reason === "restarted" && to !== null && from <= at && to > at;
  return until(`the hole of ${market} in the ledger`, 20_000, async () => {
    await system.cron();
    return (await gapsOf(system, market)).find(isOfKill);
  });
}

async function untilStored(market: string, last: number): Promise<SnapshotBody[]> {
  return until(`the row of ${new Date(last).toISOString()}`, 20_000, async () => {
    const rows = await snapshotsOf(system, market);
    if (rows.some(({ minute }) => minute === last)) return rows.filter(({ minute }) => minute <= last);
    await system.cron();
    return null;
  });
}
