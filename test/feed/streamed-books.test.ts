/** Books that begin on the stream, and that nothing numbers, or only their connection does: a message that is missing must not leave one that looks whole. */

import { describe, expect, it } from "vitest";
import type { TapeRecord } from "../../core/wire/tape.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { bookView } from "../../feed/views.ts";
import { book, depth, one, quote, START, scriptedStream, several, trackerOf, trade } from "./scripted-adapter.ts";

const BOTH = ["AAA", "BBB"];

/** Opened at START, with the books of 10.00 to 10.02 half a second later. */
function live(options: Parameters<typeof scriptedStream>[0] = {}): FeedReducer {
  const feed = scriptedStream(options);
  feed.connectionOpened(START);
  for (const [index, s] of (options.symbols ?? ["AAA"]).entries()) {
    feed.frame(one(book(START, { s }), options.continuity === "connection" ? index + 1 : undefined), START + 500);
    expect(trackerOf(feed, s).state).toBe("live");
  }
  feed.takeGapChanges();
  return feed;
}

function statesOf(feed: FeedReducer): string[] {
  return [...feed.markets.values()].map((market) => market.state);
}

describe("a book that begins on the stream", () => {
  it("is not asked for while it may still come, or it would come twice", () => {
    const feed = scriptedStream();
    feed.connectionOpened(START);
    expect(feed.wantedSnapshots(START + 14_999)).toEqual([]);
    expect(feed.wantedSnapshots(START + 15_000)).toEqual(["AAA"]);
    feed.snapshotAsked("AAA", START + 15_000);
    expect(feed.wantedSnapshots(START + 29_999)).toEqual([]);
    expect(feed.wantedSnapshots(START + 30_000)).toEqual(["AAA"]);
    feed.frame(one(book(START)), START + 30_100);
    expect(feed.wantedSnapshots(START + 90_000)).toEqual([]);
  });

  it("is what the snapshot says and what came after it, without what came before", () => {
    const feed = scriptedStream();
    feed.connectionOpened(START);
    feed.frame(one(depth(START, { b: [[1_001, 9]] })), START + 100);
    expect(trackerOf(feed).state).toBe("syncing");
    feed.frame(one(book(START)), START + 500);
    feed.frame(one(depth(START, { b: [[999, 7]] })), START + 600);
    expect(bookView(trackerOf(feed), { now: START + 600, levels: 5 })).toMatchObject({
      bids: [
        [1_000, 5],
        [999, 7],
      ],
      asks: [[1_002, 5]],
      proof: { unbrokenSince: START + 500, continuity: "none" },
    });
  });

  it("is refused when it is crossed, and asked for anew at once", () => {
    const feed = scriptedStream();
    feed.connectionOpened(START);
    feed.frame(one(book(START, { b: [[1_003, 1]] })), START + 500);
    expect(trackerOf(feed).state).toBe("syncing");
    expect(trackerOf(feed).gaps.current?.reason).toBe("crossed-book");
    expect(feed.wantedSnapshots(START + 500)).toEqual(["AAA"]);
  });

  it("begins no more once its connection is gone, until another is there", () => {
    const feed = live();
    feed.connectionLost(START + 1_000, "connection-down", "1006");
    feed.frame(one(book(START)), START + 1_100);
    expect(trackerOf(feed).state).toBe("disconnected");
    feed.connectionOpened(START + 2_000);
    feed.frame(one(book(START)), START + 2_100);
    expect(trackerOf(feed).state).toBe("live");
    expect(feed.takeGapChanges()).toMatchObject([
      { from: START + 500, to: START + 2_100, reason: "connection-down", action: "reconnected" },
    ]);
  });
});

