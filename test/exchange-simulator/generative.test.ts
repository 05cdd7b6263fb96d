/** Losses prevented: generated markets whose messages can't be followed by the venue's rules, or differ between two runs of one seed. */

import { afterEach, describe, expect, it } from "vitest";
import { ContentHash } from "../../core/math/hash.ts";
import { encodeTapeRecord } from "../../core/wire/tape.ts";

import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { type GenerativeOptions, type Simulator, startSimulator } from "../../exchange-simulator/simulator.ts";
import { connect, type Diff, dataOf, get, NaiveBook, type Snapshot, streamOf } from "./client.ts";

const START = Date.UTC(2026, 10, 21, 12, 0, 0);
const ALL_STREAMS = "largeusdt@depth@100ms/largeusdt@bookTicker/largeusdt@trade/largeusdt@kline_1m";
const RUN: GenerativeOptions = {
  kind: "generative",
  markets: 2,
  preset: "both",
  seed: 11,
  speed: 0,
  intervalMs: 100,
  startTime: START,
  seconds: 180,
};

interface Quote {
  readonly u: number;
  readonly b: string;
  readonly B: string;
  readonly a: string;
  readonly A: string;
}

interface Kline {
  readonly E: number;
  readonly k: Record<"t" | "T" | "f" | "L" | "n", number> & Record<"o" | "c" | "h" | "l" | "v" | "q" | "V" | "Q", string> & { x: boolean };
}

interface Trade {
  readonly t: number;
  readonly T: number;
  readonly p: string;
  readonly q: string;
  readonly m: boolean;
}

let simulator: Simulator | null = null;

afterEach(async () => {
  await simulator?.close();
  simulator = null;
});

async function start(options: Partial<GenerativeOptions> = {}): Promise<Simulator> {
  simulator = await startSimulator({ source: { ...RUN, ...options } });
  return simulator;
}

