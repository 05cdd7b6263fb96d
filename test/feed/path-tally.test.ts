/** Losses prevented: a price that the grid had and the stored path hasn't, one that it never had, and a path that leads over what nobody saw. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureRow } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { joinPaths } from "../../core/wire/joined-path.ts";
import { decodePricePath } from "../../core/wire/price-path.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { PathTally } from "../../feed/path-tally.ts";
import { depthFrame, instrument, passSeconds, START, synchronise } from "./scripted-venue.ts";

const SECOND = START / 1_000;

interface Heard {
  readonly feed: FeedReducer;
  /** [featureTime, bid, ask, segment] of each row that the pipeline wrote. */
  readonly rows: number[][];
}

function heardFeed(): Heard {
  const rows: number[][] = [];
  const onRow = (_: string, { featureTime, bidTicks, askTicks, segment }: FeatureRow): void =>
    void rows.push([featureTime, bidTicks, askTicks, segment]);
  const feed = new FeedReducer({ adapter: binanceSpot, featureSet: featureSetV1, instruments: [instrument("AAAUSDT")], onRow });
  return { feed, rows };
}

/** The paths of the minutes that have ended, by minute. */
function pathsOf(feed: FeedReducer): (string | null)[] {
  return feed.takeClosedMinutes().map(({ snapshots }) => snapshots[0]?.pricePath ?? null);
}

function joined(paths: readonly (string | null)[]): number[][] {
  const minutes = paths.flatMap((path, minute) => (path === null ? [] : [{ minute, tick: "0.01", path }]));
  const { times, bidTicks, askTicks, segments } = joinPaths(minutes, { from: 0, to: Number.MAX_SAFE_INTEGER });
  return Array.from(times, (time, at) => [time, bidTicks[at] as number, askTicks[at] as number, segments[at] as number]);
}