describe("a whole book that comes while one is held", () => {
  it("and says the same leaves it as it is", () => {
    const feed = live();
    feed.frame(one(depth(START, { b: [[999, 7]] })), START + 600);
    feed.frame(
      one(
        book(START, {
          b: [
            [999, 7],
            [1_000, 5],
          ],
        }),
      ),
      START + 700,
    );
    feed.frame(one(depth(START, { b: [[998, 3]] })), START + 800);
    expect(trackerOf(feed)).toMatchObject({ state: "live", unbrokenSince: START + 500 });
    expect(trackerOf(feed).book.bids.levelCount).toBe(3);
    expect(feed.takeGapChanges()).toEqual([]);
  });

  it("and says the same under another number goes on from that number", () => {
    const feed = scriptedStream({ continuity: "book" });
    feed.connectionOpened(START);
    feed.frame(one(book(START, { q: 10 })), START + 500);
    feed.frame(one(book(START, { q: 20 })), START + 600);
    feed.frame(one(depth(START, { q: 21, b: [[999, 7]] })), START + 700);
    expect(trackerOf(feed)).toMatchObject({ state: "live", lastSequence: 21 });
    expect(feed.takeGapChanges()).toEqual([]);
  });

  it("and differs shows that the one held was wrong, since when nobody knows: it is replaced, the ledger says so, and nobody asks for another", () => {
    const feed = live();
    feed.frame(one(depth(START, { b: [[999, 7]] })), START + 600);
    feed.frame(one(book(START, { b: [[1_000, 6]] })), START + 700);
    expect(trackerOf(feed)).toMatchObject({ state: "live", unbrokenSince: START + 700 });
    expect(trackerOf(feed).book.bids.bestLots).toBe(6);
    expect(trackerOf(feed).book.bids.levelCount).toBe(1);
    expect(feed.takeGapChanges()).toMatchObject([
      { channel: "depth", from: START + 500, to: START + 700, reason: "snapshot-differs", action: "resynced" },
    ]);
    expect(feed.wantedSnapshots(START + 60_000)).toEqual([]);
  });

  it("and differs, and is of a time before what the market said last, is not believed: another is asked for", () => {
    const feed = live();
    feed.frame(one(depth(START + 10_000, { b: [[999, 7]] })), START + 10_000);
    feed.frame(one(book(START + 6_999, { b: [[1_000, 6]] })), START + 10_100);
    expect(trackerOf(feed)).toMatchObject({ state: "syncing" });
    expect(trackerOf(feed).gaps.current).toMatchObject({ reason: "snapshot-too-old", from: START + 10_000 });
    expect(feed.wantedSnapshots(START + 10_100)).toEqual(["AAA"]);
    feed.snapshotAsked("AAA", START + 10_100);
    feed.frame(one(book(START + 6_999, { b: [[1_000, 6]] })), START + 10_200);
    expect(trackerOf(feed)).toMatchObject({ state: "live" });
  });

  it("and is crossed leaves no book: neither the sent one nor the one that it doubts", () => {
    const feed = live();
    feed.frame(one(book(START, { b: [[1_003, 1]] })), START + 700);
    expect(trackerOf(feed).state).toBe("syncing");
    expect(trackerOf(feed).book.state).toBe("empty");
    expect(trackerOf(feed).gaps.current).toMatchObject({ reason: "snapshot-differs", from: START + 500 });
    expect(feed.wantedSnapshots(START + 700)).toEqual(["AAA"]);
  });
});

