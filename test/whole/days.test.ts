/**
 * Loss prevented: an archive that can't be had out of a running instance, or that says something else than what it recorded: cron makes day files, `pull`
 * brings them, `verify` replays them to the books of the stored minutes.
 */

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PullReport } from "../../archive/pull/run-pull.ts";
import { dayOf, MS_PER_DAY, MS_PER_HOUR, startOfDay } from "../../core/units/time.ts";
import type { VerifyReport } from "../../training/verify/verify-days.ts";
import type { DayBody } from "../../workers/api/day-schemas.ts";
import { marketsOf, snapshotsOf } from "./recorded.ts";
import { endEverything, type System, scratchData, startSystem, until } from "./system.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const STORED_WITHIN_MS = 150_000;

describe("a day that a running edgebook has recorded", () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem(scratchData(), ["--venues", "binance-spot", "--markets", "1", "--seed", "3"]);
  });

  afterAll(endEverything);

  it("becomes a day file, comes out by pull, and is verified to the books of its minutes", { timeout: 240_000 }, async () => {
    const [market = ""] = await marketsOf(system);
    const rows = await until("a whole minute to be stored", STORED_WITHIN_MS, async () => {
      await system.cron();
      const stored = await snapshotsOf(system, market);
      return stored.some(({ coveredMs, bookHash }) => coveredMs > 59_000 && bookHash !== null) ? stored : null;
    });
    const day = dayOf(rows[0]?.minute ?? 0);
    // As if it were the next night: cron goes by the time that it was due.
    const due = (startOfDay(day) ?? 0) + MS_PER_DAY + 3 * MS_PER_HOUR;
    const run = await system.fetch(`/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}&time=${due}`);
    expect(run.ok).toBe(true);
    const { days } = await system.get<{ days: DayBody[] }>(`/v1/days?market=${market}`);
    expect(days).toMatchObject([{ market, day, part: 0, link: 1 }]);

    const out = scratchData();
    const pulled = await edgebook<PullReport>("pull", "--from", system.address, "--out", out, "--snapshots", "--no-minutes", "--json");
    expect(pulled.days.fetched).toBe(pulled.days.listed);
    expect(pulled.files.some((file) => file.includes("_feed"))).toBe(true);
    expect(readdirSync(join(out, "days", "v1"))).toEqual(["binance-spot"]);
    const again = await edgebook<PullReport>("pull", "--from", system.address, "--out", out, "--no-minutes", "--json");
    expect(again.days).toMatchObject({ fetched: 0, bytes: 0 });

    const verified = await edgebook<VerifyReport>("verify", out, "--from", system.address, "--json");
    expect(verified.fault).toBeNull();
    const file = verified.files.find((each) => each.market === market);
    expect(file).toMatchObject({ chain: "linked", head: days[0]?.head, malformedLines: 0 });
    console.log(`${file?.lines} records, ${file?.minutesCompared} minutes' books compared`);
    expect(file?.minutesCompared).toBeGreaterThan(0);
    const straight = await edgebook<VerifyReport>("verify", "--from", system.address, "--market", market, "--day", day, "--json");
    expect(straight).toMatchObject({ fault: null, files: [{ market, head: days[0]?.head }] });
  });
});

async function edgebook<T>(...args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [join("training", "command-line", "main.ts"), ...args], { cwd: ROOT });
  return JSON.parse(stdout) as T;
}
