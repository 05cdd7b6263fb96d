import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeedReducer } from "../../feed/feed-reducer.ts";
import { MAX_OUTSTANDING_BYTES } from "../../feed/stream/client-flow.ts";
import { FanOut } from "../../feed/stream/fan-out.ts";
import type { Subscription } from "../../feed/stream/protocol.ts";
import { depthFrame, marketOf, quoteFrame, START, scriptedFeed, snapshotBody, synchronise, tradeFrame } from "./scripted-venue.ts";
import { ScriptedClient } from "./stream-client.ts";

const A = "binance-spot:AAAUSDT";
const ALL: Subscription = { market: A, channels: ["quote", "trades", "depth", "gaps"], levels: 20, intervalMs: 100 };

interface Scene {
  readonly feed: FeedReducer;
  readonly fanOut: FanOut;
  now: number;
  sequence: number;
  /** What the last turn said. */
  wanted: "going-on" | "quiet";
  /** How often the fan-out has asked to be turned again. */
  news: number;
}

/** A live book at sequence 101, at START + 200. */
function scene(): Scene {
  const feed = scriptedFeed();
  synchronise(feed);
  let nonces = 0;
  const fanOut = new FanOut({ feed: "main", markets: [A], nonce: () => `nonce-${nonces++}`, onNews: () => at.news++ });
  fanOut.attach(feed.markets.values());
  const at: Scene = { feed, fanOut, now: START + 200, sequence: 101, wanted: "going-on", news: 0 };
  return at;
}

function turn(at: Scene, ms = 100): void {
  at.now += ms;
  at.wanted = at.fanOut.turn(at.now);
}

/** A change of the best bid. */
function change(at: Scene, size = `${at.sequence}.000`): void {
  at.sequence++;
  at.feed.frame(depthFrame({ from: at.sequence, time: at.now, bids: [["10.00", size]] }), at.now);
}

function joined(at: Scene, subscription: Partial<Subscription> = {}): ScriptedClient & { say: (value: unknown) => void } {
  const port = new ScriptedClient();
  const client = at.fanOut.join(port, [{ ...ALL, ...subscription }], at.now);
  return Object.assign(port, {
    say: (value: unknown) => at.fanOut.message(client, typeof value === "string" ? value : JSON.stringify(value), at.now),
  });
}