describe("a book that quotes contradict", () => {
  /** Three quotes, a second apart, that the book never shows. @returns when the book is found broken by the fourth. */
  function contradict(feed: FeedReducer, from: number): number {
    for (const after of [0, 1_000, 2_000]) feed.frame(one(quote(START, [995, 1], [1_002, 5])), from + after);
    expect(trackerOf(feed).state).toBe("live");
    feed.frame(one(quote(START, [995, 1], [1_002, 5])), from + 4_001);
    expect(trackerOf(feed).state).toBe("syncing");
    return from + 4_001;
  }

  it("is asked for anew at once, the second time in a minute two seconds later, and each ask has fifteen seconds", () => {
    const feed = live();
    const first = contradict(feed, START + 1_000);
    expect(trackerOf(feed).gaps.current).toMatchObject({ reason: "quote-mismatch", from: START + 500 });
    expect(feed.wantedSnapshots(first)).toEqual(["AAA"]);
    feed.snapshotAsked("AAA", first);
    expect(feed.wantedSnapshots(first + 14_999)).toEqual([]);
    expect(feed.wantedSnapshots(first + 15_000)).toEqual(["AAA"]);
    feed.frame(one(book(START)), first + 100);
    const second = contradict(feed, first + 200);
    expect(feed.wantedSnapshots(second + 1_999)).toEqual([]);
    expect(feed.wantedSnapshots(second + 2_000)).toEqual(["AAA"]);
  });

  it("was last proved when a quote agreed, however often it has changed since: no minute of that time counts as covered", () => {
    const feed = live();
    feed.frame(one(quote(START, [1_000, 5], [1_002, 5])), START + 600);
    // What was lost was lost here; the changes that follow vouch for nothing.
    for (let at = START + 1_000; at < START + 6_000; at += 100) feed.frame(one(depth(START, { b: [[900, at - START]] })), at);
    for (const after of [0, 1_000, 2_000]) feed.frame(one(quote(START, [995, 1], [1_002, 5])), START + 6_000 + after);
    feed.frame(one(depth(START, { b: [[900, 1]] })), START + 10_001);
    expect(trackerOf(feed).gaps.current).toMatchObject({ reason: "quote-mismatch", from: START + 600 });
    expect(trackerOf(feed).minute.coverage.openMinuteMs(START + 20_000)).toBe(100);
  });

  it("is forgiven once it has held for a minute", () => {
    const feed = live();
    const first = contradict(feed, START + 1_000);
    feed.frame(one(book(START)), first + 100);
    feed.frame(one(depth(START)), first + 60_100);
    const second = contradict(feed, first + 60_200);
    expect(feed.wantedSnapshots(second)).toEqual(["AAA"]);
  });

  it("is compared with the quotes of its own connection", () => {
    const feed = live();
    for (const after of [1_000, 2_000, 3_000]) feed.frame(one(quote(START, [995, 1], [1_002, 5])), START + after);
    feed.connectionOpened(START + 3_100);
    feed.frame(one(book(START)), START + 3_200);
    feed.frame(one(depth(START, { b: [[999, 1]] })), START + 6_000);
    expect(trackerOf(feed).state).toBe("live");
    expect(trackerOf(feed).check).toMatchObject({ comparisons: 0, mismatches: 0 });
  });
});

describe("a frame that says one thing", () => {
  it("is of its market, or of none that is ours, and is counted either way", () => {
    const feed = live({ symbols: BOTH });
    const before = feed.frames;
    const nothing = { others: [], detail: null, isClosing: false, refusal: null, hole: null, rebuilt: null };
    expect(feed.frame(one(trade(START, 1, "BBB")), START + 600)).toEqual({ ...nothing, symbol: "BBB", decoded: "event" });
    expect(feed.frame(one(trade(START, 1, "CCC")), START + 600)).toEqual({ ...nothing, symbol: null, decoded: "event" });
    expect(feed.frame('{"k":"ok"}', START + 600)).toEqual({ ...nothing, symbol: null, decoded: "control", detail: "" });
    expect(feed.frame('{"k":"bye"}', START + 600)).toEqual({ ...nothing, symbol: null, decoded: "control", detail: "", isClosing: true });
    expect(feed.frame('{"k":"nothing"}', START + 600)).toEqual({
      ...nothing,
      symbol: null,
      decoded: "ignored",
      detail: "nothing that is kept",
    });
    feed.unreadableFrame("AAEC", "a binary frame", START + 600);
    expect(feed.frames - before).toBe(6);
    expect(feed.malformedSamples).toEqual(["a binary frame: AAEC"]);
  });
});

