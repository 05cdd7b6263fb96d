/** Clients' websockets through the public Worker, on the real feed object. What is said on them is proved in test/feed/stream-*.test.ts. */

import { abortAllDurableObjects, applyD1Migrations, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_SOCKETS } from "../../durable-objects/market-feed/client-sockets.ts";
import { createApp } from "../../workers/api/app.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { BookKeeper, type Message } from "../feed/stream-client.ts";
import { control, depthFrame, feedRpc, feedStub, PATIENCE, snapshotBody, startedFeed } from "./exchange-control.ts";

const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";

/** A client that answers pings, as each should. */
class TestClient {
  readonly messages: Message[] = [];
  readonly keeper = new BookKeeper();
  closed: { code: number; reason: string } | null = null;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      for (const message of JSON.parse(String(data)) as Message[]) {
        this.messages.push(message);
        this.keeper.take(message);
        if (message.kind === "ping") this.say({ op: "pong", id: message.id });
      }
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    socket.accept();
  }

  say(value: unknown): void {
    this.socket.send(typeof value === "string" ? value : JSON.stringify(value));
  }

  of(kind: string): Message[] {
    return this.messages.filter((message) => message.kind === kind);
  }
}

async function ask(query: string, headers: Record<string, string> = { Upgrade: "websocket" }): Promise<Response> {
  return exports.default.fetch(`https://edgebook.example/v1/stream${query}`, { headers });
}

async function opened(query: string): Promise<TestClient> {
  const response = await ask(query);
  expect(response.status).toBe(101);
  if (response.webSocket === null) throw new Error("101 without a websocket");
  return new TestClient(response.webSocket);
}

/** Waits until it holds. */
async function until(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, PATIENCE);
}

/** The client holds what the object's book holds, at the same venue sequence. */
async function expectExactBook(client: TestClient, market: string, sequence: number): Promise<void> {
  await until(async () => {
    const newest = client.messages.findLast((message) => message.market === market && ["depth", "snapshot"].includes(message.kind));
    expect(newest?.lastSequence).toBe(sequence);
    const book = await feedRpc().book(market, 20);
    if (!book.ok) throw new Error(book.detail);
    expect(book.proof.lastSequence).toBe(sequence);
    expect(client.keeper.side(market, "bids")).toEqual(book.bids);
    expect(client.keeper.side(market, "asks")).toEqual(book.asks);
  });
}

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(async () => {
  await control.refuse(null);
});

