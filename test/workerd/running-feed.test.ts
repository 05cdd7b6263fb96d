/**
 * A feed at work on the fake exchange, in an object that is only its context: the test calls the watchdog when it wants it, at the time that it
 * sets, so that hours pass without waiting and nothing else moves the feed.
 */

import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { minuteOf } from "../../core/units/time.ts";
import { FeedStore, ObjectStore } from "../../durable-objects/market-feed/feed-store.ts";
import { platformPort } from "../../durable-objects/market-feed/platform-port.ts";
import { RunningFeed } from "../../durable-objects/market-feed/running-feed.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import type { Decoder, ExchangeAdapter } from "../../exchanges/contract.ts";
import { decodeCheckpoint } from "../../feed/checkpoint.ts";
import type { FeedStatus } from "../../feed/contract.ts";
import { advanceClock, advanceIntoMinute } from "./clock.ts";
import { control, depthFrame, feedStub, snapshotBody } from "./exchange-control.ts";
import { tapeLines } from "./tape-lines.ts";

const SOON = { timeout: 10_000, interval: 20 };
/** Longer than the longest backoff. */
const BACKOFF_MS = 31_000;
const HOUR_MS = 3_600_000;
/** After which the grids may be asked for again where there are books. */
const REFRESH_MS = 300_000;
/** Of the minute that an earlier process died in. */
const PATH = "@1767614400/6000000/1;";
/** A frame that says nothing of a market. */
const ACKNOWLEDGED = '{"result":null,"id":1}';

interface Bench {
  readonly feed: RunningFeed;
  readonly store: FeedStore;
  /** When the feed asked to be called again. */
  readonly wakes: readonly number[];
  /** The process that comes after this one, on the same storage. */
  successor(): RunningFeed;
}

/** @param prepare what an earlier process left in the store. */
async function withFeed(
  name: string,
  act: (bench: Bench) => Promise<void>,
  {
    adapter = binanceSpot,
    prepare = () => {},
    levels = 20,
  }: { adapter?: ExchangeAdapter; prepare?: (store: FeedStore) => void; levels?: number } = {},
): Promise<void> {
  await runInDurableObject(feedStub(name), async (_, state) => {
    const store = new FeedStore(new ObjectStore(state.storage), name);
    const wakes: number[] = [];
    const configuration = { feed: name, object: name, venue: "binance-spot", symbols: ["BTCUSDT", "ETHUSDT"], levels };
    const wake = (at: number): void => void wakes.push(at);
    const successor = (): RunningFeed =>
      new RunningFeed({ configuration, adapter, hosts: undefined, store, port: platformPort({ adapter, key: undefined, wake }) });
    prepare(store);
    await act({ feed: successor(), store, wakes, successor });
  });
}

function connectionOf(feed: RunningFeed): FeedStatus["connection"] {
  return feed.status().connection;
}

function statesOf(feed: RunningFeed): string[] {
  return feed.status().markets.map(({ state }) => state);
}

/** Returns when the feed has taken them. */
async function send(feed: RunningFeed, frames: readonly string[]): Promise<void> {
  const before = feed.status().frames;
  await control.send(frames);
  await vi.waitFor(() => expect(feed.status().frames).toBe(before + frames.length), SOON);
}

/** While two connections are open, both bring each frame. */
async function sendOnBoth(feed: RunningFeed, frames: readonly string[]): Promise<void> {
  const before = feed.status().frames;
  await control.send(frames);
  await vi.waitFor(() => expect(feed.status().frames).toBe(before + 2 * frames.length), SOON);
}

function sequencesOf(feed: RunningFeed): (number | null)[] {
  return feed.status().markets.map(({ proof }) => proof.lastSequence);
}

function speak(feed: RunningFeed, sequence: number): Promise<void> {
  return send(feed, [depthFrame("BTCUSDT", { from: sequence }), depthFrame("ETHUSDT", { from: sequence })]);
}

