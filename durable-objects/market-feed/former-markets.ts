/**
 * What FEEDS names no more and the store still holds something of: a whole feed (one that records another venue now among them), or markets of one that goes on. Nobody will speak for them again, so
 * they are brought to an end here: each open gap is closed when its feed was last alive (what became of the market after that is not this feed's to say),
 * and of a feed that is gone the minutes that it died in are closed. Cron then takes all of it as it takes everything else. Done twice it is done once.
 */

import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { FormerFeed } from "../../feed/contract.ts";
import { type AliveMark, FeedStore, type ObjectStore, recordedName } from "./feed-store.ts";
import { unclosedMinuteSnapshots } from "./recorder.ts";

/** Markets of a feed that goes on without them. Before its books begin: they would begin on all grids that are kept. */
export function endFormerMarkets(store: FeedStore, markets: readonly string[]): void {
  closeGaps(store, markets);
  const kept = store.kept<Instrument[]>("instruments") ?? [];
  const left = kept.filter(({ venue, symbol }) => markets.includes(marketId(venue, symbol)));
  if (left.length < kept.length) store.keep("instruments", left);
}

/** @param configured names of the feeds that the object has. @returns the others of which it holds something that is not stored yet. */
export function endFormerFeeds(object: ObjectStore, configured: readonly string[]): FormerFeed[] {
  const former: FormerFeed[] = [];
  for (const feed of object.feedsHolding()) {
    if (configured.includes(feed)) continue;
    const store = new FeedStore(object, feed);
    closeGaps(store, []);
    closeMinutes(store);
    former.push({ feed, recordedAs: recordedName(feed), venue: store.venue() ?? "unknown" });
  }
  return former;
}

function closeGaps(store: FeedStore, markets: readonly string[]): void {
  const ended = store.openGaps().filter(({ market }) => !markets.includes(market));
  if (ended.length === 0) return;
  const aliveAt = store.kept<AliveMark>("alive")?.at ?? 0;
  store.saveGaps(
    ended.map((gap) => ({
      ...gap,
      to: Math.max(gap.from, aliveAt),
      detail: `${gap.detail}; then the market was configured here no longer`,
      action: "retired" as const,
    })),
  );
}

/** Those with tape and no row. */
function closeMinutes(store: FeedStore): void {
  const instruments = store.kept<Instrument[]>("instruments") ?? [];
  const alive = store.kept<AliveMark>("alive");
  for (const minute of store.unclosedMinutes(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    store.saveMinute(minute, unclosedMinuteSnapshots(instruments, minute, alive));
}
