/** Feature rows and price paths through the real object: asked for by RPC, killed in the midst, stored by cron, read by grid time. */

import { abortAllDurableObjects, applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV1, featureSetV2, featureSetVolumes10 } from "../../core/features/registry.ts";
import type { SetRows } from "../../feed/contract.ts";
import { runCron } from "../../workers/cron/run-cron.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { readPricePath } from "../../workers/storage/read-price-path.ts";
import { feedRpc } from "./exchange-control.ts";
import { closeMinute, type WarmFeed, warmFeed } from "./warm-feed.ts";

const BTC = "binance-spot:BTCUSDT";
let feed: WarmFeed;

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  feed = await warmFeed();
});

describe("the feed object", () => {
  it("gives out so many rows of each set that is wanted, all of one moment, and says why there are none of the others", async () => {
    const wanted = [
      { fingerprint: featureSetV1.fingerprint, rows: 5 },
      { fingerprint: featureSetV2.fingerprint, rows: 100 },
      { fingerprint: featureSetVolumes10.fingerprint, rows: 40 },
      { fingerprint: "0123456789abcdef", rows: 1 },
    ];
    const view = await feedRpc().features(BTC, wanted);
    if (!view.ok) throw new Error(view.detail);
    expect(view).toMatchObject({ market: BTC, askTicks: 10_001, proof: { continuity: "book" } });
    expect(view.featureTime % 1_000).toBe(0);
    const [v1, v2, volumes, unknown] = view.sets.map((set) => ("refusal" in set ? set.refusal.reason : rowsOf(set)));
    expect(v2).toBe("too-few-rows");
    expect(unknown).toBe("not-computed");
    if (!Array.isArray(v1) || !Array.isArray(volumes)) throw new Error("no rows");
    expect(v1.map((row) => row.length)).toEqual(Array(5).fill(27));
    expect(volumes.map((row) => row.length)).toEqual(Array(40).fill(20));
    // The best bid is a tick from the ask, or two, by turns; the last column but none is the seconds since the start.
    const [spread, sinceGap] = [4, 26];
    expect(v1.map((row) => Math.round(row[spread] ?? Number.NaN))).toEqual(
      [1, 2, 1, 2, 1].map((ticks) => (view.bidTicks === 10_000 ? ticks : 3 - ticks)),
    );
    expect(v1.map((row) => (row[sinceGap] ?? 0) - (v1[0]?.[sinceGap] ?? 0))).toEqual([0, 1, 2, 3, 4]);
  });

  it("stores by cron where its grid's prices were, found by grid time", async () => {
    const minute = await closeMinute(feed);
    await runCron(env as unknown as PublicEnv, Date.now());
    const { times, bidTicks, askTicks, segments } = await readPricePath(openDatabase(env.DB), BTC, {
      from: minute - 120_000,
      to: minute + 60_000,
    });
    expect(times.length).toBeGreaterThan(40);
    const first = times.subarray(0, 40);
    expect(Array.from(first, (time) => time - (first[0] ?? 0))).toEqual(Array.from({ length: 40 }, (_, index) => index * 1_000));
    expect(new Set(segments.subarray(0, 40))).toEqual(new Set([0]));
    expect(new Set(askTicks)).toEqual(new Set([10_001]));
    // Up and down by turns.
    expect(Array.from(bidTicks.subarray(0, 6)).sort()).toEqual([10_000, 10_000, 10_000, 9_999, 9_999, 9_999]);
  });

  it("that was killed gives out no row of before", async () => {
    await abortAllDurableObjects();
    const view = await feedRpc().features(BTC, [{ fingerprint: featureSetVolumes10.fingerprint, rows: 1 }]);
    expect(view).toMatchObject({ ok: false, reason: expect.stringMatching(/^(disconnected|syncing|warming-up)$/) });
  });
});

function rowsOf({ columns, rows }: Extract<SetRows, { rows: unknown }>): number[][] {
  return Array.from({ length: rows.length / columns }, (_, row) => Array.from(rows.subarray(row * columns, (row + 1) * columns)));
}
