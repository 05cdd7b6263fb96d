/**
 * Each minute: drain every feed, then what is left of feeds that FEEDS names no more, then forecast each market, score what forecasts are due, and work on day files with what
 * calls are left. What fails doesn't stop the others; it is logged, and the run counts as failed.
 */

import type { PublicEnv } from "../env.ts";
import { feedAt } from "../feed-client.ts";
import { configuredFeeds } from "../feed-directory.ts";
import { scoreDue } from "../ledger/score-due.ts";
import { logError, logEvent } from "../log.ts";
import { configuredRetention } from "../retention.ts";
import { configuredSplits } from "../split-schedule.ts";
import { openDatabase } from "../storage/database.ts";
import { compactDays } from "./compaction.ts";
import { type DrainReport, drainFeed } from "./drain-feed.ts";
import { drainFormerFeeds } from "./drain-former.ts";
import { forecastMarkets } from "./forecast-markets.ts";

/** Of the thousand that the platform allows one invocation; the rest is for tapes of which something is stored already. */
const CALLS_PER_RUN = 900;
/** Of a feed's drain: its status, and what its portions take beside their objects. */
const CALLS_PER_DRAIN = 20;
const CALLS_PER_OBJECT = 4;
/** Of forecasts: some hundred markets a run, and others in the next. */
const CALLS_FOR_FORECASTS = 150;
/** Of scores: forty markets and models a run, and others in the next. Day files do without: they have all day. */
const CALLS_FOR_SCORES = 200;

/** @param startedAt the time this run was due, epoch ms: the same run delivered twice has the same one. */
export async function runCron(env: PublicEnv, startedAt: number): Promise<void> {
  const feeds = configuredFeeds(env.FEEDS);
  const stores = { database: openDatabase(env.DB), bucket: env.TAPES, splits: configuredSplits(env.SPLITS) };
  const options = { ...stores, startedAt, calls: Math.floor(CALLS_PER_RUN / feeds.length) };
  const outcomes = await Promise.allSettled(
    feeds.map(async (configuration) => {
      const report = await drainFeed(feedAt(env.FEED, configuration), configuration, options);
      logEvent("feed-drained", { feed: configuration.feed, ...report });
      return report;
    }),
  );
  const failures: unknown[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    failures.push(outcome.reason);
    logError("feed-not-drained", outcome.reason, { feed: feeds[index]?.feed ?? null, startedAt });
  }
  const reports = outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : null));
  const behind = new Set(feeds.filter((_, index) => (reports[index]?.remaining ?? 1) > 0).map(({ venue }) => venue));
  const left = CALLS_PER_RUN - callsOf(reports);
  const former = await drainFormerFeeds(env.FEED, feeds, { ...stores, startedAt, calls: left });
  failures.push(...former.failures);
  const keepMinutesDays = configuredRetention(env.KEEP_MINUTES_DAYS);
  const forForecasts = Math.min(CALLS_FOR_FORECASTS, left - former.calls);
  const forecastCalls = await forecastMarkets(env, feeds, { startedAt, calls: forForecasts });
  const unspent = left - former.calls - forecastCalls;
  const forScores = Math.min(CALLS_FOR_SCORES, unspent);
  const [scores] = await Promise.allSettled([scoreDue({ database: stores.database, startedAt, calls: forScores })]);
  const scoreCalls = scores.status === "fulfilled" ? scores.value.calls : forScores;
  const compaction = { ...stores, startedAt, calls: unspent - scoreCalls, keepMinutesDays, behind };
  const [written] = await Promise.allSettled([compactDays(compaction)]);
  const undrained = failures.length - former.failures.length;
  const drained = undrained === 0 ? [] : [`${undrained} of ${feeds.length} feeds were not drained`];
  if (former.failures.length > 0) drained.push("what former feeds hold was not drained");
  const rest = written.status === "fulfilled" ? [] : ["a day was not compacted"];
  if (written.status === "rejected") failures.push(written.reason);
  const unscored = scores.status === "fulfilled" ? scores.value.failures : [scores.reason];
  if (unscored.length > 0) rest.push("forecasts were not scored");
  failures.push(...unscored);
  if (failures.length > 0) throw new AggregateError(failures, [...drained, ...rest].join("; "));
}

/** Calls that draining has made, rather more than less. One that failed may have made any. */
function callsOf(reports: readonly (DrainReport | null)[]): number {
  const most = Math.floor(CALLS_PER_RUN / reports.length);
  return reports.reduce(
    (sum, report) => sum + (report === null ? most : Math.min(most, CALLS_PER_DRAIN + report.objects * CALLS_PER_OBJECT)),
    0,
  );
}
