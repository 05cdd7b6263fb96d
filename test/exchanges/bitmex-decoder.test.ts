/** What BitMEX frames mean, that the fast reading of them is the slow one, and that a lost message can't go by unseen. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { MarketEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { createBitmexDecoder, MAX_FRAME_CHARACTERS } from "../../exchanges/bitmex/decoder.ts";
import { MAX_EVENTS_PER_MESSAGE } from "../../exchanges/bitmex/event-list.ts";
import { NumberTable } from "../../exchanges/bitmex/number-table.ts";
import { createBitmexSequencer } from "../../exchanges/bitmex/sequencer.ts";
import { TickSet } from "../../exchanges/bitmex/tick-set.ts";
import { timeOf } from "../../exchanges/bitmex/timestamp.ts";
import type { Decoded, Decoder, LossNotice } from "../../exchanges/contract.ts";
import { MAX_LEVELS_PER_MESSAGE } from "../../exchanges/decoding/event-buffers.ts";
import { plainDecimal } from "../../exchanges/decoding/json-numbers.ts";
import { eventsOf, readers } from "./bitmex-readings.ts";
import { bitmexFixture as fixture } from "./fixture-bitmex.ts";

const XBTUSD: Instrument = fixture.instrument;
/** A name that begins like the other's, a grid of one ten-billionth, and lots of one. */
const FINE: Instrument = { venue: "bitmex", symbol: "XBTUSDT", tick: { decimals: 10, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };

const level = (text: string) => `{"symbol":"XBTUSD",${text}}`;
const book = (action: string, ...rows: string[]) => `{"table":"orderBookL2","action":"${action}","data":[${rows.join(",")}]}`;
const partial = (symbol: string, ...rows: string[]) =>
  `{"table":"orderBookL2","action":"partial","filter":{"symbol":"${symbol}"},"data":[${rows.join(",")}]}`;

/** [side, ticks, lots] of a depth event or a snapshot. */
function levelsOf(event: MarketEvent | LossNotice | undefined): (string | number)[][] {
  if (event === undefined || !("levels" in event)) throw new Error(`no levels: ${JSON.stringify(event)}`);
  const { bidCount, askCount, priceTicks, sizeLots } = event.levels;
  return Array.from({ length: bidCount + askCount }, (_, at) => [
    at < bidCount ? "bid" : "ask",
    priceTicks[at] as number,
    sizeLots[at] as number,
  ]);
}

const top = (symbol: string, bids: string, asks: string) =>
  `{"symbol":"${symbol}","asks":${asks},"timestamp":"2023-11-14T22:13:20.000Z","bids":${bids}}`;

function started(instruments: readonly Instrument[] = [XBTUSD]): Decoder {
  const decoder = createBitmexDecoder(instruments);
  decoder.decode(fixture.snapshot);
  return decoder;
}

const changeOf = (decoder: Decoder, frame: string) => levelsOf(eventsOf(decoder.decode(frame))[0]);
const reasonOf = (decoded: Decoded) => (decoded.kind === "malformed" ? decoded.reason : `not malformed: ${decoded.kind}`);

describe("a session", () => {
  it("builds the book from the partial and what follows it", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    const sequencer = createBitmexSequencer();
    const held = new OrderBook();
    const verdicts: unknown[] = [];
    for (const frame of [fixture.following[0], fixture.snapshot, ...fixture.following]) {
      const decoded = decoder.decode(frame);
      for (const event of decoded.kind === "ignored" ? [] : eventsOf(decoded)) {
        if (event.kind === "snapshot") {
          expect(event.venueTime).toBe(1_700_000_000_100);
          verdicts.push(sequencer.judgeSnapshot(event.lastSequence, null));
          held.replace(event.levels, []);
        } else if (event.kind === "depth") {
          verdicts.push(sequencer.judge(event));
          held.apply(event.levels);
        }
      }
    }
    expect(verdicts).toEqual(["apply", "apply", "apply", "apply", "apply"]);
    for (const [side, levels] of [
      ["bid", fixture.bids],
      ["ask", fixture.asks],
    ] as const) {
      const ticks = new Float64Array(3);
      const lots = new Float64Array(3);
      expect(held.copyTop(side, ticks, lots)).toBe(2);
      expect(levels).toEqual([
        [ticks[0], lots[0]],
        [ticks[1], lots[1]],
      ]);
    }
  });

  it("gives trades and quotes their values, several of one message in order", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    expect(eventsOf(decoder.decode(fixture.trade.frame))).toEqual([fixture.trade.event]);
    expect(eventsOf(decoder.decode(fixture.quote.frame))).toEqual([fixture.quote.event]);
    const row = fixture.quote.frame.slice(fixture.quote.frame.indexOf("[") + 1, -2);
    const later = row.replace("20.400Z", "20.500Z").replace('"askPrice":101', '"askPrice":101.5');
    expect(eventsOf(decoder.decode(fixture.quote.frame.replace(row, `${row},${later}`)))).toEqual([
      fixture.quote.event,
      { ...fixture.quote.event, venueTime: 1_700_000_000_500, askTicks: 203 },
    ]);
  });

  it("gives the venue's best levels as they are listed, of a partial as of an update, and of each market", () => {
    const decoder = createBitmexDecoder([XBTUSD, FINE]);
    const { frame, event } = fixture.topLevels;
    expect(eventsOf(decoder.decode(frame))).toEqual([event]);
    expect(eventsOf(decoder.decode(frame.replace("update", "partial")))).toEqual([event]);
    const other = top("XBTUSDT", "[]", "[[1e-10,3]]");
    expect(eventsOf(decoder.decode(frame.replace("]}", `,${other}]}`)))).toEqual([
      event,
      {
        ...event,
        symbol: "XBTUSDT",
        venueTime: 1_700_000_000_000,
        levels: { bidCount: 0, askCount: 1, priceTicks: Float64Array.of(1), sizeLots: Float64Array.of(3) },
      },
    ]);
  });

  it("says of an instrument its state and whether its grids are other ones, and nothing of its prices", () => {
    const decoder = started();
    for (const { frame, event } of fixture.instruments) expect(eventsOf(decoder.decode(frame)), frame).toEqual([event]);
    // Their times are not the book's: a message without one keeps that of the partial.
    const update = book("update", level('"id":17999996002,"side":"Buy","size":100'));
    expect(eventsOf(decoder.decode(update))[0]).toMatchObject({ venueTime: 1_700_000_000_100, firstSequence: 1 });
  });

  it.each([
    ["a tick that is none", '"tickSize":0', "tickSize of row 0 is 0"],
    ["a lot that is a text", '"lotSize":"100"', "lotSize of row 0 is"],
    ["a state that is no word", '"state":"Open; or not"', "state of row 0 is"],
  ])("refuses an instrument with %s, and goes on with the book: it is none of its messages", (_, field, reason) => {
    const decoder = started();
    const decoded = decoder.decode(`{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD",${field}}]}`);
    expect(decoded).toMatchObject({ kind: "malformed", symbol: "XBTUSD", channel: "quotes" });
    expect(reasonOf(decoded)).toContain(reason);
    expect(eventsOf(decoder.decode(fixture.following[0]))[0]).toMatchObject({ kind: "depth", firstSequence: 1 });
  });

  it.each([
    ["more levels than ten", top("XBTUSD", `[${Array.from({ length: 11 }, (_, at) => `[${100 - at},100]`).join(",")}]`, "[]"), "11, more"],
    ["a price off the grid", top("XBTUSD", "[[100.3,100]]", "[]"), "price 0 of bids of row 0 is 100.3"],
    ["a level that is none", top("XBTUSD", "[]", "[[100]]"), "level 0 of asks of row 0 is"],
    ["a time that is none", top("XBTUSD", "[]", "[]").replace("20.000Z", "61.000Z"), '"timestamp" is'],
  ])("refuses best levels with %s, and goes on with the book: they are none of its messages", (_, row, reason) => {
    const decoder = started();
    const decoded = decoder.decode(`{"table":"orderBook10","action":"update","data":[${row}]}`);
    expect(decoded).toMatchObject({ kind: "malformed", symbol: "XBTUSD", channel: "quotes" });
    expect(reasonOf(decoded)).toContain(reason);
    expect(eventsOf(decoder.decode(fixture.following[0]))[0]).toMatchObject({ kind: "depth", firstSequence: 1 });
  });

  it("tells controls, and what it keeps nothing of, from events", () => {
    const decoder = started();
    for (const frame of fixture.ignored) expect(decoder.decode(frame), frame).toMatchObject({ kind: "ignored" });
    for (const frame of fixture.acknowledged) expect(decoder.decode(frame)).toMatchObject({ control: "acknowledged" });
    for (const frame of fixture.heartbeats) expect(decoder.decode(frame)).toMatchObject({ control: "heartbeat" });
    for (const frame of fixture.refused) expect(decoder.decode(frame)).toMatchObject({ control: "refused" });
    expect(decoder.decode(fixture.refused[0])).toMatchObject({ detail: '429: "Rate limit exceeded, retry in 5 seconds."' });
  });

  it("knows of a refusal for how long the venue wants to be left alone, and which subscriptions may be refused", () => {
    const decoder = started();
    const told = (frame: string) => decoder.decode(frame) as Extract<Decoded, { control: "refused" }>;
    const [limited = "", unknown = "", bare = ""] = fixture.refused;
    expect([told(limited).retryAfterMs, told(limited).among]).toEqual([5_000, [{ symbol: "XBTUSD", channel: "trades" }]]);
    expect([told(unknown).retryAfterMs, told(unknown).among]).toEqual([null, [{ symbol: "NOSUCH", channel: "trades" }]]);
    expect([told(bare).retryAfterMs, told(bare).among]).toEqual([null, null]);
    const topics = ["orderBookL2:XBTUSD:Primary", "orderBook10:XBTUSD:Primary", "quote:XBTUSD:Primary", "instrument:XBTUSD", "chat", 7];
    const request = { op: "subscribe", args: topics };
    expect(told(JSON.stringify({ status: 400, error: "no", request })).among).toEqual([
      { symbol: "XBTUSD", channel: "depth" },
      { symbol: "XBTUSD", channel: "quotes" },
      { symbol: "XBTUSD", channel: "quotes" },
    ]);
    const waits = [{}, { retryAfter: "12" }, { retryAfter: -1 }, { retryAfter: 1e9 }].map(
      (meta) => told(JSON.stringify({ status: 429, error: "no", meta })).retryAfterMs,
    );
    expect(waits).toEqual([60_000, 12_000, 60_000, 3_600_000]);
  });

  it("takes a refusal to leave a topic for what it is: nothing was there to leave", () => {
    const frame = JSON.stringify({ status: 400, error: "no", request: { op: "unsubscribe", args: ["trade:XBTUSD:Primary"] } });
    expect(started().decode(frame)).toEqual({ kind: "control", control: "acknowledged", detail: '400: "no"' });
  });

  it("gives a message without a time the one that the connection named last", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    decoder.decode(fixture.acknowledged[0]);
    decoder.decode(partial("XBTUSD", level('"id":1,"side":"Buy","size":100,"price":100')));
    const update = book("update", level('"id":1,"side":"Buy","size":200'));
    expect(eventsOf(decoder.decode(update))[0]).toMatchObject({ venueTime: 1_700_000_000_000 });
    decoder.decode(fixture.quote.frame);
    expect(eventsOf(decoder.decode(update))[0]).toMatchObject({ venueTime: 1_700_000_000_400 });
  });
});

