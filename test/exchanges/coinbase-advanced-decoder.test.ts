/** What frames of Advanced Trade mean, and that the fast reading of them is the slow one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { coinbaseAdvanced } from "../../exchanges/coinbase/advanced.ts";
import { createAdvancedDecoder } from "../../exchanges/coinbase/advanced-decoder.ts";
import { AdvancedParser } from "../../exchanges/coinbase/advanced-parser.ts";
import { AdvancedScanner } from "../../exchanges/coinbase/advanced-scanner.ts";
import { MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS, MAX_LEVELS, marketsBySymbol, SidedLevels } from "../../exchanges/coinbase/messages.ts";
import { EventBuffers } from "../../exchanges/decoding/event-buffers.ts";
import { editedFrames, reasonOf, settled } from "./coinbase-frames.ts";
import { coinbaseAdvancedFixture as fixture } from "./fixture-coinbase-advanced.ts";

const BTC = fixture.instrument;
/** A grid that is not a power of ten, under a name that differs by a letter. */
const HALVES: Instrument = { ...BTC, symbol: "BTC-USX", tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 3, mantissa: 25 } };

function readers(instruments: readonly Instrument[]) {
  const markets = marketsBySymbol(instruments);
  const scanned = new EventBuffers(MAX_LEVELS);
  const parsed = new EventBuffers(MAX_LEVELS);
  return {
    scanner: new AdvancedScanner(scanned, new SidedLevels(scanned), markets.values()),
    parser: new AdvancedParser(parsed, new SidedLevels(parsed), markets),
  };
}

function decode(frame: string) {
  return createAdvancedDecoder([BTC, HALVES]).decode(frame);
}

const TIME = "2023-11-14T22:13:20.25012Z";

function level({ side = "bid", price = "100", size = "2.5", time = "2023-11-14T22:13:20.249Z" } = {}): string {
  return `{"side":"${side}","event_time":"${time}","price_level":"${price}","new_quantity":"${size}"}`;
}

function event({ type = "update", product = "BTC-USD", updates = level() } = {}): string {
  return `{"type":"${type}","product_id":"${product}","updates":[${updates}]}`;
}

function books({ events = event(), sequence = "3", time = `"${TIME}"` } = {}): string {
  return `{"channel":"l2_data","timestamp":${time},"sequence_num":${sequence},"events":[${events}]}`;
}

function trades(...entries: string[]): string {
  return `{"channel":"market_trades","timestamp":"${TIME}","sequence_num":6,"events":[{"type":"update","trades":[${entries.join(",")}]}]}`;
}

function trade({ product = "BTC-USD", id = "7", time = "2023-11-14T22:13:20.1Z", side = "SELL", size = "0.5" } = {}): string {
  return `{"product_id":"${product}","trade_id":"${id}","price":"100","size":"${size}","time":"${time}","side":"${side}"}`;
}

const FAST = [
  ...fixture.snapshotFrames,
  ...fixture.following,
  books(),
  books({ events: event({ updates: "" }) }),
  books({ events: event({ type: "snapshot", updates: "" }) }),
  books({ events: event({ product: "BTC-USX", updates: level({ side: "offer", price: "7.5", size: "0.050" }) }) }),
];

