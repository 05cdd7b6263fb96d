/** Losses prevented: a client that works here and fails at the venue, because the simulator answered what the venue wouldn't. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Simulator, startSimulator } from "../../exchange-simulator/simulator.ts";
import { connect, get, type Snapshot } from "./client.ts";

let simulator: Simulator;
let port: number;

beforeAll(async () => {
  simulator = await startSimulator({
    source: { kind: "generative", markets: 2, preset: "both", seed: 4, speed: 1, intervalMs: 100 },
  });
  port = simulator.port;
});

afterAll(() => simulator.close());

describe("REST", () => {
  it("answers ping and time", async () => {
    expect((await get(port, "/api/v3/ping")).text).toBe("{}");
    const { serverTime } = JSON.parse((await get(port, "/api/v3/time")).text);
    expect(Math.abs(serverTime - Date.now())).toBeLessThan(60_000);
  });

  it("gives depth cut at the limit, best first, in strings of 8 decimals, and counts its weight", async () => {
    const before = Number((await get(port, "/api/v3/ping")).headers.get("x-mbx-used-weight-1m"));
    const answer = await get(port, "/api/v3/depth?symbol=SMALLUSDT&limit=5");
    const depth: Snapshot = JSON.parse(answer.text);
    expect(depth.bids).toHaveLength(5);
    expect(depth.asks).toHaveLength(5);
    for (const [price, size] of [...depth.bids, ...depth.asks]) {
      expect(price).toMatch(/^\d+\.\d{8}$/);
      expect(size).toMatch(/^\d+\.\d{8}$/);
    }
    const prices = [...depth.bids.toReversed(), ...depth.asks].map(([price]) => Number(price));
    expect(prices).toEqual(prices.toSorted((left, right) => left - right));
    expect(new Set(prices).size).toBe(10);
    // The minute may turn between the two requests; the count then starts again.
    expect([before + 5, 5]).toContain(Number(answer.headers.get("x-mbx-used-weight-1m")));
  });

  it("gives the instruments asked for, with their grids", async () => {
    const { text, headers } = await get(port, `/api/v3/exchangeInfo?symbols=${encodeURIComponent('["SMALLUSDT","LARGEUSDT"]')}`);
    const { symbols } = JSON.parse(text);
    expect(symbols.map((each: { symbol: string }) => each.symbol)).toEqual(["SMALLUSDT", "LARGEUSDT"]);
    expect(symbols[0]).toMatchObject({ status: "TRADING", baseAsset: "SMALL", quoteAsset: "USDT" });
    expect(symbols[0].filters).toMatchObject([
      { filterType: "PRICE_FILTER", tickSize: "0.01000000" },
      { filterType: "LOT_SIZE", stepSize: "0.00100000" },
    ]);
    expect(headers.get("x-simulator-grid")).toBe("declared");
    expect(JSON.parse((await get(port, "/api/v3/exchangeInfo")).text).symbols).toHaveLength(2);
  });

  it("gives klines: contiguous closed minutes and the running one, from a start or back from the end", async () => {
    const all: unknown[][] = JSON.parse((await get(port, "/api/v3/klines?symbol=LARGEUSDT&interval=1m")).text);
    expect(all.length).toBeGreaterThanOrEqual(5);
    for (const [index, row] of all.entries()) {
      expect(row).toHaveLength(12);
      expect(row[6]).toBe(Number(row[0]) + 59_999);
      if (index > 0) expect(row[0]).toBe(Number(all[index - 1]?.[0]) + 60_000);
    }
    const last: unknown[][] = JSON.parse((await get(port, "/api/v3/klines?symbol=LARGEUSDT&interval=1m&limit=2")).text);
    expect(last.map((row) => row[0])).toEqual(all.slice(-2).map((row) => row[0]));
    const second: unknown[][] = JSON.parse(
      (await get(port, `/api/v3/klines?symbol=LARGEUSDT&interval=1m&startTime=${all[1]?.[0]}&endTime=${all[2]?.[0]}&limit=1`)).text,
    );
    expect(second).toEqual([all[1]]);
    // Both ends belong to the range, by the time at which a minute opens; without a start it is the newest that are counted.
    const [first, next, third] = all.map((row) => Number(row[0]));
    for (const [query, opens] of [
      [`startTime=${next}&endTime=${third}`, [next, third]],
      [`startTime=${Number(next) + 1}&endTime=${third}`, [third]],
      [`startTime=${next}&endTime=${Number(third) - 1}`, [next]],
      [`endTime=${next}`, [first, next]],
      [`endTime=${next}&limit=1`, [next]],
    ] as const) {
      const rows: unknown[][] = JSON.parse((await get(port, `/api/v3/klines?symbol=LARGEUSDT&interval=1m&${query}`)).text);
      expect(rows.map((row) => row[0])).toEqual(opens);
    }
  });

  it.each([
    ["/api/v3/depth?symbol=NOSUCH", -1121],
    ["/api/v3/depth?symbol=largeusdt", -1100],
    ["/api/v3/depth?symbol=%00%2e", -1100],
    ["/api/v3/depth", -1102],
    ["/api/v3/depth?symbol=LARGEUSDT&limit=ten", -1100],
    ["/api/v3/depth?symbol=LARGEUSDT&limit=-1", -1100],
    ["/api/v3/depth?symbol=LARGEUSDT&limit=0", -1130],
    ["/api/v3/klines?symbol=LARGEUSDT", -1102],
    ["/api/v3/klines?symbol=LARGEUSDT&interval=7m", -1120],
    ["/api/v3/klines?symbol=NOSUCH&interval=1m", -1121],
    ["/api/v3/klines?symbol=LARGEUSDT&interval=1m&startTime=now", -1100],
    ["/api/v3/exchangeInfo?symbol=NOSUCH", -1121],
    ["/api/v3/exchangeInfo?symbols=LARGEUSDT", -1100],
    ["/api/v3/exchangeInfo?symbols=%5B%22LARGEUSDT%22%2C1%5D", -1100],
    ["/api/v3/exchangeInfo?symbol=LARGEUSDT&symbols=%5B%5D", -1128],
  ])("refuses %s as the venue does", async (path, code) => {
    const { status, text } = await get(port, path);
    expect(status).toBe(400);
    const body = JSON.parse(text);
    expect(Object.keys(body)).toEqual(["code", "msg"]);
    expect(body.code).toBe(code);
    expect(body.msg.length).toBeGreaterThan(5);
  });

  it("has no other paths, and takes no other methods", async () => {
    expect((await get(port, "/api/v3/order")).status).toBe(404);
    expect((await get(port, "/api/v3/depth?symbol=LARGEUSDT", "POST")).status).toBe(404);
    expect((await get(port, "/simulator/nothing")).status).toBe(404);
  });

  it("turns 429 with Retry-After once the weight of a minute is used up", async () => {
    const own = await startSimulator({ source: { kind: "generative", markets: 1, preset: "both", seed: 4, speed: 1, intervalMs: 100 } });
    let refused: Awaited<ReturnType<typeof get>> | null = null;
    // 24 requests use it up; the minute may turn once in between.
    for (let request = 0; request < 60 && refused === null; request++) {
      const answer = await get(own.port, "/api/v3/depth?symbol=LARGEUSDT&limit=5000");
      if (answer.status !== 200) refused = answer;
    }
    await own.close();
    expect(refused?.status).toBe(429);
    expect(JSON.parse(refused?.text ?? "").code).toBe(-1003);
    const wait = Number(refused?.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
  });
});

describe("websocket", () => {
  it("subscribes, lists and unsubscribes by message, and sends bare frames on /ws", async () => {
    const client = await connect(port, "/ws");
    client.socket.send(JSON.stringify({ method: "SUBSCRIBE", params: ["largeusdt@bookTicker", "largeusdt@trade"], id: 1 }));
    expect(await client.until(() => true)).toBe('{"result":null,"id":1}');
    const quote = await client.until((frame) => frame.startsWith('{"u":'));
    expect(Object.keys(JSON.parse(quote))).toEqual(["u", "s", "b", "B", "a", "A"]);
    client.socket.send(JSON.stringify({ method: "UNSUBSCRIBE", params: ["largeusdt@bookTicker"], id: 2 }));
    await client.until((frame) => frame === '{"result":null,"id":2}');
    client.socket.send(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id: 3 }));
    await client.until((frame) => frame === '{"result":["largeusdt@trade"],"id":3}');
    const from = client.frames.indexOf('{"result":null,"id":2}');
    expect(client.frames.slice(from).some((frame) => frame.startsWith('{"u":'))).toBe(false);
    client.socket.terminate();
  });

  it("wraps frames on /stream and takes streams from the path of /ws", async () => {
    const combined = await connect(port, "/stream?streams=smallusdt@depth@100ms/smallusdt%40bookTicker");
    const depth = await combined.until((frame) => frame.includes("depthUpdate"));
    expect(depth).toMatch(
      /^\{"stream":"smallusdt@depth@100ms","data":\{"e":"depthUpdate","E":\d{13},"s":"SMALLUSDT","U":\d+,"u":\d+,"b":\[/,
    );
    await combined.until((frame) => frame.startsWith('{"stream":"smallusdt@bookTicker","data":{"u":'));
    const bare = await connect(port, "/ws/smallusdt@depth@100ms");
    await bare.until((frame) => frame.startsWith('{"e":"depthUpdate"'));
    combined.socket.terminate();
    bare.socket.terminate();
  });

  it("answers malformed requests with an error, and goes on", async () => {
    const client = await connect(port, "/stream");
    for (const text of ["not json", "[1]", '{"method":"SUBSCRIBE","params":"largeusdt@trade","id":7}', '{"method":"FORGET","id":8}']) {
      client.socket.send(text);
    }
    await client.until((_, index) => index === 3);
    expect(client.frames.map((frame) => JSON.parse(frame).error.code)).toEqual([3, 2, 2, 2]);
    expect(client.frames.slice(2).map((frame) => JSON.parse(frame).id)).toEqual([7, 8]);
    client.socket.terminate();
  });

  it("closes a connection that talks too much, and refuses paths that it doesn't serve", async () => {
    const client = await connect(port, "/stream");
    for (let index = 0; index < 20; index++) client.socket.send(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id: index }));
    expect(await client.closed).toBe(1008);
    const refused = new WebSocket(`ws://127.0.0.1:${port}/other`);
    const error = await new Promise<Error>((resolve) => refused.on("error", resolve));
    expect(error.message).toContain("404");
  });

  it("is cut on request: with a close code, or without a word", async () => {
    const polite = await connect(port, "/ws/largeusdt@trade");
    expect(JSON.parse((await get(port, "/simulator/close?code=1012", "POST")).text)).toEqual({ closed: 1 });
    expect(await polite.closed).toBe(1012);
    const rude = await connect(port, "/ws/largeusdt@trade");
    await get(port, "/simulator/close", "POST");
    expect(await rude.closed).toBe(1006);
    expect((await get(port, "/simulator/close?code=1005")).status).toBe(400);
    expect(JSON.parse((await get(port, "/simulator/status")).text)).toMatchObject({ source: "generative", connections: 0, done: false });
  });
});