describe("a stream through the public Worker", () => {
  it("lets a client rebuild the object's very book from a snapshot and changes", async () => {
    const sequence = await startedFeed();
    const client = await opened(`?markets=${BTC},${ETH}&channels=depth`);
    await until(() => expect(client.of("snapshot")).toHaveLength(2));
    for (let step = 1; step <= 12; step++) {
      const price = (offset: number): string => (100 + offset / 100).toFixed(2);
      const frame = {
        from: sequence + step,
        bids: [[price(-step), `${step}.00000`]] as const,
        asks: [[price(step), step % 3 === 0 ? "0.00000" : "2.00000"]] as const,
      };
      await control.send([depthFrame("BTCUSDT", frame), depthFrame("ETHUSDT", frame)]);
    }
    await expectExactBook(client, BTC, sequence + 12);
    await expectExactBook(client, ETH, sequence + 12);
    expect(client.of("depth").length).toBeGreaterThan(0);
    expect(client.of("subscription").map(({ market, tick, lot }) => [market, tick, lot])).toEqual([
      [BTC, "0.01", "0.00001"],
      [ETH, "0.01", "0.00001"],
    ]);
  });

  it("carries trades with their taker's side, and the venue's quote", async () => {
    const sequence = await startedFeed();
    const client = await opened(`?markets=${BTC}&channels=trades,quote`);
    await until(() => expect(client.of("quote")).toHaveLength(1));
    const time = Date.now();
    const trade = { e: "trade", E: time, s: "BTCUSDT", t: 77, p: "100.01", q: "0.50000", T: time, m: true, M: true };
    const quote = { u: sequence + 1, s: "BTCUSDT", b: "100.00", B: "3.00000", a: "100.01", A: "1.00000" };
    await control.send([
      JSON.stringify({ stream: "btcusdt@trade", data: trade }),
      JSON.stringify({ stream: "btcusdt@bookTicker", data: quote }),
    ]);
    await until(() => {
      expect(client.of("trades")).toMatchObject([
        { market: BTC, missed: 0, trades: [{ tradeId: 77, venueTime: time, priceTicks: 10_001, sizeLots: 50_000, takerSide: "sell" }] },
      ]);
      expect(client.of("quote").at(-1)).toMatchObject({
        market: BTC,
        bid: [10_000, 300_000],
        ask: [10_001, 100_000],
        source: "venue-quote",
      });
    });
    expect(client.of("trades")[0].trades[0].receivedAt).toBeGreaterThanOrEqual(time);
  });

  it("tells of a resync: the gap, its end, and a new snapshot that the changes go on from; the other market is untouched", async () => {
    const sequence = await startedFeed();
    const client = await opened(`?markets=${BTC},${ETH}&channels=depth`);
    await until(() => expect(client.of("snapshot")).toHaveLength(2));
    await control.snapshots({ BTCUSDT: snapshotBody(sequence + 9), ETHUSDT: snapshotBody(sequence) });
    await control.send([depthFrame("BTCUSDT", { from: sequence + 10, bids: [["99.98", "4.00000"]] })]);
    await until(() => expect(client.of("snapshot")).toHaveLength(3));
    expect(client.of("gap").map(({ market, gap }) => [market, gap.reason, gap.to === null, gap.action])).toEqual([
      [BTC, "sequence-gap", true, "pending"],
      [BTC, "sequence-gap", false, "resynced"],
    ]);
    await control.send([depthFrame("BTCUSDT", { from: sequence + 11, bids: [["99.97", "5.00000"]] })]);
    await expectExactBook(client, BTC, sequence + 11);
  });

  it("serves many at once, and takes one's nonsense without a word to the others", async () => {
    const sequence = await startedFeed();
    const clients = await Promise.all(Array.from({ length: 30 }, () => opened(`?markets=${BTC}&channels=depth`)));
    await until(() => expect(clients.every((client) => client.of("snapshot").length === 1)).toBe(true));
    const [hostile, ...others] = clients;
    for (const text of ["", "{", "[]", "x".repeat(100_000), '{"op":"subscribe","markets":["no:SUCH"]}']) hostile?.say(text);
    hostile?.socket.send(new Uint8Array(1_000));
    await until(() => expect(hostile?.of("error")).toHaveLength(6));
    for (let index = 0; index < 40; index++) hostile?.say("{}");
    await until(() => expect(hostile?.closed).toEqual({ code: 1008, reason: "too many messages" }));
    await control.send([depthFrame("BTCUSDT", { from: sequence + 1, bids: [["100.00", "8.00000"]] })]);
    for (const client of others) await expectExactBook(client, BTC, sequence + 1);
    expect(others.flatMap((client) => client.of("error"))).toEqual([]);
    expect(others.every(({ closed }) => closed === null)).toBe(true);
  });

  it("follows a client that changes its mind", async () => {
    await startedFeed();
    const client = await opened(`?markets=${BTC}&channels=gaps`);
    client.say({ op: "subscribe", markets: [ETH], channels: ["depth"], levels: 100, intervalMs: 500 });
    await until(() => expect(client.of("snapshot").map(({ market }) => market)).toEqual([ETH]));
    client.say({ op: "unsubscribe", markets: [ETH] });
    await until(() => expect(client.of("unsubscribed")).toEqual([{ kind: "unsubscribed", market: ETH }]));
  });
});

describe("what a client leaves", () => {
  it("is nothing: its socket, its streams and the feed's listening go with it", async () => {
    await startedFeed();
    const client = await opened(`?markets=${BTC}`);
    await until(() => expect(client.of("snapshot")).toHaveLength(1));
    client.socket.close(1000, "done");
    await until(async () => {
      expect(await runInDurableObject(feedStub(), (_, state) => state.getWebSockets().length)).toBe(0);
    });
  });
});

