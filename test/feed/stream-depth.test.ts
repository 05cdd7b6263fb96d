import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSteps } from "../../core/units/decimal.ts";
import { DepthStream } from "../../feed/stream/depth-stream.ts";
import { bookView } from "../../feed/views.ts";
import { depthFrame, marketOf, START, scriptedFeed, snapshotBody, synchronise } from "./scripted-venue.ts";
import { BookKeeper } from "./stream-client.ts";

const A = "binance-spot:AAAUSDT";
const TICK = { decimals: 2, mantissa: 1 };
const LOT = { decimals: 3, mantissa: 1 };

interface Change {
  readonly side: "bids" | "asks";
  readonly ticks: number;
  readonly lots: number;
}

/** Around a mid of 1000.5 ticks, so that books never cross. */
const change = fc
  .record({ side: fc.constantFrom("bids", "asks"), away: fc.integer({ min: 0, max: 40 }), lots: fc.constantFrom(0, 0, 1, 2, 7) })
  .map(({ side, away, lots }): Change => ({ side: side as Change["side"], ticks: side === "bids" ? 1_000 - away : 1_001 + away, lots }));

describe("a depth stream", () => {
  it("lets a client hold exactly the best levels of a book kept naively beside it, whatever changes and however they are bunched", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(change, { minLength: 1, maxLength: 30 }), fc.boolean()), { maxLength: 40 }), (batches) => {
        const feed = scriptedFeed();
        synchronise(feed);
        const market = marketOf(feed);
        const stream = new DepthStream(20, 100);
        const client = new BookKeeper();
        const naive = {
          bids: new Map([
            [1_000, 1_000],
            [999, 2_000],
          ]),
          asks: new Map([[1_002, 1_000]]),
        };
        let sequence = 101;
        for (const [changes, isTurn] of batches) {
          sequence++;
          const of = (side: Change["side"]): [string, string][] =>
            changes.filter((each) => each.side === side).map(({ ticks, lots }) => [formatSteps(ticks, TICK), formatSteps(lots, LOT)]);
          feed.frame(depthFrame({ from: sequence, time: START + 300, bids: of("bids"), asks: of("asks") }), START + 300);
          for (const { side, ticks, lots } of changes) {
            if (lots === 0) naive[side].delete(ticks);
            else naive[side].set(ticks, lots);
          }
          if (!isTurn) continue;
          const advance = stream.advance(market);
          if (advance !== null) client.take(JSON.parse(advance.text));
          const best = (side: Change["side"]): [number, number][] =>
            [...naive[side]].sort(([a], [b]) => (side === "bids" ? b - a : a - b)).slice(0, 20);
          expect(client.side(A, "bids")).toEqual(best("bids"));
          expect(client.side(A, "asks")).toEqual(best("asks"));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("brings a level once however often it changed, and nothing when it is as it was", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const stream = new DepthStream(20, 100);
    expect(JSON.parse(stream.advance(marketOf(feed))?.text ?? "")).toEqual({
      kind: "snapshot",
      market: A,
      sequence: 1,
      lastSequence: 101,
      marketTime: START,
      receivedAt: START + 200,
      completeTo: { bidTicks: null, askTicks: null },
      bids: [
        [1_000, 1_000],
        [999, 2_000],
      ],
      asks: [[1_002, 1_000]],
    });
    expect(stream.advance(marketOf(feed))).toBeNull();
    for (const [index, size] of ["5.000", "0.000", "6.000", "3.000"].entries())
      feed.frame(depthFrame({ from: 102 + index, time: START + 400, bids: [["9.98", size]], asks: [["10.02", "0.000"]] }), START + 400);
    expect(JSON.parse(stream.advance(marketOf(feed))?.text ?? "")).toEqual({
      kind: "depth",
      market: A,
      previous: 1,
      sequence: 2,
      lastSequence: 105,
      marketTime: START + 400,
      receivedAt: START + 400,
      bids: [[998, 3_000]],
      asks: [[1_002, 0]],
    });
    feed.frame(depthFrame({ from: 106, time: START + 500, bids: [["9.98", "9.000"]] }), START + 500);
    feed.frame(depthFrame({ from: 107, time: START + 500, bids: [["9.98", "3.000"]] }), START + 500);
    expect(stream.advance(marketOf(feed))).toBeNull();
  });

  it("gives a latecomer what the others hold, not a book that their next change doesn't fit", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const stream = new DepthStream(20, 100);
    stream.advance(marketOf(feed));
    feed.frame(depthFrame({ from: 102, time: START + 400, bids: [["9.98", "4.000"]] }), START + 400);
    const late = new BookKeeper();
    late.take(JSON.parse(stream.snapshot(A)));
    expect(late.side(A, "bids")).toEqual([
      [1_000, 1_000],
      [999, 2_000],
    ]);
    late.take(JSON.parse(stream.advance(marketOf(feed))?.text ?? ""));
    expect(late.side(A, "bids").at(-1)).toEqual([998, 4_000]);
  });

  it("says nothing of a book that is lost, and begins with a snapshot when there is one again", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const stream = new DepthStream(20, 100);
    stream.advance(marketOf(feed));
    feed.frame(depthFrame({ from: 150, time: START + 1_000 }), START + 1_000);
    expect(marketOf(feed).state).toBe("syncing");
    expect(stream.advance(marketOf(feed))).toBeNull();
    expect(stream.isBroken).toBe(true);
    feed.snapshot("AAAUSDT", snapshotBody(150), START + 2_000);
    const again = stream.advance(marketOf(feed));
    expect(again?.kind).toBe("snapshot");
    expect(JSON.parse(again?.text ?? "")).toMatchObject({ sequence: 2, lastSequence: 150, bids: [[1_000, 1_000]] });
  });

  it("knows by itself that the book was built again since its last turn", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    const stream = new DepthStream(20, 100);
    stream.advance(marketOf(feed));
    feed.frame(depthFrame({ from: 150, time: START + 1_000 }), START + 1_000);
    feed.snapshot("AAAUSDT", snapshotBody(150), START + 2_000);
    expect(stream.advance(marketOf(feed))?.kind).toBe("snapshot");
  });

  it("holds no level beyond those that are all known, as the API's book doesn't", () => {
    const feed = scriptedFeed();
    synchronise(feed);
    feed.frame(depthFrame({ from: 102, time: START + 400, bids: [["9.80", "5.000"]] }), START + 400);
    const market = marketOf(feed);
    market.book.bids.markCompleteTo(999);
    const [client, stream] = [new BookKeeper(), new DepthStream(20, 100)];
    const text = stream.advance(market)?.text ?? "";
    client.take(JSON.parse(text));
    const view = bookView(market, { now: START + 400, levels: 20 });
    expect(view.ok && view.bids).toEqual([
      [1_000, 1_000],
      [999, 2_000],
    ]);
    expect(client.side(A, "bids")).toEqual(view.ok && view.bids);
    expect(JSON.parse(text).completeTo).toEqual({ bidTicks: 999, askTicks: null });
  });
});
