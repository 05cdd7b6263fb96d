/** Losses prevented: a fault that breaks something else than it says, breaks nothing, or isn't written down, so that no ledger can be held to it. */

import { describe, expect, it } from "vitest";
import type { MarketRecord } from "../../core/wire/market-events.ts";
import type { FaultName, FaultOrder } from "../../exchange-simulator/faults/fault.ts";
import { parseFaultOrders } from "../../exchange-simulator/faults/fault.ts";
import { type FaultEntry, FaultRecord } from "../../exchange-simulator/faults/record.ts";
import { faultSchedule } from "../../exchange-simulator/faults/schedule.ts";
import { openClient, RefusedError } from "../../exchange-simulator/in-process.ts";
import type { World } from "../../exchange-simulator/world.ts";
import { BrokenError, NaiveBinance } from "./naive-clients.ts";
import {
  askForBook,
  generatedWorld,
  naiveOf,
  START,
  scriptedWorld,
  subscribe,
  symbolsOf,
  truthOf,
  VENUES,
  venueWorld,
} from "./venue-world.ts";

const SECONDS = 20;

/** What a client of the first symbol is told, frame by frame. */
async function told(
  venue: string,
  orders: readonly FaultOrder[],
): Promise<{ texts: string[]; world: World; record: readonly FaultEntry[] }> {
  const world = await venueWorld(venue, SECONDS, { seed: 1, orders });
  const client = subscribe(world, venue, [symbolsOf(venue)[0]]);
  world.advanceTo(START + (SECONDS + 2) * 1_000);
  return { texts: client.take(), world, record: world.injector?.record.all ?? [] };
}

