/**
 * The change from one connection to the next where each book is numbered. Losses prevented: a whole book thrown away because the next connection was a
 * moment ahead of the present one; a hole that neither of them fills, and that nobody notices.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { Room } from "../../feed/room.ts";
import { depthFrame, instrument, marketOf, quoteFrame, START, scriptedFeed, snapshotBody, synchronise } from "./scripted-venue.ts";

const AT = START + 1_000;

/** Ten updates of one level each: batch `index` is of 102 + 10 × index and on. */
function batch(index: number): string {
  return depthFrame({
    from: 102 + index * 10,
    to: 111 + index * 10,
    time: AT + index * 100,
    bids: [[`9.${10 + (index % 80)}`, `${index + 1}.000`]],
  });
}

/** The book stands at batch 0 (111), and the next connection is open. */
function rotating(feed: FeedReducer = scriptedFeed()): FeedReducer {
  synchronise(feed);
  feed.frame(batch(0), AT);
  feed.takeGapChanges();
  feed.standbyOpened(AT + 10);
  return feed;
}

function sequenceOf(feed: FeedReducer): number | null {
  return marketOf(feed).lastSequence;
}

it("keeps what the next connection says ahead of the book until the present one has brought what is before it", () => {
  const feed = rotating();
  feed.standbyFrame(batch(2), AT + 200);
  feed.standbyFrame(batch(3), AT + 300);
  expect([marketOf(feed).state, sequenceOf(feed), feed.standbyState(AT + 300)]).toEqual(["live", 111, "joining"]);
  feed.frame(batch(1), AT + 310);
  expect([marketOf(feed).state, sequenceOf(feed), feed.standbyState(AT + 310)]).toEqual(["live", 141, "joined"]);
  feed.frame(batch(2), AT + 320);
  feed.takeOver(AT + 330);
  feed.frame(batch(4), AT + 400);
  expect(sequenceOf(feed)).toBe(151);
  expect(feed.takeGapChanges()).toEqual([]);
});

it("takes its earlier message, told late, before the later one", () => {
  const feed = rotating();
  feed.standbyFrame(batch(2), AT + 200);
  feed.standbyFrame(batch(1), AT + 210);
  expect([sequenceOf(feed), feed.standbyState(AT + 210)]).toEqual([131, "joined"]);
});

it("lets the present connection bring what the next one has lost, and doesn't let it go before", () => {
  const feed = rotating();
  feed.standbyFrame(batch(1), AT + 100);
  expect(feed.standbyState(AT + 100)).toBe("joined");
  feed.standbyFrame(batch(3), AT + 300);
  expect(feed.standbyState(AT + 300)).toBe("joining");
  feed.frame(batch(2), AT + 320);
  expect([sequenceOf(feed), feed.standbyState(AT + 320)]).toEqual([141, "joined"]);
  expect(feed.takeGapChanges()).toEqual([]);
});

it("is a hole where the present connection doesn't bring it within five seconds, shown by whatever comes of the market", () => {
  const feed = rotating();
  feed.standbyFrame(batch(2), AT + 200);
  feed.standbyFrame(quoteFrame(111, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }), AT + 5_200);
  expect(marketOf(feed).state).toBe("live");
  feed.standbyFrame(quoteFrame(111, { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] }), AT + 5_201);
  expect(marketOf(feed).state).toBe("syncing");
  expect(feed.takeGapChanges()).toMatchObject([{ reason: "sequence-gap", detail: "message 122-131 does not follow 111", from: AT }]);
});

it("is a hole once the present connection has ended, and a snapshot joins what was kept", () => {
  const feed = rotating();
  feed.standbyFrame(batch(2), AT + 200);
  feed.standbyFrame(batch(3), AT + 300);
  feed.takeOver(AT + 350);
  expect(feed.takeGapChanges()).toMatchObject([{ reason: "sequence-gap", from: AT, to: null }]);
  feed.snapshotAsked("AAAUSDT", AT + 400);
  feed.snapshot("AAAUSDT", snapshotBody(125), AT + 450);
  expect([marketOf(feed).state, sequenceOf(feed)]).toEqual(["live", 141]);
});

it("is nothing once the next connection is gone: the present one brings all of it", () => {
  const feed = rotating();
  feed.standbyFrame(batch(2), AT + 200);
  feed.standbyLost(AT + 250);
  for (const index of [1, 2, 3]) feed.frame(batch(index), AT + 10_000 + index);
  expect(sequenceOf(feed)).toBe(141);
  expect(feed.takeGapChanges()).toEqual([]);
});

it("is a hole at once where there is no room to keep it: memory is what would end", () => {
  const pendingRoom = new Room(batch(0).length * 2 + 10);
  const feed = rotating(
    new FeedReducer({ adapter: binanceSpot, featureSet: featureSetV1, instruments: [instrument("AAAUSDT")], pendingRoom }),
  );
  for (const index of [2, 3]) feed.standbyFrame(batch(index), AT + index * 100);
  expect(marketOf(feed).state).toBe("live");
  feed.standbyFrame(batch(4), AT + 400);
  expect(marketOf(feed).state).toBe("syncing");
});

it("loses nothing, whichever connection is ahead, by how much, and when", () => {
  const lag = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(lag, lag, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 60 }), (mainLag, standbyLag, opensAt, endsAt) => {
      const feed = scriptedFeed();
      synchronise(feed);
      feed.takeGapChanges();
      const heard: { at: number; take: (at: number) => void }[] = [];
      for (let index = 0; index < 100; index++) {
        const saidAt = AT + index * 100;
        heard.push({ at: saidAt + mainLag, take: (at) => void (isOver || feed.frame(batch(index), at)) });
        const take = (at: number) => void (isOver ? feed.frame(batch(index), at) : feed.standbyFrame(batch(index), at));
        if (index >= opensAt) heard.push({ at: saidAt + standbyLag, take });
      }
      let isOver = false;
      heard.push({ at: AT + opensAt * 100 - 1, take: (at) => feed.standbyOpened(at) });
      for (const { at, take } of heard.toSorted((a, b) => a.at - b.at)) {
        take(at);
        if (isOver || at < AT + endsAt * 100 || feed.standbyState(at) !== "joined") continue;
        isOver = true;
        feed.takeOver(at);
      }
      expect(isOver).toBe(true);
      expect([marketOf(feed).state, sequenceOf(feed)]).toEqual(["live", 1_101]);
      expect(marketOf(feed).book.bids.levelCount).toBe(82);
      expect(feed.takeGapChanges()).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