/** Dials, and makes both books whole at this sequence. The wait before a dial must have passed. */
async function goLive(feed: RunningFeed, sequence: number): Promise<void> {
  await control.snapshots({ BTCUSDT: snapshotBody(sequence), ETHUSDT: snapshotBody(sequence) });
  await feed.reach();
  expect(connectionOf(feed).state).toBe("open");
  await speak(feed, sequence);
  await vi.waitFor(() => expect(statesOf(feed)).toEqual(["live", "live"]), SOON);
}

async function closedByVenue(feed: RunningFeed): Promise<void> {
  await control.close();
  await vi.waitFor(() => expect(connectionOf(feed).state).toBe("waiting"), SOON);
}

/** Of the gaps of BTCUSDT, in order. */
function reasonsOf(store: FeedStore): string[] {
  return store.pendingGaps().flatMap(({ market, reason }) => (market === "binance-spot:BTCUSDT" ? [reason] : []));
}

/** `<kind> <payload>` of each line. */
function recordsOf(tape: Uint8Array | null): string[] {
  return tapeLines(tape).map((line) => line.slice(line.indexOf(" ") + 1));
}

function kindsOf(records: readonly string[]): string {
  return records.map((record) => record[0]).join(" ");
}

describe("the running feed", () => {
  afterEach(async () => {
    await control.hold(false);
    await control.refuse(null);
    await control.close();
  });

  it("keeps what waits for snapshots in the room that all feeds of the object share, and leaves it empty", async () => {
    const act = async ({ feed, store }: Bench): Promise<void> => {
      const { pendingRoom } = store.object;
      advanceIntoMinute(5_000);
      await control.hold(true);
      await control.snapshots({ BTCUSDT: snapshotBody(100), ETHUSDT: snapshotBody(100) });
      await feed.reach();
      await speak(feed, 101);
      expect(pendingRoom.taken).toBe(depthFrame("BTCUSDT", { from: 101 }).length + depthFrame("ETHUSDT", { from: 101 }).length);
      await control.hold(false);
      await vi.waitFor(() => expect(statesOf(feed)).toEqual(["live", "live"]), SOON);
      expect(pendingRoom.taken).toBe(0);
    };
    await withFeed("pending-room", act);
  });

  it("keeps as many levels of a minute as its configuration says, of a book that has more", async () => {
    const act = async ({ feed, store }: Bench): Promise<void> => {
      advanceIntoMinute(45_000);
      await goLive(feed, 100);
      const bids: [string, string][] = [
        ["99.98", "1.00000"],
        ["99.97", "1.00000"],
        ["99.96", "1.00000"],
      ];
      await send(feed, [depthFrame("BTCUSDT", { from: 101, bids })]);
      const minute = minuteOf(Date.now());
      advanceClock(16_000);
      feed.watch();
      const [closed] = store.pendingMinutes(9).filter((each) => each.minute === minute);
      const snapshot = closed?.snapshots.find(({ market }) => market === "binance-spot:BTCUSDT");
      expect(snapshot?.bids?.map(([ticks]) => ticks) ?? null).toEqual([9_999, 9_998, 9_997]);
    };
    await withFeed("levels", act, { levels: 3 });
  });

  it("leaves a connection on which nothing comes any more, and the ledger says why and since when", async () => {
    await withFeed("silent", async ({ feed, store }) => {
      await goLive(feed, 100);
      const heardAt = Date.now();
      advanceClock(29_000);
      feed.watch();
      expect(connectionOf(feed).state).toBe("open");
      advanceClock(2_000);
      feed.watch();
      expect(connectionOf(feed)).toMatchObject({ state: "waiting", openedAt: null, lastDownReason: "nothing received for over 30 s" });
      const lost = store.pendingGaps().filter(({ reason }) => reason === "stale");
      expect(lost.map(({ market, to }) => [market, to])).toEqual([
        ["binance-spot:BTCUSDT", null],
        ["binance-spot:ETHUSDT", null],
      ]);
      // The book was good as long as the venue spoke, not until somebody noticed.
      for (const { from } of lost) expect(from).toBeLessThanOrEqual(heardAt);
      advanceClock(BACKOFF_MS);
      await goLive(feed, 200);
      // Why this one ends is not why the last one did.
      await closedByVenue(feed);
      expect(reasonsOf(store)).toEqual(["started", "stale", "connection-down"]);
    });
  });

  it("opens the next connection half an hour before the venue closes one by age, no sooner, and changes over without losing an update", async () => {
    await withFeed("old", async ({ feed, store }) => {
      await goLive(feed, 100);
      advanceClock(23.4 * HOUR_MS);
      await speak(feed, 101);
      await feed.reach();
      expect(await control.sockets()).toBe(1);
      advanceClock(0.2 * HOUR_MS);
      await speak(feed, 102);
      await feed.reach();
      expect(await control.sockets()).toBe(2);
      // Nothing of the new one has met the books yet: the old one stays.
      feed.watch();
      expect(await control.sockets()).toBe(2);
      await sendOnBoth(feed, [depthFrame("BTCUSDT", { from: 103 }), depthFrame("ETHUSDT", { from: 103 })]);
      feed.watch();
      await vi.waitFor(async () => expect(await control.sockets()).toBe(1), SOON);
      await speak(feed, 104);
      expect(statesOf(feed)).toEqual(["live", "live"]);
      expect(sequencesOf(feed)).toEqual([104, 104]);
      expect(reasonsOf(store)).toEqual(["started"]);
      expect(store.openGaps()).toEqual([]);
    });
  });

  it("goes on where it was when the venue closes an announced connection, since the next one has been there since", async () => {
    await withFeed("announced", async ({ feed, store }) => {
      await goLive(feed, 100);
      await send(feed, [JSON.stringify({ stream: "!serverShutdown", data: { e: "serverShutdown", E: Date.now() } })]);
      await vi.waitFor(async () => expect(await control.sockets()).toBe(2), SOON);
      await sendOnBoth(feed, [depthFrame("BTCUSDT", { from: 101 }), depthFrame("ETHUSDT", { from: 101 })]);
      feed.watch();
      await vi.waitFor(async () => expect(await control.sockets()).toBe(1), SOON);
      await speak(feed, 102);
      expect(sequencesOf(feed)).toEqual([102, 102]);
      expect(reasonsOf(store)).toEqual(["started"]);
    });
  });

  it("goes on by the next connection when the present one ends while that is being dialled, instead of waiting for a connection that it has", async () => {
    await withFeed("late-standby", async ({ feed, store }) => {
      await goLive(feed, 100);
      await control.holdUpgrades(true);
      advanceClock(23.6 * HOUR_MS);
      await speak(feed, 101);
      const reached = feed.reach();
      await vi.waitFor(async () => expect(await control.waiting()).toBe(1), SOON);
      await control.close();
      await vi.waitFor(() => expect(connectionOf(feed).state).toBe("waiting"), SOON);
      await control.snapshots({ BTCUSDT: snapshotBody(200), ETHUSDT: snapshotBody(200) });
      await control.holdUpgrades(false);
      await reached;
      expect(connectionOf(feed).state).toBe("open");
      await speak(feed, 201);
      await vi.waitFor(() => expect(statesOf(feed)).toEqual(["live", "live"]), SOON);
      expect(sequencesOf(feed)).toEqual([201, 201]);
      feed.watch();
      expect(reasonsOf(store)).toEqual(["started", "connection-down"]);
      expect(store.openGaps()).toEqual([]);
    });
  });

  it("takes the answer to a snapshot asked for before a change-over: the books are the same, and nobody would ask again", async () => {
    await withFeed("crossing", async ({ feed }) => {
      await goLive(feed, 100);
      advanceClock(23.6 * HOUR_MS);
      await speak(feed, 101);
      await feed.reach();
      await control.hold(true);
      await control.snapshots({ BTCUSDT: snapshotBody(300), ETHUSDT: snapshotBody(101) });
      // A hole in one market, whose snapshot is on its way when the other connection takes over.
      await sendOnBoth(feed, [depthFrame("BTCUSDT", { from: 300 }), depthFrame("ETHUSDT", { from: 102 })]);
      await vi.waitFor(async () => expect(await control.waiting()).toBe(1), SOON);
      feed.watch();
      await vi.waitFor(async () => expect(await control.sockets()).toBe(1), SOON);
      await control.hold(false);
      await vi.waitFor(() => expect(statesOf(feed)).toEqual(["live", "live"]), SOON);
      expect(sequencesOf(feed)).toEqual([300, 102]);
    });
  });

  it("asks for the venue's grids when its stream names others: a day on a lot that has become finer would be rounded up", async () => {
    let asked = 0;
    const adapter: ExchangeAdapter = {
      ...binanceSpot,
      createDecoder: gridDoubtingDecoder,
      decodeInstruments: (_, symbols) => {
        asked++;
        return { instruments: symbols.map(instrument) };
      },
    };
    await withFeed(
      "named-grids",
      async ({ feed }) => {
        await goLive(feed, 100);
        advanceClock(REFRESH_MS);
        await speak(feed, 101);
        feed.watch();
        await feed.reach();
        expect(asked).toBe(1);
        await send(feed, ["other grids"]);
        feed.watch();
        await feed.reach();
        expect([asked, ...statesOf(feed)]).toEqual([2, "live", "live"]);
      },
      { adapter },
    );
  });

  it("trusts no book after an input that it failed on, the standby's neither: it has the same books", async () => {
    await withFeed(
      "poisoned-standby",
      async ({ feed, store }) => {
        await goLive(feed, 100);
        advanceClock(23.6 * HOUR_MS);
        await speak(feed, 101);
        await feed.reach();
        expect(await control.sockets()).toBe(2);
        await control.send(["poison"]);
        await vi.waitFor(() => expect(connectionOf(feed).state).toBe("waiting"), SOON);
        await vi.waitFor(async () => expect(await control.sockets()).toBe(0), SOON);
        expect(statesOf(feed)).toEqual(["disconnected", "disconnected"]);
        expect(reasonsOf(store)).toEqual(["started", "connection-down"]);
      },
      { adapter: { ...binanceSpot, createDecoder: failingDecoder } },
    );
  });

  it("builds one market again that is silent while another speaks: its book would be served long after it was the venue's", async () => {
    await withFeed("one-silent", async ({ feed, store }) => {
      await goLive(feed, 100);
      advanceClock(31_000);
      await send(feed, [depthFrame("ETHUSDT", { from: 101 })]);
      feed.watch();
      expect(connectionOf(feed).state).toBe("open");
      expect(statesOf(feed)).toEqual(["syncing", "live"]);
      await closedByVenue(feed);
      expect(reasonsOf(store)).toEqual(["started", "stale"]);
    });
  });

  it("waits longer after each connection that didn't last, and is forgiven by one that did", async () => {
    await withFeed("backoff", async ({ feed, wakes }) => {
      const attempts: number[] = [];
      const connectFor = async (ms: number): Promise<void> => {
        advanceClock(BACKOFF_MS);
        await feed.reach();
        advanceClock(ms);
        await send(feed, [ACKNOWLEDGED]);
        await closedByVenue(feed);
        attempts.push(connectionOf(feed).attempts);
        // Nothing else would bring it back in time.
        expect(wakes.at(-1)).toBe(connectionOf(feed).retryAt);
      };
      for (const ms of [0, 0, 50_000, 61_000, 0]) await connectFor(ms);
      expect(attempts).toEqual([1, 2, 3, 1, 2]);
    });
  });

  it("goes to the venue's other host where snapshots are refused on an open connection: without them it would wait for ever", async () => {
    await withFeed("blocked", async ({ feed }) => {
      await goLive(feed, 100);
      await control.refuse(451);
      await send(feed, [depthFrame("BTCUSDT", { from: 110 })]);
      await vi.waitFor(() => expect(connectionOf(feed).state).toBe("blocked"), SOON);
      expect(connectionOf(feed)).toMatchObject({
        host: "wss://data-stream.binance.vision",
        lastDownReason: "REST is blocked here: 451: refused",
      });
      await control.refuse(null);
      advanceClock(BACKOFF_MS);
      await goLive(feed, 200);
    });
  });

  it("says what the venue refuses on the socket: nothing else would show it", async () => {
    await withFeed("refused", async ({ feed }) => {
      await goLive(feed, 100);
      await send(feed, ['{"error":{"code":2,"msg":"Invalid request"},"id":1}']);
      const { refusals, lastRefusal } = connectionOf(feed);
      expect([refusals, lastRefusal?.detail]).toEqual([1, '2: "Invalid request"']);
      expect(Date.now() - (lastRefusal?.at ?? 0)).toBeLessThan(10_000);
    });
  });

  it("asks for no more snapshots than the venue's budget allows, whatever it needs: the venue bans who does", async () => {
    // Nine tenths of 600 are the two first snapshots and the instruments: 520. A third would be 770.
    const adapter = { ...binanceSpot, limits: { ...binanceSpot.limits, weightPerMinute: 600 } };
    await withFeed(
      "budget",
      async ({ feed }) => {
        const before = await control.asked();
        await goLive(feed, 100);
        await control.snapshots({ BTCUSDT: snapshotBody(110), ETHUSDT: snapshotBody(100) });
        await send(feed, [depthFrame("BTCUSDT", { from: 110 })]);
        await send(feed, [depthFrame("ETHUSDT", { from: 101 })]);
        expect([statesOf(feed), (await control.asked()) - before]).toEqual([["syncing", "live"], 2]);
        advanceClock(60_001);
        await feed.reach();
        await vi.waitFor(() => expect(statesOf(feed)[0]).toBe("live"), SOON);
        expect((await control.asked()) - before).toBe(3);
      },
      { adapter },
    );
  });

  it("asks for the venue's grids once a day: on a lot that has become finer sizes would be rounded up, and nothing would show it", async () => {
    const asked: number[] = [];
    const adapter: ExchangeAdapter = {
      ...binanceSpot,
      decodeInstruments: (_, symbols) => {
        asked.push(Date.now());
        const lot = { decimals: asked.length === 1 ? 5 : 6, mantissa: 1 };
        return { instruments: symbols.map((symbol) => ({ ...instrument(symbol), lot })) };
      },
    };
    await withFeed(
      "daily",
      async ({ feed }) => {
        const lotOf = () => feed.status().markets[0]?.instrument.lot.decimals;
        await goLive(feed, 100);
        advanceClock(23 * HOUR_MS);
        await feed.reach();
        expect([asked.length, lotOf()]).toEqual([1, 5]);
        advanceClock(HOUR_MS);
        await feed.reach();
        expect([asked.length, lotOf()]).toEqual([2, 6]);
        advanceClock(HOUR_MS);
        await feed.reach();
        expect(asked.length).toBe(2);
      },
      { adapter },
    );
  });

  it("trusts no book after an input that it failed on, begins again, and the frame is on the tape", async () => {
    await withFeed(
      "poisoned",
      async ({ feed, store }) => {
        await goLive(feed, 100);
        const minute = minuteOf(Date.now());
        await control.send(["poison"]);
        await vi.waitFor(() => expect(connectionOf(feed).state).toBe("waiting"), SOON);
        expect(connectionOf(feed).lastDownReason).toBe("an input failed");
        // The minute may have turned meanwhile.
        expect([minute, minute + 60_000].flatMap((each) => recordsOf(store.tape("_feed", each)))).toContain("f poison");
        expect(reasonsOf(store)).toEqual(["started", "connection-down"]);
        advanceClock(BACKOFF_MS);
        await goLive(feed, 200);
      },
      { adapter: { ...binanceSpot, createDecoder: failingDecoder } },
    );
  });

  it("writes the hole that an unreadable message left onto each tape that lacks the message: a replay of one would keep the book", async () => {
    await withFeed(
      "unreadable",
      async ({ feed, store }) => {
        advanceIntoMinute(1_000);
        await goLive(feed, 100);
        const minute = minuteOf(Date.now());
        await control.snapshots({ BTCUSDT: snapshotBody(200), ETHUSDT: snapshotBody(200) });
        await send(feed, ["not JSON"]);
        expect(statesOf(feed)).toEqual(["syncing", "syncing"]);
        await speak(feed, 200);
        await vi.waitFor(() => expect(statesOf(feed)).toEqual(["live", "live"]), SOON);
        await closedByVenue(feed);
        const detail = /^g (BTC|ETH)USDT a message that could not be read: /;
        for (const symbol of ["BTCUSDT", "ETHUSDT"]) {
          const records = recordsOf(store.tape(symbol, minute));
          expect(records.filter((record) => detail.test(record))).toHaveLength(1);
          expect(records).not.toContain("f not JSON");
        }
        expect(recordsOf(store.tape("_feed", minute)).filter((record) => record.startsWith("g") || record === "f not JSON")).toEqual([
          "f not JSON",
        ]);
      },
      { adapter: { ...binanceSpot, continuity: "none" } },
    );
  });

  it("begins on changed grids with a new connection, also while a standby is open: that one carries books of the old grids", async () => {
    let asked = 0;
    const adapter: ExchangeAdapter = {
      ...binanceSpot,
      decodeInstruments: (_, symbols) => {
        asked++;
        const lot = { decimals: asked === 1 ? 5 : 6, mantissa: 1 };
        return { instruments: symbols.map((symbol) => ({ ...instrument(symbol), lot })) };
      },
    };
    await withFeed(
      "grids-beside-a-standby",
      async ({ feed }) => {
        await goLive(feed, 100);
        advanceClock(23.6 * HOUR_MS);
        await speak(feed, 101);
        await feed.reach();
        expect(await control.sockets()).toBe(2);
        advanceClock(0.5 * HOUR_MS);
        await feed.reach();
        await vi.waitFor(async () => expect(await control.sockets()).toBe(0), SOON);
        expect(feed.status().markets[0]?.instrument.lot.decimals).toBe(6);
        advanceClock(BACKOFF_MS);
        await goLive(feed, 200);
        expect(sequencesOf(feed)).toEqual([200, 200]);
      },
      { adapter },
    );
  });

  it("has on the tape whatever a replay needs: openings, ends, snapshots, holes, and grids and books at the hour", async () => {
    await withFeed("hour", async ({ feed, store, successor }) => {
      const hour = (Math.floor(Date.now() / HOUR_MS) + 1) * HOUR_MS;
      advanceClock(hour - 10_000 - Date.now());
      await goLive(feed, 100);
      await closedByVenue(feed);
      advanceClock(1_000);
      await goLive(feed, 200);
      // Its pace is to be a busy market's.
      await speak(feed, 201);
      advanceClock(hour - Date.now());
      await speak(feed, 202);
      const next = hour + 60_000;
      advanceClock(next - Date.now());
      await speak(feed, 203);
      advanceClock(50_000);
      await send(feed, [depthFrame("ETHUSDT", { from: 204 })]);
      feed.watch();
      await closedByVenue(feed);
      successor();

      const before = recordsOf(store.tape("BTCUSDT", hour - 60_000));
      expect(kindsOf(before)).toBe("i o f a s c o f a s f");
      expect([before[1], before[3], before[4], before[5], before[6], before[8], before[9]]).toEqual([
        "o 1",
        "a BTCUSDT",
        `s BTCUSDT ${snapshotBody(100)}`,
        "c connection-down: closed by the venue with 1001 scripted",
        "o 2",
        "a BTCUSDT",
        `s BTCUSDT ${snapshotBody(200)}`,
      ]);
      expect(kindsOf(recordsOf(store.tape("_feed", hour - 60_000)))).toBe("o c o");

      const atHour = recordsOf(store.tape("BTCUSDT", hour));
      expect(kindsOf(atHour)).toBe("i k f");
      expect(atHour[0]).toBe("i BTCUSDT 0.01 0.00001");
      expect(decodeCheckpoint(atHour[1]?.slice("k BTCUSDT ".length) ?? "")).toMatchObject({ lastSequence: 201 });

      const after = recordsOf(store.tape("BTCUSDT", next));
      expect(kindsOf(after)).toBe("i f g c i g");
      expect(after[2]).toBe("g BTCUSDT silent for longer than its own pace allows");
      expect(after[5]).toMatch(/^g \* restarted; last alive at \d+$/);
      expect(kindsOf(recordsOf(store.tape("ETHUSDT", next)))).toBe("i f f c i g");
      expect(kindsOf(recordsOf(store.tape("_feed", next)))).toBe("c g");
    });
  });
});

