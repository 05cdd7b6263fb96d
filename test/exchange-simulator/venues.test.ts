/** Losses prevented: a protocol whose book, followed by the venue's own rules, isn't the market's; trades that are lost, doubled or turned round. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventLevel, MarketRecord } from "../../core/wire/market-events.ts";
import { openClient } from "../../exchange-simulator/in-process.ts";
import { NaiveAdvanced, NaiveBinance, NaiveBitmex } from "./naive-clients.ts";
import { askForBook, generatedWorld, naiveOf, START, scriptedWorld, subscribe, symbolsOf, truthOf, VENUES } from "./venue-world.ts";

/** Follows a venue from the start to the end of a world. */
function follow(world: ReturnType<typeof scriptedWorld>, venue: string, seconds: number) {
  const symbols = [...(world.stalls.get(venue)?.venue.listings.keys() ?? [])];
  const client = subscribe(world, venue, symbols);
  const naive = naiveOf(venue);
  for (let time = START; time <= START + (seconds + 1) * 1_000; time += 250) {
    world.advanceTo(time);
    for (const text of client.take()) naive.hear(text);
    if (time !== START + 500 || !(naive instanceof NaiveBinance)) continue;
    for (const symbol of symbols) naive.snapshot(symbol, askForBook(world, venue, symbol));
  }
  return { naive, symbols, client };
}

describe.each(VENUES)("%s, followed by its own rules", (venue) => {
  it("leads to the market's books, trades and best prices", async () => {
    const world = await generatedWorld(60);
    const { naive, symbols } = follow(world, venue, 60);
    for (const symbol of symbols) {
      const truth = truthOf(world, venue, symbol);
      expect(naive.book(symbol)).toEqual(truth);
      expect(truth.bids.length).toBeGreaterThan(20);
      const trades = naive.trades.filter((trade) => trade.symbol === symbol);
      expect(trades.length).toBeGreaterThan(20);
      expect(new Set(trades.map(({ id }) => id)).size).toBe(trades.length);
      expect(naive.quotes.get(symbol)?.every((price) => price > 0)).toBe(true);
      if (venue.startsWith("binance") || venue === "bitmex") {
        expect(naive.quotes.get(symbol)).toEqual([truth.bids[0]?.[0], truth.asks[0]?.[0]]);
      }
    }
  });

  it("tells whoever comes amid the day the book of that moment", async () => {
    const world = await generatedWorld(30);
    world.advanceTo(START + 13_370);
    const [symbol] = symbolsOf(venue);
    const client = subscribe(world, venue, [symbol]);
    const naive = naiveOf(venue);
    world.advanceTo(START + 14_000);
    if (naive instanceof NaiveBinance) naive.snapshot(symbol, askForBook(world, venue, symbol));
    world.advanceTo(START + 40_000);
    for (const text of client.take()) naive.hear(text);
    expect(naive.book(symbol)).toEqual(truthOf(world, venue, symbol));
  });

  it("goes on with the same frames however the time is cut into calls", async () => {
    const texts = await Promise.all(
      [7, 1_000, 20_000].map(async (stepMs) => {
        const world = await generatedWorld(20);
        const client = subscribe(world, venue, [symbolsOf(venue)[0]]);
        for (let time = START; time <= START + 20_000; time += stepMs) world.advanceTo(time);
        world.advanceTo(START + 20_001);
        return client.take();
      }),
    );
    expect(texts[1]).toEqual(texts[0]);
    expect(texts[2]).toEqual(texts[0]);
    expect(texts[0]?.length).toBeGreaterThan(100);
  });
});

const level: fc.Arbitrary<EventLevel> = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 }));
const change = fc.record({
  kind: fc.constantFrom("depth" as const, "depth" as const, "depth" as const, "snapshot" as const),
  afterMs: fc.integer({ min: 0, max: 260 }),
  bids: fc.uniqueArray(level, { maxLength: 6, selector: ([ticks]) => ticks }),
  asks: fc.uniqueArray(level, { maxLength: 6, selector: ([ticks]) => ticks }),
});

