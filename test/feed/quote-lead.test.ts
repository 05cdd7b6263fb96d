/** Losses prevented: a numbered book that stands still while its venue's quotes go on, believed for as long as a thin market may be silent. */

import { describe, expect, it } from "vitest";
import { QuoteLead } from "../../feed/quote-lead.ts";
import { depthFrame, marketOf, quoteFrame, START, scriptedFeed, synchronise } from "./scripted-venue.ts";

describe("a book that the quotes have left behind", () => {
  it("is one after five seconds with three moments of quotes ahead", () => {
    const lead = new QuoteLead();
    expect(lead.onQuote(11, 10, 0)).toBe(false);
    expect(lead.onQuote(12, 10, 499)).toBe(false);
    expect(lead.onQuote(13, 10, 500)).toBe(false);
    expect(lead.onQuote(14, 10, 1_000)).toBe(false);
    expect(lead.onQuote(15, 10, 5_000)).toBe(false);
    expect(lead.onQuote(16, 10, 5_001)).toBe(true);
  });

  it("is none on a quiet market, whose one change was undone before a batch told it", () => {
    const lead = new QuoteLead();
    expect([lead.onQuote(11, 10, 0), lead.onQuote(12, 10, 60_000)]).toEqual([false, false]);
    lead.onBook(12);
    expect([lead.onQuote(13, 12, 61_000), lead.onQuote(14, 12, 120_000)]).toEqual([false, false]);
  });

  it("is none that has reached the first quote it waited for, though others are ahead again", () => {
    const lead = new QuoteLead();
    for (let at = 0; at < 60_000; at += 100) {
      expect(lead.onQuote(at + 90, at, at)).toBe(false);
      lead.onBook(at + 90);
    }
  });

  it("is none for one absurd number: the quotes behind it say where the venue is, and the book reaches those", () => {
    const lead = new QuoteLead();
    expect(lead.onQuote(9_000_000_000, 10, 0)).toBe(false);
    for (let at = 100; at < 60_000; at += 100) {
      expect(lead.onQuote(at + 90, at, at)).toBe(false);
      lead.onBook(at + 90);
    }
  });

  it("is one behind an absurd number too, after five seconds of the quotes that are not", () => {
    const lead = new QuoteLead();
    lead.onQuote(9_000_000_000, 10, 0);
    for (let at = 100; at <= 5_100; at += 100) expect(lead.onQuote(10 + at, 10, at)).toBe(false);
    expect(lead.onQuote(9_999, 10, 5_101)).toBe(true);
  });

  it("is one where two connections bring the quotes, one a little ahead", () => {
    const lead = new QuoteLead();
    for (let at = 0; at <= 5_000; at += 100) {
      expect(lead.onQuote(30 + at, 10, at)).toBe(false);
      expect(lead.onQuote(20 + at, 10, at)).toBe(false);
    }
    expect(lead.onQuote(9_999, 10, 5_001)).toBe(true);
  });

  it("is none that quotes behind it speak of", () => {
    const lead = new QuoteLead();
    for (let at = 0; at < 60_000; at += 100) expect(lead.onQuote(5, 10, at)).toBe(false);
  });
});

describe("a feed whose book has been left behind", () => {
  it("builds it anew, says since when it may be trusted no more, and has its channel subscribed to again, once", () => {
    const feed = scriptedFeed();
    const top = { bid: ["10.00", "2.000"], ask: ["10.02", "1.000"] } as const;
    synchronise(feed);
    feed.takeGapChanges();
    for (let after = 1_000; after <= 6_000; after += 1_000) feed.frame(quoteFrame(101 + after, top), START + after);
    expect(marketOf(feed).state).toBe("live");
    feed.frame(quoteFrame(7_200, top), START + 6_001);
    expect(marketOf(feed).state).toBe("syncing");
    expect(feed.takeGapChanges()).toMatchObject([{ channel: "depth", reason: "stale", from: START + 200, to: null }]);
    expect(feed.silentChannels(START + 10_000)).toEqual([{ channel: "depth", symbols: ["AAAUSDT"] }]);
    expect(feed.silentChannels(START + 20_000)).toEqual([]);
  });

  it("goes on with a right book after one quote with an absurd number", () => {
    const feed = scriptedFeed();
    const top = { bid: ["10.00", "1.000"], ask: ["10.02", "1.000"] } as const;
    synchronise(feed);
    feed.takeGapChanges();
    feed.frame(quoteFrame(9_000_000_000, top), START + 1_000);
    for (let change = 1; change <= 100; change++) {
      feed.frame(quoteFrame(101 + change, top), START + 1_000 + change * 100);
      feed.frame(depthFrame({ from: 101 + change, time: START, bids: [["9.98", `${change}.000`]] }), START + 1_060 + change * 100);
    }
    expect(marketOf(feed).state).toBe("live");
    expect(feed.takeGapChanges()).toEqual([]);
  });

  it("leaves its channel alone where that speaks again before anybody looks: to subscribe to it anew would cost a live book its next changes", () => {
    const feed = scriptedFeed();
    const top = { bid: ["10.00", "2.000"], ask: ["10.02", "1.000"] } as const;
    synchronise(feed);
    for (let after = 1_000; after <= 6_000; after += 1_000) feed.frame(quoteFrame(101 + after, top), START + after);
    feed.frame(quoteFrame(7_200, top), START + 6_001);
    expect(marketOf(feed).state).toBe("syncing");
    feed.frame(depthFrame({ from: 7_201, time: START + 7_000 }), START + 7_000);
    expect(feed.silentChannels(START + 10_000)).toEqual([]);
  });
});
