/** What frames of the Exchange feed mean, and that the fast reading of them is the slow one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inferInstruments, readRecording } from "../../bench/recording.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { coinbaseExchange } from "../../exchanges/coinbase/exchange.ts";
import { createExchangeDecoder } from "../../exchanges/coinbase/exchange-decoder.ts";
import { exchangeMarkets } from "../../exchanges/coinbase/exchange-markets.ts";
import { ExchangeParser } from "../../exchanges/coinbase/exchange-parser.ts";
import { ExchangeScanner } from "../../exchanges/coinbase/exchange-scanner.ts";
import { MAX_FRAME_CHARACTERS, MAX_LEVELS, SidedLevels } from "../../exchanges/coinbase/messages.ts";
import { EventBuffers } from "../../exchanges/decoding/event-buffers.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { editedFrames, reasonOf, settled } from "./coinbase-frames.ts";
import { coinbaseExchangeFixture as fixture } from "./fixture-coinbase-exchange.ts";

const BTC = fixture.instrument;
/** A grid that is not a power of ten, under a name that differs by a letter. */
const HALVES: Instrument = { ...BTC, symbol: "BTC-USX", tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 3, mantissa: 25 } };
const file = recording("wire/coinbase-exchange-2021-04-17.ws.txt.gz");

/** Each with buffers and a memory of its own. */
function readers(instruments: readonly Instrument[]) {
  const forScanner = exchangeMarkets(instruments);
  const forParser = exchangeMarkets(instruments);
  const scanned = new EventBuffers(MAX_LEVELS);
  const parsed = new EventBuffers(MAX_LEVELS);
  return {
    forScanner,
    forParser,
    scanner: new ExchangeScanner(scanned, new SidedLevels(scanned), forScanner.values()),
    parser: new ExchangeParser(parsed, new SidedLevels(parsed), forParser),
  };
}

function decode(frame: string) {
  return createExchangeDecoder([BTC]).decode(frame);
}

/** A change with some of its text replaced. */
function change({ changes = '["buy","100.00","2.5"]', time = '"2023-11-14T22:13:20.250123Z"', head = "" } = {}): string {
  return `{"type":"l2update",${head}"product_id":"BTC-USD","changes":[${changes}],"time":${time}}`;
}

const SNAPSHOT = fixture.snapshotFrames[0];
const MATCH = fixture.trade.frame;
const FAST = [
  SNAPSHOT,
  SNAPSHOT.replace(',"time":"2023-11-14T22:13:20.100000Z"', ""),
  '{"type":"snapshot","product_id":"BTC-USD","bids":[],"asks":[["1.00","1"]]}',
  ...fixture.following,
  change({ changes: "" }),
  change().replace("BTC-USD", "BTC-USX"),
  MATCH,
  MATCH.replace('"sell"', '"buy"'),
];

/** Today's, and that of 2021, without sizes. */
const TICKERS = [fixture.quote.frame, fixture.quote.frame.replace(/,"best_(bid|ask)_size":"[\d.]+"/g, "")];

