/** What Binance frames mean, and that the fast reading of them is the slow one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MarketEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { createBinanceDecoder, MAX_FRAME_CHARACTERS } from "../../exchanges/binance/decoder.ts";
import { FrameParser } from "../../exchanges/binance/frame-parser.ts";
import { FrameScanner } from "../../exchanges/binance/frame-scanner.ts";
import { type BinanceProduct, marketsBySymbol } from "../../exchanges/binance/markets.ts";
import type { Decoded } from "../../exchanges/contract.ts";
import { EventBuffers, MAX_LEVELS_PER_MESSAGE } from "../../exchanges/decoding/event-buffers.ts";
import { fixtureOf } from "./fixtures.ts";

const BTCUSDT = fixtureOf("binance-spot").instrument;
const PERPETUAL = fixtureOf("binance-coin-m").instrument;
const LINEAR = fixtureOf("binance-usd-m").instrument;
/** A grid that is not a power of ten, and a symbol whose stream name differs from the others' by a letter. */
const HALVES: Instrument = {
  venue: "binance-spot",
  symbol: "BTCUSDX",
  tick: { decimals: 1, mantissa: 5 },
  lot: { decimals: 3, mantissa: 25 },
};

/** The finest grid that a venue names: nine digits before the point would not fit. */
const FINE: Instrument = {
  venue: "binance-spot",
  symbol: "BTCUSDY",
  tick: { decimals: 8, mantissa: 1 },
  lot: { decimals: 8, mantissa: 1 },
};

function readers(product: BinanceProduct, instruments: readonly Instrument[]) {
  const markets = marketsBySymbol(instruments);
  return {
    scanner: new FrameScanner(new EventBuffers(), markets.values(), product),
    parser: new FrameParser(new EventBuffers(), markets, product),
  };
}

/** A decoded value without the unused room of its buffers, comparable and kept. */
function settled(decoded: Decoded): unknown {
  if (decoded.kind !== "event" || !("levels" in decoded.event)) return structuredClone(decoded);
  const { levels, ...event } = decoded.event;
  const { bidCount, askCount, priceTicks, sizeLots } = levels;
  const count = bidCount + askCount;
  return { ...event, bidCount, askCount, ticks: [...priceTicks.slice(0, count)], lots: [...sizeLots.slice(0, count)] };
}

function decodeSpot(frame: string): Decoded {
  return createBinanceDecoder("spot", [BTCUSDT]).decode(frame);
}

function reasonOf(decoded: Decoded): string {
  return decoded.kind === "malformed" ? decoded.reason : `not malformed: ${decoded.kind}`;
}

function eventOf(decoded: Decoded): MarketEvent {
  if (decoded.kind !== "event") throw new Error(`not an event: ${JSON.stringify(decoded)}`);
  return decoded.event;
}

/** A spot depth frame with some of its text replaced. */
function depthFrame(parts: { head?: string; numbers?: string; bids?: string; asks?: string; end?: string } = {}): string {
  const head = parts.head ?? '"e":"depthUpdate","E":1700000000300,"s":"BTCUSDT"';
  const numbers = parts.numbers ?? '"U":105,"u":107';
  const bids = parts.bids ?? '["99.98000000","0.00000000"],["99.97000000","0.12345000"]';
  const asks = parts.asks ?? '["100.04000000","7.00000000"]';
  return `{"stream":"btcusdt@depth@100ms","data":{${head},${numbers},"b":[${bids}],"a":[${asks}]}}${parts.end ?? ""}`;
}

const FAST_SPOT = [
  depthFrame(),
  depthFrame({ bids: "", asks: "" }),
  depthFrame({ bids: "" }),
  depthFrame({ asks: "" }),
  depthFrame().replace("@depth@100ms", "@depth"),
  fixtureOf("binance-spot").trade.frame,
  fixtureOf("binance-spot").trade.frame.replace('"m":false', '"m":true'),
  fixtureOf("binance-spot").quote.frame,
  fixtureOf("binance-spot").quote.frame.replaceAll("btcusdt", "btcusdx").replaceAll("BTCUSDT", "BTCUSDX").replace("100.04", "100.50"),
];
const FAST_FUTURES = [
  ...fixtureOf("binance-coin-m").buffered,
  ...fixtureOf("binance-coin-m").following,
  fixtureOf("binance-coin-m").trade.frame,
  fixtureOf("binance-coin-m").quote.frame,
  ...fixtureOf("binance-usd-m").buffered,
  ...fixtureOf("binance-usd-m").following,
  fixtureOf("binance-usd-m").trade.frame,
  fixtureOf("binance-usd-m").quote.frame,
  // Without a pair, and with the event behind the number.
  fixtureOf("binance-coin-m").following[0]?.replace('"ps":"BTCUSD",', "") ?? "",
];