describe("what the table's rules ask for", () => {
  it("drops changes before the partial, which would build a book of fragments", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    for (const frame of fixture.following) expect(decoder.decode(frame)).toMatchObject({ kind: "ignored", reason: /before the partial/ });
  });

  it("empties the book at a partial without rows, whose levels would stand for ever", () => {
    const decoder = started();
    const [event] = eventsOf(decoder.decode(partial("XBTUSD")));
    expect(event).toMatchObject({ kind: "snapshot", symbol: "XBTUSD", lastSequence: 0 });
    expect(levelsOf(event)).toEqual([]);
    expect(eventsOf(decoder.decode(fixture.following[0]))[0]).toMatchObject({ kind: "loss" });
  });

  it("takes the price of an update or delete without one from the id, and never from its digits", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    decoder.decode(partial("XBTUSD", level('"id":8799900000,"side":"Buy","size":100,"price":7.5')));
    expect(changeOf(decoder, book("update", level('"id":8799900000,"side":"Buy","size":300')))).toEqual([["bid", 15, 3]]);
    expect(changeOf(decoder, book("delete", level('"id":8799900000,"side":"Buy"')))).toEqual([["bid", 15, 0]]);
  });

  it("moves a level that changes its side, and takes it off the other", () => {
    expect(changeOf(started(), book("update", level('"id":17999996000,"side":"Buy","size":1200')))).toEqual([
      ["bid", 201, 12],
      ["ask", 201, 0],
    ]);
  });

  it("leaves the other side alone in the message after a change of side", () => {
    const decoder = started();
    decoder.decode(book("update", level('"id":17999996000,"side":"Buy","size":1200')));
    expect(changeOf(decoder, book("update", level('"id":17999996001,"side":"Sell","size":500')))).toEqual([["ask", 204, 5]]);
    expect(changeOf(decoder, book("update", level('"id":17999996002,"side":"Buy","size":500')))).toEqual([["bid", 200, 5]]);
  });

  it("keeps two levels of one id apart by their sides: the key has both", () => {
    const decoder = started();
    expect(changeOf(decoder, book("insert", level('"id":17999996000,"side":"Buy","size":100,"price":90')))).toEqual([["bid", 180, 1]]);
    expect(changeOf(decoder, book("delete", level('"id":17999996000,"side":"Sell"')))).toEqual([["ask", 201, 0]]);
    expect(changeOf(decoder, book("update", level('"id":17999996000,"side":"Buy","size":200')))).toEqual([["bid", 180, 2]]);
  });

  it("changes nothing for an update that carries no size", () => {
    expect(changeOf(started(), book("update", level('"id":17999996000,"side":"Sell","price":100.5')))).toEqual([]);
  });

  it("passes over rows of another pool, which is another book", () => {
    const decoder = started();
    const other = '"pool":"Secondary"';
    expect(decoder.decode(book("update", level(`"id":17999996000,"side":"Sell","size":100,${other}`)))).toMatchObject({ kind: "ignored" });
    expect(decoder.decode(partial("XBTUSD", level(`"id":1,"side":"Sell","size":100,"price":9,${other}`)))).toMatchObject({
      kind: "ignored",
    });
    const filtered = `{"table":"orderBookL2","action":"partial","filter":{"symbol":"XBTUSD",${other}},"data":[]}`;
    expect(decoder.decode(filtered)).toMatchObject({ kind: "ignored" });
    expect(changeOf(decoder, fixture.following[0])).toHaveLength(2);
  });

  it("gives each market of a message its own event", () => {
    const decoder = started([XBTUSD, FINE]);
    decoder.decode(partial("XBTUSDT", '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":3,"price":1e-7}'));
    const frame = book(
      "update",
      '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":4}',
      level('"id":17999996000,"side":"Sell","size":500'),
      '{"symbol":"ETHUSD","id":7,"side":"Sell","size":4}',
      '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":5}',
    );
    const events = eventsOf(decoder.decode(frame));
    expect(events.map((event) => [event.symbol, levelsOf(event)])).toEqual([
      [
        "XBTUSDT",
        [
          ["ask", 1_000, 4],
          ["ask", 1_000, 5],
        ],
      ],
      ["XBTUSD", [["ask", 201, 5]]],
    ]);
  });
});