describe("what a client is told", () => {
  it("begins with the grids and how the market stands, then the quote and the book", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    expect(client.messages).toMatchObject([
      { kind: "welcome", feed: "main", markets: [A] },
      { kind: "subscription", market: A, channels: ALL.channels, levels: 20, intervalMs: 100, tick: "0.01", lot: "0.001" },
      { kind: "state", market: A, state: "live", detail: null },
      { kind: "quote", market: A, bid: [1_000, 1_000], ask: [1_002, 1_000], source: "book", lastSequence: 101, receivedAt: START + 200 },
      { kind: "snapshot", market: A, sequence: 1 },
    ]);
  });

  it("holds each trade once, with who took it and when, and none before it listened", () => {
    const at = scene();
    at.feed.frame(tradeFrame(1, at.now), at.now);
    const client = joined(at, { channels: ["trades"] });
    turn(at);
    for (const id of [2, 3, 3]) at.feed.frame(tradeFrame(id, at.now - 5), at.now);
    turn(at);
    turn(at);
    const line = { venueTime: START + 295, receivedAt: START + 300, priceTicks: 1_000, sizeLots: 1_000, takerSide: "buy" };
    expect(client.of("trades")).toEqual([
      {
        kind: "trades",
        market: A,
        missed: 0,
        trades: [
          { tradeId: 2, ...line },
          { tradeId: 3, ...line },
        ],
      },
    ]);
    expect(client.kinds).not.toContain("snapshot");
  });

  it("counts the trades of a burst that no bound could hold, instead of dropping them in silence", () => {
    const at = scene();
    const client = joined(at, { channels: ["trades"] });
    turn(at);
    for (let id = 1; id <= 700; id++) at.feed.frame(tradeFrame(id, at.now), at.now);
    turn(at);
    expect(client.of("trades").map(({ trades, missed }) => [trades.length, missed])).toEqual([
      [250, 0],
      [250, 200],
    ]);
  });

  it("keeps the venue's own quote, and not twice the same", () => {
    const at = scene();
    const client = joined(at, { channels: ["quote"] });
    turn(at);
    const top = { bid: ["10.00", "4.000"], ask: ["10.02", "1.000"] } as const;
    at.feed.frame(quoteFrame(103, top), at.now);
    turn(at);
    at.feed.frame(quoteFrame(104, top), at.now);
    turn(at);
    expect(client.of("quote").slice(1)).toMatchObject([
      { bid: [1_000, 4_000], source: "venue-quote", lastSequence: 103, receivedAt: START + 300 },
    ]);
  });

  it("shows a loss as a gap and its end as a gap and a new snapshot, on whichever channels: silence must not look like quiet", () => {
    const at = scene();
    const clients = [
      joined(at),
      joined(at, { channels: ["quote"] }),
      joined(at, { channels: ["trades"] }),
      joined(at, { channels: ["gaps"] }),
    ];
    turn(at);
    for (const client of clients) client.clear();
    at.feed.frame(depthFrame({ from: 150, time: at.now }), at.now);
    turn(at);
    for (const client of clients) {
      expect(client.messages).toMatchObject([
        { kind: "gap", market: A, gap: { from: START + 200, to: null, reason: "sequence-gap", action: "pending" } },
        { kind: "state", market: A, state: "syncing" },
      ]);
      client.clear();
    }
    at.feed.snapshot("AAAUSDT", snapshotBody(150), at.now);
    turn(at);
    expect(clients.map(({ kinds }) => kinds)).toEqual([
      ["gap", "state", "quote", "snapshot"],
      ["gap", "state", "quote"],
      ["gap", "state"],
      ["gap", "state"],
    ]);
    expect(clients[3]?.of("gap")).toMatchObject([{ gap: { to: START + 400, action: "resynced" } }]);
  });

  it("tells of a book that was lost and built again between two turns: the client's own is another one", () => {
    const at = scene();
    const client = joined(at, { channels: ["depth"] });
    turn(at);
    client.clear();
    at.feed.frame(depthFrame({ from: 150, time: at.now }), at.now);
    at.feed.snapshot("AAAUSDT", snapshotBody(150), at.now);
    turn(at);
    expect(client.kinds).toEqual(["gap", "gap", "snapshot"]);
  });

  it("tells it also where all of that was in one millisecond", () => {
    const at = scene();
    const client = joined(at, { channels: ["depth"] });
    turn(at, 0);
    client.clear();
    at.feed.frame(depthFrame({ from: 150, time: at.now }), at.now);
    at.feed.snapshot("AAAUSDT", snapshotBody(150), at.now);
    turn(at, 0);
    expect(client.kinds).toEqual(["gap", "gap", "snapshot"]);
  });

  it("says of a market in the midst of a gap that it is, since when and why", () => {
    const at = scene();
    at.feed.connectionLost(at.now, "connection-down", "reset");
    const client = joined(at);
    turn(at);
    expect(client.messages.slice(1)).toMatchObject([
      { kind: "subscription" },
      { kind: "state", state: "disconnected" },
      { kind: "gap", gap: { reason: "connection-down", to: null } },
    ]);
  });

  it("says that a live book is stale when nothing has come for longer than its pace allows", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    client.clear();
    turn(at, 40_000);
    expect(client.of("state")).toMatchObject([{ state: "stale" }]);
  });

  it("is at its own pace: a slow interval gets one change for many, and still the exact book", () => {
    const at = scene();
    const [fast, slow] = [joined(at), joined(at, { intervalMs: 500 })];
    for (let index = 0; index < 20; index++) {
      change(at);
      turn(at);
    }
    expect(fast.of("depth")).toHaveLength(19);
    expect(slow.of("depth").length).toBeLessThanOrEqual(4);
    expect(slow.of("depth").length).toBeGreaterThanOrEqual(3);
    expect(slow.keeper.side(A, "bids")).toEqual(fast.keeper.side(A, "bids"));
    expect(slow.keeper.side(A, "bids")[0]).toEqual([1_000, 120_000]);
  });

  it("is one frame a turn, however much the turn brings", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    const before = client.frames;
    change(at);
    at.feed.frame(tradeFrame(5, at.now), at.now);
    turn(at);
    turn(at);
    expect(client.frames).toBe(before + 1);
    expect(client.kinds.slice(-3)).toEqual(["trades", "quote", "depth"]);
  });

  it("goes on with its book where only trades were lost", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    client.clear();
    marketOf(at.feed).onLoss({ kind: "loss", symbol: "AAAUSDT", channel: "trades", detail: "three", reason: "sequence-gap" }, at.now);
    turn(at);
    change(at, "50.000");
    turn(at);
    expect(client.messages).toMatchObject([
      { kind: "gap", gap: { channel: "trades", reason: "lost-trades" } },
      { kind: "quote", bid: [1_000, 50_000] },
      { kind: "depth", previous: 1, sequence: 2 },
    ]);
  });

  it("comes from the new books when the feed begins them anew", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    client.clear();
    const other = scriptedFeed();
    synchronise(other);
    at.fanOut.attach(other.markets.values());
    at.feed.frame(tradeFrame(9, at.now), at.now);
    other.frame(depthFrame({ from: 102, time: at.now, bids: [["9.97", "1.000"]] }), at.now);
    turn(at);
    expect(client.kinds).toEqual(["subscription", "state", "quote", "snapshot"]);
    expect(client.keeper.side(A, "bids").at(-1)).toEqual([997, 1_000]);
  });

  it("needs no turns while the venue is away and everybody knows it, and asks for them as soon as it is back", () => {
    const at = scene();
    const client = joined(at);
    turn(at);
    turn(at);
    expect(at.wanted).toBe("going-on");
    at.feed.connectionLost(at.now, "connection-down", "reset");
    turn(at);
    expect(at.wanted).toBe("quiet");
    at.feed.connectionOpened(at.now);
    const before = at.news;
    at.feed.snapshot("AAAUSDT", snapshotBody(150), at.now);
    expect(at.news).toBe(before + 1);
    client.clear();
    turn(at);
    expect(at.wanted).toBe("going-on");
    expect(client.kinds).toEqual(["gap", "state", "quote", "snapshot"]);
  });

  it("costs the feed nothing once nobody listens", () => {
    const at = scene();
    const port = new ScriptedClient();
    const client = at.fanOut.join(port, [ALL], at.now);
    expect(marketOf(at.feed).tradeListener).not.toBeNull();
    at.fanOut.leave(client);
    expect(marketOf(at.feed).tradeListener).toBeNull();
    expect(marketOf(at.feed).gaps.listener).toBeNull();
  });
});