describe("the scanner, against the parser", () => {
  it("takes the layouts that the venue sends, so that the fast path is the one in use", () => {
    const { scanner } = readers([BTC, HALVES]);
    for (const frame of FAST) expect(scanner.scan(frame)?.kind, frame).toBe("event");
    for (const frame of TICKERS) {
      const { scanner: begun } = readers([BTC]);
      expect([fixture.opening[0], frame].map((text) => begun.scan(text)?.kind)).toEqual(["ignored", "event"]);
    }
  });

  it("reads what it accepts of edited frames exactly as the parser does, and remembers the same", () => {
    const { scanner, parser, forScanner, forParser } = readers([BTC, HALVES]);
    let accepted = 0;
    fc.assert(
      fc.property(editedFrames([...FAST, ...TICKERS]), (frame) => {
        const scanned = scanner.scan(frame);
        if (scanned === null) return;
        accepted++;
        expect(settled(scanned)).toEqual(settled(parser.parse(frame)));
        expect([...forScanner]).toEqual([...forParser]);
      }),
      { numRuns: 30_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  it.skipIf(file === null)(`takes all but controls of a recorded session, as the parser reads it ${WITHOUT_RECORDINGS}`, () => {
    const frames = readRecording(file ?? "");
    const { scanner, parser } = readers(inferInstruments("coinbase-exchange", frames));
    let passed = 0;
    for (const { text } of frames) {
      const scanned = scanner.scan(text);
      if (scanned === null) passed++;
      else expect(settled(scanned)).toEqual(settled(parser.parse(text)));
    }
    // 10 last matches, 3 acknowledgements.
    expect([frames.length, passed]).toEqual([5_055, 13]);
  });
});

describe("malformed frames are values with a reason", () => {
  it.each([
    ["not JSON", `${change()}}`, "not JSON"],
    ["an array", "[1,2]", "not an object"],
    ["no type", '{"hello":1}', '"type" is nothing'],
    ["no product", '{"type":"l2update","changes":[]}', '"product_id" is nothing'],
    ["no time", change().replace(/,"time".*/, "}"), '"time" is nothing'],
    ["a time of another kind", change({ time: "1700000000" }), '"time" is 1700000000'],
    ["a date that no calendar has", change({ time: '"2023-02-29T00:00:00Z"' }), '"time" is "2023-02-29T00:00:00Z"'],
    ["a change of two parts", change({ changes: '["buy","1.00"]' }), "change 0 is an array of 2"],
    ["a side of another name", change({ changes: '["bid","1.00","1"]' }), 'side of change 0 is "bid"'],
    ["a price as a number", change({ changes: '["buy",1.5,"1"]' }), "price of change 0 is 1.5"],
    ["a price off the grid", change({ changes: '["buy","1.005","1"]' }), "price of change 0"],
    ["a price of zero", change({ changes: '["buy","0.00","1"]' }), "price of change 0"],
    ["a price in exponents", change({ changes: '["buy","1e2","1"]' }), "price of change 0"],
    ["a negative size", change({ changes: '["sell","1.00","-1"]' }), "size of change 0"],
    ["a second change that is bad", change({ changes: '["buy","1.00","1"],["buy","1.00","x"]' }), "size of change 1"],
    ["a book of one side", SNAPSHOT.replace(/"bids".*/, '"time":"2023-11-14T22:13:20Z"}'), '"bids" is nothing'],
    ["levels under a name that nobody knows", change().replace("l2update", "l2upd4te"), 'levels in a message of type "l2upd4te"'],
    ["a match without a side", MATCH.replace('"side":"sell"', '"side":"none"'), '"side" is "none"'],
    ["a match of nothing", MATCH.replace('"size":"0.50000000"', '"size":"0.0"'), '"size" is "0.0"'],
    ["a match without an id", MATCH.replace("12346", '"12346"'), '"trade_id" is "12346"'],
    ["a heartbeat without a trade", '{"type":"heartbeat","product_id":"BTC-USD"}', '"last_trade_id" is nothing'],
  ])("%s", (_, frame, reason) => {
    expect(reasonOf(decode(frame))).toContain(reason);
  });

  it("says whose and of what, so that only this book is built again, and none for a broken trade", () => {
    expect(decode(change({ time: "7" }))).toMatchObject({ symbol: "BTC-USD", channel: "depth" });
    expect(decode(change().slice(0, 60))).toMatchObject({ symbol: "BTC-USD", channel: "depth" });
    expect(decode(MATCH.replace('"sell"', "7"))).toMatchObject({ symbol: "BTC-USD", channel: "trades" });
    expect(decode(MATCH.slice(0, 100))).toMatchObject({ symbol: null, channel: "trades" });
    expect(decode(fixture.quote.frame.replace('"100.00"', "7"))).toMatchObject({ symbol: "BTC-USD", channel: "quotes" });
    expect(decode("{]")).toMatchObject({ symbol: null, channel: null });
  });

  it("answers any edit of any frame with a value: no frame can kill a feed", () => {
    const decoder = createExchangeDecoder([BTC, HALVES]);
    const frames = [...FAST, ...fixture.opening, fixture.trade.frame, fixture.quote.frame, ...fixture.heartbeats, ...fixture.acknowledged];
    fc.assert(
      fc.property(editedFrames(frames), (frame) => {
        const decoded = decoder.decode(frame);
        if (decoded.kind === "event" || decoded.kind === "events") settled(decoded);
        else if (decoded.kind === "malformed") expect(decoded.reason.length).toBeLessThan(300);
      }),
      { numRuns: 30_000 },
    );
  });

  it("answers a frame nested a hundred thousand deep, wherever the nest is", () => {
    const nest = "[".repeat(100_000) + "]".repeat(100_000);
    for (const frame of [nest, change({ changes: nest }), change({ time: nest }), `{"type":"error","message":${nest}}`])
      expect(["malformed", "control"]).toContain(decode(frame).kind);
  });

  it("refuses an oversized frame unread, and one with too many levels", () => {
    expect(reasonOf(decode(change({ time: `"${"x".repeat(MAX_FRAME_CHARACTERS)}"` })))).toContain("oversized");
    const levels = Array.from({ length: MAX_LEVELS }, (_, at) => `["buy","${at + 1}.00","1"]`).join(",");
    expect(decode(change({ changes: levels })).kind).toBe("event");
    expect(reasonOf(decode(change({ changes: `${levels},["sell","1.00","1"]` })))).toContain("too many levels");
  });

  it("has no snapshot to ask for", () => {
    expect(createExchangeDecoder([BTC]).decodeSnapshot("BTC-USD", SNAPSHOT)).toMatchObject({ kind: "malformed", symbol: "BTC-USD" });
  });
});

describe("a book without numbers", () => {
  const sequences = (decoder: ReturnType<typeof createExchangeDecoder>, frame: string) => {
    const decoded = decoder.decode(frame);
    if (decoded.kind !== "event" || decoded.event.kind !== "depth") throw new Error(JSON.stringify(decoded));
    return [decoded.event.firstSequence, decoded.event.lastSequence];
  };

  it("is counted from its snapshot, each product for itself", () => {
    const decoder = createExchangeDecoder([BTC, HALVES]);
    decoder.decode(SNAPSHOT);
    decoder.decode(SNAPSHOT.replace("BTC-USD", "BTC-USX").replaceAll(/"\d+\.\d+"/g, '"1.0"'));
    expect([sequences(decoder, change()), sequences(decoder, change())]).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(sequences(decoder, change().replace("BTC-USD", "BTC-USX"))).toEqual([1, 1]);
    decoder.decode(SNAPSHOT);
    expect(sequences(decoder, change())).toEqual([1, 1]);
  });

  it("breaks at a message that could not be read, so that no change is lost in silence", () => {
    for (const broken of [change({ time: "7" }), "{]", SNAPSHOT.slice(0, -1)]) {
      const decoder = createExchangeDecoder([BTC]);
      const sequencer = coinbaseExchange.createSequencer();
      decoder.decode(SNAPSHOT);
      sequencer.judgeSnapshot(0, null);
      decoder.decode(broken);
      const [firstSequence = 0, lastSequence = 0] = sequences(decoder, change());
      expect(sequencer.judge({ firstSequence, lastSequence, previousSequence: null })).toEqual({ resync: "sequence-gap" });
    }
  });

  it("does not break at a trade or a quote that could not be read", () => {
    const decoder = createExchangeDecoder([BTC]);
    decoder.decode(SNAPSHOT);
    decoder.decode(MATCH.replace('"sell"', "7"));
    decoder.decode(fixture.quote.frame.replace('"100.00"', "7"));
    expect(sequences(decoder, change())).toEqual([1, 1]);
  });

  it("goes on counting from a checkpoint, so that a replay from the middle does not see a hole", () => {
    const live = createExchangeDecoder([BTC]);
    expect(live.memory("BTC-USD")).toBeNull();
    for (const frame of [...fixture.opening, SNAPSHOT, ...fixture.following, MATCH]) live.decode(frame);
    const replayed = createExchangeDecoder([BTC]);
    expect(replayed.recall("BTC-USD", live.memory("BTC-USD") ?? "")).toBe(true);
    expect(replayed.memory("BTC-USD")).toBe(live.memory("BTC-USD"));
    expect(sequences(replayed, change())).toEqual([3, 3]);
    expect(replayed.decode(fixture.quote.frame).kind).toBe("event");
  });

  it("takes no memory that it did not write", () => {
    const decoder = createExchangeDecoder([BTC]);
    for (const memory of [
      "",
      "{}",
      "null",
      '{"changes":-1,"lastTradeId":1,"heartbeatTradeId":1,"tickerTradeId":1}',
      '{"changes":1}',
      "9".repeat(300),
    ])
      expect(decoder.recall("BTC-USD", memory), memory).toBe(false);
    expect(decoder.recall("ETH-USD", '{"changes":1,"lastTradeId":null,"heartbeatTradeId":null,"tickerTradeId":null}')).toBe(false);
    expect(decoder.memory("BTC-USD")).toBeNull();
  });

  it("forgets all of the last connection", () => {
    const decoder = createExchangeDecoder([BTC]);
    for (const frame of [...fixture.opening, SNAPSHOT, ...fixture.following]) decoder.decode(frame);
    decoder.reset();
    expect(decoder.memory("BTC-USD")).toBeNull();
    expect(decoder.decode(fixture.quote.frame)).toMatchObject({ kind: "ignored" });
  });
});

describe("trades", () => {
  it.each([
    ["sell", "buy"],
    ["buy", "sell"],
  ])("a maker who would %s met a taker who would %s: the wrong side turns every flow feature around", (maker, taker) => {
    expect(settled(decode(MATCH.replace('"sell"', `"${maker}"`)))).toMatchObject({ kind: "trade", takerSide: taker });
    // The slow reading of the same.
    expect(settled(decode(MATCH.replace('"side":"sell"', `"side": "${maker}"`)))).toMatchObject({ kind: "trade", takerSide: taker });
  });

  const heartbeat = (id: number) =>
    `{"type":"heartbeat","sequence":1,"last_trade_id":${id},"product_id":"BTC-USD","time":"2023-11-14T22:13:21Z"}`;
  const match = (id: number) => MATCH.replace("12346", String(id));

  /** What a session says of lost trades, frame by frame. */
  function losses(...frames: string[]): (string | null)[] {
    const decoder = createExchangeDecoder([BTC]);
    return frames.map((frame) => {
      const decoded = decoder.decode(frame);
      if (decoded.kind !== "events") return null;
      const [loss] = settled(decoded) as { kind: string; channel: string; detail: string }[];
      return loss?.kind === "loss" && loss.channel === "trades" ? loss.detail : "something else";
    });
  }

  it("a loss at the end of a burst shows in the heartbeat, which nothing else would", () => {
    expect(losses(fixture.opening[1], match(12_346), heartbeat(12_349), heartbeat(12_349), heartbeat(12_349))).toEqual([
      null,
      null,
      null,
      "the heartbeat names trade 12349, and 12347 to 12349 never came",
      null,
    ]);
  });

  it("a match that crosses its heartbeat is not lost", () => {
    expect(losses(match(5), heartbeat(6), match(6), heartbeat(6), heartbeat(7), match(7), heartbeat(8)).filter(Boolean)).toEqual([]);
  });

  it("one absurd id does not make every later one old: a loss after it shows again", () => {
    const [, named, , , again] = losses(match(5), match(9_000_000_000_000_000), heartbeat(6), heartbeat(8), heartbeat(8));
    expect([named, again]).toEqual([null, "the heartbeat names trade 8, and 7 to 8 never came"]);
    expect(losses(match(5), heartbeat(9_000_000_000_000_000), heartbeat(5), heartbeat(5), match(6), heartbeat(9), heartbeat(9))).toEqual([
      null,
      null,
      "the heartbeat names trade 9000000000000000, and 6 to 9000000000000000 never came",
      null,
      null,
      null,
      "the heartbeat names trade 9, and 7 to 9 never came",
    ]);
  });

  it("what came before the subscription was never ours", () => {
    expect(losses(heartbeat(100), heartbeat(100), match(101), heartbeat(101), heartbeat(101)).filter(Boolean)).toEqual([]);
  });
});

describe("quotes", () => {
  it("the first ticker is of a trade of the past: seven of ten recorded were of a top that was gone", () => {
    const decoder = createExchangeDecoder([BTC]);
    expect(decoder.decode(fixture.opening[0])).toMatchObject({ kind: "ignored" });
    expect(settled(decoder.decode(fixture.quote.frame))).toEqual(fixture.quote.event);
    // Sent once more after subscribing again.
    expect(decoder.decode(fixture.quote.frame)).toMatchObject({ kind: "ignored" });
  });

  it("one absurd trade id costs two quotes, not the check of the book for as long as the connection lasts", () => {
    const decoder = createExchangeDecoder([BTC]);
    const ticker = (id: number) => fixture.quote.frame.replace('"trade_id":12346', `"trade_id":${id}`);
    const kinds = [12_345, 9_000_000_000_000_000, 12_346, 12_347].map((id) => decoder.decode(ticker(id)).kind);
    expect(kinds).toEqual(["ignored", "event", "ignored", "event"]);
  });

  it("has no sizes where the venue sent none, as in 2021", () => {
    const decoder = createExchangeDecoder([BTC]);
    decoder.decode(fixture.opening[0]);
    const frame = fixture.quote.frame.replace('"best_bid_size":"2.50000000",', "").replace('"best_ask_size":"7.00000000",', "");
    expect(settled(decoder.decode(frame))).toEqual({ ...fixture.quote.event, bidLots: null, askLots: null });
  });

  it("of an empty side is no quote", () => {
    const decoder = createExchangeDecoder([BTC]);
    decoder.decode(fixture.opening[0]);
    expect(decoder.decode(fixture.quote.frame.replace('"best_bid":"100.00"', '"best_bid":"0"'))).toMatchObject({ kind: "ignored" });
  });
});

it("speaks the venue's requests", () => {
  expect(coinbaseExchange.subscribe(["BTC-USD"], null)).toEqual([
    '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch","matches","ticker","heartbeat"]}',
  ]);
  expect(coinbaseExchange.resubscribe(["BTC-USD"], "depth", null)).toEqual([
    '{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}',
  ]);
});
