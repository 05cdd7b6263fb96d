/**
 * How well markets were recorded, from what is stored and what the feeds say now. Pure.
 *
 * A minute is expected from the first that was ever stored of its market on: before there was anything to record, nothing was missed. It ends
 * with the last closed minute that cron has had a minute's time for, or that is stored already; for a market that no feed carries any more, with
 * its last. So a feed that died shows as coverage that falls, and a range that reaches into the future does not.
 */

import { MS_PER_MINUTE, minuteOf } from "../../../core/units/time.ts";
import type { MarketStatus } from "../../../feed/contract.ts";
import type { QualityRange, StoredQuality } from "../../storage/stored-quality.ts";
import type { MarketQuality } from "../quality-schemas.ts";

export interface CarriedMarket {
  /** What its feed says; null when that doesn't answer, undefined when it doesn't know the market yet. */
  readonly status: MarketStatus | null | undefined;
  /** The feed's clock. */
  readonly now: number;
}

/** @param carried null for a market that no feed carries. */
export function marketQuality(
  market: string,
  range: QualityRange,
  sources: { stored: StoredQuality; carried: CarriedMarket | null },
): MarketQuality {
  const { stored, carried } = sources;
  const span = stored.spans.find((each) => each.market === market);
  const buckets = bucketsOf(market, range, {
    stored,
    expected: expectedSpan(range, { first: span?.first ?? null, last: span?.last ?? null, isCarried: carried !== null }),
  });
  const counts = stored.gapCounts.filter((each) => each.market === market);
  const [coveredMs, minutes, expectedMinutes] = [sum(buckets, "coveredMs"), sum(buckets, "minutes"), sum(buckets, "expectedMinutes")];
  return {
    market,
    isCarried: carried !== null,
    state: carried === null ? null : stateOf(carried.status),
    recordedSince: span?.first ?? null,
    coverage: shareOf(coveredMs, expectedMinutes),
    coveredMs,
    minutes,
    expectedMinutes,
    missingMinutes: Math.max(0, expectedMinutes - minutes),
    buckets,
    gaps: {
      count: sum(counts, "count"),
      totalMs: sum(counts, "totalMs"),
      counts: counts.map(({ channel, reason, count, totalMs }) => ({ channel, reason, count, totalMs })),
      longest: stored.longest.find((each) => each.market === market) ?? null,
      open: stored.open.filter((each) => each.market === market),
    },
    proof: carried?.status ? proofOf(carried.status) : null,
    staleness: carried?.status ? stalenessOf(carried.status, carried.now) : null,
  };
}

/** Null while nothing was ever stored. */
function expectedSpan(
  { from, to, now }: QualityRange,
  { first, last, isCarried }: { first: number | null; last: number | null; isCarried: boolean },
): { from: number; to: number } | null {
  if (first === null || last === null) return null;
  const stored = last + MS_PER_MINUTE;
  const due = isCarried ? Math.max(minuteOf(now) - MS_PER_MINUTE, stored) : stored;
  return { from: Math.max(from, first), to: Math.min(to, due) };
}

function bucketsOf(
  market: string,
  { from, to, bucketMs }: QualityRange,
  { stored, expected }: { stored: StoredQuality; expected: { from: number; to: number } | null },
): MarketQuality["buckets"] {
  const found = new Map(stored.buckets.filter((each) => each.market === market).map((each) => [each.start, each]));
  const buckets: MarketQuality["buckets"] = [];
  if (expected === null) return buckets;
  const first = Math.floor(Math.max(from, expected.from) / bucketMs) * bucketMs;
  for (let start = first; start < Math.min(to, expected.to); start += bucketMs) {
    const minutesDue = minutesBetween(Math.max(start, expected.from), Math.min(start + bucketMs, expected.to));
    const { minutes = 0, coveredMs = 0, events = 0, trades = 0 } = found.get(start) ?? {};
    if (minutesDue === 0 && minutes === 0) continue;
    buckets.push({ start, coverage: shareOf(coveredMs, minutesDue), coveredMs, minutes, expectedMinutes: minutesDue, events, trades });
  }
  return buckets;
}

function shareOf(coveredMs: number, minutes: number): number | null {
  return minutes === 0 ? null : coveredMs / (minutes * MS_PER_MINUTE);
}

function stateOf(status: MarketStatus | null | undefined): MarketQuality["state"] {
  return status === null ? "unreachable" : (status?.state ?? "disconnected");
}

function proofOf({ proof }: MarketStatus): MarketQuality["proof"] {
  const { comparisons, mismatches, lastSequence, unbrokenSince, gaps24h } = proof;
  return {
    comparisons,
    mismatches,
    mismatchRate: comparisons === 0 ? null : mismatches / comparisons,
    lastSequence,
    unbrokenSince,
    gaps24h,
  };
}

function stalenessOf({ lastReceivedAt }: MarketStatus, now: number): MarketQuality["staleness"] {
  return { lastReceivedAt, ageMs: lastReceivedAt === null ? null : now - lastReceivedAt };
}

function sum<K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number {
  return rows.reduce((total, row) => total + row[key], 0);
}

/** Minutes that begin in [from, to). */
export function minutesBetween(from: number, to: number): number {
  return Math.max(0, Math.ceil(to / MS_PER_MINUTE) - Math.ceil(from / MS_PER_MINUTE));
}