describe("a frame that says several things", () => {
  it("is taken whole and in order, each of its market, though the decoder fills one buffer again for all", () => {
    const feed = live({ symbols: BOTH });
    const frame = several([
      depth(START, { b: [[1_001, 4]] }),
      depth(START, { s: "BBB", a: [[1_001, 3]] }),
      quote(START, [1_001, 4], [1_002, 5]),
      trade(START, 1, "BBB"),
      depth(START, { b: [[1_001, 0]] }),
      depth(START, { s: "CCC", b: [[1_001, 4]] }),
      trade(START, 1),
    ]);
    expect(feed.frame(frame, START + 600)).toEqual({
      symbol: "AAA",
      others: ["BBB"],
      decoded: "event",
      detail: null,
      isClosing: false,
      refusal: null,
      hole: null,
      rebuilt: null,
    });
    expect(trackerOf(feed).book.bids.bestTicks).toBe(1_000);
    expect(trackerOf(feed).quote).toMatchObject({ bidTicks: 1_001, bidLots: 4 });
    expect(trackerOf(feed).check).toMatchObject({ comparisons: 1, mismatches: 0 });
    expect(trackerOf(feed, "BBB").book.asks.bestTicks).toBe(1_001);
    expect(trackerOf(feed, "BBB").minute).toMatchObject({ events: 3, trades: 1 });
    expect(trackerOf(feed).minute).toMatchObject({ events: 5, trades: 1 });
  });

  it("is of every market that it speaks of, so that each tape has it once, and of none that isn't ours", () => {
    const feed = live({ symbols: ["AAA", "BBB", "DDD"] });
    const of = (...symbols: string[]) => feed.frame(several(symbols.map((s, index) => trade(START, index, s))), START + 600);
    expect(of("BBB", "AAA", "BBB", "DDD", "AAA")).toMatchObject({ symbol: "BBB", others: ["AAA", "DDD"] });
    expect(of("CCC", "AAA")).toMatchObject({ symbol: "AAA", others: [] });
    expect(of("CCC")).toMatchObject({ symbol: null, others: [], decoded: "event" });
    expect(of()).toMatchObject({ symbol: null, others: [], decoded: "event" });
  });
});

describe("a message that shows that others were lost", () => {
  it("of a book: that one is built again, at once where the same frame brings it, and no other", () => {
    const feed = live({ symbols: BOTH });
    const loss = { k: "loss", s: "AAA", c: "depth", r: "unknown-level" } as const;
    feed.frame(several([depth(START, { b: [[999, 1]] }), loss, depth(START, { b: [[998, 1]] })]), START + 600);
    expect(statesOf(feed)).toEqual(["syncing", "live"]);
    expect(trackerOf(feed).book.state).toBe("empty");
    expect(trackerOf(feed).gaps.current).toMatchObject({
      channel: "depth",
      reason: "unknown-level",
      // What was lost came at any time since the book was whole.
      from: START + 500,
      detail: "depth said to be lost",
    });
    feed.frame(several([loss, book(START)]), START + 700);
    expect(statesOf(feed)).toEqual(["live", "live"]);
    expect(feed.takeGapChanges()).toMatchObject([{ to: START + 700, detail: "depth said to be lost" }]);
    feed.frame(several([loss, book(START)]), START + 800);
    expect(statesOf(feed)).toEqual(["live", "live"]);
    expect(feed.takeGapChanges()).toMatchObject([{ from: START + 700, to: START + 800 }]);
  });

  it("of trades or quotes: it is written down from the last of them on, and the book stays", () => {
    const feed = live();
    feed.frame(several([trade(START, 1), quote(START, [1_000, 5], [1_002, 5])]), START + 600);
    feed.frame(several([{ k: "loss", s: "AAA", c: "trades", r: "sequence-gap" }]), START + 700);
    feed.frame(several([{ k: "loss", s: "AAA", c: "quotes", r: "sequence-gap" }]), START + 800);
    expect(trackerOf(feed).state).toBe("live");
    expect(feed.takeGapChanges()).toMatchObject([
      { channel: "trades", from: START + 600, to: START + 700, reason: "lost-trades", action: "noted" },
      { channel: "quotes", from: START + 600, to: START + 800, reason: "sequence-gap", action: "noted" },
    ]);
  });
});

