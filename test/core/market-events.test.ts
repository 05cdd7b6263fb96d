/** The events' text form: what goes out comes in again, and what is not an event is named, not guessed. */

import { describe, expect, it } from "vitest";
import {
  decodeEventsHeader,
  decodeMarketRecord,
  type EventsHeader,
  encodeEventsHeader,
  encodeMarketRecord,
  type MarketRecord,
} from "../../core/wire/market-events.ts";

const HEADER: EventsHeader = {
  market: "standx:BTC-USD",
  tick: { decimals: 2, mantissa: 1 },
  lot: { decimals: 4, mantissa: 5 },
  source: "a test",
};

const RECORDS: readonly (readonly [MarketRecord, string])[] = [
  [
    { kind: "snapshot", receivedAt: 1000, venueTime: 990, sequence: null, bids: [[10001, 2]], asks: [] },
    '{"kind":"snapshot","receivedAt":1000,"venueTime":990,"sequence":null,"bids":[["100.01","0.0010"]],"asks":[]}',
  ],
  [
    { kind: "depth", receivedAt: 1001, venueTime: null, sequence: 7, bids: [[10001, 0]], asks: [[10003, 1]] },
    '{"kind":"depth","receivedAt":1001,"venueTime":null,"sequence":7,"bids":[["100.01","0.0000"]],"asks":[["100.03","0.0005"]]}',
  ],
  [
    { kind: "trade", receivedAt: 1002, venueTime: 1001, tradeId: "a-1", priceTicks: 10002, sizeLots: 3, takerSide: null },
    '{"kind":"trade","receivedAt":1002,"venueTime":1001,"tradeId":"a-1","price":"100.02","size":"0.0015","takerSide":null}',
  ],
  [
    { kind: "quote", receivedAt: 1003, venueTime: 1002, sequence: 8, bid: null, ask: [10003, 4] },
    '{"kind":"quote","receivedAt":1003,"venueTime":1002,"sequence":8,"bid":null,"ask":["100.03","0.0020"]}',
  ],
  [
    { kind: "quote", receivedAt: 1003, venueTime: 1003, sequence: null, bid: [10001, null], ask: [10003, null] },
    '{"kind":"quote","receivedAt":1003,"venueTime":1003,"sequence":null,"bid":["100.01",null],"ask":["100.03",null]}',
  ],
  [
    {
      kind: "bar",
      receivedAt: 61000,
      venueTime: null,
      openTime: 1000,
      closeTime: 61000,
      openTicks: 1,
      highTicks: 4,
      lowTicks: 0,
      closeTicks: 2,
      volumeLots: 3,
      turnover: "0.0300",
      takerBuyLots: null,
      trades: 2,
    },
    '{"kind":"bar","receivedAt":61000,"venueTime":null,"openTime":1000,"closeTime":61000,"open":"0.01","high":"0.04","low":"0.00","close":"0.02","volume":"0.0015","turnover":"0.0300","takerBuyVolume":null,"trades":2}',
  ],
  [
    { kind: "gap", receivedAt: 1010, from: 1003, to: null, reason: "silence", detail: "7 s" },
    '{"kind":"gap","receivedAt":1010,"from":1003,"to":null,"reason":"silence","detail":"7 s"}',
  ],
];

describe("a line of events", () => {
  it.each(RECORDS)("is written as the document says, and read back whole: %o", (record, line) => {
    expect(encodeMarketRecord(record, HEADER)).toBe(line);
    expect(decodeMarketRecord(line, HEADER)).toEqual(record);
  });

  it.each([
    [
      "a price off the grid would be another price",
      '{"kind":"trade","receivedAt":1,"venueTime":1,"tradeId":null,"price":"1.005","size":"0.0005","takerSide":"buy"}',
    ],
    [
      "a size off the grid would be another size",
      '{"kind":"depth","receivedAt":1,"venueTime":1,"sequence":1,"bids":[["1.00","0.0001"]],"asks":[]}',
    ],
    [
      "a number for a price has been through a double",
      '{"kind":"depth","receivedAt":1,"venueTime":1,"sequence":1,"bids":[[1,"0.0005"]],"asks":[]}',
    ],
    ["a side that is no side", '{"kind":"trade","receivedAt":1,"venueTime":1,"tradeId":null,"price":"1","size":"0.0005","takerSide":"up"}'],
    ["no size", '{"kind":"trade","receivedAt":1,"venueTime":1,"tradeId":null,"price":"1","size":"0","takerSide":"buy"}'],
    ["no time", '{"kind":"gap","from":1,"to":2,"reason":"","detail":""}'],
    [
      "a bar that ends before it begins",
      '{"kind":"bar","receivedAt":1,"venueTime":null,"openTime":2,"closeTime":2,"open":"1","high":"1","low":"1","close":"1","volume":"0","turnover":null,"takerBuyVolume":null,"trades":null}',
    ],
    ["an unknown kind", '{"kind":"candle","receivedAt":1}'],
    ["not JSON", '{"kind":'],
  ])("is refused, for it would be guessed at: %s", (_, line) => {
    expect(decodeMarketRecord(line, HEADER)).toHaveProperty("malformed");
  });
});

describe("the header", () => {
  it("says the market and its grids, without which no number of the file means anything", () => {
    const line = '{"format":"edgebook-events","version":1,"market":"standx:BTC-USD","tick":"0.01","lot":"0.0005","source":"a test"}';
    expect(encodeEventsHeader(HEADER)).toBe(line);
    expect(decodeEventsHeader(line)).toEqual(HEADER);
  });

  it("says what of the events is the source's limit and what is our inference, so that nobody takes either for the market's", () => {
    const noted: EventsHeader = { ...HEADER, bookLevels: 20, sideInferred: "quote rule" };
    const line = encodeEventsHeader(noted);
    expect(line).toContain('"source":"a test","bookLevels":20,"sideInferred":"quote rule"}');
    expect(decodeEventsHeader(line)).toEqual(noted);
  });

  it.each([
    '{"format":"edgebook-events","version":2,"market":"a:B","tick":"1","lot":"1"}',
    '{"format":"other","version":1,"market":"a:B","tick":"1","lot":"1"}',
    '{"format":"edgebook-events","version":1,"market":"a:B","tick":"0","lot":"1"}',
    '{"format":"edgebook-events","version":1,"tick":"1","lot":"1"}',
    "[]",
  ])("is refused where it is another's, or a later one: %s", (line) => {
    expect(decodeEventsHeader(line)).toHaveProperty("malformed");
  });
});
