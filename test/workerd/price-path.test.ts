/** The stored price path: what is asked for by the market's clock is found among rows by receive time. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../workers/storage/database.ts";
import { readPricePath } from "../../workers/storage/read-price-path.ts";

const MARKET = "binance-spot:BTCUSDT";
const MINUTE = Date.UTC(2026, 0, 5, 12, 0);
const database = openDatabase(env.DB);

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  await env.DB.prepare("delete from snapshots").run();
});

describe("a stored price path", () => {
  it("is found in the minutes of receive time beside it, one segment over what follows, cut where a minute is missing", async () => {
    await insert(MARKET, [-1, `@${seconds(-2)}/9/1;`]);
    // The rows of a silence came with the event that ended it.
    await insert(MARKET, [1, `+${seconds(0)}/10/1;;1`]);
    await insert(MARKET, [2, null]);
    await insert(MARKET, [3, `+${seconds(4)}/12/1;`]);
    await insert("binance-spot:ETHUSDT", [1, `@${seconds(0)}/500/1`]);
    const { times, bidTicks, askTicks, segments, malformed } = await readPricePath(database, MARKET, {
      from: MINUTE - 1_000,
      to: MINUTE + 5_000,
    });
    expect(Array.from(times, (time) => (time - MINUTE) / 1_000)).toEqual([-1, 0, 1, 2, 4]);
    expect(Array.from(bidTicks)).toEqual([9, 10, 10, 11, 12]);
    expect(Array.from(askTicks)).toEqual([10, 11, 11, 12, 13]);
    expect(Array.from(segments)).toEqual([0, 0, 0, 0, 1]);
    expect(malformed).toEqual([]);
  });

  it("of nothing is empty", async () => {
    const { times, segments } = await readPricePath(database, MARKET, { from: MINUTE, to: MINUTE });
    expect([times.length, segments.length]).toEqual([0, 0]);
  });

  it("of more than two days at once isn't read", async () => {
    const range = { from: MINUTE, to: MINUTE + 172_800_001 };
    await expect(readPricePath(database, MARKET, range)).rejects.toThrow(
      "a price path of 172800001 ms: at most 172800000 are read at once",
    );
  });
});

function seconds(since: number): number {
  return MINUTE / 1_000 + since;
}

async function insert(market: string, [minute, path]: readonly [number, string | null]): Promise<void> {
  await env.DB.prepare(
    `insert into snapshots (market, minute, batch, tick, lot, state, book_state, covered_ms, events, trades, price_path)
     values (?, ?, 'b', '0.01', '1', 'live', 'normal', 60000, 1, 0, ?)`,
  )
    .bind(market, MINUTE + minute * 60_000, path)
    .run();
}
