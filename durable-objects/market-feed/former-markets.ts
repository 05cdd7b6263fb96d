/**
 * What FEEDS names no more and the store still holds something of: a whole feed (one that records another venue now among them), or markets of one that
 * goes on. Nobody will speak for them again, so they are brought to an end here: each open gap is closed when its feed was last alive, a gap `retired`
 * begins there, and of a feed that is gone the minutes that it died in are closed. Cron then takes all of it as it takes everything else. Done twice it is
 * done once.
 *
 * A `retired` gap stays open: when the market is recorded again, and where, this object can't know. The ledger closes it (workers/storage/write-batch.ts).
 */

import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { FormerFeed, GapRecord } from "../../feed/contract.ts";
import { type AliveMark, FeedStore, type ObjectStore, recordedName } from "./feed-store.ts";
import { unclosedMinuteSnapshots } from "./recorder.ts";

/** Markets of a feed that goes on without them. Before its books begin: they would begin on all grids that are kept. */
export function endFormerMarkets(store: FeedStore, markets: readonly string[]): void {
  store.atomically(() => {
    const isLeft = (instrument: Instrument): boolean => markets.includes(idOf(instrument));
    const kept = store.kept<Instrument[]>("instruments") ?? [];
    endMarkets(store, markets, kept);
    const left = kept.filter(isLeft);
    if (left.length < kept.length) store.keep("instruments", left);
  });
}

/** @param configured names of the feeds that the object has. @returns the others of which it holds something that is not stored yet. */
export function endFormerFeeds(object: ObjectStore, configured: readonly string[]): FormerFeed[] {
  const former: FormerFeed[] = [];
  for (const feed of object.feedsHolding()) {
    if (configured.includes(feed)) continue;
    const store = new FeedStore(object, feed);
    store.atomically(() => {
      endMarkets(store, [], store.kept<Instrument[]>("instruments") ?? []);
      closeMinutes(store);
      // What it was good for is told; with it, it would be told again. Named again, the feed begins as a new one.
      store.forget("alive");
    });
    former.push({ feed, recordedAs: recordedName(feed), venue: store.venue() ?? "unknown" });
  }
  return former;
}

/** Of those that were recorded, all but `markets`. */
function endMarkets(store: FeedStore, markets: readonly string[], recorded: readonly Instrument[]): void {
  const alive = store.kept<AliveMark>("alive");
  const ended = store.openGaps().filter(({ market, reason }) => reason !== "retired" && !markets.includes(market));
  const retired = recorded.filter((instrument) => alive?.markets[instrument.symbol] !== undefined && !markets.includes(idOf(instrument)));
  store.saveGaps([
    ...ended.map((gap) => ({
      ...gap,
      to: Math.max(gap.from, alive?.at ?? 0),
      detail: `${gap.detail}; then the market was configured here no longer`,
      action: "retired" as const,
    })),
    ...retired.map((instrument) => retirement(idOf(instrument), alive?.at ?? 0)),
  ]);
}

function retirement(market: string, from: number): GapRecord {
  const id = `${market}/depth/${from}/retired`;
  return { id, market, channel: "depth", from, to: null, reason: "retired", detail: "its feed records it no more", action: "retired" };
}

/** Those with tape and no row. */
function closeMinutes(store: FeedStore): void {
  const instruments = store.kept<Instrument[]>("instruments") ?? [];
  const alive = store.kept<AliveMark>("alive");
  for (const minute of store.unclosedMinutes(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    store.saveMinute(minute, unclosedMinuteSnapshots(instruments, minute, alive));
}

function idOf({ venue, symbol }: Instrument): string {
  return marketId(venue, symbol);
}
