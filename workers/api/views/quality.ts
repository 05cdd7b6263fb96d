/**
 * How well markets were recorded, from what is stored and what the feeds say now. Pure.
 *
 * A minute is expected from the first that was ever stored of its market on: before there was anything to record, nothing was missed, and of that
 * first one, within which recording began, as much as was covered. It ends with the last closed minute that cron has had a minute's time for, or that is stored already; for a market that no feed carries any more, with
 * its last. So a feed that died shows as coverage that falls, and a range that reaches into the future does not.
 */

import { MS_PER_MINUTE, minuteOf } from "../../../core/units/time.ts";
import type { MarketStatus } from "../../../feed/contract.ts";
import type { MarketSpan, QualityRange, StoredQuality } from "../../storage/stored-quality.ts";
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
  const expected = span === undefined ? null : expectedSpan(range, { ...span, isCarried: carried !== null });
  const buckets = bucketsOf(market, range, { stored, expected });
  const counts = stored.gapCounts.filter((each) => each.market === market);
  const [coveredMs, expectedMs] = [sum(buckets, "coveredMs"), sum(buckets, "expectedMs")];
  const [minutes, expectedMinutes] = [sum(buckets, "minutes"), sum(buckets, "expectedMinutes")];
  return {
    market,
    isCarried: carried !== null,
    state: carried === null ? null : stateOf(carried.status),
    recordedSince: span?.first ?? null,
    coverage: shareOf(coveredMs, expectedMs),
    coveredMs,
    expectedMs,
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

interface ExpectedSpan {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly firstCoveredMs: number;
}

/** Null while nothing was ever stored. */
function expectedSpan({ from, to, now }: QualityRange, market: MarketSpan & { readonly isCarried: boolean }): ExpectedSpan | null {
  const { first, last, firstCoveredMs, isCarried } = market;
  if (first === null || last === null) return null;
  const stored = last + MS_PER_MINUTE;
  const due = isCarried ? Math.max(minuteOf(now) - MS_PER_MINUTE, stored) : stored;
  return { from: Math.max(from, first), to: Math.min(to, due), first, firstCoveredMs: firstCoveredMs ?? 0 };
}

function bucketsOf(
  market: string,
  { from, to, bucketMs }: QualityRange,
  { stored, expected }: { stored: StoredQuality; expected: ExpectedSpan | null },
): MarketQuality["buckets"] {
  const found = new Map(stored.buckets.filter((each) => each.market === market).map((each) => [each.start, each]));
  const buckets: MarketQuality["buckets"] = [];
  if (expected === null) return buckets;
  const first = Math.floor(Math.max(from, expected.from) / bucketMs) * bucketMs;
  for (let start = first; start < Math.min(to, expected.to); start += bucketMs) {
    const due = { from: Math.max(start, expected.from), to: Math.min(start + bucketMs, expected.to) };
    const expectedMinutes = minutesBetween(due.from, due.to);
    const beforeItBegan = expected.first >= due.from && expected.first < due.to ? MS_PER_MINUTE - expected.firstCoveredMs : 0;
    const expectedMs = expectedMinutes * MS_PER_MINUTE - beforeItBegan;
    const { minutes = 0, coveredMs = 0, events = 0, trades = 0 } = found.get(start) ?? {};
    if (expectedMinutes === 0 && minutes === 0) continue;
    buckets.push({ start, coverage: shareOf(coveredMs, expectedMs), coveredMs, expectedMs, minutes, expectedMinutes, events, trades });
  }
  return buckets;
}

function shareOf(coveredMs: number, expectedMs: number): number | null {
  return expectedMs === 0 ? null : coveredMs / expectedMs;
}

function stateOf(status: MarketStatus | null | undefined): MarketQuality["state"] {
  return status === null ? "unreachable" : (status?.state ?? "disconnected");
}

function proofOf({ proof }: MarketStatus): MarketQuality["proof"] {
  const { continuity, comparisons, mismatches, topLevels, audits, lastAuditAt, lastSequence, unbrokenSince, gaps24h } = proof;
  return {
    continuity,
    comparisons,
    mismatches,
    mismatchRate: comparisons === 0 ? null : mismatches / comparisons,
    topLevels,
    audits,
    lastAuditAt,
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
