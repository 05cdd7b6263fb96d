/**
 * Brings into R2 and D1 what feeds still hold that FEEDS names no more, or in another object or of another venue now. Every object that was ever named is asked, until one that
 * is named no more is empty: no minute is left where nobody comes for it.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { FeedConfiguration } from "../../feed/configuration.ts";
import { feedAt, formerFeeds } from "../feed-client.ts";
import { logError, logEvent } from "../log.ts";
import { forgetObject, knownObjects } from "../storage/feed-objects.ts";
import { drainFeed, type Stores } from "./drain-feed.ts";

/** The table's, and one object's answer with what a drain takes at the least. */
const CALLS_OF_TABLE = 3;
const CALLS_PER_OBJECT = 1;
const LEAST_CALLS_PER_DRAIN = 30;
/** Of a drain, for each object that it wrote, and beside them. */
const CALLS_PER_WRITE = 4;

export interface FormerOptions extends Stores {
  readonly startedAt: number;
  readonly calls: number;
}

export interface FormerReport {
  /** Made, rather more than less. */
  readonly calls: number;
  readonly failures: readonly unknown[];
}

/** With few calls left it asks some of the objects, others in the next run; one in any case. */
export async function drainFormerFeeds(
  namespace: DurableObjectNamespace,
  feeds: readonly FeedConfiguration[],
  options: FormerOptions,
): Promise<FormerReport> {
  const named = [...new Set(feeds.map(({ object }) => object))];
  const failures: unknown[] = [];
  let calls = CALLS_OF_TABLE;
  const objects = inTurn(await knownObjects(options.database, named), options.startedAt);
  for (const [index, object] of objects.entries()) {
    if (index > 0 && options.calls - calls < CALLS_PER_OBJECT) break;
    try {
      const former = await formerFeeds(namespace, object);
      calls += CALLS_PER_OBJECT;
      for (const { feed, recordedAs = feed, venue } of former) {
        if (options.calls - calls < LEAST_CALLS_PER_DRAIN) break;
        const configuration = { feed: recordedAs, object, venue, symbols: [] };
        const drain = { ...options, calls: options.calls - calls, batchesOf: `${feed}@${object}` };
        const report = await drainFeed(feedAt(namespace, { feed, object }), configuration, drain);
        calls += LEAST_CALLS_PER_DRAIN + report.objects * CALLS_PER_WRITE;
        logEvent("former-feed-drained", { feed, object, ...report });
      }
      if (former.length === 0 && !named.includes(object)) await forgetObject(options.database, object);
    } catch (error) {
      failures.push(error);
      logError("former-feeds-not-drained", error, { object });
    }
  }
  return { calls, failures };
}

/** Another one first each minute. */
function inTurn(objects: readonly string[], startedAt: number): string[] {
  const first = objects.length === 0 ? 0 : Math.floor(startedAt / MS_PER_MINUTE) % objects.length;
  return [...objects.slice(first), ...objects.slice(0, first)];
}
