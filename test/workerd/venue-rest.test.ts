/** What one feed may ask of its venue: venues ban an address that asks for more than their budget, or before they said. */

import { afterEach, describe, expect, it } from "vitest";
import { RequestBudget, sharedBudget } from "../../durable-objects/market-feed/request-budget.ts";
import { VenueRest } from "../../durable-objects/market-feed/venue-rest.ts";
import { retryAfterMs } from "../../durable-objects/market-feed/venue-socket.ts";
import { advanceClock } from "./clock.ts";
import { control } from "./exchange-control.ts";

const URL = "https://api.binance.com/api/v3/exchangeInfo?symbols=[]";

function restOf(budget: RequestBudget): VenueRest {
  return new VenueRest({ budget, usedWeightHeader: "x-mbx-used-weight-1m" });
}

describe("the venue's REST", () => {
  afterEach(async () => {
    await control.refuse(null);
  });

  it("is asked for nine tenths of its weight in any minute, and for one request however heavy", async () => {
    const rest = restOf(new RequestBudget(1_000));
    expect(rest.mayAsk(Date.now(), 5_000)).toBe(true);
    expect(await rest.ask({ url: URL, weight: 400 })).toMatchObject({ ok: true });
    advanceClock(30_000);
    await rest.ask({ url: URL, weight: 300 });
    const mayAsk = (weight: number): boolean => rest.mayAsk(Date.now(), weight);
    expect([mayAsk(200), mayAsk(201)]).toEqual([true, false]);
    advanceClock(30_001);
    expect([mayAsk(600), mayAsk(601)]).toEqual([true, false]);
  });

  it("is left alone for as long as it asks, and for a minute where it only says that it was too much", async () => {
    const rest = restOf(new RequestBudget(1_000));
    await control.refuse(429);
    expect(await rest.ask({ url: URL, weight: 1 })).toMatchObject({ ok: false, isBlocked: false, detail: "429: refused" });
    const at = Date.now();
    expect([rest.mayAsk(at + 50_000, 1), rest.mayAsk(at + 60_001, 1)]).toEqual([false, true]);
    const waits = [
      new Response(null, { status: 429, headers: { "Retry-After": "7" } }),
      new Response(null, { status: 503, headers: { "Retry-After": "120" } }),
      new Response(null, { status: 418 }),
      new Response(null, { status: 503 }),
    ].map(retryAfterMs);
    expect(waits).toEqual([7_000, 120_000, 60_000, 0]);
    const dated = new Response(null, { status: 418, headers: { "Retry-After": new Date(at + 90_500).toUTCString() } });
    expect(retryAfterMs(dated)).toBeGreaterThan(88_000);
    expect(retryAfterMs(dated)).toBeLessThanOrEqual(90_500);
  });

  it("is left alone by every feed of the process, since the address is what gets banned", async () => {
    const budget = sharedBudget("a-venue", 1_000);
    expect(sharedBudget("a-venue", 1_000)).toBe(budget);
    await control.refuse(429);
    await restOf(budget).ask({ url: URL, weight: 1 });
    expect(restOf(budget).mayAsk(Date.now(), 1)).toBe(false);
    expect(restOf(sharedBudget("another-venue", 1_000)).mayAsk(Date.now(), 1)).toBe(true);
  });

  it("counts what others behind the same address have used, for a minute from when the venue said so", () => {
    const budget = new RequestBudget(1_000);
    budget.spend(10_000, 100);
    budget.told(10_000, 700);
    expect([budget.mayAsk(20_000, 200), budget.mayAsk(20_000, 201)]).toEqual([true, false]);
    expect([budget.mayAsk(70_001, 900), budget.mayAsk(70_001, 901)]).toEqual([true, true]);
    budget.spend(70_001, 1);
    expect(budget.mayAsk(70_002, 900)).toBe(false);
  });
});