describe("what a client may say", () => {
  it("adds channels, changes levels, and takes them away again", () => {
    const at = scene();
    const client = joined(at, { channels: ["gaps"] });
    turn(at);
    client.clear();
    client.say({ op: "subscribe", channels: ["depth"], levels: 100 });
    turn(at);
    expect(client.messages).toMatchObject([
      { kind: "subscription", channels: ["gaps", "depth"], levels: 100 },
      { kind: "state" },
      { kind: "snapshot" },
    ]);
    expect(client.remembered).toEqual([{ market: A, channels: ["gaps", "depth"], levels: 100, intervalMs: 100 }]);
    client.clear();
    client.say({ op: "unsubscribe", channels: ["depth"] });
    change(at);
    turn(at);
    expect(client.kinds).toEqual(["subscription", "state"]);
    client.say({ op: "unsubscribe" });
    expect(client.messages.at(-1)).toEqual({ kind: "unsubscribed", market: A });
    expect(client.remembered).toEqual([]);
  });

  it("names no more markets than a socket can remember, at once or one after the other", () => {
    const markets = Array.from({ length: 51 }, (_, index) => `binance-spot:M${index}`);
    const fanOut = new FanOut({ feed: "main", markets, nonce: () => "x", onNews: () => {} });
    const port = new ScriptedClient();
    const client = fanOut.join(port, [{ ...ALL, market: "binance-spot:M50" }], START);
    const say = (names: readonly string[]): void => fanOut.message(client, JSON.stringify({ op: "subscribe", markets: names }), START);
    say(markets);
    say(markets.slice(0, 50));
    expect(port.of("error").map(({ detail }) => detail)).toEqual([
      "markets: 51: at most 50 on one socket",
      "markets: 51 with those before: at most 50 on one socket",
    ]);
    expect(port.remembered).toHaveLength(1);
    say(markets.slice(1, 50));
    expect(port.remembered).toHaveLength(50);
  });

  it("wrong is answered with why, and reaches no other client", () => {
    const at = scene();
    const [hostile, other] = [joined(at), joined(at)];
    turn(at);
    other.clear();
    for (const text of ["{", '{"op":"subscribe","markets":["x:Y"]}', "\u0000"]) hostile.say(text);
    expect(hostile.of("error")).toHaveLength(3);
    turn(at);
    expect(other.texts).toEqual([]);
  });

  it("without end closes that client alone", () => {
    const at = scene();
    const [hostile, other] = [joined(at), joined(at)];
    for (let index = 0; index < 30; index++) hostile.say("{}");
    expect(hostile.closed).toEqual({ code: 1008, reason: "too many messages" });
    expect(hostile.of("error")).toHaveLength(20);
    expect(other.closed).toBeNull();
    expect(at.fanOut.clientCount).toBe(1);
  });
});