/** The one place where two lists of texts differ, as what stands there in each. */
function difference(
  untouched: readonly string[],
  broken: readonly string[],
): { at: number; was: readonly string[]; is: readonly string[] } {
  const at = untouched.findIndex((text, index) => text !== broken[index]);
  let end = 0;
  while (end < Math.min(untouched.length, broken.length) - at && untouched.at(-1 - end) === broken.at(-1 - end)) end++;
  return { at, was: untouched.slice(at, untouched.length - end), is: broken.slice(at, broken.length - end) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Told without any fault, once a venue. */
const cleanTexts = new Map<string, Awaited<ReturnType<typeof told>>>();

async function clean(venue: string) {
  const known = cleanTexts.get(venue) ?? (await told(venue, []));
  cleanTexts.set(venue, known);
  return known;
}

const AFTER = { afterFrames: 10, channel: "depth" } as const;

describe.each(VENUES)("on %s", (venue) => {
  const [symbol] = symbolsOf(venue);
  const order = (fault: FaultName, more: Partial<FaultOrder> = {}): FaultOrder => ({ fault, venue, symbol, ...AFTER, ...more });

  it("drop takes one frame, the one that the record names", async () => {
    const untouched = await clean(venue);
    const { texts, record } = await told(venue, [order("drop")]);
    const { was, is } = difference(untouched.texts, texts);
    expect(is).toEqual([]);
    expect(was).toHaveLength(1);
    expect(untouched.record).toEqual([]);
    expect(record).toMatchObject([{ fault: "drop", venue, symbol, channel: "depth", connection: 1, frame: 11, order: 1 }]);
    expect(record[0]?.lost).toMatchObject([{ symbol, channel: "depth", frames: 1 }]);
    const lost = JSON.parse(was[0] ?? "");
    if (venue.startsWith("binance")) expect(record[0]?.lost).toMatchObject([{ first: lost.data.U, last: lost.data.u }]);
    if (venue === "coinbase-advanced") expect(record[0]?.lost).toMatchObject([{ first: lost.sequence_num, last: lost.sequence_num }]);
  });

  it("duplicate tells one frame twice, reorder tells it behind the next of its kind", async () => {
    const untouched = await clean(venue);
    const doubled = await told(venue, [order("duplicate")]);
    const twice = difference(untouched.texts, doubled.texts);
    expect([twice.was, twice.is]).toEqual([[], [untouched.texts[twice.at - 1]]]);
    expect(doubled.record).toMatchObject([{ fault: "duplicate", lost: [] }]);
    const turned = await told(venue, [order("reorder")]);
    const { was, is } = difference(untouched.texts, turned.texts);
    expect(is.at(-1)).toBe(was[0]);
    expect(is.toSorted()).toEqual(was.toSorted());
    expect(turned.record).toMatchObject([{ fault: "reorder", lost: [] }]);
  });

  it("corrupt and truncate leave a text in its place that is no JSON", async () => {
    const untouched = await clean(venue);
    for (const fault of ["corrupt", "truncate"] as const) {
      const { texts, record } = await told(venue, [order(fault)]);
      const { was, is } = difference(untouched.texts, texts);
      expect([was.length, is.length]).toEqual([1, 1]);
      expect(is.map(isJson)).toEqual([false]);
      expect(fault === "corrupt" ? is[0]?.length : was[0]?.startsWith(is[0] ?? "?")).toBe(fault === "corrupt" ? was[0]?.length : true);
      expect(record).toMatchObject([{ fault, lost: [{ symbol, channel: "depth", frames: 1 }] }]);
    }
  });

  it("delay holds the connection, and gives out everything in order", async () => {
    const world = await venueWorld(venue, SECONDS, { seed: 1, orders: [order("delay", { byMs: 2_000 })] });
    const client = subscribe(world, venue, [symbol]);
    let quiet = 0;
    let longest = 0;
    const texts: string[] = [];
    for (let time = START; time <= START + (SECONDS + 2) * 1_000; time += 100) {
      world.advanceTo(time);
      const now = client.take();
      quiet = now.length === 0 && texts.length > 0 && time < START + SECONDS * 1_000 ? quiet + 1 : 0;
      longest = Math.max(longest, quiet);
      texts.push(...now);
    }
    expect(longest).toBeGreaterThanOrEqual(18);
    expect(texts).toEqual((await clean(venue)).texts);
    expect(world.injector?.record.all).toMatchObject([{ fault: "delay", lost: [] }]);
  });

  it("crossed-book makes the book cross, where it is said to", async () => {
    const world = await venueWorld(venue, SECONDS, { seed: 1, orders: [order("crossed-book", { at: START + 5_000, afterFrames: 0 })] });
    const client = subscribe(world, venue, [symbol]);
    const naive = naiveOf(venue);
    if (naive instanceof NaiveBinance) naive.snapshot(symbol, askForBook(world, venue, symbol));
    world.advanceTo(START + 7_000);
    let crossed = 0;
    for (const text of client.take()) {
      naive.hear(text);
      const { bids, asks } = naive.book(symbol);
      if ((bids[0]?.[0] ?? 0) > (asks[0]?.[0] ?? Number.POSITIVE_INFINITY)) crossed++;
    }
    expect(crossed).toBeGreaterThan(0);
    expect(world.injector?.record.all).toMatchObject([{ fault: "crossed-book", symbol, lost: [] }]);
  });

  it("crossed-book crosses also where the message itself takes away the price that the false bid has", () => {
    const at = (receivedAt: number) => ({ receivedAt, venueTime: receivedAt, sequence: null });
    const records: MarketRecord[] = [
      { kind: "snapshot", ...at(START), bids: [[20, 1]], asks: [[22, 1]] },
      // The best ask is 18 then, the false bid at 20, where the bid goes.
      {
        kind: "depth",
        ...at(START + 2_000),
        bids: [
          [20, 0],
          [10, 1],
        ],
        asks: [[18, 1]],
      },
    ];
    const world = scriptedWorld(records, { seed: 1, orders: [order("crossed-book", { at: START + 1_000, afterFrames: 0 })] });
    const client = subscribe(world, venue, [symbol]);
    const naive = naiveOf(venue);
    if (naive instanceof NaiveBinance) naive.snapshot(symbol, askForBook(world, venue, symbol));
    world.advanceTo(START + 3_000);
    for (const text of client.take()) naive.hear(text);
    const { bids, asks } = naive.book(symbol);
    expect([bids[0]?.[0], asks[0]?.[0]]).toEqual([10, 9]);
  });

  it("silence takes what it covers for as long as it lasts, and no heartbeat, pong or other symbol", async () => {
    const orders = [{ fault: "silence", venue, symbol, at: START + 5_000, durationMs: 5_000 }] as const;
    const world = await generatedWorld(SECONDS, { venues: [venue], faults: { seed: 1, orders } });
    const client = subscribe(world, venue, symbolsOf(venue));
    world.advanceTo(START + 5_000);
    client.take();
    if (venue === "bitmex") client.say("ping");
    world.advanceTo(START + 9_900);
    const during = client.take();
    world.advanceTo(START + 12_000);
    const after = client.take();
    const [, other] = symbolsOf(venue);
    const ofSymbol = (texts: readonly string[], name: string) =>
      texts.filter((text) => text.includes(`"${name}"`) && !/heartbeat/.test(text));
    expect(ofSymbol(during, symbol).length).toBeLessThanOrEqual(1);
    expect(ofSymbol(during, other).length).toBeGreaterThan(20);
    expect(ofSymbol(after, symbol).length).toBeGreaterThan(5);
    if (venue === "bitmex") expect(during).toContain("pong");
    if (venue.startsWith("coinbase")) expect(during.filter((text) => /heartbeat/.test(text)).length).toBeGreaterThanOrEqual(4);
    const [entry] = world.injector?.record.all ?? [];
    expect(entry).toMatchObject({ fault: "silence", symbol, channel: null });
    expect((entry?.until ?? 0) - (entry?.at ?? 0)).toBe(5_000);
    const depth = entry?.lost.find(({ channel }) => channel === "depth");
    expect(depth?.frames).toBeGreaterThan(20);
  });

  it("close-1006, tcp-reset and close-24h end the connection as they say", async () => {
    for (const [fault, code] of [
      ["close-1006", 1006],
      ["tcp-reset", 1006],
      ["close-24h", 1001],
    ] as const) {
      const world = await venueWorld(venue, SECONDS, { seed: 1, orders: [{ fault, venue, at: START + 3_000, isAnnounced: false }] });
      const client = subscribe(world, venue, [symbol]);
      world.advanceTo(START + 2_900);
      expect(client.closedWith).toBeNull();
      world.advanceTo(START + 3_100);
      expect(client.closedWith).toBe(code);
      expect(world.injector?.record.all).toMatchObject([{ fault, venue, connection: 1, at: START + 3_000 }]);
      client.take();
      world.advanceTo(START + 6_000);
      expect(client.take()).toEqual([]);
    }
  });

  it("http-429, -418 and -451 refuse requests and sockets for a while, with Retry-After where the venue has it", async () => {
    for (const status of [429, 418, 451] as const) {
      const orders = [{ fault: `http-${status}` as const, venue, at: START + 1_000, durationMs: 4_000 }];
      const world = await venueWorld(venue, SECONDS, { seed: 1, orders });
      world.advanceTo(START + 2_000);
      const ask = () => world.rest(venue, { method: "GET", path: "/", query: new URLSearchParams() }).answer;
      expect([ask().status, ask().headers?.["retry-after"]]).toEqual([status, status === 451 ? undefined : "3"]);
      expect(() => openClient(world, venue, "/")).toThrow(RefusedError);
      world.advanceTo(START + 5_100);
      expect(ask().status).not.toBe(status);
      expect(world.injector?.record.all.map(({ fault }) => fault)).toEqual([`http-${status}`, `http-${status}`, `http-${status}`]);
    }
  });

  it("slow-rest keeps one answer back; clock-skew moves the venue's times for a while", async () => {
    const orders = [
      { fault: "slow-rest", venue, byMs: 700 },
      { fault: "clock-skew", venue, at: START + 5_000, durationMs: 5_000, byMs: 60_000 },
    ] as const;
    const untouched = await clean(venue);
    const { texts, world, record } = await told(venue, orders);
    const ask = () => world.rest(venue, { method: "GET", path: "/", query: new URLSearchParams() }).delayMs;
    expect([ask(), ask()]).toEqual([700, 0]);
    const moved = texts.filter((text, index) => text !== untouched.texts[index]);
    expect(texts).toHaveLength(untouched.texts.length);
    expect(moved.length).toBeGreaterThan(50);
    expect(record).toMatchObject([{ fault: "clock-skew", until: START + 10_000 }, { fault: "slow-rest" }]);
    const isAMinuteAhead = (text: string) => text.includes(String(START + 60_000 + 5_000).slice(0, 8)) || /T12:01:(0|10)/.test(text);
    expect(moved.every(isAMinuteAhead)).toBe(true);
  });
});

describe("stale-snapshot", () => {
  it.each(["binance-spot", "binance-usd-m", "binance-coin-m"])(
    "%s answers one request with the book of 10 to 20 s before",
    async (venue) => {
      const [symbol] = symbolsOf(venue);
      const world = await venueWorld(venue, 60, { seed: 1, orders: [{ fault: "stale-snapshot", venue, symbol, at: START + 40_000 }] });
      const ids = [39_000, 41_000, 42_000].map((afterMs) => {
        world.advanceTo(START + afterMs);
        return JSON.parse(askForBook(world, venue, symbol)).lastUpdateId as number;
      });
      expect(ids[1]).toBeLessThan(ids[0] ?? 0);
      expect(ids[2]).toBeGreaterThan(ids[0] ?? 0);
      expect(world.injector?.record.all).toMatchObject([{ fault: "stale-snapshot", symbol, channel: "snapshot" }]);
    },
  );

  it.each(["coinbase-advanced", "coinbase-exchange", "bitmex"])(
    "%s tells an old book once more, and goes on from the new one",
    async (venue) => {
      const [symbol] = symbolsOf(venue);
      const world = await venueWorld(venue, 60, { seed: 1, orders: [{ fault: "stale-snapshot", venue, symbol, at: START + 40_000 }] });
      const client = subscribe(world, venue, [symbol]);
      world.advanceTo(START + 62_000);
      const texts = client.take();
      const isSnapshot = (text: string) => /"snapshot"|"partial"/.test(text) && !/market_trades|ticker|candles|"trade"|"quote"/.test(text);
      const places = texts.flatMap((text, index) => (isSnapshot(text) ? [index] : []));
      expect(places).toHaveLength(2);
      const naive = naiveOf(venue);
      for (const text of texts.slice(0, places[1])) naive.hear(text);
      const before = naive.book(symbol);
      naive.hear(texts[places[1] ?? 0] ?? "");
      expect(naive.book(symbol)).not.toEqual(before);
      expect(world.injector?.record.all).toMatchObject([{ fault: "stale-snapshot", symbol }]);
    },
  );
});

describe("id-map", () => {
  it("tells BitMEX's clients of a row that was never there", async () => {
    const order = { fault: "id-map", venue: "bitmex", symbol: "XBTUSD", afterFrames: 5 } as const;
    const { texts, record } = await told("bitmex", [order]);
    const naive = naiveOf("bitmex");
    expect(() => {
      for (const text of texts) naive.hear(text);
    }).toThrow(BrokenError);
    expect(record).toMatchObject([{ fault: "id-map", symbol: "XBTUSD", frame: 6 }]);
  });

  it.each(VENUES.filter((venue) => venue !== "bitmex"))("has no occasion on %s", async (venue) => {
    const { record } = await told(venue, [{ fault: "id-map", venue }]);
    expect(record).toEqual([]);
  });
});

describe("close-24h", () => {
  it("is announced by Binance spot ten seconds before", async () => {
    const world = await venueWorld("binance-spot", SECONDS, {
      seed: 1,
      orders: [{ fault: "close-24h", venue: "binance-spot", at: START + 3_000 }],
    });
    const client = subscribe(world, "binance-spot", ["BTCUSD"]);
    world.advanceTo(START + 12_900);
    expect(client.take().filter((text) => text.includes("serverShutdown"))).toEqual([`{"e":"serverShutdown","E":${START + 3_000}}`]);
    expect(client.closedWith).toBeNull();
    world.advanceTo(START + 13_100);
    expect(client.closedWith).toBe(1001);
  });

  it("comes by itself at the age that was set", async () => {
    const world = await venueWorld("bitmex", SECONDS, { seed: 1, lifetimeMs: 4_000 });
    const client = subscribe(world, "bitmex", ["XBTUSD"]);
    world.advanceTo(START + 3_900);
    expect(client.closedWith).toBeNull();
    world.advanceTo(START + 4_100);
    expect(client.closedWith).toBe(1001);
  });
});

describe("faults by seed", () => {
  const run = async (seed: number) => {
    const world = await generatedWorld(60, { faults: { seed, ratePerMinute: 60 } });
    const clients = new Map(VENUES.map((venue) => [venue, subscribe(world, venue, symbolsOf(venue))]));
    const texts: string[] = [];
    for (let time = START; time <= START + 62_000; time += 500) {
      world.advanceTo(time);
      for (const [venue, client] of clients) {
        texts.push(...client.take());
        if (client.closedWith === null) continue;
        try {
          clients.set(venue, subscribe(world, venue, symbolsOf(venue)));
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
        }
      }
    }
    return { record: world.injector?.record.toNdjson() ?? "", texts };
  };

  it("are the same in two runs of a seed, and others in another", async () => {
    const [one, again, other] = [await run(5), await run(5), await run(6)];
    expect(again.record).toBe(one.record);
    expect(again.texts).toEqual(one.texts);
    expect(other.record).not.toBe(one.record);
    expect(one.record.split("\n").length).toBeGreaterThan(20);
  });

  it("come at the rate asked for, on what is listed alone", () => {
    const venues = [{ venue: "bitmex", symbols: ["XBTUSD"], hasRestBook: false }];
    const schedule = faultSchedule({ seed: 3, ratePerMinute: 10, startTime: START, venues });
    const orders = Array.from({ length: 2_000 }, () => schedule.next().value as FaultOrder & { at: number });
    const minutes = ((orders.at(-1)?.at ?? 0) - START) / 60_000;
    expect(orders.length / minutes).toBeGreaterThan(9);
    expect(orders.length / minutes).toBeLessThan(11);
    expect(new Set(orders.map(({ venue }) => venue))).toEqual(new Set(["bitmex"]));
    expect(new Set(orders.map(({ fault }) => fault)).size).toBe(18);
  });

  it("leave a client that lost nothing with the true book: settle gives out what was held back", async () => {
    const orders = [
      { fault: "reorder", venue: "coinbase-exchange", at: START + 18_000, channel: "quote" },
      { fault: "delay", venue: "coinbase-exchange", at: START + 19_000, byMs: 60_000 },
    ] as const;
    const world = await venueWorld("coinbase-exchange", SECONDS, { seed: 1, orders });
    const client = subscribe(world, "coinbase-exchange", ["BTC-USD"]);
    world.advanceTo(START + 19_800);
    world.settle();
    const naive = naiveOf("coinbase-exchange");
    for (const text of client.take()) naive.hear(text);
    expect(naive.book("BTC-USD")).toEqual(truthOf(world, "coinbase-exchange", "BTC-USD"));
  });
});

describe("the record", () => {
  it("gives away what is over and keeps what goes on, and counts nothing of it as forgotten", () => {
    const record = new FaultRecord();
    const more = { order: 1, venue: "v", symbol: null, channel: null, connection: null, frame: null, lost: [], detail: "" };
    record.add({ at: 10, until: null, fault: "drop", ...more });
    record.add({ at: 20, until: 90, fault: "silence", ...more });
    record.add({ at: 50, until: null, fault: "drop", ...more });
    expect(record.takeBefore(50).map(({ number }) => number)).toEqual([1]);
    expect(record.all.map(({ number }) => number)).toEqual([2, 3]);
    expect(record.takeBefore(91).map(({ number }) => number)).toEqual([2, 3]);
    expect(record.add({ at: 99, until: null, fault: "drop", ...more }).number).toBe(4);
    expect(record.dropped).toBe(0);
  });
});

describe("an order", () => {
  it.each([
    ["{", /not JSON/],
    ["7", /an object with a fault/],
    ['{"fault":"fire"}', /is none of drop/],
    ['{"fault":"drop","channel":"smoke"}', /channel is one of/],
    ['{"fault":"drop","at":"now"}', /at is a number/],
    ['{"fault":"drop","probability":-1}', /probability is a number/],
    ['{"fault":"drop","symbl":"XBTUSD"}', /no symbl/],
    ['[{"fault":"drop"},{"fault":"delay","byMs":null}]', /byMs is a number/],
    ['{"fault":"http-429","target":"all"}', /rest or websocket/],
  ])("%s is refused in words", (text, reason) => {
    const orders = parseFaultOrders(text);
    expect("malformed" in orders ? orders.malformed : "").toMatch(reason);
  });
});
