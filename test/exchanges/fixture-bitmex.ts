/**
 * One small BitMEX session, written by hand from its documents (https://www.bitmex.com/app/wsAPI, read 2026-11-27): a market with half-dollar ticks and lots of
 * a hundred contracts, whose ids say nothing of prices.
 */

import type { InstrumentEvent, QuoteEvent, TopLevelsEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { LossNotice } from "../../exchanges/contract.ts";

const instrument: Instrument = {
  venue: "bitmex",
  symbol: "XBTUSD",
  tick: { decimals: 1, mantissa: 5 },
  lot: { decimals: 0, mantissa: 100 },
  contract: { kind: "inverse", size: "1", unit: "USD" },
};

const instrumentsBody = JSON.stringify([
  { symbol: "ETHUSD", tickSize: 0.05, lotSize: 1, isInverse: false, isQuanto: true },
  {
    symbol: "XBTUSD",
    state: "Open",
    typ: "FFWCSX",
    underlying: "XBT",
    quoteCurrency: "USD",
    settlCurrency: "XBt",
    lotSize: 100,
    tickSize: 0.5,
    multiplier: -100_000_000,
    underlyingToSettleMultiplier: -100_000_000,
    isQuanto: false,
    isInverse: true,
    timestamp: "2023-11-14T22:13:20.000Z",
  },
]);

/** Tail of a row as the venue writes it since 2026. */
const at = (ms: string) => `"pool":"Primary","timestamp":"2023-11-14T22:13:20.${ms}Z","transactTime":"2023-11-14T22:13:20.${ms}Z"`;

const snapshot = `{"table":"orderBookL2","action":"partial","keys":["symbol","id","side"],"types":{"symbol":"symbol","id":"long","side":"symbol","size":"long","price":"float"},"filter":{"symbol":"XBTUSD","pool":"Primary"},"data":[{"symbol":"XBTUSD","id":17999996000,"side":"Sell","size":150000,"price":100.5,${at("100")}},{"symbol":"XBTUSD","id":17999996001,"side":"Sell","size":100,"price":102,${at("090")}},{"symbol":"XBTUSD","id":17999996002,"side":"Buy","size":100000,"price":100,${at("100")}},{"symbol":"XBTUSD","id":17999996003,"side":"Buy","size":300000,"price":99.5,${at("080")}}]}`;

const following = [
  `{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":17999996002,"side":"Buy","size":250000,"price":100,${at("200")}},{"symbol":"XBTUSD","id":17999996001,"side":"Sell","size":200,"price":102,${at("200")}}]}`,
  `{"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":17999996004,"side":"Sell","size":700000,"price":101,${at("300")}}]}`,
  // As in 2021: neither price nor time.
  '{"table":"orderBookL2","action":"delete","data":[{"symbol":"XBTUSD","id":17999996003,"side":"Buy"}]}',
  // The ask at 100.5 has been taken, and a bid stands there.
  '{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":17999996000,"side":"Buy","size":1200}]}',
] as const;

const trade: { frame: string; event: TradeEvent } = {
  frame:
    '{"table":"trade","action":"insert","data":[{"timestamp":"2023-11-14T22:13:20.349Z","symbol":"XBTUSD","side":"Buy","size":5000,"price":100.5,"tickDirection":"PlusTick","trdMatchID":"00000000-006d-1000-0000-00367d215623","grossValue":4975124,"homeNotional":49.75124,"foreignNotional":5000,"trdType":"Regular","pool":"Primary"}]}',
  event: {
    kind: "trade",
    symbol: "XBTUSD",
    venueTime: 1_700_000_000_349,
    tradeId: 0x36_7d21_5623,
    priceTicks: 201,
    sizeLots: 50,
    takerSide: "buy",
  },
};

const quote: { frame: string; event: QuoteEvent } = {
  frame:
    '{"table":"quote","action":"insert","data":[{"timestamp":"2023-11-14T22:13:20.400Z","symbol":"XBTUSD","bidSize":1200,"bidPrice":100.5,"askPrice":101,"askSize":700000,"pool":"Primary"}]}',
  event: {
    kind: "quote",
    symbol: "XBTUSD",
    venueTime: 1_700_000_000_400,
    sequence: null,
    bidTicks: 201,
    bidLots: 12,
    askTicks: 202,
    askLots: 7_000,
  },
};

/** What the venue lists of that book. */
const topLevels: { frame: string; event: TopLevelsEvent } = {
  frame:
    '{"table":"orderBook10","action":"update","data":[{"symbol":"XBTUSD","bids":[[100.5,1200],[100,250000]],"asks":[[101,700000],[102,200]],"timestamp":"2023-11-14T22:13:20.410Z","pool":"Primary"}]}',
  event: {
    kind: "top-levels",
    symbol: "XBTUSD",
    venueTime: 1_700_000_000_410,
    depth: 10,
    levels: {
      bidCount: 2,
      askCount: 2,
      priceTicks: Float64Array.from([201, 200, 202, 204]),
      sizeLots: Float64Array.from([12, 2_500, 7_000, 2]),
    },
  },
};

/** What is said of the instrument, and what of it is kept: on these grids a tick of 0.5 and a lot of 100. */
const instruments: readonly { frame: string; event: InstrumentEvent }[] = [
  said(
    '"update"',
    '"fairPrice":100.21,"markPrice":100.25,"hasLiquidity":true,"lastTickDirection":"PlusTick","timestamp":"2023-11-14T22:13:20.420Z"',
    {},
  ),
  said('"partial"', '"rootSymbol":"XBT","state":"Open","lotSize":100,"tickSize":0.5,"expiry":null,"timestamp":"2023-11-14T22:13:20.420Z"', {
    venueState: "Open",
  }),
  said('"update"', '"state":"Settled","timestamp":"2023-11-14T22:13:20.420Z"', { venueState: "Settled" }),
  said('"update"', '"tickSize":0.1', { hasOtherGrids: true }),
  said('"update"', '"lotSize":10,"bidPrice":100.5', { hasOtherGrids: true }),
  said('"delete"', '"state":null', { venueState: "Unlisted" }),
];

function said(action: string, fields: string, kept: Partial<InstrumentEvent>): { frame: string; event: InstrumentEvent } {
  return {
    frame: `{"table":"instrument","action":${action},"data":[{"symbol":"XBTUSD",${fields}}]}`,
    event: { kind: "instrument", symbol: "XBTUSD", venueState: null, hasOtherGrids: false, ...kept },
  };
}

/** After the session: what shows that a message was lost, and what it is said to be. */
const losses: readonly { frame: string; event: LossNotice }[] = [
  {
    frame: '{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":5,"side":"Buy","size":100}]}',
    event: loss("update of id 5, which is not there"),
  },
  {
    frame: '{"table":"orderBookL2","action":"delete","data":[{"symbol":"XBTUSD","id":17999996003,"side":"Buy"}]}',
    event: loss("delete of id 17999996003, which is not there"),
  },
  {
    frame: '{"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":17999996004,"side":"Sell","size":100,"price":103}]}',
    event: loss("insert of id 17999996004 at 206 ticks: the id or the price is there already"),
  },
];

function loss(detail: string): LossNotice {
  return { kind: "loss", symbol: "XBTUSD", channel: "depth", reason: "unknown-level", detail };
}

export const bitmexFixture = {
  instrument,
  instrumentsBody,
  opening: [
    '{"info":"Welcome to the BitMEX Realtime API.","version":"2.0.0","timestamp":"2023-11-14T22:13:20.000Z","docs":"https://www.bitmex.com/app/wsAPI","heartbeatEnabled":false}',
  ],
  snapshot,
  snapshotFrames: [snapshot],
  following,
  /** Best levels when all of that has been applied: [ticks, lots]. */
  bids: [
    [201, 12],
    [200, 2_500],
  ],
  asks: [
    [202, 7_000],
    [204, 2],
  ],
  trade,
  quote,
  topLevels,
  instruments,
  losses,
  ignored: [
    '{"table":"instrument","action":"update","data":[{"symbol":"ETHUSD","markPrice":100.25}]}',
    '{"table":"funding","action":"insert","data":[{"symbol":"XBTUSD","fundingRate":0.0001}]}',
    '{"table":"orderBook10","action":"update","data":[{"symbol":"XBTUSD","bids":[[100,250000]],"timestamp":"2023-11-14T22:13:20.400Z"}]}',
    '{"table":"orderBook10","action":"update","data":[{"symbol":"XBTUSD","bids":[[100,1]],"asks":[[101,1]],"pool":"Secondary","timestamp":"2023-11-14T22:13:20.400Z"}]}',
    '{"table":"trade","action":"partial","data":[{"timestamp":"2023-11-14T22:13:10.000Z","symbol":"XBTUSD","side":"Sell","size":100,"price":99,"trdMatchID":"00000000-006d-1000-0000-00367d215600"}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2023-11-14T22:13:20.400Z","symbol":"XBTUSD","askPrice":101,"askSize":700000}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2023-11-14T22:13:20.400Z","symbol":"ETHUSD","bidSize":1,"bidPrice":100.5,"askPrice":101,"askSize":7}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2023-11-14T22:13:20.400Z","symbol":"XBTUSD","bidSize":100,"bidPrice":100.5,"askPrice":100.5,"askSize":700,"pool":"Secondary"}]}',
  ],
  acknowledged: [
    '{"info":"Welcome to the BitMEX Realtime API.","version":"2.0.0","timestamp":"2023-11-14T22:13:20.000Z","docs":"https://www.bitmex.com/app/wsAPI","heartbeatEnabled":false}',
    '{"success":true,"subscribe":"orderBookL2:XBTUSD","pool":"Primary","request":{"op":"subscribe","args":["orderBookL2:XBTUSD:Primary"]}}',
    '{"success":true,"request":{"op":"authKeyExpires","args":["id",1700000060,"00"]}}',
  ],
  heartbeats: ["pong"],
  refused: [
    '{"status":429,"error":"Rate limit exceeded, retry in 5 seconds.","meta":{"retryAfter":5},"request":{"op":"subscribe","args":["trade:XBTUSD"]}}',
    '{"status":400,"error":"Unknown or expired symbol.","meta":{},"request":{"op":"subscribe","args":["trade:NOSUCH"]}}',
    '{"success":false,"status":401}',
  ],
  closing: [],
} as const;
