/**
 * The change from one connection to the next where books carry no numbers. Losses prevented: an update that neither connection's book has, a book that
 * looks live and has stopped, a trade counted twice or not at all, a market handed over to a book that is another.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TapeRecord } from "../../core/wire/tape.ts";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import {
  book,
  depth,
  type Level,
  one,
  type Said,
  type ScriptedOptions,
  START,
  scriptedStream,
  several,
  trackerOf,
  trade,
} from "./scripted-adapter.ts";

const BOTH = ["AAA", "BBB"];

/** A feed that writes its own tape as the shell does (running-feed.ts). */
class Taped {
  readonly feed: FeedReducer;
  readonly tape: TapeRecord[] = [];
  private readonly options: ScriptedOptions;

  constructor(options: ScriptedOptions = {}) {
    this.options = options;
    this.feed = scriptedStream(options);
  }

  open(receivedAt: number): void {
    this.feed.connectionOpened(receivedAt);
    this.tape.push({ kind: "open", receivedAt, connection: "1" });
  }

  main(text: string, receivedAt: number): void {
    this.feed.frame(text, receivedAt);
    this.tape.push({ kind: "frame", receivedAt, text });
  }

  openStandby(receivedAt: number): void {
    this.feed.standbyOpened(receivedAt);
    this.tape.push({ kind: "standby-open", receivedAt, connection: "2" });
  }

  standby(text: string, receivedAt: number): ReturnType<FeedReducer["standbyFrame"]> {
    const taken = this.feed.standbyFrame(text, receivedAt);
    this.tape.push({ kind: "standby-frame", receivedAt, text });
    if (taken.broken !== null) this.loseStandby(receivedAt, taken.broken);
    return taken;
  }

  loseStandby(receivedAt: number, reason = "1006"): void {
    this.feed.standbyLost(receivedAt);
    this.tape.push({ kind: "standby-down", receivedAt, reason });
  }

  takeOver(receivedAt: number): void {
    this.feed.takeOver(receivedAt);
    this.tape.push({ kind: "takeover", receivedAt, connection: "2: rotated" });
  }

  hash(symbol = "AAA"): string {
    return trackerOf(this.feed, symbol).book.contentHash();
  }

  /** Books, states and gaps of the feed, and of a replay of its tape. */
  outcomes(): unknown[] {
    const replay = scriptedStream(this.options);
    for (const record of this.tape) replay.record(record);
    return [this.feed, replay].map((of) => ({
      gaps: of.takeGapChanges(),
      markets: [...of.markets].map(([symbol, market]) => [symbol, market.state, market.book.contentHash(), market.minute.trades]),
      frames: of.frames,
    }));
  }
}

/** Change `index` of a book: its own level each time, so that no two states of a book are equal. */
function change(index: number, s = "AAA"): Said {
  return depth(START, { s, b: [[900 - (index % 50), index + 1]] });
}

/** The bids of a book of 10.00 after the changes before `count`. */
function bidsAfter(count: number): Level[] {
  const bids = new Map<number, number>([[1_000, 5]]);
  for (let index = 0; index < count; index++) bids.set(900 - (index % 50), index + 1);
  return [...bids];
}

function bidsOf(feed: FeedReducer, s = "AAA"): Level[] {
  const { bids } = trackerOf(feed, s).book;
  return Array.from({ length: bids.levelCount }, (_, at): Level => [bids.ticksAt(at), bids.lotsAt(at)]).toReversed();
}

function sorted(levels: readonly Level[]): Level[] {
  return levels.toSorted(([left], [right]) => left - right);
}

/** Both connections open, the present one at change `count`; the standby silent. */
function rotating(count: number, options: ScriptedOptions = {}): Taped {
  const taped = new Taped(options);
  taped.open(START);
  for (const s of options.symbols ?? ["AAA"]) taped.main(one(book(START, { s })), START + 100);
  for (let index = 0; index < count; index++) taped.main(one(change(index)), START + 200 + index);
  taped.feed.takeGapChanges();
  taped.openStandby(START + 10_000);
  return taped;
}