describe("a hole in a connection's numbers", () => {
  const numbered = { continuity: "connection", symbols: BOTH } as const;

  it("builds every book of it again, since nobody knows whose message is missing", () => {
    const feed = live(numbered);
    feed.frame(one(depth(START, { b: [[999, 1]] }), 3), START + 600);
    const taken = feed.frame(one(trade(START, 7), 5), START + 700);
    expect(taken.hole).toBe("message 5 of the connection follows 3");
    expect(statesOf(feed)).toEqual(["syncing", "syncing"]);
    expect(trackerOf(feed).minute.trades).toBe(1);
    expect(feed.wantedSnapshots(START + 700)).toEqual(BOTH);
    expect(feed.takeGapChanges()).toMatchObject([
      { market: "scripted:AAA", channel: "depth", from: START + 600, to: null, reason: "sequence-gap", detail: taken.hole },
      { market: "scripted:BBB", channel: "depth", from: START + 500, to: null, reason: "sequence-gap" },
    ]);
    expect(feed.frame(one(book(START), 6), START + 800).hole).toBeNull();
    expect(statesOf(feed)).toEqual(["live", "syncing"]);
  });

  it("shows in a frame of any kind: control, ignored, not to be read", () => {
    for (const frame of ['{"n":9,"k":"ok"}', '{"n":9,"k":"nothing"}', '{"n":9,"k":"bad","s":"AAA","c":"trades"}']) {
      const feed = live(numbered);
      expect(feed.frame(frame, START + 700).hole).toBe("message 9 of the connection follows 2");
      expect(statesOf(feed)).toEqual(["syncing", "syncing"]);
    }
  });

  it("leaves the book that comes with the frame that shows it", () => {
    const feed = live(numbered);
    feed.frame(several([book(START), book(START, { s: "BBB" })], 9), START + 700);
    expect(statesOf(feed)).toEqual(["live", "live"]);
    expect(feed.takeGapChanges()).toMatchObject([
      { from: START + 500, to: START + 700 },
      { from: START + 500, to: START + 700 },
    ]);
  });

  it("is none on the next connection, which begins at any number", () => {
    const feed = live(numbered);
    feed.connectionOpened(START + 1_000);
    expect(feed.frame(several([book(START), book(START, { s: "BBB" })], 70), START + 1_100).hole).toBeNull();
    expect(statesOf(feed)).toEqual(["live", "live"]);
  });

  it("while books are being built asks for none of them again: each ask has fifteen seconds, and more asks are more load", () => {
    const feed = live(numbered);
    feed.frame(one(trade(START, 7), 9), START + 700);
    for (const symbol of feed.wantedSnapshots(START + 700)) feed.snapshotAsked(symbol, START + 700);
    feed.frame(one(trade(START, 8), 20), START + 1_000);
    feed.frame(one(trade(START, 9), 30), START + 4_000);
    expect(feed.wantedSnapshots(START + 15_699)).toEqual([]);
    expect(feed.wantedSnapshots(START + 15_700)).toEqual(BOTH);
    expect(trackerOf(feed).gaps.current).toMatchObject({ from: START + 500, detail: "message 9 of the connection follows 2" });
    feed.frame(several([book(START), book(START, { s: "BBB" })], 31), START + 16_000);
    expect(feed.takeGapChanges().map(({ detail }) => detail)).toEqual(BOTH.map(() => "message 9 of the connection follows 2"));
  });

  it("opens no market whose connection is down", () => {
    const feed = live(numbered);
    feed.connectionLost(START + 1_000, "connection-down", "1006");
    feed.frame(one(trade(START, 7), 9), START + 1_100);
    expect(statesOf(feed)).toEqual(["disconnected", "disconnected"]);
  });

  it("is the same gap when its tape is replayed, and heals there too", () => {
    const feed = live(numbered);
    const replay = live(numbered);
    // As the recorder writes it: the hole, then the frame that showed it.
    const frame = one(depth(START, { b: [[999, 1]] }), 5);
    const { hole } = feed.frame(frame, START + 700);
    const healing = several([book(START), book(START, { s: "BBB" })], 6);
    feed.frame(healing, START + 900);
    const tape: TapeRecord[] = [
      { kind: "hole", receivedAt: START + 700, symbol: null, reason: hole ?? "" },
      { kind: "frame", receivedAt: START + 700, text: frame },
      { kind: "frame", receivedAt: START + 900, text: healing },
    ];
    for (const record of tape) replay.record(record);
    expect(statesOf(feed)).toEqual(["live", "live"]);
    expect(statesOf(replay)).toEqual(["live", "live"]);
    const gaps = feed.takeGapChanges();
    expect(gaps).toMatchObject([
      { reason: "sequence-gap", from: START + 500, to: START + 900, action: "resynced" },
      { reason: "sequence-gap", from: START + 500, to: START + 900, action: "resynced" },
    ]);
    expect(replay.takeGapChanges()).toEqual(gaps);
  });

  it("is not seen in one market's own tape where another's frames are left out, and is where the tape says so", () => {
    const feed = live(numbered);
    const replay = scriptedStream({ ...numbered, symbols: ["AAA"] });
    const { tick, lot } = trackerOf(feed).instrument;
    replay.record({ kind: "instrument", receivedAt: START, symbol: "AAA", tick, lot });
    replay.record({ kind: "open", receivedAt: START, connection: "1" });
    replay.record({ kind: "frame", receivedAt: START + 500, text: one(book(START), 1) });
    replay.takeGapChanges();
    let sequence = 3;
    for (let at = START + 600; at < START + 1_600; at += 100) {
      feed.frame(one(depth(START, { s: "BBB", b: [[990, at - START]] }), sequence++), at);
      const text = one(depth(START, { b: [[990, at - START]] }), sequence++);
      feed.frame(text, at);
      replay.record({ kind: "frame", receivedAt: at, text });
    }
    expect(replay.takeGapChanges()).toEqual([]);
    expect(trackerOf(replay).book.contentHash()).toBe(trackerOf(feed).book.contentHash());
    const { hole } = feed.frame(one(trade(START, 7, "BBB"), sequence + 1), START + 2_000);
    replay.record({ kind: "hole", receivedAt: START + 2_000, symbol: null, reason: hole ?? "" });
    const healing = one(book(START), sequence + 2);
    feed.frame(healing, START + 2_100);
    replay.record({ kind: "frame", receivedAt: START + 2_100, text: healing });
    expect(statesOf(replay)).toEqual(["live"]);
    expect(replay.takeGapChanges()).toEqual(feed.takeGapChanges().filter(({ market }) => market === "scripted:AAA"));
  });

  it("of one market's book, or of all in numbers, is of its own time in the replay, and touches no other book", () => {
    const replay = live(numbered);
    replay.record({ kind: "hole", receivedAt: START + 700, symbol: "AAA", reason: "silent for longer than its own pace allows" });
    expect(statesOf(replay)).toEqual(["syncing", "live"]);
    expect(trackerOf(replay).gaps.current).toMatchObject({
      reason: "stale",
      from: START + 500,
      detail: "silent for longer than its own pace allows",
    });
    replay.record({ kind: "hole", receivedAt: START + 800, symbol: null, reason: "message 9 of the connection follows 2" });
    expect(replay.now).toBe(START + 800);
    expect(statesOf(replay)).toEqual(["syncing", "syncing"]);
  });

  it("where the process was gone is a lost connection in the replay, as it was", () => {
    const replay = live(numbered);
    replay.record({ kind: "hole", receivedAt: START + 700, symbol: null, reason: `restarted; last alive at ${START + 600}` });
    expect(statesOf(replay)).toEqual(["disconnected", "disconnected"]);
    expect(trackerOf(replay).gaps.current?.reason).toBe("restarted");
  });
});