describe("the scanner, against the parser", () => {
  it("takes the layouts that the venue sends, so that the fast path is the one in use", () => {
    const { scanner } = readers([BTC, HALVES]);
    for (const frame of FAST) expect(scanner.scan(frame)?.kind, frame).toBe("event");
  });

  it("reads what it accepts of edited frames exactly as the parser does, with the same number", () => {
    const { scanner, parser } = readers([BTC, HALVES]);
    let accepted = 0;
    fc.assert(
      fc.property(editedFrames(FAST), (frame) => {
        const scanned = scanner.scan(frame);
        if (scanned === null) return;
        accepted++;
        expect(settled(scanned)).toEqual(settled(parser.parse(frame)));
        expect(scanner.sequence).toBe(parser.sequence);
      }),
      { numRuns: 30_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  it("reads any decimals on or off the grid as the parser does", () => {
    const { scanner, parser } = readers([BTC, HALVES]);
    let accepted = 0;
    const decimal = fc.stringMatching(/^\d{0,10}(\.\d{0,4}0{0,6})?$/);
    fc.assert(
      fc.property(decimal, decimal, fc.constantFrom("BTC-USD", "BTC-USX"), (price, size, product) => {
        const frame = books({ events: event({ product, updates: level({ price, size }) }) });
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

describe("the number of a frame", () => {
  const numberAfter = (frame: string) => {
    const decoder = createAdvancedDecoder([BTC]);
    decoder.decode(frame);
    return decoder.connectionSequence;
  };

  it.each([
    ["changes", books({ sequence: "41" }), 41],
    ["trades", fixture.trade.frame, 6],
    ["a quote", fixture.quote.frame, 7],
    ["a heartbeat", fixture.heartbeats[0], 13],
    ["an acknowledgement", fixture.acknowledged[0], 12],
    ["what is ignored", fixture.ignored[1], 9],
    // It has come: only what it said is lost.
    ["a frame with a field that is wrong", books({ sequence: "41", time: "7" }), 41],
    // It may have been of other products, too: the next one must show a hole.
    ["a frame cut off", books({ sequence: "41" }).slice(0, -1), null],
    ["a frame whose number is wrong", books({ sequence: '"41"' }), null],
    ["an error, which has none", fixture.refused[0], null],
  ])("of %s", (_, frame, expected) => {
    expect(numberAfter(frame)).toBe(expected);
  });

  it("is no longer that of a frame before", () => {
    const decoder = createAdvancedDecoder([BTC]);
    decoder.decode(books({ sequence: "41" }));
    decoder.decode(fixture.refused[0]);
    expect(decoder.connectionSequence).toBeNull();
    decoder.decode(books({ sequence: "42" }));
    decoder.reset();
    expect(decoder.connectionSequence).toBeNull();
  });
});

describe("frames of several events", () => {
  it("gives out each book of each product, in order", () => {
    const updates = `${level({ side: "offer", price: "101" })},${level({ price: "99", size: "0" })}`;
    const frame = books({
      events: [
        event({ type: "snapshot" }),
        event({ product: "ETH-USD", updates: '{"side":"x"}' }),
        event({ updates }),
        event({ product: "BTC-USX" }),
      ].join(","),
    });
    const lots = 250_000_000;
    const shared = { venueTime: 1_700_000_000_250 };
    expect(settled(decode(frame))).toEqual([
      { kind: "snapshot", symbol: "BTC-USD", ...shared, lastSequence: 3, bidCount: 1, askCount: 0, ticks: [10_000], lots: [lots] },
      {
        ...{ kind: "depth", symbol: "BTC-USD", ...shared, firstSequence: 3, lastSequence: 3, previousSequence: null },
        ...{ bidCount: 1, askCount: 1, ticks: [9_900, 10_100], lots: [0, lots] },
      },
      {
        ...{ kind: "depth", symbol: "BTC-USX", ...shared, firstSequence: 3, lastSequence: 3, previousSequence: null },
        ...{ bidCount: 1, askCount: 0, ticks: [200], lots: [100] },
      },
    ]);
  });

  it("give one change of a product's book, however many events it comes in: between them the book may be crossed", () => {
    const frame = books({
      events: [
        event({ updates: level({ price: "102" }) }),
        event({ product: "BTC-USX" }),
        event({ updates: level({ side: "offer", price: "101", size: "0" }) }),
      ].join(","),
    });
    expect(settled(decode(frame))).toMatchObject([
      { kind: "depth", symbol: "BTC-USD", bidCount: 1, askCount: 1, ticks: [10_200, 10_100], lots: [250_000_000, 0] },
      { kind: "depth", symbol: "BTC-USX" },
    ]);
  });

  it("are refused whole when the last event is broken: half a frame applied is a book that nobody has", () => {
    const broken = event({ product: "BTC-USX", updates: level({ size: "x" }) });
    expect(decode(books({ events: `${event()},${broken}` }))).toMatchObject({ kind: "malformed", symbol: null, channel: "depth" });
    expect(decode(books({ events: `${event()},${event({ updates: level({ size: "x" }) })}` }))).toMatchObject({ symbol: "BTC-USD" });
  });

  it("are passed over where they are of others", () => {
    expect(decode(books({ events: event({ product: "ETH-USD", updates: '{"side":"x"}' }) }))).toMatchObject({ kind: "ignored" });
    expect(settled(decode(books({ events: `${event({ product: "ETH-USD" })},${event()}` })))).toMatchObject({
      kind: "depth",
      symbol: "BTC-USD",
    });
  });
});

describe("trades", () => {
  it.each([
    ["SELL", "buy"],
    ["BUY", "sell"],
  ])("a maker who would %s met a taker who would %s: the wrong side turns every flow feature around", (side, takerSide) => {
    expect(settled(decode(trades(trade({ side }))))).toMatchObject({ kind: "trade", takerSide });
  });

  it("come oldest first, though the venue lists the newest first", () => {
    const listed = [
      trade({ id: "11", time: "2023-11-14T22:13:20.2Z" }),
      trade({ id: "10", time: "2023-11-14T22:13:20.2Z" }),
      trade({ id: "9", product: "BTC-USX", size: "25" }),
      trade({ id: "8", product: "ETH-USD", size: "x" }),
    ];
    const ids = (frame: string) => (settled(decode(frame)) as { tradeId: number }[]).map(({ tradeId }) => tradeId);
    expect(ids(trades(...listed))).toEqual([9, 10, 11]);
    expect(ids(trades(...listed.toReversed()))).toEqual([9, 10, 11]);
    expect(ids(trades(trade({ id: "11" }), trade({ id: "10" })))).toEqual([10, 11]);
  });

  it("of a snapshot happened before the subscription: as trades of now they would be a burst that never was", () => {
    const past = trades(trade()).replace('"update"', '"snapshot"');
    expect(decode(past)).toEqual({ kind: "ignored", reason: "trades before the subscription" });
    const both = past.replace("]}]}", `]},{"type":"update","trades":[${trade({ id: "8" })}]}]}`);
    expect(settled(decode(both))).toMatchObject({ kind: "trade", tradeId: 8 });
  });

  it("with ids that are no numbers are told apart all the same", () => {
    const idOf = (id: string) => (settled(decode(trades(trade({ id })))) as { tradeId: number }).tradeId;
    const uuid = "f70bc12a-3b8e-4b5d-9d4f-0a5a3c7e9f10";
    expect(idOf(uuid)).toBe(idOf(uuid));
    expect(idOf(uuid)).not.toBe(idOf(uuid.replace("f70", "f71")));
    expect(Number.isSafeInteger(idOf(uuid))).toBe(true);
    expect(idOf("1000273158")).toBe(1_000_273_158);
  });
});

describe("quotes", () => {
  it("of a snapshot are of the last trade, however long ago", () => {
    expect(decode(fixture.quote.frame.replace('"update"', '"snapshot"'))).toMatchObject({ kind: "ignored" });
  });

  it("have no sizes where the message has none", () => {
    const frame = fixture.quote.frame.replace(',"best_bid_quantity":"2.5","best_ask_quantity":"7"', "");
    expect(settled(decode(frame))).toEqual({ ...fixture.quote.event, bidLots: null, askLots: null });
  });
});

describe("malformed frames are values with a reason", () => {
  it.each([
    ["not JSON", `${books()}}`, "not JSON"],
    ["an array", "[1,2]", "not an object"],
    ["no number", '{"channel":"l2_data","events":[]}', '"sequence_num" is nothing'],
    ["no channel", '{"sequence_num":1}', '"channel" is nothing'],
    ["no time", books({ time: "null" }), '"timestamp" is null'],
    ["events that are none", books().replace(/"events".*/, '"events":{}}'), '"events" is an object'],
    ["an event that is none", books({ events: "7" }), 'entry 0 of "events" is 7'],
    ["an event of another type", books({ events: event({ type: "delta" }) }), '"type" is "delta" in l2_data'],
    ["an event of no product", books({ events: '{"type":"update","updates":[]}' }), '"product_id" is nothing'],
    ["a side of another name", books({ events: event({ updates: level({ side: "ask" }) }) }), 'side of update 0 is "ask"'],
    ["a price off the grid", books({ events: event({ updates: level({ price: "1.005" }) }) }), "price of update 0"],
    ["a price of zero", books({ events: event({ updates: level({ price: "0" }) }) }), "price of update 0"],
    ["a negative size", books({ events: event({ updates: level({ size: "-1" }) }) }), "size of update 0"],
    ["an update that is none", books({ events: event({ updates: "[]" }) }), "update 0 is an array of 0"],
    ["levels in a channel that nobody knows", books().replace("l2_data", "l2_dat4"), 'levels in channel "l2_dat4"'],
    ["a trade of nothing", trades(trade({ size: "0" })), '"size" is "0"'],
    ["a trade without a side", trades(trade({ side: "" })), '"side" is ""'],
    ["a trade without an id", trades(trade({ id: "" })), '"trade_id" is ""'],
    ["too many trades", trades(...Array.from({ length: MAX_EVENTS_PER_FRAME + 1 }, () => "{}")), "at most 10000"],
  ])("%s", (_, frame, reason) => {
    expect(reasonOf(decode(frame))).toContain(reason);
  });

  it("says whose and of what, as far as the text goes", () => {
    expect(decode(books({ time: "7" }))).toMatchObject({ symbol: "BTC-USD", channel: "depth" });
    expect(decode(books().slice(0, 140))).toMatchObject({ symbol: "BTC-USD", channel: "depth" });
    expect(decode(books().slice(0, 60))).toMatchObject({ symbol: null, channel: "depth" });
    expect(decode(trades(trade({ side: "" })))).toMatchObject({ symbol: "BTC-USD", channel: "trades" });
    expect(decode("{]")).toMatchObject({ symbol: null, channel: null });
  });

  it("answers any edit of any frame with a value: no frame can kill a feed", () => {
    const decoder = createAdvancedDecoder([BTC, HALVES]);
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
    for (const frame of [
      nest,
      books({ events: nest }),
      books({ time: nest }),
      books({ sequence: nest }),
      `{"type":"error","message":${nest}}`,
    ])
      expect(["malformed", "control"]).toContain(decode(frame).kind);
  });

  it("refuses an oversized frame unread, and one with too many levels; a whole book of many is read", () => {
    expect(reasonOf(decode(books({ time: `"${"x".repeat(MAX_FRAME_CHARACTERS)}"` })))).toContain("oversized");
    const levels = Array.from({ length: 80_000 }, (_, at) => level({ side: at % 2 === 0 ? "bid" : "offer", price: `${at + 1}` })).join(",");
    expect(decode(books({ events: event({ type: "snapshot", updates: levels }) })).kind).toBe("event");
    expect(books({ events: event({ updates: levels }) }).length).toBeLessThan(MAX_FRAME_CHARACTERS);
  });

  it("has no snapshot to ask for", () => {
    expect(createAdvancedDecoder([BTC]).decodeSnapshot("BTC-USD", books())).toMatchObject({ kind: "malformed", symbol: "BTC-USD" });
  });
});

it("speaks the venue's requests: one subscribe for each channel, with the token when there is one", () => {
  expect(coinbaseAdvanced.subscribe(["BTC-USD", "ETH-USD"], null)).toEqual([
    '{"type":"subscribe","channel":"heartbeats"}',
    '{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"level2"}',
    '{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"market_trades"}',
    '{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"ticker"}',
  ]);
  expect(coinbaseAdvanced.subscribe(["BTC-USD"], "a.b.c")[1]).toBe(
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"level2","jwt":"a.b.c"}',
  );
  expect(coinbaseAdvanced.resubscribe(["BTC-USD"], "trades", null)).toEqual([
    '{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"market_trades"}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}',
  ]);
  expect(coinbaseAdvanced.resubscribe(["BTC-USD"], "depth", "d.e.f")).toEqual([
    '{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"level2","jwt":"d.e.f"}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"level2","jwt":"d.e.f"}',
  ]);
});