const AT = START + 10_000;

describe("a market whose two books meet", () => {
  it("is the standby's from there on: what the present connection still says of it is of the past", () => {
    const taped = rotating(3);
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    expect(taped.feed.standbyState(AT + 100)).toBe("joined");
    taped.standby(one(change(3)), AT + 200);
    taped.main(one(change(3)), AT + 250);
    taped.standby(one(change(4)), AT + 300);
    taped.takeOver(AT + 400);
    taped.standby(one(change(99)), AT + 450);
    taped.main(one(change(5)), AT + 500);
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(6)));
    expect(trackerOf(taped.feed)).toMatchObject({ state: "live", unbrokenSince: START + 100 });
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [] });
    expect(replayed).toEqual(live);
  });

  it("takes nothing from the present connection that is late with what the standby has overwritten since", () => {
    const taped = rotating(3);
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    for (let index = 3; index < 60; index++) taped.standby(one(change(index)), AT + 200 + index);
    // The level of change 53, as it was fifty changes ago.
    taped.main(one(change(3)), AT + 300);
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(60)));
  });

  it("joins where the standby has gone on from where the present one now stands, and the book goes on with it", () => {
    const taped = rotating(3);
    taped.standby(one(book(START, { b: bidsAfter(4) })), AT + 100);
    for (const index of [4, 5]) taped.standby(one(change(index)), AT + 200 + index);
    expect(taped.feed.standbyState(AT + 250)).toBe("joining");
    taped.main(one(change(3)), AT + 300);
    expect(taped.feed.standbyState(AT + 300)).toBe("joined");
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(6)));
    expect(taped.feed.takeGapChanges()).toEqual([]);
  });

  it.each([1, 5, 100])("joins at once where the standby is ahead by %d", (ahead) => {
    const taped = rotating(3);
    taped.standby(one(book(START, { b: bidsAfter(3 + ahead) })), AT + 100);
    // Seen first as a book of its own: the present one has to come by where the standby began.
    expect(taped.feed.standbyState(AT + 100)).toBe("joining");
    for (let index = 3; index < 3 + ahead; index++) taped.main(one(change(index)), AT + 200 + index);
    expect(taped.feed.standbyState(AT + 400)).toBe("joined");
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(3 + ahead)));
  });

  it("doesn't step back to a standby that is behind: it has two seconds to catch up", () => {
    const behind = rotating(3);
    for (let index = 3; index < 8; index++) behind.main(one(change(index)), AT + index);
    behind.standby(one(book(START, { b: bidsAfter(4) })), AT + 100);
    expect(behind.feed.standbyState(AT + 100)).toBe("joining");
    for (let index = 4; index < 8; index++) behind.standby(one(change(index)), AT + 200 + index);
    expect(behind.feed.standbyState(AT + 300)).toBe("joined");
    expect(bidsOf(behind.feed)).toEqual(sorted(bidsAfter(8)));
    expect(behind.feed.takeGapChanges()).toEqual([]);
  });

  it("is taken as it is where it never catches up: a step back of a few messages, each of which still comes", () => {
    const taped = rotating(3);
    for (let index = 3; index < 8; index++) taped.main(one(change(index)), AT + index);
    taped.standby(one(book(START, { b: bidsAfter(4) })), AT + 100);
    taped.main(one(change(8)), AT + 1_000);
    taped.standby(one(change(4)), AT + 2_200);
    expect(taped.feed.standbyState(AT + 2_200)).toBe("joined");
    for (let index = 5; index < 9; index++) taped.standby(one(change(index)), AT + 2_300);
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(9)));
    const [live, replayed] = taped.outcomes();
    expect(replayed).toEqual(live);
  });
});