describe("a client that does not read", () => {
  /** Turns until it lags. */
  function untilLagging(at: Scene, client: ScriptedClient): void {
    for (let index = 0; index < 2_000 && !client.kinds.includes("lagging"); index++) {
      change(at);
      turn(at, 10);
    }
    expect(client.kinds).toContain("lagging");
  }

  it("is owed no more than the bound, and closed with a reason when it never answers", () => {
    const at = scene();
    const client = joined(at);
    for (let index = 0; index < 4_000; index++) {
      change(at);
      turn(at, 10);
    }
    const bytes = client.texts.reduce((sum, text) => sum + text.length, 0);
    expect(bytes).toBeLessThanOrEqual(MAX_OUTSTANDING_BYTES + 500);
    expect(bytes).toBeGreaterThan(MAX_OUTSTANDING_BYTES / 2);
    expect(client.closed).toEqual({ code: 1013, reason: "a ping was not answered within 30 s" });
    expect(at.fanOut.clientCount).toBe(0);
  });

  it("is closed for that also where little is sent: a dead peer is found", () => {
    const at = scene();
    const client = joined(at, { channels: ["gaps"] });
    turn(at, 14_000);
    expect(client.of("ping")).toHaveLength(0);
    turn(at, 1_100);
    expect(client.of("ping")).toHaveLength(1);
    turn(at, 29_000);
    expect(client.closed).toBeNull();
    turn(at, 1_000);
    expect(client.closed?.code).toBe(1013);
  });

  it("is not taken for one while it answers, however long it stays", () => {
    const at = scene();
    const client = joined(at, { channels: ["gaps"] });
    for (let quarter = 1; quarter <= 10; quarter++) {
      turn(at, 15_100);
      expect(client.of("ping")).toHaveLength(quarter);
      client.say(client.pong());
    }
    expect(client.closed).toBeNull();
  });

  it("gets a new snapshot in place of the changes when it has caught up, and is told how many trades it missed", () => {
    const at = scene();
    const client = joined(at);
    untilLagging(at, client);
    const owed = client.texts.length;
    for (let id = 1; id <= 3; id++) at.feed.frame(tradeFrame(id, at.now), at.now);
    change(at, "77.000");
    turn(at);
    expect(client.texts).toHaveLength(owed);
    client.say(client.pong());
    turn(at);
    expect(client.messages.slice(owed)).toMatchObject([
      { kind: "resumed", after: "lag", missedTrades: 3 },
      { kind: "subscription" },
      { kind: "state", state: "live" },
      { kind: "quote", bid: [1_000, 77_000] },
      {
        kind: "snapshot",
        bids: [
          [1_000, 77_000],
          [999, 2_000],
        ],
      },
    ]);
    change(at, "78.000");
    turn(at);
    expect(client.keeper.side(A, "bids")[0]).toEqual([1_000, 78_000]);
  });

  it("costs the others nothing: they get every change meanwhile", () => {
    const at = scene();
    const slow = joined(at);
    const port = new ScriptedClient();
    const reader = at.fanOut.join(port, [ALL], at.now);
    for (let index = 0; index < 2_000; index++) {
      change(at);
      turn(at, 10);
      const ping = port.of("ping").at(-1);
      if (ping !== undefined) at.fanOut.message(reader, JSON.stringify({ op: "pong", id: ping.id }), at.now);
      if (ping !== undefined) port.clear();
    }
    expect(slow.kinds).toContain("lagging");
    expect(port.closed).toBeNull();
    expect(port.keeper.side(A, "bids")[0]).toEqual([1_000, 2_100_000]);
  });

  it("can't answer pings that it hasn't read, nor one twice", () => {
    const at = scene();
    const client = joined(at);
    untilLagging(at, client);
    const owed = client.texts.length;
    for (let index = 0; index < 5; index++) client.say({ op: "pong", id: `nonce-${100 + index}` });
    turn(at);
    expect(client.texts).toHaveLength(owed);
    client.say(client.pong());
    client.say(client.pong());
    expect(client.of("resumed")).toHaveLength(1);
  });

  it("is never owed more than the bound, whatever it answers and when, and holds the exact book whenever it is told one", () => {
    const step = fc.constantFrom("change", "change", "change", "turn", "turn", "pong", "trade", "break");
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 1_500 }), (steps) => {
        const at = scene();
        const client = joined(at, { levels: 100 });
        let answered = 0;
        for (const each of steps) {
          if (each === "change") change(at);
          if (each === "turn") turn(at);
          if (each === "trade") for (let id = 0; id < 300; id++) at.feed.frame(tradeFrame(at.sequence * 1_000 + id, at.now), at.now);
          if (each === "break") {
            at.sequence += 50;
            at.feed.frame(depthFrame({ from: at.sequence, time: at.now }), at.now);
            at.feed.snapshot("AAAUSDT", snapshotBody(at.sequence), at.now);
          }
          if (each === "pong" && client.of("ping").length > 0) {
            const at = client.messages.findLastIndex(({ kind }) => kind === "ping");
            client.say(client.pong());
            answered = Math.max(answered, at + 1);
          }
          const owed = client.texts.slice(answered).reduce((sum, text) => sum + text.length, 0);
          expect(owed).toBeLessThanOrEqual(MAX_OUTSTANDING_BYTES + 1_000);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a socket that has outlived its feed's process", () => {
  it("is sent nothing but a ping until it answers, since what waits in it is not known; then the gap and everything anew", () => {
    const at = scene();
    const port = new ScriptedClient();
    at.feed.connectionLost(at.now, "restarted", "the feed's process was gone");
    const client = at.fanOut.rejoin(port, [ALL, { ...ALL, market: "binance-spot:GONE" }], at.now);
    for (let index = 0; index < 50; index++) turn(at);
    expect(port.kinds).toEqual(["ping"]);
    at.fanOut.message(client, port.pong(), at.now);
    turn(at);
    expect(port.messages.slice(1)).toMatchObject([
      { kind: "resumed", after: "restart", missedTrades: null },
      { kind: "subscription", market: A, channels: ALL.channels },
      { kind: "state", state: "disconnected" },
      { kind: "gap", gap: { reason: "restarted", to: null } },
    ]);
  });
});