describe("a feed that comes after one that died", () => {
  it("has its hole begin where that one was last alive, its gaps of the day, and what it counted of the minute that is still open", async () => {
    advanceIntoMinute(20_000);
    const now = Date.now();
    const minute = minuteOf(now);
    const prepare = (store: FeedStore): void => {
      leave(store, minute + 5_000, [now - 25 * HOUR_MS, now - 23 * HOUR_MS, now - HOUR_MS]);
      // That one was alive then too, and closed no row.
      store.saveChunk(minute - 60_000, [{ symbol: "BTCUSDT", gzip: new Uint8Array(10) }]);
    };
    await withFeed(
      "successor",
      async ({ feed, store, successor }) => {
        expect(store.pendingGaps().map(({ market, from, to, reason }) => [market, from - minute, to, reason])).toEqual([
          ["binance-spot:BTCUSDT", 5_000, null, "restarted"],
          ["binance-spot:ETHUSDT", 5_000, null, "restarted"],
        ]);
        const gaps24h = (of: RunningFeed): number[] => of.status().markets.map(({ proof }) => proof.gaps24h);
        expect(gaps24h(feed)).toEqual([3, 1]);
        advanceClock(minute + 60_000 - Date.now());
        feed.watch();
        expect(countsFrom(store, minute)).toEqual([
          [-60, [0, 0, 0, null], [0, 0, 0, null]],
          [0, [1_500, 7, 3, PATH], [0, 0, 0, null]],
        ]);
        expect(gaps24h(successor())).toEqual([3, 1]);
      },
      { prepare },
    );
  });

  it("counts for no later minute what that one had counted of the minute it died in", async () => {
    advanceIntoMinute(20_000);
    const minute = minuteOf(Date.now());
    await withFeed(
      "late-successor",
      async ({ feed, store }) => {
        advanceClock(minute + 60_000 - Date.now());
        feed.watch();
        expect(countsFrom(store, minute)).toEqual([
          [-60, [1_500, 7, 3, PATH], [0, 0, 0, null]],
          [0, [0, 0, 0, null], [0, 0, 0, null]],
        ]);
      },
      { prepare: (store) => leave(store, minute - 55_000, []) },
    );
  });
});