describe("a market whose two books never meet", () => {
  it("is shown after ten seconds to have held a wrong level: the other book takes its place, and the ledger has it since it was last whole", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    taped.standby(one(book(START, { s: "BBB", b: [[999, 77]] })), AT + 100);
    for (let second = 1; second <= 10; second++) {
      taped.main(one(depth(START, { s: "BBB", b: [[990, second]] })), AT + second * 1_000);
      taped.standby(one(depth(START, { s: "BBB", b: [[990, second]] })), AT + second * 1_000);
    }
    expect(taped.feed.standbyState(AT + 10_000)).toBe("joining");
    expect(bidsOf(taped.feed, "BBB")).not.toContainEqual([999, 77]);
    taped.main(one(depth(START, { s: "BBB", b: [[990, 11]] })), AT + 11_000);
    expect(taped.feed.standbyState(AT + 11_000)).toBe("joined");
    expect(bidsOf(taped.feed, "BBB")).toEqual([
      [990, 10],
      [999, 77],
    ]);
    expect([...taped.feed.markets.values()].map(({ audits, lastAuditAt }) => [audits, lastAuditAt])).toEqual([
      [1, AT + 100],
      [1, AT + 11_000],
    ]);
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:BBB", reason: "snapshot-differs", from: START + 100, to: AT + 11_000 }] });
    expect(replayed).toEqual(live);
  });

  it("is one all the same where no level has differed throughout: the connections cut the changes into other messages", () => {
    const taped = rotating(0);
    // The present connection tells each second change of a pair with the first of the next one: its book never is one of the other's.
    taped.main(one(depth(START, { b: [[995, 1]] })), AT);
    taped.standby(one(book(START, { b: [...bidsAfter(0), [995, 1], [990, 1]] })), AT + 100);
    for (let pair = 2; pair <= 60; pair++) {
      taped.main(
        one(
          depth(START, {
            b: [
              [990, pair - 1],
              [995, pair],
            ],
          }),
        ),
        AT + pair * 200,
      );
      taped.standby(
        one(
          depth(START, {
            b: [
              [995, pair],
              [990, pair],
            ],
          }),
        ),
        AT + pair * 200 + 100,
      );
    }
    expect(taped.feed.standbyState(AT + 12_200)).toBe("joined");
    const [market] = [...taped.feed.markets.values()];
    expect(market?.audits).toBe(1);
    expect(taped.feed.takeGapChanges()).toEqual([]);
  });

  it("keeps the change from happening until it is overdue where the other's never comes", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    expect(taped.feed.standbyState(AT + 120_000)).toBe("joining");
    expect(taped.feed.standbyState(AT + 120_001)).toBe("overdue");
    taped.loseStandby(AT + 120_001);
    // The one that had been moved goes back to nothing; the other was never touched.
    expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["syncing", "live"]);
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:AAA", reason: "standby-lost" }] });
    expect(replayed).toEqual(live);
  });

  it("is the other where nothing comes on either, and they differ", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    taped.standby(one(book(START, { s: "BBB", b: [[999, 77]] })), AT + 100);
    expect(taped.feed.standbyState(AT + 29_999)).toBe("joining");
    expect(taped.feed.standbyState(AT + 30_000)).toBe("joined");
    taped.takeOver(AT + 30_000);
    expect(bidsOf(taped.feed, "BBB")).toEqual([[999, 77]]);
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:BBB", reason: "snapshot-differs", from: START + 100, to: AT + 30_000 }] });
    expect(replayed).toEqual(live);
  });

  it("is built again where the present connection goes down meanwhile, and the others go on", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    taped.standby(one(book(START, { s: "BBB", b: [[999, 77]] })), AT + 100);
    taped.takeOver(AT + 500);
    expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["live", "syncing"]);
    expect(taped.feed.wantedSnapshots(AT + 500)).toEqual(["BBB"]);
    taped.main(one(change(3)), AT + 600);
    taped.main(one(book(START, { s: "BBB", b: [[999, 77]] })), AT + 700);
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:BBB", reason: "rotation", to: AT + 700 }] });
    expect(replayed).toEqual(live);
  });

  it("that has no book when the standby takes over has the standby's at once, and asks for none: it would be without one for another round", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.feed.resync("BBB", AT + 50, "silent for longer than its own pace allows");
    taped.tape.push({ kind: "hole", receivedAt: AT + 50, symbol: "BBB", reason: "silent for longer than its own pace allows" });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    taped.standby(one(book(START, { s: "BBB", b: [[999, 77]] })), AT + 100);
    taped.standby(one(depth(START, { s: "BBB", b: [[998, 5]] })), AT + 110);
    taped.takeOver(AT + 500);
    expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["live", "live"]);
    expect(taped.feed.wantedSnapshots(AT + 10_000)).toEqual([]);
    taped.main(one(depth(START, { s: "BBB", b: [[997, 6]] })), AT + 600);
    expect(bidsOf(taped.feed, "BBB")).toEqual([
      [997, 6],
      [998, 5],
      [999, 77],
    ]);
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:BBB", reason: "stale", to: AT + 500 }] });
    expect(replayed).toEqual(live);
  });

  it("that has no book when the standby takes over is built anew where the standby has none either, or one that can't be", () => {
    for (const crossed of [false, true]) {
      const taped = rotating(3, { symbols: BOTH });
      taped.feed.resync("BBB", AT + 50, "silent for longer than its own pace allows");
      taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
      if (crossed) taped.standby(one(book(START, { s: "BBB", b: [[9_999, 77]] })), AT + 100);
      taped.takeOver(AT + 500);
      expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["live", "syncing"]);
      expect(taped.feed.wantedSnapshots(AT + 10_000)).toEqual(["BBB"]);
    }
  });

  it("goes on where nothing has come of it on either for half a minute: there was nothing to lose", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    expect(taped.feed.standbyState(AT + 29_999)).toBe("joining");
    // Without its book, silence proves nothing.
    expect(taped.feed.standbyState(AT + 30_000)).toBe("joining");
    taped.standby(one(book(START, { s: "BBB" })), AT + 30_100);
    expect(taped.feed.standbyState(AT + 30_100)).toBe("joined");
  });
});