describe("a lost message shows", () => {
  it.each(fixture.losses.map(({ frame, event }) => [event.detail, frame, event] as const))("%s", (_, frame, event) => {
    const decoder = started();
    for (const each of fixture.following) decoder.decode(each);
    expect(eventsOf(decoder.decode(frame))).toEqual([event]);
    // Until its partial nothing of that book is believed.
    expect(decoder.decode(fixture.following[0])).toMatchObject({ kind: "ignored" });
    expect(decoder.memory("XBTUSD")).toBeNull();
    expect(eventsOf(decoder.decode(fixture.snapshot))[0]).toMatchObject({ kind: "snapshot" });
  });

  it.each([
    ["a second level at a price", book("insert", level('"id":9,"side":"Sell","size":100,"price":102'))],
    ["an update that names another price", book("update", level('"id":17999996000,"side":"Sell","size":100,"price":101'))],
    ["a delete that names another price", book("delete", level('"id":17999996000,"side":"Sell","price":101'))],
    ["a delete of a level that is on the other side", book("delete", level('"id":17999996000,"side":"Buy"'))],
    ["a change of side without a size", book("update", level('"id":17999996000,"side":"Buy"'))],
    ["an image with one id twice", partial("XBTUSD", ...[1, 2].map((price) => level(`"id":1,"side":"Buy","size":100,"price":${price}`)))],
  ])("%s", (_, frame) => {
    expect(eventsOf(started().decode(frame))).toMatchObject([{ kind: "loss", symbol: "XBTUSD", reason: "unknown-level" }]);
  });

  it("of one market, and leaves the others of the message theirs", () => {
    const decoder = started([XBTUSD, FINE]);
    decoder.decode(partial("XBTUSDT", '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":3,"price":1}'));
    const frame = book("update", level('"id":5,"side":"Sell","size":500'), '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":4}');
    expect(eventsOf(decoder.decode(frame)).map(({ kind, symbol }) => [kind, symbol])).toEqual([
      ["loss", "XBTUSD"],
      ["depth", "XBTUSDT"],
    ]);
  });

  it("when a message could not be read: the next one's number says so", () => {
    const decoder = started();
    const sequencer = createBitmexSequencer();
    sequencer.judgeSnapshot(0, null);
    expect(decoder.decode(book("update", level('"id":"x","side":"Sell","size":500')))).toMatchObject({
      kind: "malformed",
      symbol: "XBTUSD",
      channel: "depth",
    });
    const [event] = eventsOf(decoder.decode(fixture.following[0]));
    if (event?.kind !== "depth") throw new Error(`${event?.kind}`);
    expect(sequencer.judge(event)).toEqual({ resync: "sequence-gap" });
  });

  it("and none of a message that can't be read whole is applied", () => {
    const decoder = started();
    const before = decoder.memory("XBTUSD");
    decoder.decode(
      book("insert", level('"id":9,"side":"Sell","size":100,"price":105'), level('"id":10,"side":"Sell","size":100,"price":0')),
    );
    expect(JSON.parse(decoder.memory("XBTUSD") ?? "")).toEqual({ ...JSON.parse(before ?? ""), count: 1 });
  });
});