describe("a generated market over real sockets", () => {
  it("tells every client of a seed the same, and the same as the tape made offline", async () => {
    const tape = [...simulateTape({ preset: "large-tick", seed: 11, symbol: "LARGEUSDT", seconds: 180, startTime: START })];
    const offline = tape.flatMap((record) => (record.kind === "frame" ? [record.text] : []));
    const hashes: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      const { port, finished, status, close } = await start();
      const client = await connect(port, `/stream?streams=${ALL_STREAMS}`);
      await finished;
      await client.until((_, index) => index === offline.length - 1);
      expect(client.frames).toEqual(offline);
      hashes.push(status().markets);
      await close();
    }
    expect(hashes[0]).toEqual(hashes[1]);
    expect(offline.length).toBeGreaterThan(3_000);
  });

  it("gives the book of a depth request, at any moment, to whoever follows the diffs by the venue's rule", async () => {
    const { port, finished } = await start({ seconds: 600 });
    const client = await connect(port, `/stream?streams=${ALL_STREAMS}`);
    const requests: Snapshot[] = [];
    let isFinished = false;
    void finished.then(() => {
      isFinished = true;
    });
    for (const patience = 200; !isFinished && requests.length < patience; ) {
      requests.push(JSON.parse((await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=100")).text));
    }
    await finished;
    const last: Snapshot = JSON.parse((await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=100")).text);
    await client.until((frame) => streamOf(frame).includes("@depth") && dataOf<Diff>(frame).u === last.lastUpdateId);
    const diffs = client.frames.filter((frame) => streamOf(frame).includes("@depth")).map((frame) => dataOf<Diff>(frame));
    let followed = 0;
    for (const request of requests) {
      const book = new NaiveBook(request);
      for (const diff of diffs) book.apply(diff);
      if (book.applied > 0) followed++;
      expect(book.snapshot).toEqual(last);
    }
    expect(followed).toBeGreaterThan(2);
  });
});

describe("what a generated market says", () => {
  const records = [...simulateTape({ preset: "small-tick", seed: 3, symbol: "SMALLUSDT", seconds: 300, startTime: START + 12_345 })];
  const frames = records.flatMap((record) => (record.kind === "frame" ? [record.text] : []));
  const of = (suffix: string) => frames.filter((frame) => streamOf(frame) === `smallusdt@${suffix}`);

  it("has the bookTicker equal to the book's top at each equal update id", () => {
    const snapshot = records.find((record) => record.kind === "snapshot");
    const book = new NaiveBook(JSON.parse(snapshot?.body ?? ""));
    let compared = 0;
    let quote: Quote | null = null;
    for (const frame of frames) {
      if (streamOf(frame).endsWith("bookTicker")) quote = dataOf<Quote>(frame);
      if (!streamOf(frame).includes("@depth")) continue;
      book.apply(dataOf<Diff>(frame));
      if (quote === null || quote.u !== book.lastId) continue;
      const { bids, asks } = book.snapshot;
      expect([bids[0], asks[0]]).toEqual([
        [quote.b, quote.B],
        [quote.a, quote.A],
      ]);
      compared++;
    }
    expect(compared).toBeGreaterThan(200);
  });

  it("runs forward, and ends its batches on the clock's whole intervals", () => {
    let latest = 0;
    for (const record of records) {
      expect(record.receivedAt).toBeGreaterThanOrEqual(latest);
      latest = record.receivedAt;
    }
    const times = of("depth@100ms").map((frame) => dataOf<Diff>(frame).E);
    expect(times.every((time) => time % 100 === 0)).toBe(true);
    expect(new Set(times).size).toBe(times.length);
  });

  it("has larger ids in a later run than in the one before, so that a restarted simulator never goes back", () => {
    const later = [
      ...simulateTape({ preset: "small-tick", seed: 3, symbol: "SMALLUSDT", seconds: 2, startTime: START + 12_345 + 300_000 }),
    ];
    const first = later.find((record) => record.kind === "frame" && record.text.includes("@depth"));
    const last = of("depth@100ms").at(-1);
    if (first?.kind !== "frame" || last === undefined) throw new Error("no depth frames");
    expect(dataOf<Diff>(first.text).U).toBeGreaterThan(dataOf<Diff>(last).u);
  });

  it("has the bars that its trades make", () => {
    const trades = of("trade").map((frame) => dataOf<Trade>(frame));
    expect(trades.map((trade) => trade.t)).toEqual(trades.map((_, index) => (trades[0]?.t ?? 0) + index));
    const closed = of("kline_1m")
      .map((frame) => dataOf<Kline>(frame))
      .filter((kline) => kline.k.x);
    expect(closed).toHaveLength(5);
    for (const { E, k } of closed.slice(1)) {
      const within = trades.filter((trade) => trade.T >= k.t && trade.T <= k.T);
      const prices = within.map((trade) => trade.p);
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      expect([E, k.T - k.t]).toEqual([k.T + 1, 59_999]);
      expect([k.f, k.L, k.n]).toEqual([within[0]?.t, within.at(-1)?.t, within.length]);
      expect([k.o, k.c]).toEqual([prices[0], prices.at(-1)]);
      expect([k.h, k.l]).toEqual([prices.toSorted().at(-1), prices.toSorted()[0]]);
      expect(Number(k.v)).toBeCloseTo(sum(within.map((trade) => Number(trade.q))), 6);
      expect(Number(k.q)).toBeCloseTo(sum(within.map((trade) => Number(trade.q) * Number(trade.p))), 4);
      expect(Number(k.V)).toBeCloseTo(sum(within.filter((trade) => !trade.m).map((trade) => Number(trade.q))), 6);
    }
  });

  it("is byte for byte the tape that it was: a change here is a change of every model trained on it", () => {
    const hash = new ContentHash();
    for (const record of records) hash.text(encodeTapeRecord(record));
    expect(hash.digest()).toBe("e83f9b9ed9320d8d");
  });
});

describe("a venue of many markets", () => {
  it("follows the wall clock, numbers its markets, and keeps to the interval asked for", async () => {
    const { port } = await startSimulator({
      source: { kind: "generative", markets: 20, preset: "both", seed: 1, speed: 20, intervalMs: 20 },
    }).then((started) => {
      simulator = started;
      return started;
    });
    const symbols = [...(simulator?.source.markets.keys() ?? [])];
    expect(symbols.slice(0, 4)).toEqual(["LARGEUSDT", "SMALLUSDT", "SIM003USDT", "SIM004USDT"]);
    const client = await connect(port, `/stream?streams=${symbols.map((symbol) => `${symbol.toLowerCase()}@depth@100ms`).join("/")}`);
    await client.until((_, index) => index >= 2_000);
    const seen = new Set(client.frames.map(streamOf));
    expect(seen.size).toBe(20);
    const times = client.frames.filter((frame) => streamOf(frame).startsWith("largeusdt")).map((frame) => dataOf<Diff>(frame).E);
    expect(times.every((time) => time % 20 === 0)).toBe(true);
    expect(times.some((time) => time % 100 !== 0)).toBe(true);
  });

  it("refuses a number of markets or an interval that can't be", async () => {
    await expect(start({ markets: 0 })).rejects.toThrow(RangeError);
    await expect(start({ intervalMs: 0 })).rejects.toThrow(RangeError);
  });
});