describe("trades while two connections are open", () => {
  it("count once, whichever brings them first, and none is lost", () => {
    for (const joined of [true, false]) {
      const taped = rotating(3, { tradeIds: "consecutive" });
      const heard: number[] = [];
      trackerOf(taped.feed).tradeListener = ({ tradeId }) => heard.push(tradeId);
      if (joined) taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 50);
      taped.main(one(trade(START, 1)), AT + 100);
      taped.standby(one(trade(START, 1)), AT + 110);
      taped.standby(several([trade(START, 2), trade(START, 3)]), AT + 120);
      taped.main(several([trade(START, 2), trade(START, 3), trade(START, 4)]), AT + 130);
      taped.takeOver(AT + 140);
      taped.main(several([trade(START, 4), trade(START, 5)]), AT + 150);
      expect(heard).toEqual([1, 2, 3, 4, 5]);
      expect(taped.feed.takeGapChanges().filter(({ channel }) => channel === "trades")).toEqual([]);
    }
  });
});

describe("trades that one connection brings and the other has missed or is late with", () => {
  const holes = (taped: Taped) => taped.feed.takeGapChanges().filter(({ channel }) => channel === "trades");

  it("are no loss where they come after all, and one where they haven't come when one connection alone is left", () => {
    const late = rotating(0, { tradeIds: "consecutive" });
    late.main(one(trade(START, 1)), AT + 100);
    late.standby(one(trade(START, 4)), AT + 200);
    late.main(several([trade(START, 2), trade(START, 3)]), AT + 300);
    late.loseStandby(AT + 400);
    expect(holes(late)).toEqual([]);
    const lost = rotating(0, { tradeIds: "consecutive" });
    lost.main(one(trade(START, 1)), AT + 100);
    lost.standby(one(trade(START, 4)), AT + 200);
    lost.main(one(trade(START, 2)), AT + 300);
    expect(holes(lost)).toEqual([]);
    lost.takeOver(AT + 400);
    expect(holes(lost)).toMatchObject([
      { from: AT + 100, to: AT + 200, reason: "lost-trades", detail: "1 trade(s) before 4 never came", action: "noted" },
    ]);
    lost.main(one(trade(START, 6)), AT + 500);
    expect(holes(lost)).toMatchObject([{ from: AT + 300, to: AT + 500 }]);
  });

  it("are losses at once past what is held: sixty-four holes", () => {
    const taped = rotating(0, { tradeIds: "consecutive" });
    taped.main(one(trade(START, 0)), AT + 100);
    for (let hole = 1; hole <= 65; hole++) taped.standby(one(trade(START, hole * 2)), AT + 100 + hole);
    expect(holes(taped)).toMatchObject([{ detail: "1 trade(s) before 2 never came" }]);
  });
});

