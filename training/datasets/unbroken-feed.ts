/**
 * Which rows of a part tell of unbroken feed, where the source says when nothing was heard: silences, holes, stretches that turned out to be false.
 *
 * A row that was written within a gap is history: it stays where it is, as at the edge, so that the windows of later rows are whole, and has no
 * target. No target reaches into a gap, nor over one unless the rule says so.
 *
 * A row is written by the first event at or after its time, so it is told by when that one was received: gaps are in receive times, as their source says
 * them, and may be told after the rows within them.
 */

import { GrowingColumn } from "./growing-column.ts";

/** Both received; `to` null: nothing more is known of it. */
export interface FeedGap {
  readonly from: number;
  readonly to: number | null;
}

export interface TargetRule {
  /** Behind a gap rows have targets again after so much unbroken feed. */
  readonly unbrokenMs: number;
  /** Targets so far ahead, or farther, may reach over a gap that ends no segment, where both ends are of unbroken feed; null: none may. */
  readonly overGapsFromMs: number | null;
}

export interface JudgedRows {
  /** Rows written within gaps. */
  readonly silentRows: number;
  /** Whether `row` may have a target that is the price of `then`, a later row of its segment. */
  mayTarget(row: number, then: number, horizonMs: number): boolean;
  /** Whether the prices from `first` to `last`, rows of one segment, may be parts of one target. Of what lies between only the rule is asked. */
  mayReach(first: number, last: number, horizonMs: number): boolean;
}

export class UnbrokenFeed {
  readonly rule: TargetRule;
  private readonly writtenAt = new GrowingColumn();
  private readonly gaps: FeedGap[] = [];
  private latest = Number.NEGATIVE_INFINITY;

  constructor(rule: TargetRule) {
    this.rule = rule;
  }

  /** A row of the part was written. @param receivedAt of the event that wrote it; recorders' jitter steps back, rows don't. */
  row(receivedAt: number): void {
    this.latest = Math.max(this.latest, receivedAt);
    this.writtenAt.push(this.latest);
  }

  gap(gap: FeedGap): void {
    this.gaps.push(gap);
  }

  /** @param rows those that were told of, one by one: their times and segments. */
  judge({ times, segments }: { times: Float64Array; segments: Float64Array }): JudgedRows {
    if (times.length !== this.writtenAt.length) throw new RangeError(`${this.writtenAt.length} rows were told of, not ${times.length}`);
    const { unbrokenMs, overGapsFromMs } = this.rule;
    const inGap = this.rowsInGaps();
    /** [rows] the row that begins each one's stretch: rows of one stretch have no gap between them. */
    const begins = new Float64Array(times.length);
    let silentRows = 0;
    for (let row = 0; row < times.length; row++) {
      const isOn = row > 0 && inGap[row] === inGap[row - 1] && segments[row] === segments[row - 1];
      begins[row] = isOn ? (begins[row - 1] as number) : row;
      silentRows += inGap[row] as number;
    }
    const overFrom = overGapsFromMs ?? Number.POSITIVE_INFINITY;
    function mayReach(first: number, last: number, horizonMs: number): boolean {
      if (inGap[first] === 1 || inGap[last] === 1) return false;
      return begins[first] === begins[last] || horizonMs >= overFrom;
    }
    return {
      silentRows,
      mayReach,
      mayTarget(row, then, horizonMs) {
        if (inGap[row] === 1) return false;
        if ((times[row] as number) - (times[begins[row] as number] as number) < unbrokenMs) return false;
        return mayReach(row, then, horizonMs);
      },
    };
  }

  /** [rows] 1 where a row was written after the last event before a gap, and not after the first behind it. One sweep over both, in order. */
  private rowsInGaps(): Uint8Array {
    const writtenAt = this.writtenAt.values;
    const inGap = new Uint8Array(writtenAt.length);
    const sorted = this.gaps.toSorted((left, right) => left.from - right.from);
    let next = 0;
    let until = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < writtenAt.length; row++) {
      const at = writtenAt[row] as number;
      for (let gap = sorted[next]; gap !== undefined && gap.from < at; gap = sorted[++next])
        until = Math.max(until, gap.to ?? Number.POSITIVE_INFINITY);
      if (at <= until) inGap[row] = 1;
    }
    return inGap;
  }
}