describe("what the ids are remembered for", () => {
  it("goes on from a checkpoint as from the connection", () => {
    const decoder = started();
    decoder.decode(fixture.following[0]);
    const other = createBitmexDecoder([XBTUSD]);
    expect(other.recall("XBTUSD", decoder.memory("XBTUSD") ?? "")).toBe(true);
    for (const frame of fixture.following.slice(1)) {
      const [event] = eventsOf(decoder.decode(frame));
      const [resumed] = eventsOf(other.decode(frame));
      expect(levelsOf(resumed)).toEqual(levelsOf(event));
      expect({ ...resumed, levels: null }).toEqual({ ...event, levels: null });
    }
  });

  it("forgets it with the connection: the next one's ids are new", () => {
    const decoder = started();
    decoder.reset();
    expect(decoder.memory("XBTUSD")).toBeNull();
    expect(decoder.decode(fixture.following[0])).toMatchObject({ kind: "ignored" });
  });

  it.each([
    ["no JSON", "{]"],
    ["null", "null"],
    ["no count", '{"time":0,"bids":[],"asks":[]}'],
    ["no side", '{"count":1,"time":0,"bids":[]}'],
    ["an id twice", '{"count":1,"time":0,"bids":[1,2,1,3],"asks":[]}'],
    ["a price twice", '{"count":1,"time":0,"bids":[1,2,3,2],"asks":[]}'],
    ["half a level", '{"count":1,"time":0,"bids":[1],"asks":[]}'],
    ["a price of zero", '{"count":1,"time":0,"bids":[1,0],"asks":[]}'],
    ["text for an id", '{"count":1,"time":0,"bids":["1",2],"asks":[]}'],
    [
      "too many levels",
      JSON.stringify({ count: 1, time: 0, bids: Array.from({ length: 2 * MAX_LEVELS_PER_MESSAGE + 2 }, (_, at) => at + 1), asks: [] }),
    ],
  ])("refuses a checkpoint with %s, and keeps what it has", (_, memory) => {
    const decoder = started();
    const before = decoder.memory("XBTUSD");
    expect(decoder.recall("XBTUSD", memory)).toBe(false);
    expect(decoder.memory("XBTUSD")).toBe(before);
  });
});