describe("a standby that has lost something", () => {
  it("before its books met: waits for another of the market's, and the present one goes on", () => {
    const taped = rotating(3);
    for (const said of [[change(50), { k: "loss", s: "AAA", c: "depth", r: "unknown-level" }]] as const) {
      taped.standby(one(book(START, { b: bidsAfter(9) })), AT + 100);
      taped.standby(several(said), AT + 200);
    }
    taped.main(one(change(3)), AT + 300);
    expect(taped.feed.standbyState(AT + 300)).toBe("joining");
    taped.standby(one(book(START, { b: bidsAfter(4) })), AT + 400);
    expect(taped.feed.standbyState(AT + 400)).toBe("joined");
    expect(taped.feed.takeGapChanges()).toEqual([]);
  });

  it.each([
    ["of a market that it has", several([{ k: "loss", s: "AAA", c: "depth", r: "unknown-level" }]), "unknown-level", AT + 100],
    ["that could not be read, of a market that it has", '{"k":"bad","s":"AAA","c":"depth"}', "malformed", START + 202],
    ["of nobody knows which", "not JSON", "standby-lost", START + 202],
  ])("%s, is given up: the market would look live and never move again", (_, frame, reason, from) => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    expect(taped.standby(frame, AT + 200).broken).not.toBeNull();
    expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["syncing", "live"]);
    expect(taped.feed.standbyState(AT + 200)).toBe("none");
    expect(taped.feed.wantedSnapshots(AT + 200)).toEqual(["AAA"]);
    taped.main(one(book(START, { b: bidsAfter(4) })), AT + 300);
    taped.main(one(change(4)), AT + 400);
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(5)));
    const [live, replayed] = taped.outcomes();
    expect(live).toMatchObject({ gaps: [{ market: "scripted:AAA", reason, from, to: AT + 300 }] });
    expect(replayed).toEqual(live);
  });

  it("in its numbers is given up before anything of the frame that shows it is believed", () => {
    const taped = rotating(0, { continuity: "connection" });
    taped.standby(one(book(START), 70), AT + 100);
    expect(taped.standby(one(change(0), 72), AT + 200)).toMatchObject({ broken: "message 72 of the connection follows 70", symbols: [] });
    expect(trackerOf(taped.feed).state).toBe("syncing");
    expect(trackerOf(taped.feed).gaps.current).toMatchObject({ reason: "standby-lost", from: START + 100 });
  });

  it("and only repeats a frame has lost nothing: what the frame says of books is of the past, its trades are new trades", () => {
    const taped = rotating(0, { continuity: "connection" });
    taped.standby(one(book(START), 70), AT + 100);
    for (let index = 0; index < 60; index++) taped.standby(one(change(index), 71 + index), AT + 200 + index);
    taped.standby(several([change(3), trade(START, 9)], 74), AT + 300);
    expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(60)));
    expect(trackerOf(taped.feed).minute.trades).toBe(1);
    const [live, replayed] = taped.outcomes();
    expect(replayed).toEqual(live);
  });

  it("of trades or quotes loses nothing: the present connection has them", () => {
    const taped = rotating(3);
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    expect(taped.standby('{"k":"bad","s":"AAA","c":"trades"}', AT + 200).broken).toBeNull();
    expect(taped.feed.standbyState(AT + 200)).toBe("joined");
    expect(taped.feed.takeGapChanges()).toEqual([]);
  });
});

