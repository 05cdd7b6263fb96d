/** What the month to come will cost, from the system's own counters, with the arithmetic. */

import { createRoute } from "@hono/zod-openapi";
import { MS_PER_DAY, MS_PER_MINUTE } from "../../../core/units/time.ts";
import type { FeedConfiguration } from "../../../feed/configuration.ts";
import { type FeedUsage, monthlyBill } from "../../cost/bill.ts";
import { PRICES_READ } from "../../cost/prices.ts";
import type { PublicEnv } from "../../env.ts";
import { askFeed } from "../../feed-client.ts";
import { configuredFeeds } from "../../feed-directory.ts";
import { openDatabase } from "../../storage/database.ts";
import { readDaysUsage, readEverStored, readLedgerUsage, readStoredUsage } from "../../storage/read-usage.ts";
import { type App, Refused } from "../context.ts";
import { costSchema } from "../cost-schemas.ts";
import { noQuery } from "../parameters.ts";
import { problem } from "../problems.ts";
import { json, problems } from "../responses.ts";

/** A rate from less says more of the moment than of the month. */
const LEAST_MEASURED_MS = MS_PER_MINUTE;

const costRoute = createRoute({
  method: "get",
  path: "/v1/cost",
  tags: ["System"],
  summary: "The projected monthly bill, from the system's own counters",
  request: { query: noQuery },
  responses: { 200: json(costSchema, "The bill"), ...problems("bad-request", "not-measured", "feed-unreachable") },
});

export function addCostRoute(app: App): void {
  app.openapi(costRoute, async (context) => {
    const now = Date.now();
    const feeds = configuredFeeds(context.env.FEEDS);
    const database = openDatabase(context.env.DB);
    const [ever, days, ledger, ...measured] = await Promise.all([
      readEverStored(database),
      readDaysUsage(database, now - MS_PER_DAY),
      readLedgerUsage(database, now),
      ...feeds.map(async (configuration) => ({
        live: await feedUsage(context.env, configuration),
        stored: await readStoredUsage(database, configuration.feed, now - MS_PER_DAY),
      })),
    ]);
    for (const { live, stored } of measured) {
      if (live.measuredMs < LEAST_MEASURED_MS || stored.minutes === 0) {
        const detail = `The feed "${live.feed}" has counted for ${live.measuredMs} ms, and ${stored.minutes} of its minutes are stored since yesterday.`;
        throw new Refused(problem("not-measured", detail));
      }
    }
    const bill = monthlyBill({ feeds: measured.map(({ live }) => live), stored: measured.map(({ stored }) => stored), days, ledger, ever });
    const markets = feeds.reduce((sum, { symbols }) => sum + symbols.length, 0);
    const forecasts = { ...bill.forecasts, lines: [...bill.forecasts.lines] };
    return context.json({ now, pricesRead: PRICES_READ, ...bill, lines: [...bill.lines], forecasts, markets, feeds: feeds.length }, 200);
  });
}

/** @throws FeedUnreachable: a bill that leaves out a feed is no bill. */
async function feedUsage(env: PublicEnv, { feed, object }: FeedConfiguration): Promise<FeedUsage> {
  const { now, counters, tapeBytesHeld } = await askFeed(env.FEED, { feed, object }, (rpc) => rpc.status());
  const { since, calls, alarms, messages, rowsRead, rowsWritten } = counters;
  return { feed, object, measuredMs: now - since, calls, alarms, messages, rowsRead, rowsWritten, heldBytes: tapeBytesHeld };
}