/** Ten a side, as the venue sends them nearly always. */
const TEN_BIDS = `[${Array.from({ length: 10 }, (_, at) => `[${100 - at / 2},${(at + 1) * 100}]`).join(",")}]`;
const TEN_ASKS = `[${Array.from({ length: 10 }, (_, at) => `[${101 + at / 2},${(at + 1) * 100}]`).join(",")}]`;

describe("the scanner, against the parser", () => {
  const modern = fixture.following.slice(0, 2);
  const tops = (...rows: string[]) => `{"table":"orderBook10","action":"update","data":[${rows.join(",")}]}`;
  const trades = (...rows: string[]) => `{"table":"trade","action":"insert","data":[${rows.join(",")}]}`;
  const tradeRow = (fields: string) =>
    `{"timestamp":"2021-07-22T22:36:11.685Z","symbol":"XBTUSD",${fields === "" ? '"side":"Buy","size":100,"price":32180.5' : fields},"tickDirection":"PlusTick","trdMatchID":"6e70bebe-235e-08a6-d11b-e1042bf1f2ed","grossValue":4975124,"homeNotional":0.0311,"foreignNotional":100}`;
  const fast = [
    ...fixture.following,
    fixture.quote.frame,
    ...modern.map((frame) => frame.replaceAll('"pool":"Primary",', "")),
    ...modern.map((frame) => frame.replaceAll('"pool":"Primary",', "").replaceAll('Z"}', 'Z","pool":"Aggregated"}')),
    ...modern.map((frame) => frame.replaceAll(/,"transactTime":"[^"]*"/g, "")),
    fixture.quote.frame.replace(',"pool":"Primary"', "").replace("101,", "101.0,"),
    ...[...fixture.following, fixture.quote.frame].map((frame) => frame.replaceAll("XBTUSD", "XBTUSDT")),
    fixture.following[0].replaceAll("XBTUSD", "XBTUSDT").replaceAll("102", "0.0000000123"),
    fixture.topLevels.frame,
    fixture.topLevels.frame.replaceAll("XBTUSD", "XBTUSDT").replace(',"pool":"Primary"', ""),
    fixture.instruments[0]?.frame ?? "",
    '{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD","lastPrice":null},{"symbol":"XBTUSDT","bidPrice":1e-10,"timestamp":"2023-11-14T22:13:20.420Z"}]}',
    fixture.trade.frame,
    fixture.trade.frame.replaceAll("XBTUSD", "XBTUSDT").replace("100.5", "0.0000000123").replace("Buy", "Sell"),
    // As recorded in 2021: a random uuid, several of one taker, no type, amounts null or with an exponent.
    trades(tradeRow(""), tradeRow('"side":"Sell","size":300,"price":99.5').replace("4975124", "null").replace("0.0311", "3.11e-7")),
    tops(top("XBTUSD", "[]", "[]"), top("XBTUSD", TEN_BIDS, "[[101,700000]]"), top("XBTUSD", "[[100.5,100]]", TEN_ASKS)),
    tops(top("XBTUSD", TEN_BIDS, TEN_ASKS)).replace('Z"', 'Z","pool":"Primary"'),
    book("update", level('"id":1,"side":"Buy","size":100'), level('"id":2,"side":"Sell","size":0')),
  ];

  it("takes the layouts that the venue sends, so that the fast path is the one in use", () => {
    const { scan, parse } = readers([XBTUSD, FINE]);
    for (const frame of fast) {
      expect(scan(frame), frame).not.toBeNull();
      expect(scan(frame), frame).toEqual(parse(frame));
    }
  });

  it("leaves a trade without an id of its own to the parser, which gives it one", () => {
    const { scan, parse } = readers([XBTUSD]);
    const zero = fixture.trade.frame.replace("00000000-006d-1000-0000-00367d215623", "00000000-0000-0000-0000-000000000000");
    expect([scan(zero), parse(zero)]).toEqual([null, [{ ...fixture.trade.event, tradeId: 1 }]]);
  });

  it("leaves what is no uuid to the parser, also where a quote stands behind it by chance", () => {
    const { scan } = readers([XBTUSD]);
    const end = /"trdType":"Regular",/;
    for (const id of [
      "00000000-006d-1000-0000-00367d2156",
      "00000000-006d-1000-0000-00367d2156234",
      "00000000-006d-1000-00000-0367d215623",
    ]) {
      const frame = fixture.trade.frame.replace("00000000-006d-1000-0000-00367d215623", id);
      for (const text of [frame, frame.replace(end, ""), frame.replace(/"grossValue".*"pool"/, '"pool"')])
        expect(scan(text), text).toBeNull();
    }
  });

  it("refuses what could be endless, and throws nothing", () => {
    const { scan } = readers([XBTUSD]);
    const long = 4_000_000;
    const frames: readonly [string, string, string][] = [
      [fixture.following[1], '"id":17999996004', `"id":${"1".repeat(long)}`],
      [fixture.following[1], '"price":101', `"price":1.${"0".repeat(long)}1`],
      [fixture.following[1], "XBTUSD", "X".repeat(long)],
      [fixture.quote.frame, '"bidSize":1200', `"bidSize":${"9".repeat(long)}`],
      [fixture.trade.frame, "PlusTick", `${"P".repeat(long)}-`],
      [fixture.trade.frame, "4975124", `1e${"1".repeat(long)}x`],
      [fixture.topLevels.frame, "[100.5,1200]", `${"[100.5,1200],".repeat(long / 10)}[100.5,1200]`],
    ];
    for (const [frame, from, to] of frames) {
      expect(frame).toContain(from);
      expect(scan(frame.replace(from, to)), from).toBeNull();
    }
  });

  it("leaves a time that is none to the parser, also in the minute of the time before", () => {
    const { scan } = readers([XBTUSD, FINE]);
    expect(scan(fixture.following[0])).not.toBeNull();
    for (const seconds of ["60.200Z", "2x.200Z", "20,200Z", "20.200z"]) {
      expect(scan(fixture.following[0].replace("20.200Z", seconds)), seconds).toBeNull();
    }
  });

  const edit = fc.record({
    kind: fc.constantFrom("insert", "delete", "replace", "repeat", "truncate", "number", "digit", "digit", "digit"),
    // In millionths: doubles drawn at random are nearly all close to zero, and would edit the frame's head alone.
    at: fc.integer({ min: 0, max: 999_999 }),
    length: fc.integer({ min: 1, max: 40 }),
    text: fc.oneof(
      fc.constantFrom(
        "0",
        "9",
        ".",
        '"',
        ",",
        "[",
        "]",
        "}",
        "-",
        "e",
        "e1",
        " ",
        "\\",
        "\n",
        "é",
        "00",
        '"size":1,',
        "0.5",
        "Z",
        "T",
        "T:6",
      ),
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
    if (kind === "digit") return frame.slice(0, place) + frame.slice(place).replace(/\d/, String(length % 10));
    return frame.slice(0, place) + (kind === "delete" ? "" : text) + frame.slice(kind === "insert" ? place : place + 1);
  }

  it("reads what it accepts of edited frames exactly as the parser does", () => {
    const { scan, parse } = readers([XBTUSD, FINE]);
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...fast), fc.array(edit, { minLength: 1, maxLength: 2 }), (frame, edits) => {
        const mutated = edits.reduce(mutate, frame);
        const scanned = scan(mutated);
        if (scanned === null) return;
        accepted++;
        expect(scanned, mutated).toEqual(parse(mutated));
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  it("reads any price and size on or off the grid as the parser does", () => {
    const { scan, parse } = readers([XBTUSD, FINE]);
    let accepted = 0;
    const decimal = fc.stringMatching(/^\d{0,9}(\.\d{0,11}0{0,3})?$/);
    fc.assert(
      fc.property(decimal, decimal, fc.constantFrom("XBTUSD", "XBTUSDT"), (price, size, symbol) => {
        const row = `{"symbol":"${symbol}","id":1,"side":"Buy","size":${size},"price":${price}}`;
        const scanned = scan(book("insert", row));
        if (scanned === null) return;
        accepted++;
        expect(scanned).toEqual(parse(book("insert", row)));
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

describe("malformed frames are values with a reason", () => {
  const row = '"id":9,"side":"Sell","size":100,"price":105';
  it.each([
    ["not JSON", `${book("insert", level(row))}}`, "not JSON"],
    ["an array", "[1,2]", "not an object"],
    ["JSON null", "null", "not an object"],
    ["neither table nor answer", '{"hello":1}', "neither a table's message"],
    ["an unknown action", book("upsert", level(row)), '"action" is "upsert"'],
    ["rows that are no array", '{"table":"orderBookL2","action":"insert","data":{}}', '"data" is an object'],
    ["a row that is no object", book("insert", "7"), "a row is 7"],
    ["a row without a symbol", book("insert", `{${row}}`), '"symbol" is nothing'],
    ["another's row in a partial", partial("XBTUSD", `{"symbol":"ETHUSD",${row}}`), "a partial of XBTUSD carries"],
    ["an id as text", book("insert", level(row.replace("9", '"9"'))), '"id" is "9"'],
    ["an id past 2^53", book("insert", level(row.replace("9", "9007199254740993"))), '"id" is'],
    ["no side", book("update", level('"id":9,"size":1')), '"side" is nothing'],
    ["a price as text", book("insert", level(row.replace("105", '"105"'))), 'price of row 0 is "105"'],
    ["a price off the grid", book("insert", level(row.replace("105", "105.3"))), "price of row 0 is 105.3"],
    ["a price of zero", book("insert", level(row.replace("105", "0"))), "price of row 0 is 0"],
    ["a negative price", book("insert", level(row.replace("105", "-105"))), "price of row 0 is -105"],
    ["no price in an insert", book("insert", level('"id":9,"side":"Sell","size":100')), "price of row 0 is nothing"],
    ["a negative size", book("insert", level(row.replace("100", "-100"))), "size of row 0 is -100"],
    ["a size too large to count", book("insert", level(row.replace("100", "1e30"))), "size of row 0 is 1e+30"],
    ["a time that is none", book("insert", level(`${row},"timestamp":"2021-02-30T00:00:00.000Z"`)), '"timestamp" is'],
    ["a trade of size zero", fixture.trade.frame.replace('"size":5000', '"size":0'), "size of row 0 is 0"],
    ["a trade of no side", fixture.trade.frame.replace('"Buy"', '""'), '"side" is ""'],
    ["a trade whose id is no uuid", fixture.trade.frame.replace("00000000-", ""), '"trdMatchID" is'],
    ["a quote without a size", fixture.quote.frame.replace('"bidSize":1200,', ""), "bidSize of row 0 is nothing"],
  ])("%s", (_, frame, reason) => {
    expect(reasonOf(started().decode(frame))).toContain(reason);
  });

  it("names the symbol and the channel as far as they can be read, and no symbol where there are two", () => {
    const decoder = started([XBTUSD, FINE]);
    const cut = fixture.following[0].slice(0, 70);
    expect(decoder.decode(cut)).toMatchObject({ kind: "malformed", symbol: "XBTUSD", channel: "depth" });
    expect(decoder.decode(`${fixture.quote.frame}x`)).toMatchObject({ kind: "malformed", symbol: "XBTUSD", channel: "quotes" });
    expect(decoder.decode(`${fixture.trade.frame}x`)).toMatchObject({ kind: "malformed", symbol: "XBTUSD", channel: "trades" });
    expect(decoder.decode("{]")).toMatchObject({ kind: "malformed", symbol: null, channel: null });
    const two = book("update", level('"id":"x"'), '{"symbol":"XBTUSDT","id":7,"side":"Sell","size":4}');
    expect(decoder.decode(two)).toMatchObject({ kind: "malformed", symbol: null, channel: "depth" });
  });

  it("answers any text, and a nest of a hundred thousand brackets, with a value", () => {
    const decoder = started();
    const nest = "[".repeat(100_000) + "]".repeat(100_000);
    for (const frame of [
      nest,
      book("insert", nest),
      book("insert", level(`"id":${nest}`)),
      `{"error":${nest}}`,
      `{"table":"quote","action":"insert","data":${nest}}`,
    ]) {
      expect(["malformed", "control"]).toContain(decoder.decode(frame).kind);
    }
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (text) => {
        expect(["malformed", "control", "ignored"]).toContain(decoder.decode(text).kind);
        expect(decoder.decodeSnapshot("XBTUSD", text)).toMatchObject({ kind: "malformed", symbol: "XBTUSD" });
        expect(typeof decoder.recall("XBTUSD", text)).toBe("boolean");
      }),
    );
  });
});

describe("bounds", () => {
  const rows = (count: number) => Array.from({ length: count }, (_, at) => level(`"id":${at},"side":"Sell","size":100,"price":${at + 1}`));

  it("reads an image of the most levels, and holds each", () => {
    const [event] = eventsOf(createBitmexDecoder([XBTUSD]).decode(partial("XBTUSD", ...rows(MAX_LEVELS_PER_MESSAGE))));
    expect(levelsOf(event)[MAX_LEVELS_PER_MESSAGE - 1]).toEqual(["ask", MAX_LEVELS_PER_MESSAGE * 2, 1]);
  });

  it("refuses one level more, a side that grows past it, too many quotes, and an oversized frame unread", () => {
    const decoder = createBitmexDecoder([XBTUSD]);
    expect(reasonOf(decoder.decode(partial("XBTUSD", ...rows(MAX_LEVELS_PER_MESSAGE + 1))))).toContain("too many rows");
    decoder.decode(partial("XBTUSD", ...rows(MAX_LEVELS_PER_MESSAGE)));
    expect(eventsOf(decoder.decode(book("insert", level('"id":99999,"side":"Sell","size":100,"price":0.5'))))).toMatchObject([
      { kind: "loss" },
    ]);
    const quote = fixture.quote.frame.slice(fixture.quote.frame.indexOf("[") + 1, -2);
    const many = fixture.quote.frame.replace(quote, Array.from({ length: MAX_EVENTS_PER_MESSAGE + 1 }, () => quote).join(","));
    expect(reasonOf(decoder.decode(many))).toContain("too many rows");
    expect(reasonOf(decoder.decode(`{"table":"${"x".repeat(MAX_FRAME_CHARACTERS)}"}`))).toContain("oversized");
  });
});

describe("trade ids", () => {
  const withId = (id: string) => fixture.trade.frame.replace("00000000-006d-1000-0000-00367d215623", id);
  const idOf = (decoder: Decoder, id: string) => {
    const [event] = eventsOf(decoder.decode(withId(id)));
    return event?.kind === "trade" ? event.tradeId : null;
  };

  it("come from the end of the uuid, where today's differ", () => {
    const decoder = started();
    expect(idOf(decoder, "39744121-c20e-44ba-8cc8-a6b8cdf72885")).toBe(0x8a6b8cdf72885);
    expect(idOf(decoder, "00000000-006d-1000-0000-00367d215624")).toBe(0x367d215624);
  });

  it("are made where the venue sends none, so that trades are not taken for one sent twice", () => {
    const decoder = started();
    const none = "00000000-0000-0000-0000-000000000000";
    const ids = [idOf(decoder, none), idOf(decoder, none), idOf(decoder, none)];
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(Number.isSafeInteger(id)).toBe(true);
    // A replay from the connection's start makes the same.
    decoder.reset();
    expect([idOf(decoder, none), idOf(decoder, none), idOf(decoder, none)]).toEqual(ids);
  });
});

describe("prices of more digits than a double holds", () => {
  it.each(["900719.9254740991", "123456.1234567891"])("%s is refused by both readers, for it would be read as its neighbour", (price) => {
    const frame = book("insert", `{"symbol":"XBTUSDT","id":1,"side":"Buy","size":1,"price":${price}}`);
    expect(reasonOf(started([FINE]).decode(frame))).toContain("price of row 0");
  });
});

describe("the parts", () => {
  it.each([
    [1e-7, "0.0000001"],
    [1.234e-7, "0.0000001234"],
    [3.042e-7, "0.0000003042"],
    [1e21, "1000000000000000000000"],
    [1.5e21, "1500000000000000000000"],
    [0.1, "0.1"],
    [-0, "0"],
    [32_180.5, "32180.5"],
  ])("writes %d without an exponent", (value, text) => {
    expect(plainDecimal(value)).toBe(text);
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], ["1"], [null], [undefined]])("writes nothing for %s", (value) => {
    expect(plainDecimal(value)).toBeNull();
  });

  it("reads every time of the venue's form as Date.parse does, and refuses what it would roll on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (time) => {
        expect(timeOf(new Date(time).toISOString())).toBe(time);
      }),
    );
    for (const text of [
      "2021-02-30T00:00:00.000Z",
      "2021-13-01T00:00:00.000Z",
      "2021-00-01T00:00:00.000Z",
      "2021-01-01T24:00:00.000Z",
      "2021-01-01T00:60:00.000Z",
      "2021-01-01T00:00:60.000Z",
      "2021-01-01T00:00:00.000",
      "2021-01-01 00:00:00.000Z",
      "",
    ]) {
      expect(timeOf(text), text).toBe(-1);
    }
  });

  it("keeps a table of numbers as a Map does", () => {
    const key = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 40 }).map((step) => 234_027_000_000 + step * 4_294_967_296),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.integer({ min: 0, max: 3 })), { maxLength: 500 }), (steps) => {
        const table = new NumberTable();
        const reference = new Map<number, number>();
        for (const [at, [each, value]] of steps.entries()) {
          if (value === 0 && reference.delete(each)) table.remove(each);
          if (value > 0) {
            expect(table.add(each, at + 1)).toBe(!reference.has(each));
            if (!reference.has(each)) reference.set(each, at + 1);
          }
          expect(table.get(each)).toBe(reference.get(each) ?? 0);
        }
        expect(table.size).toBe(reference.size);
        const list = table.toList();
        const pairs = list.flatMap((held, at) => (at % 2 === 0 ? [[held, list[at + 1] ?? 0] as const] : []));
        expect(new Map(pairs)).toEqual(reference);
      }),
    );
  });

  it("keeps a set of ticks as a Set does, however far the market wanders", () => {
    const ticks = fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 60 }).map((step) => 999_999_000_000_000 + step * 16),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(ticks, fc.boolean()), { maxLength: 500 }), fc.integer({ min: 0, max: 2_000 }), (steps, wander) => {
        const set = new TickSet();
        const reference = new Set<number>();
        for (const [each, isAdded] of steps) {
          if (isAdded) expect(set.add(each)).toBe(!reference.has(each));
          else set.remove(each);
          if (isAdded) reference.add(each);
          else reference.delete(each);
        }
        for (let at = 0; at < wander; at++) {
          expect(set.add(5_000 + at * 40)).toBe(true);
          set.remove(5_000 + at * 40);
        }
        for (const each of reference) expect(set.add(each)).toBe(false);
        set.clear();
        for (const each of reference) expect(set.add(each)).toBe(true);
      }),
    );
  });

  it("judges a count: the next, again, past a hole, and nothing before the image", () => {
    const sequencer = createBitmexSequencer();
    const judge = (sequence: number) => sequencer.judge({ firstSequence: sequence, lastSequence: sequence, previousSequence: null });
    expect(judge(1)).toBe("drop");
    expect(sequencer.isSynced).toBe(false);
    expect(sequencer.judgeSnapshot(0, null)).toBe("apply");
    expect([judge(1), judge(2), judge(2), judge(4), judge(4)]).toEqual([
      "apply",
      "apply",
      "duplicate",
      { resync: "sequence-gap" },
      { resync: "sequence-gap" },
    ]);
    sequencer.reset();
    expect(sequencer.lastSequence).toBeNull();
    expect(judge(3)).toBe("drop");
  });
});