describe("the present connection", () => {
  it("that loses something while the standby is open touches no market that has been moved", () => {
    const taped = rotating(3, { symbols: BOTH });
    taped.standby(one(book(START, { b: bidsAfter(3) })), AT + 100);
    taped.main("not JSON", AT + 200);
    expect([...taped.feed.markets.values()].map(({ state }) => state)).toEqual(["live", "syncing"]);
  });
});

describe("a change of connections at any moment", () => {
  /** The same stream on two connections, each with lags of its own, in order on each. */
  const scenario = fc.record({
    changes: fc.integer({ min: 20, max: 60 }),
    mainLags: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 60, maxLength: 60 }),
    standbyLags: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 60, maxLength: 60 }),
    openAt: fc.integer({ min: 1, max: 15 }),
    continuity: fc.constantFrom("none" as const, "connection" as const),
  });

  it("loses no update: the book is the venue's after each message from the takeover on, and the tape replays to the same", () => {
    fc.assert(
      fc.property(scenario, ({ changes, mainLags, standbyLags, openAt, continuity }) => {
        const taped = new Taped({ continuity, tradeIds: "consecutive" });
        const numbered = continuity === "connection";
        taped.open(START);
        taped.main(one(book(START), numbered ? 1 : undefined), START + 1);
        type Arrival = { at: number; on: "main" | "standby"; index: number };
        const arrivals: Arrival[] = [];
        let main = 0;
        let standby = 0;
        for (let index = 0; index < changes; index++) {
          const sentAt = START + 1_000 + index * 100;
          main = Math.max(main + 1, sentAt + (mainLags[index] ?? 0));
          arrivals.push({ at: main, on: "main", index });
          if (index < openAt) continue;
          standby = Math.max(standby + 1, sentAt + (standbyLags[index] ?? 0));
          arrivals.push({ at: standby, on: "standby", index });
        }
        arrivals.sort((left, right) => left.at - right.at || (left.on === "main" ? -1 : 1));
        const frame = (index: number, first: number) =>
          several([change(index), trade(START, index + 1)], numbered ? first + index : undefined);
        taped.openStandby(START + 1_000);
        let isOver = false;
        let isBegun = false;
        for (const { at, on, index } of arrivals) {
          if (on === "main" && isOver) continue;
          if (on === "standby" && !isBegun) {
            // Its snapshot stands where its first change goes on.
            isBegun = true;
            taped.standby(one(book(START, { b: bidsAfter(index) }), numbered ? 900 : undefined), at);
          }
          if (on === "main") taped.main(frame(index, 2), at);
          else if (isOver) taped.main(frame(index, 901 - openAt), at);
          else taped.standby(frame(index, 901 - openAt), at);
          if (!isOver && taped.feed.standbyState(at) === "joined") {
            isOver = true;
            taped.takeOver(at);
          }
        }
        expect(isOver).toBe(true);
        expect(bidsOf(taped.feed)).toEqual(sorted(bidsAfter(changes)));
        expect(trackerOf(taped.feed).state).toBe("live");
        const trades = trackerOf(taped.feed).trades.messages;
        expect(trades).toBe(changes);
        const [live, replayed] = taped.outcomes();
        expect(live).toMatchObject({ gaps: [] });
        expect(replayed).toEqual(live);
      }),
      { numRuns: 200 },
    );
  });
});
