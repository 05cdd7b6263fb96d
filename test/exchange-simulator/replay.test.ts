/** Losses prevented: a replay that isn't the recording, or that a client can't follow to the recording's own book. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeTapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import type { RecordedOptions } from "../../exchange-simulator/recorded-source.ts";
import { type Simulator, startSimulator } from "../../exchange-simulator/simulator.ts";
import {
  BTCUSDT_FILE,
  type Client,
  connect,
  type Diff,
  dataOf,
  get,
  hasWireData,
  NaiveBook,
  type Snapshot,
  streamOf,
  THIN_FILE,
} from "./client.ts";

const START = Date.UTC(2026, 10, 21, 9, 30, 12, 345);
const MINUTE = 60_000;
const STREAMS = "/stream?streams=largeusdt@depth@100ms/largeusdt@bookTicker/largeusdt@trade/largeusdt@kline_1m";

let folder = "";
let simulator: Simulator | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgebook-replay-"));
});

afterEach(async () => {
  await simulator?.close();
  simulator = null;
  rmSync(folder, { recursive: true, force: true });
});

async function replay(files: readonly string[], options: Partial<RecordedOptions> = {}): Promise<Simulator> {
  simulator = await startSimulator({
    source: { kind: "recorded", files, speed: 0, repeat: "once", times: "kept", holdMs: 100, ...options },
  });
  return simulator;
}

/** 90 s of a generated market as a tape, cut into two gzip members as a feed writes it. */
function tapeFile(): { file: string; frames: string[]; snapshot: string } {
  const records = [...simulateTape({ preset: "large-tick", seed: 21, symbol: "LARGEUSDT", seconds: 90, startTime: START })];
  const lines = records.map(encodeTapeRecord);
  const file = join(folder, "large.tape.gz");
  const middle = Math.floor(lines.length / 2);
  writeFileSync(file, Buffer.concat([lines.slice(0, middle), lines.slice(middle)].map((part) => gzipSync(part.join("")))));
  const snapshot = records.find((record) => record.kind === "snapshot");
  return { file, frames: records.flatMap((record) => (record.kind === "frame" ? [record.text] : [])), snapshot: snapshot?.body ?? "" };
}

function diffsOf(client: Client, symbol: string): Diff[] {
  return client.frames.filter((frame) => streamOf(frame) === `${symbol.toLowerCase()}@depth@100ms`).map((frame) => dataOf<Diff>(frame));
}

