/** Each minute: drain every feed. One that fails doesn't stop the others; it is logged, and the run counts as failed. */

import type { PublicEnv } from "../env.ts";
import { feedAt } from "../feed-client.ts";
import { configuredFeeds } from "../feed-directory.ts";
import { logError, logEvent } from "../log.ts";
import { configuredSplits } from "../split-schedule.ts";
import { openDatabase } from "../storage/database.ts";
import { drainFeed } from "./drain-feed.ts";

/** Of the thousand that the platform allows one invocation; the rest is for tapes of which something is stored already. */
const CALLS_PER_RUN = 900;

/** @param startedAt the time this run was due, epoch ms: the same run delivered twice has the same one. */
export async function runCron(env: PublicEnv, startedAt: number): Promise<void> {
  const feeds = configuredFeeds(env.FEEDS);
  const stores = { database: openDatabase(env.DB), bucket: env.TAPES, splits: configuredSplits(env.SPLITS) };
  const options = { ...stores, startedAt, calls: Math.floor(CALLS_PER_RUN / feeds.length) };
  const outcomes = await Promise.allSettled(
    feeds.map(async (configuration) => {
      const report = await drainFeed(feedAt(env.FEED, configuration), configuration, options);
      logEvent("feed-drained", { feed: configuration.feed, ...report });
    }),
  );
  const failures: unknown[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    failures.push(outcome.reason);
    logError("feed-not-drained", outcome.reason, { feed: feeds[index]?.feed ?? null, startedAt });
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${feeds.length} feeds were not drained`);
}