describe("the scanner, against the parser", () => {
  it("takes the layouts that the venue sends, so that the fast path is the one in use", () => {
    const spot = readers("spot", [BTCUSDT, HALVES]);
    for (const frame of FAST_SPOT) expect(spot.scanner.scan(frame)?.kind, frame).toBe("event");
    const futures = readers("futures", [PERPETUAL, LINEAR]);
    for (const frame of FAST_FUTURES) expect(futures.scanner.scan(frame)?.kind, frame).toBe("event");
  });

  /** One edit of a frame: a character put in, taken out or replaced, a piece repeated, the end cut off. */
  const edit = fc.record({
    kind: fc.constantFrom("insert", "delete", "replace", "repeat", "truncate", "number"),
    // In millionths: doubles drawn at random are nearly all close to zero, and would edit the frame's head alone.
    at: fc.integer({ min: 0, max: 999_999 }),
    length: fc.integer({ min: 1, max: 30 }),
    text: fc.oneof(
      fc.constantFrom("0", "9", ".", '"', ",", "[", "]", "}", "-", "e", " ", "\\", "\n", "é", "00", '"b":[', '"u":1,', "0.000001"),
      fc.string({ minLength: 1, maxLength: 2 }),
    ),
  });
  type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

  function mutate(frame: string, { kind, at, length, text }: Edit): string {
    const place = Math.floor((at * frame.length) / 1_000_000);
    if (kind === "truncate") return frame.slice(0, place);
    if (kind === "repeat") return frame.slice(0, place) + frame.slice(place, place + length).repeat(2) + frame.slice(place + length);
    // A digit replaced by one to three digits keeps most frames well-formed: these reach deep into both readers.
    if (kind === "number") return frame.slice(0, place) + frame.slice(place).replace(/\d/, String(length * 7));
    return frame.slice(0, place) + (kind === "delete" ? "" : text) + frame.slice(kind === "insert" ? place : place + 1);
  }

  it.each([
    ["spot", [BTCUSDT, HALVES], FAST_SPOT],
    ["futures", [PERPETUAL, LINEAR], FAST_FUTURES],
  ] as const)("reads what it accepts of edited %s frames exactly as the parser does", (product, instruments, frames) => {
    const { scanner, parser } = readers(product, instruments);
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.array(edit, { minLength: 1, maxLength: 3 }), (frame, edits) => {
        const mutated = edits.reduce(mutate, frame);
        const scanned = scanner.scan(mutated);
        if (scanned === null) return;
        accepted++;
        expect(settled(scanned)).toEqual(settled(parser.parse(mutated)));
      }),
      { numRuns: 30_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  it("reads any decimals on or off the grid as the parser does", () => {
    const { scanner, parser } = readers("spot", [BTCUSDT, HALVES, FINE]);
    let accepted = 0;
    const decimal = fc.stringMatching(/^\d{0,10}(\.\d{0,4}0{0,6})?$/);
    fc.assert(
      fc.property(decimal, decimal, fc.constantFrom("BTCUSDT", "BTCUSDX", "BTCUSDY"), (price, size, symbol) => {
        const frame = depthFrame({ bids: `["${price}","${size}"]`, asks: "" })
          .replaceAll("BTCUSDT", symbol)
          .replaceAll("btcusdt", symbol.toLowerCase());
        const scanned = scanner.scan(frame);
        if (scanned === null) return;
        accepted++;
        expect(settled(scanned)).toEqual(settled(parser.parse(frame)));
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

describe("malformed frames are values with a reason", () => {
  it.each([
    ["not JSON", depthFrame({ end: "}" }), "not JSON"],
    ["two frames in one", depthFrame() + depthFrame(), "not JSON"],
    ["an array", "[1,2]", "not an object"],
    ["JSON null", "null", "not an object"],
    ["neither stream nor answer", '{"hello":1}', "neither a combined-stream frame nor an answer"],
    ["data of another type", '{"stream":"btcusdt@trade","data":[]}', '"data" is an array of 0'],
    ["a stream of one symbol carrying another's", depthFrame().replace("btcusdt@", "ethusdt@"), "carries"],
    ["an event of another type", depthFrame().replace("depthUpdate", "trade"), '"e" is "trade" on a depth stream'],
    ["a symbol of another type", depthFrame({ head: '"e":"depthUpdate","E":1,"s":7' }), '"s" is 7'],
    ["time as text", depthFrame({ head: '"e":"depthUpdate","E":"1","s":"BTCUSDT"' }), '"E" is "1"'],
    ["a negative sequence", depthFrame({ numbers: '"U":-1,"u":107' }), '"U" is -1'],
    ["a sequence with a leading zero, which is no JSON", depthFrame({ numbers: '"U":0105,"u":107' }), "not JSON"],
    ["a broken sequence", depthFrame({ numbers: '"U":1.5,"u":107' }), '"U" is 1.5'],
    ["a sequence past 2^53", depthFrame({ numbers: '"U":1,"u":9007199254740993' }), '"u" is'],
    ["no sequence", depthFrame({ numbers: '"U":105' }), '"u" is nothing'],
    ["an end before the beginning", depthFrame({ numbers: '"U":108,"u":107' }), '"U" 108 is above "u" 107'],
    ["levels that are no array", depthFrame().replace('"a":[["100.04000000","7.00000000"]]', '"a":{}'), '"a" is an object'],
    ["a level of one part", depthFrame({ bids: '["1.00"]' }), "bid 0"],
    ["a level of three parts", depthFrame({ asks: '["1.00","1.00","1"]' }), "ask 0"],
    ["a price as a number", depthFrame({ bids: '[1.5,"1.00"]' }), "price of bid 0 is 1.5"],
    ["a price off the grid", depthFrame({ bids: '["1.005","1.00"]' }), "price of bid 0"],
    ["a price of zero", depthFrame({ bids: '["0.00","1.00"]' }), "price of bid 0"],
    ["a negative price", depthFrame({ bids: '["-1.00","1.00"]' }), "price of bid 0"],
    ["a price in exponents", depthFrame({ bids: '["1e2","1.00"]' }), "price of bid 0"],
    ["a negative size", depthFrame({ asks: '["1.00","-1.00"]' }), "size of ask 0"],
    ["a size too large to count", depthFrame({ asks: '["1.00","99999999999999999"]' }), "size of ask 0"],
  ])("%s", (_, frame, reason) => {
    expect(reasonOf(decodeSpot(frame))).toContain(reason);
  });

  it.each([
    ["a size of zero", '"q":"0.50000000"', '"q":"0.00000000"', '"q"'],
    ["a price of zero", '"p":"100.04000000"', '"p":"0"', '"p"'],
    ["a maker flag that is text", '"m":false', '"m":"false"', '"m"'],
    ["an id that is text", '"t":12345', '"t":"12345"', '"t"'],
  ])("a trade with %s", (_, from, to, reason) => {
    expect(reasonOf(decodeSpot(fixtureOf("binance-spot").trade.frame.replace(from, to)))).toContain(reason);
  });

  it("a futures depth without pu, whose place in the chain nobody knows", () => {
    const [frame = ""] = fixtureOf("binance-coin-m").following;
    const decoded = createBinanceDecoder("futures", [PERPETUAL]).decode(frame.replace('"pu":1010,', ""));
    expect(reasonOf(decoded)).toContain('"pu" is nothing');
  });

  it("names the symbol, so that only its book is built again", () => {
    expect(decodeSpot(depthFrame({ numbers: '"U":"x","u":1' }))).toMatchObject({ kind: "malformed", symbol: "BTCUSDT" });
    expect(decodeSpot("{]")).toMatchObject({ kind: "malformed", symbol: null });
  });

  it("answers a frame nested a hundred thousand deep, wherever the nest is", () => {
    const nest = "[".repeat(100_000) + "]".repeat(100_000);
    for (const frame of [
      nest,
      `{"stream":"btcusdt@trade","data":${nest}}`,
      `{"code":${nest},"msg":${nest}}`,
      depthFrame({ numbers: `"U":${nest},"u":1` }),
      depthFrame({ bids: nest }),
    ]) {
      expect(["malformed", "control"]).toContain(decodeSpot(frame).kind);
    }
  });

  it("goes on decoding after one", () => {
    const decoder = createBinanceDecoder("spot", [BTCUSDT]);
    decoder.decode(depthFrame({ asks: '["1.00","oops"]' }));
    expect(settled(decoder.decode(depthFrame()))).toEqual(settled(decodeSpot(depthFrame())));
  });
});

describe("bounds", () => {
  const levels = (count: number) => Array.from({ length: count }, (_, at) => `["${at + 1}.00","1.00000000"]`).join(",");

  it("reads a message of the most levels, and holds each", () => {
    const event = eventOf(decodeSpot(depthFrame({ bids: levels(MAX_LEVELS_PER_MESSAGE / 2), asks: levels(MAX_LEVELS_PER_MESSAGE / 2) })));
    if (event.kind !== "depth") throw new Error(event.kind);
    expect([event.levels.bidCount, event.levels.askCount]).toEqual([MAX_LEVELS_PER_MESSAGE / 2, MAX_LEVELS_PER_MESSAGE / 2]);
    expect(event.levels.priceTicks[MAX_LEVELS_PER_MESSAGE - 1]).toBe((MAX_LEVELS_PER_MESSAGE / 2) * 100);
  });

  it("refuses one level more, so that no frame can make the buffers grow without end", () => {
    expect(reasonOf(decodeSpot(depthFrame({ bids: levels(MAX_LEVELS_PER_MESSAGE), asks: levels(1) })))).toContain("too many levels");
  });

  it("refuses an oversized frame unread, and an oversized snapshot", () => {
    const frame = `{"stream":"btcusdt@depth","data":"${"x".repeat(MAX_FRAME_CHARACTERS)}"}`;
    expect(reasonOf(decodeSpot(frame))).toContain("oversized");
    const decoded = createBinanceDecoder("spot", [BTCUSDT]).decodeSnapshot("BTCUSDT", frame);
    expect(decoded).toMatchObject({ kind: "malformed", symbol: "BTCUSDT" });
    expect(reasonOf(decoded)).toContain("oversized");
  });
});

describe("what a strict reading would wrongly refuse", () => {
  it("keeps a level that holds a part of a lot, as the recorded book has from before its lot was coarsened", () => {
    const event = eventOf(decodeSpot(depthFrame({ asks: '["100000.00000000","191.38900600"]' })));
    if (event.kind !== "depth") throw new Error(event.kind);
    expect(event.levels.sizeLots[2]).toBe(19_138_901);
  });

  it("reads fields in any order, spaced, and with new ones among them", () => {
    const frame = `{ "data": {"new":{"x":[1]},"u":107,"a":[["100.04000000","7.00000000"]],"s":"BTCUSDT","b":[["99.98000000","0.00000000"],["99.97000000","0.12345000"]],"U":105,"E":1700000000300,"e":"depthUpdate"},
      "stream": "btcusdt@depth@100ms" }`;
    expect(settled(decodeSpot(frame))).toEqual(settled(decodeSpot(depthFrame())));
  });
});

describe("snapshots", () => {
  const decode = (body: string) => createBinanceDecoder("spot", [BTCUSDT]).decodeSnapshot("BTCUSDT", body);

  it("reads an empty book: a market may have one", () => {
    expect(settled(decode('{"lastUpdateId":7,"bids":[],"asks":[]}'))).toMatchObject({ lastSequence: 7, bidCount: 0, askCount: 0 });
  });

  it.each([
    ["the venue's error", '{"code":-1121,"msg":"Invalid symbol."}', "the venue answered -1121"],
    ["no sequence", '{"bids":[],"asks":[]}', '"lastUpdateId" is nothing'],
    ["one side", '{"lastUpdateId":7,"bids":[]}', '"asks" is nothing'],
    ["another symbol's", '{"lastUpdateId":7,"symbol":"ETHUSDT","bids":[],"asks":[]}', 'it is for "ETHUSDT"'],
    ["HTML", "<html>busy</html>", "not JSON"],
  ])("%s is malformed", (_, body, reason) => {
    expect(reasonOf(decode(body))).toContain(reason);
  });

  it("of a symbol that the decoder does not know is malformed", () => {
    const decoded = createBinanceDecoder("spot", [BTCUSDT]).decodeSnapshot("ETHUSDT", '{"lastUpdateId":7,"bids":[],"asks":[]}');
    expect(decoded).toMatchObject({ kind: "malformed", symbol: null });
  });
});