/** Any sequence of changes, locked and crossed books too: what a tape holds isn't for a protocol to judge. */
function recordsOf(
  changes: readonly { kind: "depth" | "snapshot"; afterMs: number; bids: EventLevel[]; asks: EventLevel[] }[],
): MarketRecord[] {
  let time = START;
  const first: MarketRecord = { kind: "snapshot", receivedAt: START, venueTime: START, sequence: null, bids: [[10, 1]], asks: [[30, 1]] };
  const rest = changes.map(({ kind, afterMs, bids, asks }): MarketRecord => {
    time += afterMs;
    return { kind, receivedAt: time, venueTime: time, sequence: null, bids: bids.filter(isThere(kind)), asks: asks.filter(isThere(kind)) };
  });
  return [first, ...rest];
}

function isThere(kind: "depth" | "snapshot") {
  return ([, lots]: EventLevel) => kind === "depth" || lots > 0;
}

describe.each(VENUES)("%s, from any tape", (venue) => {
  it("leads to the tape's book: levels that change side, locked prices, snapshots amid it", () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), (changes) => {
        const world = scriptedWorld(recordsOf(changes));
        const { naive, symbols } = follow(world, venue, 12);
        expect(naive.book(symbols[0] ?? "")).toEqual(truthOf(world, venue, symbols[0] ?? ""));
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(VENUES)("%s, of trades", (venue) => {
  it("tells each once, at its price and size, on its taker's side; without a side, on the book's", () => {
    const trade = (afterMs: number, priceTicks: number, takerSide: "buy" | "sell" | null): MarketRecord => {
      const time = START + afterMs;
      return { kind: "trade", receivedAt: time, venueTime: time, tradeId: null, priceTicks, sizeLots: afterMs / 1_000, takerSide };
    };
    const book: MarketRecord = { kind: "snapshot", receivedAt: START, venueTime: START, sequence: null, bids: [[10, 1]], asks: [[30, 1]] };
    const trades = [
      trade(1_000, 30, "buy"),
      trade(2_000, 10, "sell"),
      trade(3_000, 29, null),
      trade(4_000, 11, null),
      trade(5_000, 20, null),
    ];
    const { naive } = follow(scriptedWorld([book, ...trades]), venue, 6);
    expect(naive.trades.map(({ price, size, takerSide }) => [price, size, takerSide])).toEqual([
      [15, 1, "buy"],
      [5, 2, "sell"],
      [14.5, 3, "buy"],
      [5.5, 4, "sell"],
      [10, 5, "sell"],
    ]);
  });
});

describe("a client without a socket", () => {
  it("is told when each text came, in steps of any length", async () => {
    const world = await generatedWorld(5, { venues: ["binance-spot"] });
    const client = subscribe(world, "binance-spot", ["BTCUSD"]);
    world.advanceTo(START + 5_000);
    const depths = client.takeTimed().filter(({ text }) => text.includes("depthUpdate"));
    expect(depths.length).toBeGreaterThan(30);
    for (const { receivedAt, text } of depths) expect(receivedAt).toBe(JSON.parse(text).data.E);
  });
});

describe("BitMEX", () => {
  it("tells the first 25 levels and the first ten as they are in the whole book", async () => {
    const world = await generatedWorld(30);
    const client = openClient(world, "bitmex", "/realtime?subscribe=orderBookL2_25:XBTUSD,orderBook10:XBTUSD");
    const naive = new NaiveBitmex("orderBookL2_25");
    let ten: { bids: unknown; asks: unknown } | null = null;
    world.advanceTo(START + 31_000);
    for (const text of client.take()) {
      naive.hear(text);
      const message = JSON.parse(text);
      if (message.table === "orderBook10") ten = message.data[0];
    }
    const truth = truthOf(world, "bitmex", "XBTUSD");
    expect(naive.book("XBTUSD")).toEqual({ bids: truth.bids.slice(0, 25), asks: truth.asks.slice(0, 25) });
    expect(ten).toMatchObject({ bids: truth.bids.slice(0, 10), asks: truth.asks.slice(0, 10) });
  });

  it("tells a level that changes side as one row, and a locked price as two", () => {
    const at = (afterMs: number, bids: EventLevel[], asks: EventLevel[]): MarketRecord => {
      const time = START + afterMs;
      return { kind: afterMs === 0 ? "snapshot" : "depth", receivedAt: time, venueTime: time, sequence: null, bids, asks };
    };
    const world = scriptedWorld([
      at(
        0,
        [[20, 5]],
        [
          [22, 7],
          [24, 1],
        ],
      ),
      at(10, [[22, 3]], [[22, 0]]),
      at(20, [], [[22, 4]]),
    ]);
    const client = openClient(world, "bitmex", "/realtime?subscribe=orderBookL2:XBTUSD");
    const id = JSON.parse(client.take().at(-1) ?? "").data.find((row: { price: number }) => row.price === 11).id;
    world.advanceTo(START + 15);
    const [turned] = client.take().map((text) => JSON.parse(text));
    expect(turned).toMatchObject({ action: "update", data: [{ id, side: "Buy", size: 3, price: 11 }] });
    world.advanceTo(START + 25);
    const [locked] = client.take().map((text) => JSON.parse(text));
    expect(locked).toMatchObject({ action: "insert", data: [{ side: "Sell", size: 4, price: 11 }] });
    expect(locked.data[0].id).not.toBe(id);
  });

  it("answers ping, unknown tables, symbols that aren't there, and more topics than a burst", async () => {
    const world = await generatedWorld(1);
    const client = openClient(world, "bitmex", "/realtime");
    expect(JSON.parse(client.take()[0] ?? "")).toMatchObject({ info: "Welcome to the BitMEX Realtime API.", limit: { remaining: 719 } });
    client.say("ping");
    expect(client.take()).toEqual(["pong"]);
    client.say(JSON.stringify({ op: "subscribe", args: ["candles:XBTUSD", "trade:NOSUCH"] }));
    expect(client.take().map((text) => JSON.parse(text))).toMatchObject([
      { status: 400, error: "Unknown table: candles" },
      { success: true, subscribe: "trade:NOSUCH" },
      { table: "trade", action: "partial", data: [], filter: { symbol: "NOSUCH" } },
    ]);
    client.say(JSON.stringify({ op: "subscribe", args: Array.from({ length: 21 }, (_, index) => `quote:S${index}`) }));
    expect(JSON.parse(client.take().at(-1) ?? "")).toMatchObject({ status: 429, meta: { retryAfter: 1 } });
    client.say(JSON.stringify({ op: "unsubscribe", args: ["trade:NOSUCH"] }));
    expect(JSON.parse(client.take()[0] ?? "")).toMatchObject({ success: true, unsubscribe: "trade:NOSUCH" });
  });

  it("gives the instruments with the grids that its messages are on", async () => {
    const world = await generatedWorld(1);
    const { answer } = world.rest("bitmex", {
      method: "GET",
      path: "/api/v1/instrument",
      query: new URLSearchParams({ symbol: "XBTUSD" }),
    });
    expect(JSON.parse(answer.body)).toMatchObject([
      { symbol: "XBTUSD", tickSize: 0.01, lotSize: 1, underlyingToPositionMultiplier: 1_000 },
    ]);
    expect(answer.headers?.["x-ratelimit-remaining"]).toBe("29");
  });
});

describe("Coinbase Advanced Trade", () => {
  it("tells several events in a message at times, and a heartbeat each second with a counter", async () => {
    const world = await generatedWorld(30);
    const { naive } = follow(world, "coinbase-advanced", 30);
    if (!(naive instanceof NaiveAdvanced)) throw new Error("another client");
    expect(naive.mostEvents).toBe(2);
    expect(naive.heartbeats).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it("lets a quiet channel end without heartbeats, and none with them", () => {
    const quiet: MarketRecord[] = [0, 200_000].map((afterMs) => {
      const time = START + afterMs;
      return { kind: "snapshot", receivedAt: time, venueTime: time, sequence: null, bids: [[afterMs + 1, 1]], asks: [[afterMs + 9, 1]] };
    });
    const counts = [false, true].map((hasHeartbeats) => {
      const world = scriptedWorld(quiet);
      const client = openClient(world, "coinbase-advanced", "/");
      client.say(JSON.stringify({ type: "subscribe", channel: "level2", product_ids: ["BTC-USD"] }));
      if (hasHeartbeats) client.say(JSON.stringify({ type: "subscribe", channel: "heartbeats" }));
      world.advanceTo(START + 300_000);
      return client.take().filter((text) => text.includes('"update"')).length;
    });
    expect(counts).toEqual([0, 1]);
  });

  it.each(["coinbase-advanced", "coinbase-exchange"])("%s disconnects who doesn't subscribe within 5 s", async (venue) => {
    const world = await generatedWorld(10);
    const client = openClient(world, venue, "/");
    world.advanceTo(START + 4_900);
    expect(client.closedWith).toBeNull();
    world.advanceTo(START + 6_000);
    expect(client.closedWith).toBe(1008);
  });

  it("lists its products with their increments, all or those asked for", async () => {
    const world = await generatedWorld(1);
    const ask = (query: string) =>
      JSON.parse(
        world.rest("coinbase-advanced", { method: "GET", path: "/api/v3/brokerage/market/products", query: new URLSearchParams(query) })
          .answer.body,
      );
    expect(ask("").num_products).toBe(2);
    expect(ask("product_ids=ETH-USD").products).toMatchObject([
      { product_id: "ETH-USD", quote_increment: "0.01", base_increment: "0.001" },
    ]);
  });
});

describe("Binance futures", () => {
  it("leave holes between the ids of messages, so that only pu chains them", async () => {
    const world = await generatedWorld(10);
    const client = openClient(world, "binance-usd-m", "/stream?streams=btcusd@depth@100ms");
    world.advanceTo(START + 11_000);
    const diffs = client.take().map((text) => JSON.parse(text).data);
    expect(diffs.length).toBeGreaterThan(50);
    for (const [index, diff] of diffs.slice(1).entries()) {
      expect(diff.pu).toBe(diffs[index].u);
      expect(diff.U).toBeGreaterThan(diffs[index].u + 1);
    }
  });

  it.each([
    ["binance-usd-m", "/fapi/v1", "BTCUSD", ["lastUpdateId", "E", "T", "bids", "asks"]],
    ["binance-coin-m", "/dapi/v1", "BTCUSD_PERP", ["lastUpdateId", "symbol", "pair", "E", "T", "bids", "asks"]],
  ])("%s gives depth by its own limits, and its instruments", async (venue, root, symbol, keys) => {
    const world = await generatedWorld(1);
    const ask = (path: string, query: string) =>
      world.rest(venue, { method: "GET", path: `${root}/${path}`, query: new URLSearchParams(query) }).answer;
    const depth = ask("depth", `symbol=${symbol}&limit=5`);
    expect(Object.keys(JSON.parse(depth.body))).toEqual(keys);
    expect(depth.headers?.["x-mbx-used-weight-1m"]).toBe("2");
    expect(JSON.parse(ask("depth", `symbol=${symbol}&limit=7`).body)).toMatchObject({ code: -4021 });
    expect(JSON.parse(ask("exchangeInfo", "").body).symbols[0]).toMatchObject({ symbol, pricePrecision: 2, contractType: "PERPETUAL" });
  });
});

describe("USD-M's paths", () => {
  it("have each their own streams, and take the others without a word", async () => {
    const streams = ["depth@100ms", "trade", "bookTicker", "kline_1m"].map((kind) => `btcusd@${kind}`).join("/");
    const heard = async (path: string): Promise<string[]> => {
      const world = await generatedWorld(5);
      const client = openClient(world, "binance-usd-m", `${path}/stream?streams=${streams}`);
      world.advanceTo(START + 5_000);
      return [...new Set(client.take().map((text) => String(JSON.parse(text).stream)))].toSorted();
    };
    expect(await heard("/public")).toEqual(["btcusd@bookTicker", "btcusd@depth@100ms", "btcusd@trade"]);
    expect(await heard("/market")).toEqual(["btcusd@kline_1m"]);
    expect(() => openClient(scriptedWorld([]), "binance-spot", "/public/stream?streams=btcusd@trade")).toThrow("404");
  });
});
