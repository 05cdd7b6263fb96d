/** What a venue says of an instrument while it is traded: it shows, other grids are asked for anew, and no book is any the worse for it. */

import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { marketStatus } from "../../feed/views.ts";
import { bitmexFixture as fixture } from "../exchanges/fixture-bitmex.ts";

const START = 1_700_000_001_000;

function live(): FeedReducer {
  const feed = new FeedReducer({ adapter: bitmex, instruments: [fixture.instrument], featureSet: featureSetV1 });
  feed.connectionOpened(START);
  feed.frame(fixture.snapshot, START);
  feed.takeGapChanges();
  return feed;
}

const told = (fields: string) => `{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD",${fields}}]}`;
const statusOf = (feed: FeedReducer) => [...feed.markets.values()].map((market) => marketStatus(market, feed.now))[0];

describe("an instrument's channel", () => {
  it("shows a market that the venue has closed, whatever its book looks like", () => {
    const feed = live();
    expect(statusOf(feed)).toMatchObject({ state: "live", venueState: null });
    feed.frame(told('"state":"Open","markPrice":100.2'), START + 1);
    expect(statusOf(feed)).toMatchObject({ state: "live", venueState: "Open" });
    feed.frame(told('"markPrice":100.3'), START + 2);
    expect(statusOf(feed)?.venueState).toBe("Open");
    feed.frame(told('"state":"Settled"'), START + 3);
    expect(statusOf(feed)).toMatchObject({ state: "live", venueState: "Settled" });
  });

  it("has the grids asked for anew, once, when others are named: a finer lot shows in nothing else", () => {
    const feed = live();
    feed.frame(told('"tickSize":0.5,"lotSize":100'), START + 1);
    expect(feed.takeGridDoubt()).toBe(false);
    feed.frame(told('"lotSize":10'), START + 2);
    feed.frame(told('"markPrice":100.3'), START + 3);
    expect([feed.takeGridDoubt(), feed.takeGridDoubt()]).toEqual([true, false]);
  });

  it("is beside the market: it lies on its tape, and neither moves a book, counts as an event, nor is missed when silent", () => {
    const feed = live();
    const before = statusOf(feed);
    expect(feed.frame(told('"state":"Open"'), START + 5_000)).toMatchObject({ symbol: "XBTUSD", decoded: "event" });
    expect(statusOf(feed)).toEqual({ ...before, venueState: "Open" });
    expect(feed.silentChannels(START + 7_200_000)).toEqual([]);
  });

  it("that can't be read is counted, and breaks no book", () => {
    const feed = live();
    const hash = feed.markets.get("XBTUSD")?.book.contentHash();
    expect(feed.frame(told('"tickSize":"fine"'), START + 1)).toMatchObject({ decoded: "malformed", symbol: "XBTUSD", rebuilt: null });
    expect(statusOf(feed)).toMatchObject({ state: "live", malformedFrames: 1 });
    expect(feed.markets.get("XBTUSD")?.book.contentHash()).toBe(hash);
    expect(feed.takeGapChanges()).toEqual([]);
  });
});
