/**
 * A market's newest grid time with rows of its feature sets, for whoever forecasts from it: of one moment, oldest first, none older than the last gap.
 *
 * What is wrong with the book refuses all of it; what one set lacks refuses that set alone.
 */

import type { FeatureSet } from "../core/features/contract.ts";
import type { FeatureView, Refusal, RowsUnavailable, SetRows, WantedRows } from "./contract.ts";
import type { MarketTracker } from "./market-tracker.ts";
import { MAX_WINDOW_ROWS } from "./row-window.ts";
import { bookRefusal, proofOf, refuse } from "./views.ts";

/** Feature sets in one answer: of 128 rows of v2 each it would be some 550 kB. */
const MAX_WANTED_SETS = 4;

/** The newest grid time of a live market, with what is wanted of its feature sets. */
export function featureView(market: MarketTracker, { now, wanted }: { now: number; wanted: readonly WantedRows[] }): FeatureView | Refusal {
  const refusal = bookRefusal(market, now);
  if (refusal !== null) return refusal;
  const { book, pipeline } = market;
  if (book.state !== "normal" && book.state !== "locked")
    return refuse("no-mid", `The book of ${market.market} is ${book.state}: there is no mid.`);
  const latest = pipeline.latest;
  if (latest === null) return refuse("warming-up", coldDetail(market, pipeline.featureSet, now));
  return {
    ok: true,
    market: market.market,
    instrument: market.instrument,
    now,
    receivedAt: market.lastBookAt ?? now,
    rowAgeMs: Math.max(0, now - (market.lastRowAt ?? now)),
    featureTime: latest.featureTime,
    marketTime: market.marketTime ?? latest.featureTime,
    bidTicks: latest.bidTicks,
    askTicks: latest.askTicks,
    coverage: market.minute.coverage.share(now),
    proof: proofOf(market, now),
    sets: wanted.map((each, index) => setRows(market, each, { now, index })),
  };
}

function setRows(market: MarketTracker, { fingerprint, rows }: WantedRows, { now, index }: { now: number; index: number }): SetRows {
  const refusal = (reason: RowsUnavailable, detail: string): SetRows => ({ fingerprint, refusal: { reason, detail } });
  if (index >= MAX_WANTED_SETS) return refusal("not-computed", `At most ${MAX_WANTED_SETS} feature sets are given at once.`);
  const set = market.featureSets.find(({ pipeline }) => pipeline.featureSet.fingerprint === fingerprint);
  if (set === undefined) {
    const ids = market.featureSets.map(({ pipeline }) => pipeline.featureSet.id).join(", ");
    return refusal("not-computed", `The feed computes ${ids} for ${market.market}, and no features with the fingerprint ${fingerprint}.`);
  }
  const { pipeline, window } = set;
  if (!pipeline.latest?.isWarm) return refusal("warming-up", coldDetail(market, pipeline.featureSet, now));
  if (!Number.isInteger(rows) || rows < 1 || rows > MAX_WINDOW_ROWS)
    return refusal("too-few-rows", `From 1 to ${MAX_WINDOW_ROWS} rows are kept of a feature set, and ${rows} are wanted.`);
  if (window.count < rows)
    return refusal(
      "too-few-rows",
      `${market.market} has ${window.count} rows of ${pipeline.featureSet.id} without a break, and ${rows} are wanted; one comes each second of market time.`,
    );
  return { fingerprint, columns: window.columns, rows: window.newest(rows) };
}

function coldDetail(market: MarketTracker, { warmupMs }: FeatureSet, now: number): string {
  const unbroken = ((now - (market.unbrokenSince ?? now)) / 1000).toFixed(0);
  return `${market.market} has been unbroken for ${unbroken} s; features need ${(warmupMs / 1000).toFixed(0)} s of market time.`;
}
