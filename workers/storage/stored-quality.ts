/** What is read of the stored minutes and the ledger to tell how well markets were recorded (read-quality.ts). */

import type { GapReason, GapRecord } from "../../feed/contract.ts";

export interface QualityRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** An open gap lasts until now. */
  readonly now: number;
  /** Length of a bucket: a minute, an hour or a day of UTC. */
  readonly bucketMs: number;
}

/** The first and last minute that was ever stored of a market; null when none was. */
export interface MarketSpan {
  readonly market: string;
  readonly first: number | null;
  /** Recording began within the first minute: what of that was covered. */
  readonly firstCoveredMs: number | null;
  readonly last: number | null;
}

/** The stored minutes of one market that begin in one bucket. */
export interface CoverageBucket {
  readonly market: string;
  readonly start: number;
  readonly minutes: number;
  /** By the rows, less what the ledger contradicts. */
  readonly coveredMs: number;
  readonly events: number;
  readonly trades: number;
}

/** Gaps of one market and kind that touch the range; their time is what of it lies in the range. */
export interface GapCount {
  readonly market: string;
  readonly channel: GapRecord["channel"];
  readonly reason: GapReason;
  readonly count: number;
  readonly totalMs: number;
}

export interface LongestGap extends GapRecord {
  /** What of it lies in the range. */
  readonly lengthMs: number;
}

export interface StoredQuality {
  readonly spans: readonly MarketSpan[];
  readonly buckets: readonly CoverageBucket[];
  readonly gapCounts: readonly GapCount[];
  /** One of each market that has any. */
  readonly longest: readonly LongestGap[];
  /** Not ended now, whatever the range. */
  readonly open: readonly GapRecord[];
}