describe("a socket's life beyond the object's process", () => {
  it("goes on through an eviction: it knows what it is subscribed to, is told of the gap, and gets everything anew", async () => {
    const sequence = await startedFeed();
    const client = await opened(`?markets=${BTC}&channels=depth&levels=100`);
    await until(() => expect(client.of("snapshot")).toHaveLength(1));
    // An object with an open socket of its own is not evicted by this helper.
    await control.refuse(503);
    await control.close();
    await until(() => expect(client.of("gap")).toHaveLength(1));
    const before = client.messages.length;
    await evictDurableObject(feedStub());
    await control.refuse(null);
    await control.snapshots({ BTCUSDT: snapshotBody(sequence + 5), ETHUSDT: snapshotBody(sequence + 5) });
    await feedRpc().status();
    await until(() => expect(client.of("snapshot")).toHaveLength(2));
    expect(client.closed).toBeNull();
    expect(client.messages.slice(before, before + 4)).toMatchObject([
      { kind: "ping" },
      { kind: "resumed", after: "restart", missedTrades: null },
      { kind: "subscription", market: BTC, channels: ["depth"], levels: 100 },
      { kind: "state", market: BTC },
    ]);
    const gaps = client.messages.slice(before).filter(({ kind }) => kind === "gap");
    expect(gaps.at(-1)).toMatchObject({ market: BTC, gap: { from: client.of("gap")[0].gap.from, action: "reconnected" } });
    await expectExactBook(client, BTC, sequence + 5);
  });

  it("ends where the process is killed: the client hears it, and its place is free", async () => {
    await startedFeed();
    const client = await opened(`?markets=${BTC}`);
    await until(() => expect(client.of("snapshot")).toHaveLength(1));
    await abortAllDurableObjects();
    await until(() => expect(client.closed?.code).toBe(1006));
    expect(await runInDurableObject(feedStub(), (_, state) => state.getWebSockets().length)).toBe(0);
  });
});

describe("a stream that can't be opened", () => {
  it.each([
    ["", 400, "bad-request", "markets"],
    [`?markets=${BTC}&levels=7`, 400, "bad-request", "levels: one of 20, 100, 500"],
    [`?markets=${BTC}&channels=dept`, 400, "bad-request", "channels: of quote, trades, depth, gaps"],
    [`?markets=${BTC}&interval=5`, 400, "bad-request", "query"],
    ["?markets=binance-spot:NOPE", 404, "unknown-market", "binance-spot:NOPE"],
  ])("at %s says why with %i %s", async (query, status, name, detail) => {
    const response = await ask(query);
    const body = await response.json<Message>();
    expect({ status: response.status, type: body.type }).toEqual({ status, type: `/problems/${name}` });
    expect(body.detail).toContain(detail);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it("without a handshake is 426, and says what to open it with", async () => {
    const response = await ask(`?markets=${BTC}`, {});
    expect(response.status).toBe(426);
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(await response.json()).toMatchObject({ type: "/problems/upgrade-required" });
  });

  it("because its markets are of several feeds says how to split them", async () => {
    const feeds = [
      { feed: "one", venue: "binance-spot", symbols: ["BTCUSDT"] },
      { feed: "two", venue: "binance-spot", symbols: ["ETHUSDT"] },
    ];
    const bound = { ...(env as unknown as PublicEnv), FEEDS: JSON.stringify(feeds) };
    const request = new Request(`https://edgebook.example/v1/stream?markets=${BTC},${ETH}`, { headers: { Upgrade: "websocket" } });
    const response = await createApp().fetch(request, bound);
    expect(response.status).toBe(400);
    expect((await response.json<Message>()).errors).toEqual([
      {
        parameter: "markets",
        message: `they are of 2 feeds, and a socket is of one: open one each, markets=${BTC} and markets=${ETH}`,
      },
    ]);
  });

  it("because the feed serves as many as it can is 503 with Retry-After, and those it serves are not touched", async () => {
    await startedFeed();
    const clients: TestClient[] = [];
    while (clients.length < MAX_SOCKETS) clients.push(await opened(`?markets=${BTC}&channels=gaps`));
    const response = await ask(`?markets=${BTC}`);
    expect({ status: response.status, retry: response.headers.get("retry-after") }).toEqual({ status: 503, retry: "30" });
    expect(await response.json()).toMatchObject({ type: "/problems/too-many-clients" });
    expect(clients.every(({ closed }) => closed === null)).toBe(true);
    clients[0]?.socket.close(1000, "done");
    await until(async () => expect((await ask(`?markets=${BTC}`)).status).toBe(101));
  });

  it("because its feed's configuration keeps it from running says so", async () => {
    const bound = {
      ...(env as unknown as PublicEnv),
      FEEDS: JSON.stringify([{ feed: "nobody", venue: "binance-spot", symbols: ["BTCUSDT"] }]),
    };
    const request = new Request(`https://edgebook.example/v1/stream?markets=${BTC}`, { headers: { Upgrade: "websocket" } });
    const response = await createApp().fetch(request, bound);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ type: "/problems/feed-unreachable" });
  });
});
