/** Health: every part is asked, and one that doesn't answer is a finding, not an error. */

import { createRoute } from "@hono/zod-openapi";
import type { FeedConfiguration } from "../../../feed/configuration.ts";
import type { PublicEnv } from "../../env.ts";
import { askFeed } from "../../feed-client.ts";
import { configuredFeeds } from "../../feed-directory.ts";
import { askInference } from "../../inference-client.ts";
import { logWarning } from "../../log.ts";
import { openDatabase } from "../../storage/database.ts";
import { readFailingDays } from "../../storage/days.ts";
import { readLastStored } from "../../storage/read-batches.ts";
import type { App } from "../context.ts";
import { noQuery } from "../parameters.ts";
import { json, problems } from "../responses.ts";
import { healthSchema } from "../schemas.ts";
import { type FeedObservation, healthBody } from "../views/health.ts";

const healthRoute = createRoute({
  method: "get",
  path: "/v1/health",
  tags: ["System"],
  summary: "What works and what doesn't",
  request: { query: noQuery },
  responses: {
    200: json(healthSchema, "`ok`, or `degraded` with the reasons"),
    503: json(healthSchema, "`down`"),
    ...problems("bad-request"),
  },
});

export function addHealthRoute(app: App): void {
  app.openapi(healthRoute, async (context) => {
    const feeds = configuredFeeds(context.env.FEEDS);
    const [failingDays, roster, ...observed] = await Promise.all([
      orNull("database-unreachable", readFailingDays(openDatabase(context.env.DB))),
      orNull(
        "inference-unreachable",
        askInference(context.env.INFERENCE, (rpc) => rpc.roster()),
      ),
      ...feeds.map((configuration) => observeFeed(context.env, configuration)),
    ]);
    const body = healthBody({
      now: Date.now(),
      feeds: observed.map(({ feed }) => feed),
      failingDays,
      isDatabaseReachable: failingDays !== null && observed.every(({ isStored }) => isStored),
      roster,
    });
    return body.status === "down" ? context.json(body, 503) : context.json(body, 200);
  });
}

async function observeFeed(env: PublicEnv, configuration: FeedConfiguration): Promise<{ feed: FeedObservation; isStored: boolean }> {
  const [status, stored] = await Promise.all([
    orNull(
      "feed-unreachable",
      askFeed(env.FEED, configuration, (rpc) => rpc.status()),
    ),
    orNull(
      "database-unreachable",
      readLastStored(openDatabase(env.DB), configuration.feed).then((batch) => ({ lastMinute: batch?.lastMinute ?? null })),
    ),
  ]);
  return { feed: { configuration, status, lastStoredMinute: stored?.lastMinute ?? null }, isStored: stored !== null };
}

async function orNull<T>(event: string, answer: Promise<T>): Promise<T | null> {
  return answer.catch((error: unknown) => {
    logWarning(event, { cause: String(error) });
    return null;
  });
}