describe("a minute's price path", () => {
  it("has each row that the minute wrote, the cold ones too, and goes on in the next", () => {
    const { feed, rows } = heardFeed();
    synchronise(feed);
    passSeconds(feed, 1, 51);
    feed.frame(depthFrame({ from: 153, time: START + 52_000, bids: [["10.01", "3.000"]] }), START + 52_000);
    feed.frame(
      depthFrame({
        from: 154,
        time: START + 53_000,
        asks: [
          ["10.02", "0.000"],
          ["10.04", "1.000"],
        ],
      }),
      START + 53_000,
    );
    passSeconds(feed, 54, 120);
    const paths = pathsOf(feed);
    // START is the tenth second of its minute. The row of a change's own second is written before it.
    expect(paths).toEqual([`@${SECOND + 1}/1000/2${";".repeat(48)}`, `+${SECOND + 50}/1000/2;;;1,-1;,2${";".repeat(55)}`]);
    expect(joined(paths)).toEqual(rows.slice(0, 109).map(([time, bid, ask]) => [time, bid, ask, 0]));
  });

  it("breaks where the book was lost, though the next row comes a second later", () => {
    const { feed, rows } = heardFeed();
    synchronise(feed);
    passSeconds(feed, 1, 3);
    feed.connectionLost(START + 3_100, "connection-down", "1006");
    synchronise(feed, "AAAUSDT", START + 3_200);
    feed.frame(depthFrame({ from: 102, time: START + 3_900 }), START + 3_900);
    feed.frame(depthFrame({ from: 103, time: START + 4_000 }), START + 4_000);
    feed.tick(START + 60_000);
    const [path] = pathsOf(feed);
    expect(path).toBe(`@${SECOND + 1}/1000/2;;@${SECOND + 4}/1000/2`);
    expect(rows.map(([time]) => time)).toEqual([1, 2, 3, 4].map((second) => START + second * 1_000));
  });

  it("of a minute without rows is null", () => {
    const { feed } = heardFeed();
    feed.connectionOpened(START);
    feed.tick(START + 120_000);
    expect(pathsOf(feed)).toEqual([null, null]);
  });

  it("ends at its bound and is still a path; the row that comes after what was left out begins a segment", () => {
    const tally = new PathTally();
    let bidTicks = 1_000_000;
    for (let index = 0; index < 500; index++) {
      bidTicks += index % 2 === 0 ? 12_345 : -12_344;
      tally.add({ featureTime: START + index * 1_000, bidTicks, askTicks: bidTicks + (index % 3), segment: 4 });
    }
    const rows = decodePricePath(tally.close() ?? "");
    if ("malformed" in rows) throw new Error(rows.malformed);
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.map(({ featureTime, isBreak }) => [featureTime, isBreak])).toEqual(
      rows.map((_, index) => [START + index * 1_000, index === 0]),
    );
    tally.add({ featureTime: START + 500_000, bidTicks, askTicks: bidTicks, segment: 4 });
    expect(tally.close()).toBe(`@${SECOND + 500}/${bidTicks}/0`);
    expect(tally.close()).toBeNull();
  });

  it("has what a process had written that died in it, and does not lead from that to its own", () => {
    const tally = new PathTally();
    tally.resume(`+${SECOND}/1000/2;`);
    tally.add({ featureTime: START + 2_000, bidTicks: 1_001, askTicks: 1_002, segment: 1 });
    tally.add({ featureTime: START + 3_000, bidTicks: 1_001, askTicks: 1_003, segment: 1 });
    expect(tally.soFar).toBe(`+${SECOND}/1000/2;@${SECOND + 2}/1001/1;,1`);
  });

  it("joined with its neighbours is all rows but those that a kill took, cut at each gap and each kill, however they fall", () => {
    const step = fc.record({
      what: fc.constantFrom("row", "row", "row", "row", "row", "gap", "close", "flush", "kill"),
      bidTicks: fc.integer({ min: 1, max: 30 }),
      spread: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        let tally = new PathTally();
        const paths: string[] = [];
        // What a naive keeper has: rows in closed minutes, in the open one up to the last flush, and since; `piece` changes wherever nothing may lead on.
        const closed: number[][] = [];
        let [flushed, since]: [number[][], number[][]] = [[], []];
        let flushedText: string | null = null;
        let [time, piece] = [START, 0];
        for (const { what, bidTicks, spread } of steps) {
          if (what === "row") {
            tally.add({ featureTime: time, bidTicks, askTicks: bidTicks + spread, segment: piece });
            since.push([time, bidTicks, bidTicks + spread, piece]);
            time += 1_000;
          } else if (what === "gap") piece++;
          else if (what === "kill") {
            piece++;
            tally = new PathTally();
            tally.resume(flushedText);
            since = [];
          } else {
            flushed.push(...since);
            since = [];
            if (what === "close") {
              closed.push(...flushed);
              flushed = [];
              paths.push(...[tally.close()].filter((path) => path !== null));
            }
            flushedText = tally.soFar;
          }
        }
        const rows = [...closed, ...flushed, ...since];
        const pieces = [...new Set(rows.map(([, , , of]) => of))];
        const expected = rows.map(([at, bid, ask, of]) => [at, bid, ask, pieces.indexOf(of)]);
        expect(joined([...paths, tally.soFar])).toEqual(expected);
      }),
    );
  });

  it("leaves out a price that no number holds exactly, and goes on behind it", () => {
    const tally = new PathTally();
    tally.add({ featureTime: START, bidTicks: 1_000, askTicks: 1_001, segment: 1 });
    tally.add({ featureTime: START + 1_000, bidTicks: 1_000, askTicks: 2 ** 60, segment: 1 });
    tally.add({ featureTime: START + 2_000, bidTicks: 1_000, askTicks: 1_001, segment: 1 });
    expect(tally.close()).toBe(`@${SECOND}/1000/1@${SECOND + 2}/1000/1`);
  });
});
