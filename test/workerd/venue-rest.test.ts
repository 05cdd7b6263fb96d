/** What one feed may ask of its venue: venues ban an address that asks for more than their budget, or before they said. */

import { afterEach, describe, expect, it } from "vitest";
import { platformPort } from "../../durable-objects/market-feed/platform-port.ts";
import { sharedBudget } from "../../durable-objects/market-feed/process-budgets.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";
import { type RequestResult, VenueRequests } from "../../feed/session/venue-requests.ts";
import { advanceClock } from "./clock.ts";
import { control } from "./exchange-control.ts";

const URL = "https://api.binance.com/api/v3/exchangeInfo?symbols=[]";

function budgetOf(weightPerMinute: number): VenueBudget {
  return new VenueBudget({ ...binanceSpot.limits, weightPerMinute });
}

interface Rest {
  mayAsk(weight: number): boolean;
  ask(weight: number): Promise<RequestResult>;
}

/** What a feed's session asks by, in the platform's world. */
function restOf(budget: VenueBudget): Rest {
  const port = platformPort({ adapter: binanceSpot, key: undefined, wake: () => {} });
  const requests = new VenueRequests(port, budget, binanceSpot.limits);
  return {
    mayAsk: (weight) => requests.mayAsk(weight),
    ask: (weight) => new Promise((answered) => requests.ask({ url: URL, weight }, answered)),
  };
}

describe("the venue's REST", () => {
  afterEach(async () => {
    await control.refuse(null);
  });

  it("is asked for nine tenths of its weight in any minute, and for one request however heavy", async () => {
    const rest = restOf(budgetOf(1_000));
    expect(rest.mayAsk(5_000)).toBe(true);
    expect(await rest.ask(400)).toMatchObject({ ok: true });
    advanceClock(30_000);
    await rest.ask(300);
    expect([rest.mayAsk(200), rest.mayAsk(201)]).toEqual([true, false]);
    advanceClock(30_001);
    expect([rest.mayAsk(600), rest.mayAsk(601)]).toEqual([true, false]);
  });

  it("is left alone for a minute where it only says that it was too much", async () => {
    const budget = budgetOf(1_000);
    const rest = restOf(budget);
    await control.refuse(429);
    expect(await rest.ask(1)).toEqual({ ok: false, isBlocked: false, isRefused: false, detail: "429: refused" });
    const at = Date.now();
    expect([budget.mayAsk(at + 50_000, 1), budget.mayAsk(at + 60_001, 1)]).toEqual([false, true]);
  });

  it("is left alone by every feed of the process, since the address is what gets banned", async () => {
    const limits = { ...binanceSpot.limits, weightPerMinute: 1_000 };
    const budget = sharedBudget("a-venue", limits);
    expect(sharedBudget("a-venue", limits)).toBe(budget);
    await control.refuse(429);
    await restOf(budget).ask(1);
    expect(restOf(budget).mayAsk(1)).toBe(false);
    expect(restOf(sharedBudget("another-venue", limits)).mayAsk(1)).toBe(true);
  });
});