describe("a replay of a tape", () => {
  it("tells the recording byte for byte, and leads a client to the venue's own book", async () => {
    const { file, frames, snapshot } = tapeFile();
    const { port, finished, status } = await replay([file], { holdMs: 5_000 });
    const early = (await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=5000")).text;
    expect(early).toBe(snapshot);
    const client = await connect(port, STREAMS);
    await finished;
    await client.until((_, index) => index === frames.length - 1);
    expect(client.frames).toEqual(frames);
    const book = new NaiveBook(JSON.parse(snapshot));
    for (const diff of diffsOf(client, "LARGEUSDT")) book.apply(diff);
    const late: Snapshot = JSON.parse((await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=5000")).text);
    expect(book.snapshot).toEqual(late);
    expect(status()).toMatchObject({ done: true, frames: frames.length, position: frames.length + 1 });
  });

  it("waits at the snapshot for a client that hears the depth, so that it synchronises where an offline replay does", async () => {
    const { file, snapshot } = tapeFile();
    const { port, finished, status } = await replay([file], { holdMs: 60_000 });
    const client = await connect(port, STREAMS);
    const held = JSON.parse(snapshot).lastUpdateId;
    await client.until((frame) => frame.includes("@depth"));
    expect(diffsOf(client, "LARGEUSDT").every((diff) => diff.u <= held)).toBe(true);
    expect(status()).toMatchObject({ done: false });
    expect((await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=5000")).text).toBe(snapshot);
    await finished;
    expect(status()).toMatchObject({ done: true });
  });

  it("keeps a recorded pace: N times as fast takes an Nth of the time, in the same order", async () => {
    const { file, frames } = tapeFile();
    const { port, finished } = await replay([file], { speed: 100 });
    const client = await connect(port, STREAMS);
    await finished;
    await client.until((_, index) => index === frames.length - 1);
    expect(client.frames).toEqual(frames);
  });

  it("moves times to now by whole minutes, and nothing else of the messages", async () => {
    const { file, frames } = tapeFile();
    const before = Date.now();
    const { port, finished, status } = await replay([file], { times: "shifted" });
    const minutes = Number(status().shiftMinutes);
    const client = await connect(port, STREAMS);
    await finished;
    await client.until((_, index) => index === frames.length - 1);
    const first = diffsOf(client, "LARGEUSDT")[0]?.E ?? 0;
    expect(first).toBeLessThanOrEqual(Date.now());
    expect(first).toBeGreaterThan(before - 2 * MINUTE);
    const restored = client.frames.map((frame) => movedBack(frame, minutes * MINUTE));
    expect(restored).toEqual(frames.map((frame) => JSON.parse(frame)));
  });

  it("closes with 1012 at the end of a loop, then goes on with later times and ids", async () => {
    const { file } = tapeFile();
    const { port } = await replay([file], { repeat: "loop" });
    const first = await connect(port, STREAMS);
    expect(await first.closed).toBe(1012);
    const second = await connect(port, STREAMS);
    const snapshot: Snapshot = JSON.parse((await get(port, "/api/v3/depth?symbol=LARGEUSDT&limit=5000")).text);
    expect(await second.closed).toBe(1012);
    const [before, after] = [diffsOf(first, "LARGEUSDT"), diffsOf(second, "LARGEUSDT")];
    expect(after.length).toBe(before.length);
    expect(after[0]?.U).toBeGreaterThan(before.at(-1)?.u ?? Number.POSITIVE_INFINITY);
    expect(after[0]?.E).toBeGreaterThan(before.at(-1)?.E ?? Number.POSITIVE_INFINITY);
    expect(((after[0]?.E ?? 0) - (before[0]?.E ?? 0)) % MINUTE).toBe(0);
    const tradeIds = (client: Client) =>
      client.frames.filter((frame) => frame.includes('"e":"trade"')).map((frame) => dataOf<{ t: number }>(frame).t);
    expect(tradeIds(second)[0]).toBeGreaterThan(tradeIds(first).at(-1) ?? Number.POSITIVE_INFINITY);
    const book = new NaiveBook(snapshot);
    for (const diff of after) book.apply(diff);
    expect(book.applied).toBeGreaterThan(100);
  });

  it("says that it has no book, instead of a part of one, where the recording has no snapshot or a hole", async () => {
    const { file } = tapeFile();
    const lines = gunzipSync(readFileSync(file)).toString().trim().split("\n");
    const depthLines = lines.filter((line) => line.includes("@depth"));
    const noSnapshot = join(folder, "no-snapshot.tape");
    writeFileSync(noSnapshot, `${lines.filter((line) => !line.includes(" s LARGEUSDT ")).join("\n")}\n`);
    const without = await replay([noSnapshot]);
    const refused = await get(without.port, "/api/v3/depth?symbol=LARGEUSDT");
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([503, -1001]);
    await without.close();

    const holed = join(folder, "holed.tape");
    writeFileSync(holed, `${lines.filter((line) => line !== depthLines[400]).join("\n")}\n`);
    const { port, finished } = await replay([holed]);
    const client = await connect(port, STREAMS);
    await finished;
    await client.until((frame) => frame.includes("@depth"));
    expect((await get(port, "/api/v3/depth?symbol=LARGEUSDT")).status).toBe(503);
  });
});

describe.skipIf(!hasWireData)("a replay of real captures (skipped where ../shared/data/wire is absent)", () => {
  it("tells the BTCUSDT capture byte for byte, and its diffs lead from the recorded snapshot to the simulator's book", async () => {
    const lines = gunzipSync(readFileSync(BTCUSDT_FILE)).toString().trim().split("\n");
    const texts = lines.map((line) => line.slice(line.indexOf(" ") + 1));
    const frames = texts.filter((text) => text.startsWith('{"stream"'));
    const snapshot = texts.find((text) => text.startsWith('{"lastUpdateId"'));
    const { port, finished, source } = await replay([BTCUSDT_FILE], { holdMs: 10_000 });
    // Three of its sizes have 6 decimals, one more than the venue's LOT_SIZE allowed for orders.
    expect(source.markets.get("BTCUSDT")).toMatchObject({ tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 6, mantissa: 1 } });
    const client = await connect(port, "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade");
    const body = (await get(port, "/api/v3/depth?symbol=BTCUSDT&limit=5000")).text;
    expect(body).toBe(snapshot);
    await finished;
    await client.until((_, index) => index === frames.length - 1);
    expect(client.frames.length).toBe(frames.length);
    expect(client.frames.every((frame, index) => frame === frames[index])).toBe(true);
    const book = new NaiveBook(JSON.parse(body));
    for (const diff of diffsOf(client, "BTCUSDT")) book.apply(diff);
    expect(book.snapshot.bids.slice(0, 5_000)).toEqual(JSON.parse((await get(port, "/api/v3/depth?symbol=BTCUSDT&limit=5000")).text).bids);
    expect(book.snapshot.asks.slice(0, 5_000)).toEqual(JSON.parse((await get(port, "/api/v3/depth?symbol=BTCUSDT&limit=5000")).text).asks);
  });

  it("replays four thin symbols with the snapshots of the file beside", async () => {
    const { port, finished, source } = await replay([THIN_FILE]);
    expect([...source.markets.keys()].toSorted()).toEqual(["BLZETH", "LRCBTC", "NKNUSDT", "RUNEEUR"]);
    const symbols = [...source.markets.keys()];
    const client = await connect(port, `/stream?streams=${symbols.map((symbol) => `${symbol.toLowerCase()}@depth@100ms`).join("/")}`);
    const early = new Map<string, Snapshot>();
    for (const symbol of symbols) early.set(symbol, JSON.parse((await get(port, `/api/v3/depth?symbol=${symbol}&limit=1000`)).text));
    await finished;
    const counts = new Map([
      ["NKNUSDT", 150],
      ["LRCBTC", 15],
      ["BLZETH", 10],
      ["RUNEEUR", 2],
    ]);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    await client.until((_, index) => index === total - 1);
    for (const [symbol, count] of counts) {
      expect(diffsOf(client, symbol)).toHaveLength(count);
      const snapshot = early.get(symbol);
      if (snapshot === undefined) throw new Error(`no snapshot of ${symbol}`);
      const book = new NaiveBook(snapshot);
      for (const diff of diffsOf(client, symbol)) book.apply(diff);
      expect(book.snapshot).toEqual(JSON.parse((await get(port, `/api/v3/depth?symbol=${symbol}&limit=5000`)).text));
    }
  });
});

/** The message with its times moved back by so many ms. */
function movedBack(frame: string, ms: number): unknown {
  const message = JSON.parse(frame);
  for (const times of [message.data, message.data.k ?? {}]) {
    for (const key of times === message.data ? ["E", "T"] : ["t", "T"]) if (typeof times[key] === "number") times[key] -= ms;
  }
  return message;
}