/** What a process leaves that died at this time and had counted a few things of BTCUSDT in that minute. */
function leave(store: FeedStore, at: number, gapStarts: readonly number[]): void {
  const nothing = { coveredMs: 0, events: 0, trades: 0, gapStarts: [] };
  const markets = { BTCUSDT: { coveredMs: 1_500, events: 7, trades: 3, pricePath: PATH, gapStarts }, ETHUSDT: nothing };
  store.keep("instruments", [instrument("BTCUSDT"), instrument("ETHUSDT")]);
  store.keep("alive", { at, minute: minuteOf(at), markets });
}

/** The closed minutes: seconds from `minute` to their start, then what was counted of each market. */
function countsFrom(store: FeedStore, minute: number): unknown[] {
  return store
    .pendingMinutes(9)
    .map((each) => [
      (each.minute - minute) / 1_000,
      ...each.snapshots.map(({ coveredMs, events, trades, pricePath }) => [coveredMs, events, trades, pricePath]),
    ]);
}

function instrument(symbol: string): Instrument {
  return { venue: "binance-spot", symbol, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } };
}

/** The venue's decoder, with a fault of ours in it. */
/** Reads the text "other grids" as a venue's word of that. */
function gridDoubtingDecoder(instruments: readonly Instrument[]): Decoder {
  const decoder = binanceSpot.createDecoder(instruments);
  return {
    ...decoder,
    decode: (frame) =>
      frame === "other grids"
        ? { kind: "event", event: { kind: "instrument", symbol: "BTCUSDT", venueState: null, hasOtherGrids: true } }
        : decoder.decode(frame),
  };
}

function failingDecoder(instruments: readonly Instrument[]): ReturnType<ExchangeAdapter["createDecoder"]> {
  const decoder = binanceSpot.createDecoder(instruments);
  return {
    ...decoder,
    decode: (frame) => {
      if (frame === "poison") throw new Error("a bug of ours");
      return decoder.decode(frame);
    },
  };
}
