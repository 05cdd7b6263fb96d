/** Losses prevented: a recording read wrongly or in part without a word, and messages that aren't laid out as the venue's. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { formatSteps, parseGrid, parseSteps } from "../../core/units/decimal.ts";
import { GridFinder } from "../../core/units/grid-finder.ts";
import { depthData, fixed8, klineData, klineRow, quoteData, snapshotBody, tradeData } from "../../exchange-simulator/frame-text.ts";
import { NO_SHIFT, shiftMessage } from "../../exchange-simulator/message-shift.ts";
import type { Bar } from "../../exchange-simulator/minute-bars.ts";
import { type RecordedMessage, RecordingError, readRecording, splitCombined } from "../../exchange-simulator/recording.ts";
import { surveyRecording } from "../../exchange-simulator/recording-survey.ts";
import { BTCUSDT_FILE, hasWireData, THIN_FILE, WIRE_DATA } from "./client.ts";

const folder = mkdtempSync(join(tmpdir(), "edgebook-recording-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function messagesOf(file: string): Promise<RecordedMessage[]> {
  const messages: RecordedMessage[] = [];
  for await (const message of readRecording([file])) messages.push(message);
  return messages;
}

const QUOTE =
  '{"stream":"abcusdt@bookTicker","data":{"u":7,"s":"ABCUSDT","b":"1.50000000","B":"2.00000000","a":"2.00000000","A":"1.00000000"}}';
const SNAPSHOT = '{"lastUpdateId":5,"bids":[["1.50000000","2.00000000"]],"asks":[["2.25000000","1.00000000"]]}';

describe("recordings", () => {
  it("are read in each of their forms, plain or gzip in several members", async () => {
    const frame = { kind: "frame", text: QUOTE };
    const ndjson = `1723161253937250000 ${QUOTE}\n1723161253937500000 ${SNAPSHOT}\n`;
    expect(await messagesOf(write("a.ndjson", ndjson))).toEqual([
      { ...frame, receivedAt: 1_723_161_253_937.25 },
      { kind: "snapshot", receivedAt: 1_723_161_253_937.5, symbol: null, body: SNAPSHOT },
    ]);
    const tape = [`1000 o 1\n1001 f ${QUOTE}\n`, `1002 s ABCUSDT ${SNAPSHOT}\n1003 g * restarted\n`];
    expect(await messagesOf(write("b.tape.gz", Buffer.concat(tape.map((part) => gzipSync(part)))))).toEqual([
      { ...frame, receivedAt: 1001 },
      { kind: "snapshot", receivedAt: 1002, symbol: "ABCUSDT", body: SNAPSHOT },
    ]);
    const rest = `https://x/api/v3/depth?symbol=ABCUSDT&limit=1000 -> 12.25: ${SNAPSHOT}\n`;
    write("c.rest.txt", rest);
    const cryptofeed = `wss://x/stream?streams=a <-> 11.5\n12.0: ${QUOTE}\r\nwss://x <- 12.1: {"op":1}\n12.5: ${QUOTE}`;
    expect(await messagesOf(write("c.ws.txt", cryptofeed))).toEqual([
      { ...frame, receivedAt: 12_000 },
      { kind: "snapshot", receivedAt: 12_250, symbol: "ABCUSDT", body: SNAPSHOT },
      { ...frame, receivedAt: 12_500 },
    ]);
  });

  it.each([
    ["missing", null, /can't be read/],
    ["empty", "", /nothing is recorded/],
    ["in no known form", "time,price\n1,2\n", /none of the known forms/],
    ["cut off within its .gz", gzipSync(`1001 f ${QUOTE}\n`.repeat(5_000)).subarray(0, 200), /can't be read/],
    ["a tape with a torn line", `1001 f ${QUOTE}\ngarbage\n`, /not a line of a tape/],
    ["with a snapshot that is none", `1001 f ${QUOTE}\n1002 s ABCUSDT {"code":-1121}\n`, /no depth snapshot/],
  ])("are refused with a reason when %s", async (name, content, reason) => {
    const file = content === null ? join(folder, "nowhere") : write(name.replaceAll(" ", "-"), content);
    const survey = surveyRecording([file]);
    await expect(survey).rejects.toThrow(RecordingError);
    await expect(survey).rejects.toThrow(reason);
  });

  it("are surveyed: grids from the decimals in use, counts of what can't be replayed", async () => {
    const file = write("survey.tape", `1001 f ${QUOTE}\n1002 f {"result":null,"id":1}\n1003 s ABCUSDT ${SNAPSHOT}\n61003 f ${QUOTE}\n`);
    const survey = await surveyRecording([file]);
    expect([...survey.markets.values()]).toEqual([
      { symbol: "ABCUSDT", tick: { decimals: 2, mantissa: 25 }, lot: { decimals: 0, mantissa: 1 } },
    ]);
    expect(survey).toMatchObject({ messages: 4, unplayable: 1, minutes: 2, updateIdSpan: 3, firstVenueTime: null });
    expect(survey.snapshots).toMatchObject([{ symbol: "ABCUSDT", index: 2, lastUpdateId: 5 }]);
  });
});

describe("a grid found from decimals", () => {
  it("holds every decimal seen, and is no finer than the grid they came from", () => {
    const grids = fc.constantFrom("1", "0.5", "0.01", "0.00000001", "25", "0.0025");
    fc.assert(
      fc.property(grids, fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 30 }), (step, multiples) => {
        const grid = parseGrid(step);
        if (grid === null) throw new Error(`no grid ${step}`);
        const texts = multiples.map((multiple) => fixed8(multiple, grid));
        const finder = new GridFinder();
        for (const text of texts) finder.see(text);
        for (const text of texts) expect(parseSteps(text, 0, text.length, finder.grid)).not.toBeNull();
        if (multiples.some((multiple) => multiple > 0)) {
          const found = formatSteps(1, finder.grid);
          expect(parseSteps(found, 0, found.length, grid)).not.toBeNull();
        }
      }),
    );
  });
});

describe("shifted messages", () => {
  it("have moved times and ids, and not a byte else changed", () => {
    const depth = '{"e":"depthUpdate","E":1000,"s":"A","U":5,"u":9,"b":[["1.0","2.0"]],"a":[]}';
    const kline = '{"e":"kline","E":1000,"s":"A","k":{"t":0,"T":59999,"s":"A","i":"1m","f":-1,"L":-1,"o":"1","n":0,"x":false}}';
    const trade = '{"e":"trade","E":1000,"s":"A","t":3,"p":"1.0","q":"2.0","T":999,"m":true,"M":true}';
    const shift = { minutes: 1, updateIds: 100, tradeIds: 10 };
    expect(shiftMessage(depth, shift)).toBe(depth.replace("1000", "61000").replace('"U":5,"u":9', '"U":105,"u":109'));
    expect(shiftMessage(kline, shift)).toBe(kline.replace("1000", "61000").replace('"t":0,"T":59999', '"t":60000,"T":119999'));
    expect(shiftMessage(trade, shift)).toBe(trade.replace("1000", "61000").replace('"t":3', '"t":13').replace("999", "60999"));
    expect(shiftMessage(depth, NO_SHIFT)).toBe(depth);
  });
});

describe.skipIf(!hasWireData)("our layout against the venue's (skipped where ../shared/data/wire is absent)", () => {
  it("writes every recorded depth, bookTicker, trade and snapshot as the venue did, from its values", async () => {
    const counts = { depth: 0, quote: 0, trade: 0, snapshot: 0 };
    for await (const message of readRecording([BTCUSDT_FILE, THIN_FILE])) {
      if (message.kind === "snapshot") {
        const { lastUpdateId, bids, asks } = JSON.parse(message.body);
        expect(snapshotBody(lastUpdateId, levels(bids), levels(asks)) === message.body).toBe(true);
        counts.snapshot++;
        continue;
      }
      const data = splitCombined(message.text)?.data ?? "";
      const value = JSON.parse(data);
      const symbol = value.s;
      let written = data;
      if (value.e === "depthUpdate") {
        counts.depth++;
        written = depthData({
          symbol,
          eventTime: value.E,
          firstId: value.U,
          lastId: value.u,
          bids: levels(value.b),
          asks: levels(value.a),
        });
      } else if (value.e === "trade") {
        counts.trade++;
        // The venue's E is a little after T; ours are one.
        const parts = tradeData({ symbol, time: value.T, tradeId: value.t, price: value.p, size: value.q, isBuyerMaker: value.m });
        written = parts.replace(`"E":${value.T}`, `"E":${value.E}`);
      } else if (value.e === undefined) {
        counts.quote++;
        written = quoteData({ symbol, updateId: value.u, bid: value.b, bidSize: value.B, ask: value.a, askSize: value.A });
      }
      if (written !== data) throw new Error(`${written} is not ${data}`);
    }
    expect(counts).toEqual({ depth: 3_628, quote: 28_124, trade: 9_757, snapshot: 5 });
  });

  it("writes klines as the venue did, in the stream and in REST", async () => {
    let klines = 0;
    for await (const message of readRecording([THIN_FILE])) {
      const data = message.kind === "frame" ? (splitCombined(message.text)?.data ?? "") : "";
      if (!data.startsWith('{"e":"kline"')) continue;
      const { E, s, k } = JSON.parse(data);
      const grids = { symbol: s, tick: { decimals: 8, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };
      const bar = barOf([k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q], [k.f, k.L]);
      expect(klineData(grids, bar, { eventTime: E, isClosed: k.x })).toBe(data);
      klines++;
    }
    expect(klines).toBe(2);
    const rows: string[][] = JSON.parse(gunzipSync(readFileSync(`${WIRE_DATA}binance-klines-rest-2021-12/BGBPUSDC.json.gz`)).toString());
    const grids = { symbol: "BGBPUSDC", tick: { decimals: 8, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };
    for (const row of rows.slice(0, 50)) expect(klineRow(grids, barOf(row, [-1, -1]))).toBe(JSON.stringify(row));
  });
});

function levels(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([price, size]) => `["${price}","${size}"]`).join(",");
}

/** A bar from a REST row whose sizes are whole. */
function barOf(row: readonly (string | number)[], [firstTradeId, lastTradeId]: readonly [number, number]): Bar {
  const fine = (index: number) => {
    const text = String(row[index]);
    return parseSteps(text, 0, text.length, { decimals: 8, mantissa: 1 }) ?? Number.NaN;
  };
  return {
    openTime: Number(row[0]),
    openTicks: fine(1),
    highTicks: fine(2),
    lowTicks: fine(3),
    closeTicks: fine(4),
    lots: Number(row[5]),
    closeTime: Number(row[6]),
    tickLots: fine(7),
    trades: Number(row[8]),
    takerBuyLots: Number(row[9]),
    takerBuyTickLots: fine(10),
    firstTradeId,
    lastTradeId,
  };
}