describe("a frame of a numbered connection that comes twice or late", () => {
  function late(...said: Parameters<typeof several>[0]): FeedReducer {
    const feed = live({ continuity: "connection" });
    feed.frame(one(depth(START, { b: [[999, 1]] }), 2), START + 600);
    expect(feed.frame(said.length === 1 && said[0] !== undefined ? one(said[0], 2) : several(said, 2), START + 700).hole).toBeNull();
    return feed;
  }

  it("changes no book: what it says is of the past", () => {
    for (const feed of [
      late(depth(START, { b: [[1_001, 1]] })),
      late(depth(START, { b: [[1_001, 1]] }), depth(START, { b: [[1_001, 2]] })),
      late(book(START, { b: [[900, 1]] })),
      late(quote(START, [900, 1], [901, 1])),
    ]) {
      expect(trackerOf(feed).state).toBe("live");
      expect(trackerOf(feed).quote).toBeNull();
      expect(trackerOf(feed).book.bids.bestTicks).toBe(1_000);
      expect(trackerOf(feed).book.bids.levelCount).toBe(2);
      expect(feed.takeGapChanges()).toEqual([]);
    }
  });

  it("gives its trades all the same, alone or among others, each once", () => {
    expect(trackerOf(late(trade(START, 7))).minute.trades).toBe(1);
    expect(trackerOf(late(trade(START, 7), depth(START, { b: [[1_001, 1]] }), trade(START, 7), trade(START, 8))).minute.trades).toBe(2);
  });
});
