/** Which rows are of unbroken feed, at the edges: one row too many is a price that nobody heard, learned and scored. */

import { describe, expect, it } from "vitest";
import { type FeedGap, UnbrokenFeed } from "../../training/datasets/unbroken-feed.ts";

/** A row each second from 0 on, written 100 ms behind its time unless told otherwise. */
function judged(gaps: readonly FeedGap[], writtenAt: readonly number[], unbrokenMs = 0) {
  const feed = new UnbrokenFeed({ unbrokenMs, overGapsFromMs: null });
  for (const at of writtenAt) feed.row(at);
  for (const gap of gaps) feed.gap(gap);
  return feed.judge({ times: Float64Array.from(writtenAt, (_, row) => row * 1_000), segments: new Float64Array(writtenAt.length) });
}

function silentRowsOf(gaps: readonly FeedGap[], writtenAt: readonly number[]): number[] {
  const { mayTarget } = judged(gaps, writtenAt);
  return writtenAt.flatMap((_, row) => (mayTarget(row, row, 1_000) ? [] : [row]));
}

const PLAIN = [100, 1_100, 2_100, 3_100, 4_100, 5_100];

describe("a row written within a gap", () => {
  it("is one behind the last event before it, up to the first behind it, which writes the seconds of the silence", () => {
    expect(silentRowsOf([{ from: 1_100, to: 3_100 }], PLAIN)).toEqual([2, 3]);
    expect(silentRowsOf([{ from: 1_099, to: 3_099 }], PLAIN)).toEqual([1, 2]);
  });

  it("is so by the latest that was received: a recorder's jitter doesn't bring back what was known", () => {
    expect(silentRowsOf([{ from: 2_000, to: 2_600 }], [100, 1_100, 2_700, 2_500, 4_100, 5_100])).toEqual([]);
  });

  it("is so in any of several gaps, told in any order and within each other", () => {
    const gaps = [
      { from: 4_050, to: 4_150 },
      { from: 1_050, to: 1_150 },
      { from: 500, to: 2_500 },
    ];
    expect(silentRowsOf(gaps, PLAIN)).toEqual([1, 2, 4]);
    expect(judged(gaps, PLAIN).silentRows).toBe(3);
  });

  it("is every later one where the gap has no end", () => {
    expect(silentRowsOf([{ from: 2_500, to: null }], PLAIN)).toEqual([3, 4, 5]);
  });
});

describe("a target", () => {
  it("joins rows of one stretch, behind as much feed as is asked for", () => {
    const { mayTarget } = judged([{ from: 1_500, to: 2_500 }], PLAIN, 1_000);
    const joined = PLAIN.flatMap((_, row) => PLAIN.flatMap((_, then) => (then > row && mayTarget(row, then, 1_000) ? [[row, then]] : [])));
    // Row 2 lies in the gap; of the stretch before it row 0 is too young, row 1 has no later one; of that behind it row 3 is too young.
    expect(joined).toEqual([[4, 5]]);
  });

  it("is judged of as many rows as were told of", () => {
    const feed = new UnbrokenFeed({ unbrokenMs: 0, overGapsFromMs: null });
    feed.row(1);
    expect(() => feed.judge({ times: new Float64Array(2), segments: new Float64Array(2) })).toThrow(/1 rows were told of, not 2/);
  });
});
