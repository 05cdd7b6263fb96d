/** Losses prevented: what holds in memory and not over sockets; a client that takes the simulator down with it. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { EventsFileError } from "../../exchange-simulator/market/events-file.ts";
import { buildWorld, SetupError } from "../../exchange-simulator/simulated-venues.ts";
import { startVenues, type VenueServer } from "../../exchange-simulator/venue-server.ts";
import { connect, get } from "./client.ts";
import { NaiveBitmex } from "./naive-clients.ts";
import { generatedWorld, START, truthOf } from "./venue-world.ts";

let server: VenueServer | null = null;
const folders: string[] = [];

afterEach(async () => {
  await server?.close();
  server = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(seconds: number, speed: number): Promise<VenueServer> {
  server = await startVenues(await generatedWorld(seconds, { faults: { seed: 1 } }), { speed });
  return server;
}

async function post(port: number, path: string, body: unknown): Promise<{ status: number; value: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, value: await response.json() };
}

describe("all venues on one port", () => {
  it("each answers under its name, the first of them without it too", async () => {
    const { port } = await start(600, 1);
    expect(JSON.parse((await get(port, "/api/v3/exchangeInfo")).text).symbols).toHaveLength(2);
    expect(JSON.parse((await get(port, "/binance-coin-m/dapi/v1/exchangeInfo")).text).symbols[0].symbol).toBe("BTCUSD_PERP");
    expect(JSON.parse((await get(port, "/coinbase-exchange/products")).text).map(({ id }: { id: string }) => id)).toEqual([
      "BTC-USD",
      "ETH-USD",
    ]);
    const client = await connect(port, "/bitmex/realtime?subscribe=orderBookL2:XBTUSD");
    await client.until((frame) => frame.includes('"partial"'));
    client.socket.send("ping");
    await client.until((frame) => frame === "pong");
    client.socket.terminate();
    expect((await get(port, "/truth/bitmex/NOSUCH")).status).toBe(404);
  });

  it("stands still on request, with everything told: the client's book is then the truth", async () => {
    const { port } = await start(600, 20);
    const client = await connect(port, "/bitmex/realtime?subscribe=orderBookL2:XBTUSD");
    await client.until((_, index) => index > 200);
    await get(port, "/simulator/pause", "POST");
    const truth = JSON.parse((await get(port, "/truth/bitmex/XBTUSD")).text);
    const tables = (truth.frames.depth ?? 0) + (truth.frames.snapshot ?? 0);
    // Before them: the welcome, and the answer to the one topic.
    await client.until((_, index) => index + 1 === tables + 2);
    const naive = new NaiveBitmex();
    for (const frame of client.frames) naive.hear(frame);
    const contracts = (levels: [string, string][]) => levels.map(([price, size]) => [Number(price), Math.round(Number(size) * 1_000)]);
    expect(naive.book("XBTUSD")).toEqual({ bids: contracts(truth.bids), asks: contracts(truth.asks) });
    const { time } = JSON.parse((await get(port, "/simulator/status")).text);
    expect(JSON.parse((await get(port, "/simulator/status")).text)).toMatchObject({ time, isPaused: true });
    await get(port, "/simulator/resume", "POST");
    const told = client.frames.length;
    await client.until((_, index) => index > told + 20);
  });

  it("breaks on demand what it is told to, and keeps its record", async () => {
    const { port } = await start(600, 1);
    const client = await connect(port, "/coinbase-exchange");
    client.socket.send(JSON.stringify({ type: "subscribe", product_ids: ["BTC-USD"], channels: ["level2"] }));
    await client.until((frame) => frame.includes('"snapshot"'));
    expect(await post(port, "/faults", [{ fault: "corrupt", venue: "coinbase-exchange", channel: "depth" }])).toEqual({
      status: 200,
      value: { numbers: [1] },
    });
    await client.until((frame) => {
      try {
        JSON.parse(frame);
        return false;
      } catch {
        return true;
      }
    });
    await post(port, "/faults", { fault: "tcp-reset", venue: "coinbase-exchange" });
    expect(await client.closed).toBe(1006);
    await post(port, "/faults", { fault: "http-418", venue: "binance-spot", target: "websocket" });
    const refused = new WebSocket(`ws://127.0.0.1:${port}/binance-spot/stream?streams=btcusd@trade`);
    const [error] = await once(refused, "error");
    expect(String(error)).toContain("418");
    await post(port, "/faults", { fault: "slow-rest", venue: "binance-spot", byMs: 200 });
    const asked = performance.now();
    await get(port, "/binance-spot/api/v3/time");
    expect(performance.now() - asked).toBeGreaterThan(190);
    const record = (await get(port, "/faults/record")).text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).fault);
    expect(record).toEqual(["corrupt", "tcp-reset", "http-418", "slow-rest"]);
    expect((await post(port, "/faults", { fault: "fire" })).status).toBe(400);
    await post(port, "/faults", { fault: "drop", at: START * 2 });
    expect(JSON.parse((await get(port, "/faults", "DELETE")).text)).toEqual({ orders: [] });
    expect(JSON.parse((await get(port, "/faults")).text)).toEqual({ orders: [] });
  });

  it("refuses an order that could never fire, with what there is, and none of its list is taken", async () => {
    const { port } = await start(600, 1);
    expect(await post(port, "/faults", { fault: "drop", venue: "kraken" })).toEqual({
      status: 400,
      value: {
        error: 'venue "kraken" is none of binance-spot, binance-usd-m, binance-coin-m, coinbase-advanced, coinbase-exchange, bitmex',
      },
    });
    expect(await post(port, "/faults", [{ fault: "drop" }, { fault: "drop", venue: "bitmex", symbol: "NOPE" }])).toEqual({
      status: 400,
      value: { error: 'symbol "NOPE" is none of bitmex: XBTUSD, ETHUSD' },
    });
    expect((await post(port, "/faults", { fault: "drop", symbol: "NOPE" })).status).toBe(400);
    expect(JSON.parse((await get(port, "/faults")).text)).toEqual({ orders: [] });
    await expect(generatedWorld(60, { faults: { seed: 1, orders: [{ fault: "drop", symbol: "NOPE" }] } })).rejects.toThrow(SetupError);
  });

  it("loses nothing at full speed to a client that reads slowly", async () => {
    const { port, finished, world } = await start(120, 0);
    const client = await connect(port, "/bitmex/realtime?subscribe=orderBookL2:XBTUSD,orderBook10:XBTUSD,quote:XBTUSD");
    const pausing = setInterval(() => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 20);
    }, 40);
    await finished;
    clearInterval(pausing);
    client.socket.resume();
    const frames: Readonly<Record<string, number>> = world.truth("bitmex", "XBTUSD")?.frames ?? {};
    const count = Object.values(frames).reduce((sum, each) => sum + each, 0);
    // Before them: the welcome, and the answers to three topics.
    await client.until((_, index) => index + 1 === count + 4);
    const naive = new NaiveBitmex();
    for (const frame of client.frames) naive.hear(frame);
    expect(naive.book("XBTUSD")).toEqual(truthOf(world, "bitmex", "XBTUSD"));
  });
});

describe("a hostile client", () => {
  it.each(["binance-spot", "binance-coin-m", "coinbase-advanced", "coinbase-exchange", "bitmex"])(
    "doesn't bring %s down",
    async (venue) => {
      const { port } = await start(600, 1);
      const path =
        { bitmex: "/bitmex/realtime", "coinbase-advanced": "/coinbase-advanced", "coinbase-exchange": "/coinbase-exchange" }[venue] ??
        `/${venue}/stream`;
      const messages = [
        "",
        "null",
        "[]",
        '"x"',
        "{",
        '{"op":"subscribe","args":{}}',
        '{"op":"subscribe","args":[null]}',
        `{"op":"subscribe","args":${JSON.stringify(Array.from({ length: 3_000 }, () => "trade:XBTUSD"))}}`,
        '{"type":"subscribe","channels":{}}',
        '{"type":"subscribe","channels":[{"name":{}}],"product_ids":"all"}',
        '{"type":"subscribe","channel":"level2","product_ids":["NOSUCH"]}',
        '{"type":"unsubscribe","channel":"level2"}',
        '{"method":"SUBSCRIBE","params":[1],"id":{"a":1}}',
        `{"method":"SUBSCRIBE","params":${JSON.stringify(Array.from({ length: 2_000 }, (_, index) => `s${index}@trade`))}}`,
        '{"__proto__":{"op":"subscribe"},"constructor":1}',
        "\u0000\uffff",
      ];
      for (const message of messages) {
        const client = await connect(port, path);
        client.socket.send(message);
        client.socket.send(Buffer.from([0, 255, 128]));
        client.socket.terminate();
        await client.closed;
      }
      const tooLong = await connect(port, path);
      tooLong.socket.on("error", () => {});
      tooLong.socket.send("x".repeat(100_000));
      expect(await tooLong.closed).toBe(1009);
      const flood = await connect(port, path);
      for (let index = 0; index < 2_000 && flood.socket.readyState === WebSocket.OPEN; index++) flood.socket.send("{}");
      flood.socket.terminate();
      for (const raw of [
        "GET / HTTP/1.1\r\n\r\n",
        "\u0000\u0001",
        `GET /${venue}/%zz HTTP/1.1\r\nHost: a\r\n\r\n`,
        "GET //// HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      ]) {
        const socket = createConnection(port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.end(raw);
        socket.resume();
        await once(socket, "close");
      }
      expect((await get(port, `/${venue}/%E0%A4%A`)).status).toBeGreaterThanOrEqual(400);
      expect(JSON.parse((await get(port, "/simulator/status")).text).done).toBe(false);
    },
  );
});

describe("a file of market events", () => {
  const header = encodeEventsHeader({
    market: "standx:BTC-USD",
    tick: { decimals: 1, mantissa: 1 },
    lot: { decimals: 4, mantissa: 1 },
    source: "test",
  });
  const grids = { tick: { decimals: 1, mantissa: 1 }, lot: { decimals: 4, mantissa: 1 } } as const;
  const records: MarketRecord[] = [
    {
      kind: "snapshot",
      receivedAt: START,
      venueTime: START - 300,
      sequence: null,
      bids: [[1_000, 5]],
      asks: [
        [1_000, 7],
        [1_002, 1],
      ],
    },
    { kind: "trade", receivedAt: START + 100, venueTime: START - 200, tradeId: null, priceTicks: 1_001, sizeLots: 3, takerSide: null },
    { kind: "gap", receivedAt: START + 7_000, from: START + 100, to: START + 7_000, reason: "silence", detail: "" },
    { kind: "snapshot", receivedAt: START + 7_000, venueTime: START + 6_800, sequence: null, bids: [[998, 2]], asks: [[1_003, 4]] },
    {
      kind: "depth",
      receivedAt: START + 7_250,
      venueTime: START + 7_050,
      sequence: null,
      bids: [
        [998, 0],
        [997, 9],
      ],
      asks: [],
    },
  ];

  function fileOf(lines: readonly string[], isGzip = false): string {
    const folder = mkdtempSync(join(tmpdir(), "edgebook-events-"));
    folders.push(folder);
    const path = join(folder, "events.ndjson");
    const text = `${lines.join("\n")}\n`;
    writeFileSync(path, isGzip ? gzipSync(text) : text);
    return path;
  }

  it("flows through BitMEX's protocol with its own times, its silence silent, its snapshots sent once more where that is asked for", async () => {
    const path = fileOf([header, ...records.map((record) => encodeMarketRecord(record, grids))], true);
    const world = await buildWorld({ venues: ["bitmex"], events: [path], tellsSnapshots: true });
    server = await startVenues(world, { speed: 0 });
    const client = await connect(server.port, "/realtime?subscribe=orderBookL2:XBTUSD,trade:XBTUSD");
    await server.finished;
    await client.until((frame) => frame.includes('"price":99.7'));
    const tables = client.frames.filter((frame) => frame.includes('"table"')).map((frame) => JSON.parse(frame));
    const rows = tables.map(({ table, action, data }) => [
      table,
      action,
      ...data.map((row: Record<string, unknown>) => [row.side, row.price, row.size, row.timestamp]),
    ]);
    const [first, later, last] = ["2026-11-21T11:59:59.700Z", "2026-11-21T12:00:06.800Z", "2026-11-21T12:00:07.050Z"];
    expect(rows).toEqual([
      ["orderBookL2", "partial", ["Sell", 100.2, 1, first], ["Sell", 100, 7, first], ["Buy", 100, 5, first]],
      ["trade", "partial"],
      ["trade", "insert", ["Buy", 100.1, 3, "2026-11-21T11:59:59.800Z"]],
      ["orderBookL2", "partial", ["Sell", 100.3, 4, later], ["Buy", 99.8, 2, later]],
      ["orderBookL2", "delete", ["Buy", 99.8, undefined, last]],
      ["orderBookL2", "insert", ["Buy", 99.7, 9, last]],
    ]);
  });

  it("moves to now by whole minutes, and takes another name", async () => {
    const path = fileOf([header, ...records.map((record) => encodeMarketRecord(record, grids))]);
    const world = await buildWorld({ venues: ["coinbase-exchange"], events: [`ETH-USD=${path}`], movesTo: START + 3_600_000 + 20_000 });
    world.advanceTo(START + 3_700_000);
    const truth = world.truth("coinbase-exchange", "ETH-USD");
    expect(truth).toMatchObject({ market: "ETH-USD", bids: [["99.7", "0.0009"]], venueTime: START + 7_050 + 3_600_000, records: 5 });
    await world.close();
  });

  it("takes the jitter of a recorder: what was received a little before the line above it comes with that", async () => {
    const [first, ...later] = records.map((record) => encodeMarketRecord({ ...record, receivedAt: START + 1_000 }, grids));
    const lines = [header, first ?? "", ...later.map((line) => line.replace(String(START + 1_000), String(START + 300)))];
    const world = await buildWorld({ venues: ["bitmex"], events: [fileOf(lines)] });
    expect(world.startTime).toBe(START + 1_000);
    expect(world.advanceTo(START + 2_000)).toBe("ended");
    await world.close();
  });

  it.each([
    ["no header", ["{}"], /"format":"edgebook-events"/],
    [
      "a record off the grid",
      [header, encodeMarketRecord(records[1] as MarketRecord, grids).replace("100.1", "100.15")],
      /line 2: a trade/,
    ],
    [
      "a record long before the one above it",
      [header, ...records.toReversed().map((record) => encodeMarketRecord(record, grids).replace(/"receivedAt":\d+/, (at) => `${at}0`))],
      /received \d+ ms before the line above it/,
    ],
  ])("is refused in a sentence for %s", async (_, lines, reason) => {
    await expect(buildWorld({ venues: ["bitmex"], events: [fileOf(lines)] })).rejects.toThrow(reason);
    await expect(buildWorld({ venues: ["bitmex"], events: [fileOf(lines)] })).rejects.toThrow(EventsFileError);
  });

  it("needs a file that is there, venues that are spoken, and listings that can be", async () => {
    await expect(buildWorld({ venues: ["bitmex"], events: ["nowhere.ndjson"] })).rejects.toThrow(/can't be read/);
    await expect(buildWorld({ venues: ["bitmex"] })).rejects.toThrow(SetupError);
    await expect(generatedWorld(1, { venues: ["kraken"] })).rejects.toThrow(/no venue that is spoken/);
    await expect(generatedWorld(1, { listings: ["bitmex-XBTUSD"] })).rejects.toThrow(/a listing is/);
    await expect(generatedWorld(1, { listings: ["bitmex:XBTUSD=SOL-USD"] })).rejects.toThrow(/no market here/);
    const world = await generatedWorld(1, { listings: ["bitmex:XBTH27=BTC-USD"] });
    expect([...(world.stalls.get("bitmex")?.venue.listings.keys() ?? [])]).toEqual(["XBTH27"]);
  });
});
