/** One small session of each venue, written by hand from its documents: what the contract suite feeds to every adapter. */

import type { KlineEvent, QuoteEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";

export interface VenueFixture {
  readonly instrument: Instrument;
  /** Body of the answer to instrumentsRequest; it also holds a symbol that was not asked for. */
  readonly instrumentsBody: string;
  /** Depth frames received before the snapshot: the first is wholly older than it, the last joins it. */
  readonly buffered: readonly string[];
  readonly snapshotBody: string;
  /** Depth frames that follow the buffered ones without a hole. */
  readonly following: readonly string[];
  /** Best levels when all of that has been applied: [ticks, lots]. */
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
  readonly trade: { readonly frame: string; readonly event: TradeEvent };
  readonly quote: { readonly frame: string; readonly event: QuoteEvent };
  readonly kline: { readonly frame: string; readonly event: KlineEvent };
  /** Well-formed, and nothing that is kept. */
  readonly ignored: readonly string[];
  readonly acknowledged: readonly string[];
  readonly refused: readonly string[];
  readonly closing: readonly string[];
}

const spot: VenueFixture = {
  instrument: {
    venue: "binance-spot",
    symbol: "BTCUSDT",
    tick: { decimals: 2, mantissa: 1 },
    lot: { decimals: 5, mantissa: 1 },
  },
  instrumentsBody: JSON.stringify({
    timezone: "UTC",
    symbols: [
      { symbol: "ETHUSDT", filters: [] },
      {
        symbol: "BTCUSDT",
        status: "TRADING",
        filters: [
          { filterType: "PRICE_FILTER", minPrice: "0.01000000", maxPrice: "1000000.00000000", tickSize: "0.01000000" },
          { filterType: "LOT_SIZE", minQty: "0.00001000", maxQty: "9000.00000000", stepSize: "0.00001000" },
        ],
      },
    ],
  }),
  buffered: [
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000100,"s":"BTCUSDT","U":95,"u":99,"b":[["99.00000000","5.00000000"]],"a":[]}}',
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000200,"s":"BTCUSDT","U":100,"u":104,"b":[["100.00000000","2.50000000"]],"a":[["100.02000000","0.00000000"]]}}',
  ],
  snapshotBody:
    '{"lastUpdateId":101,"bids":[["100.00000000","1.00000000"],["99.98000000","3.00000000"]],"asks":[["100.02000000","1.50000000"],["100.05000000","0.00001000"]]}',
  following: [
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000300,"s":"BTCUSDT","U":105,"u":105,"b":[["99.98000000","0.00000000"],["99.97000000","0.12345000"]],"a":[["100.04000000","7.00000000"]]}}',
  ],
  bids: [
    [10_000, 250_000],
    [9_997, 12_345],
  ],
  asks: [
    [10_004, 700_000],
    [10_005, 1],
  ],
  trade: {
    frame:
      '{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000350,"s":"BTCUSDT","t":12345,"p":"100.04000000","q":"0.50000000","T":1700000000349,"m":false,"M":true}}',
    event: {
      kind: "trade",
      symbol: "BTCUSDT",
      venueTime: 1_700_000_000_349,
      tradeId: 12_345,
      priceTicks: 10_004,
      sizeLots: 50_000,
      takerSide: "buy",
    },
  },
  quote: {
    frame:
      '{"stream":"btcusdt@bookTicker","data":{"u":105,"s":"BTCUSDT","b":"100.00000000","B":"2.50000000","a":"100.04000000","A":"7.00000000"}}',
    event: {
      kind: "quote",
      symbol: "BTCUSDT",
      venueTime: null,
      sequence: 105,
      bidTicks: 10_000,
      bidLots: 250_000,
      askTicks: 10_004,
      askLots: 700_000,
    },
  },
  kline: {
    frame:
      '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1700000002000,"s":"BTCUSDT","k":{"t":1699999980000,"T":1700000039999,"s":"BTCUSDT","i":"1m","f":1,"L":9,"o":"100.00000000","c":"100.04000000","h":"100.05000000","l":"99.97000000","v":"3.00000000","n":9,"x":false,"q":"300.00000000","V":"1.25000000","Q":"125.00000000","B":"0"}}}',
    event: {
      kind: "kline",
      symbol: "BTCUSDT",
      venueTime: 1_700_000_002_000,
      openTime: 1_699_999_980_000,
      closeTime: 1_700_000_039_999,
      openTicks: 10_000,
      highTicks: 10_005,
      lowTicks: 9_997,
      closeTicks: 10_004,
      volumeLots: 300_000,
      takerBuyLots: 125_000,
      trades: 9,
      isClosed: false,
    },
  },
  ignored: [
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000350,"s":"BTCUSDT","a":1,"p":"100.04000000","q":"0.50000000","f":1,"l":1,"T":1700000000349,"m":false,"M":true}}',
    '{"stream":"ethusdt@trade","data":{"e":"trade","E":1700000000350,"s":"ETHUSDT","t":1,"p":"1.00","q":"1.00","T":1700000000349,"m":false,"M":true}}',
    '{"stream":"btcusdt@bookTicker","data":{"u":105,"s":"BTCUSDT","b":"0.00000000","B":"0.00000000","a":"100.04000000","A":"7.00000000"}}',
    '{"stream":"btcusdt@kline_1h","data":{"e":"kline","E":1700000002000,"s":"BTCUSDT","k":{"i":"1h"}}}',
  ],
  acknowledged: ['{"result":null,"id":1}', '{"result":["btcusdt@trade"],"id":3}'],
  refused: ['{"error":{"code":2,"msg":"Invalid request"},"id":1}', '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}'],
  closing: ['{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}', '{"e":"serverShutdown","E":1770123456789}'],
};

const coinM: VenueFixture = {
  instrument: {
    venue: "binance-coin-m",
    symbol: "BTCUSD_PERP",
    tick: { decimals: 1, mantissa: 1 },
    lot: { decimals: 0, mantissa: 1 },
    contract: { kind: "inverse", size: "100", unit: "USD" },
  },
  instrumentsBody: JSON.stringify({
    symbols: [
      { symbol: "ETHUSD_PERP", filters: [] },
      {
        symbol: "BTCUSD_PERP",
        contractType: "PERPETUAL",
        contractSize: 100,
        baseAsset: "BTC",
        quoteAsset: "USD",
        filters: [
          { filterType: "PRICE_FILTER", minPrice: "1000", maxPrice: "4520958", tickSize: "0.1" },
          { filterType: "LOT_SIZE", stepSize: "1", maxQty: "1000000", minQty: "1" },
        ],
      },
    ],
  }),
  buffered: [
    '{"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1700000000100,"T":1700000000095,"s":"BTCUSD_PERP","ps":"BTCUSD","U":900,"u":950,"pu":880,"b":[["99.0","5"]],"a":[]}}',
    '{"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1700000000200,"T":1700000000195,"s":"BTCUSD_PERP","ps":"BTCUSD","U":960,"u":1010,"pu":950,"b":[["100.0","25"]],"a":[["100.2","0"]]}}',
  ],
  snapshotBody:
    '{"lastUpdateId":1000,"E":1700000000150,"T":1700000000149,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[["100.0","10"],["99.8","30"]],"asks":[["100.2","15"],["100.5","1"]]}',
  following: [
    '{"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1700000000300,"T":1700000000295,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1030,"u":1044,"pu":1010,"b":[["99.8","0"],["99.7","12"]],"a":[["100.4","70"]]}}',
  ],
  bids: [
    [1_000, 25],
    [997, 12],
  ],
  asks: [
    [1_004, 70],
    [1_005, 1],
  ],
  trade: {
    frame:
      '{"stream":"btcusd_perp@trade","data":{"e":"trade","E":1700000000350,"T":1700000000349,"s":"BTCUSD_PERP","t":849714402,"p":"100.0","q":"4","X":"MARKET","m":true}}',
    event: {
      kind: "trade",
      symbol: "BTCUSD_PERP",
      venueTime: 1_700_000_000_349,
      tradeId: 849_714_402,
      priceTicks: 1_000,
      sizeLots: 4,
      takerSide: "sell",
    },
  },
  quote: {
    frame:
      '{"stream":"btcusd_perp@bookTicker","data":{"u":1044,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"100.0","B":"25","a":"100.4","A":"70","T":1700000000295,"E":1700000000300}}',
    event: {
      kind: "quote",
      symbol: "BTCUSD_PERP",
      venueTime: 1_700_000_000_300,
      sequence: 1_044,
      bidTicks: 1_000,
      bidLots: 25,
      askTicks: 1_004,
      askLots: 70,
    },
  },
  kline: {
    frame:
      '{"stream":"btcusd_perp@kline_1m","data":{"e":"kline","E":1700000002000,"s":"BTCUSD_PERP","k":{"t":1699999980000,"T":1700000039999,"s":"BTCUSD_PERP","i":"1m","f":1,"L":9,"o":"100.0","c":"100.4","h":"100.5","l":"99.7","v":"300","n":9,"x":true,"q":"3.00000000","V":"125","Q":"1.25","B":"0"}}}',
    event: {
      kind: "kline",
      symbol: "BTCUSD_PERP",
      venueTime: 1_700_000_002_000,
      openTime: 1_699_999_980_000,
      closeTime: 1_700_000_039_999,
      openTicks: 1_000,
      highTicks: 1_005,
      lowTicks: 997,
      closeTicks: 1_004,
      volumeLots: 300,
      takerBuyLots: 125,
      trades: 9,
      isClosed: true,
    },
  },
  ignored: [
    '{"stream":"btcusd_perp@trade","data":{"e":"trade","E":1700000000350,"T":1700000000349,"s":"BTCUSD_PERP","t":1,"p":"0","q":"0","X":"NA","m":true}}',
    '{"stream":"btcusd_perp@markPrice","data":{"e":"markPriceUpdate","E":1700000000350,"s":"BTCUSD_PERP","p":"100.0"}}',
  ],
  acknowledged: ['{"result":null,"id":1}'],
  refused: ['{"error":{"code":2,"msg":"Invalid request"},"id":1}'],
  closing: [],
};

const usdM: VenueFixture = {
  instrument: {
    venue: "binance-usd-m",
    symbol: "BTCUSDT",
    tick: { decimals: 1, mantissa: 1 },
    lot: { decimals: 3, mantissa: 1 },
    contract: { kind: "linear", size: "1", unit: "BTC" },
  },
  instrumentsBody: JSON.stringify({
    symbols: [
      { symbol: "ETHUSDT", filters: [] },
      {
        symbol: "BTCUSDT",
        contractType: "PERPETUAL",
        baseAsset: "BTC",
        quoteAsset: "USDT",
        filters: [
          { filterType: "PRICE_FILTER", minPrice: "556.80", maxPrice: "4529764", tickSize: "0.10" },
          { filterType: "LOT_SIZE", stepSize: "0.001", maxQty: "1000", minQty: "0.001" },
        ],
      },
    ],
  }),
  buffered: [
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000100,"T":1700000000095,"s":"BTCUSDT","U":900,"u":950,"pu":880,"b":[["99.00","0.005"]],"a":[]}}',
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000200,"T":1700000000195,"s":"BTCUSDT","U":960,"u":1010,"pu":950,"b":[["100.00","0.025"]],"a":[["100.20","0.000"]]}}',
  ],
  snapshotBody:
    '{"lastUpdateId":1000,"E":1700000000150,"T":1700000000149,"bids":[["100.00","0.010"],["99.80","0.030"]],"asks":[["100.20","0.015"],["100.50","0.001"]]}',
  following: [
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000300,"T":1700000000295,"s":"BTCUSDT","ps":"BTCUSDT","U":1030,"u":1044,"pu":1010,"b":[["99.80","0.000"],["99.70","0.012"]],"a":[["100.40","0.070"]],"st":0}}',
  ],
  bids: [
    [1_000, 25],
    [997, 12],
  ],
  asks: [
    [1_004, 70],
    [1_005, 1],
  ],
  trade: {
    frame:
      '{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000350,"T":1700000000349,"s":"BTCUSDT","t":4714402,"p":"100.00","q":"0.004","X":"MARKET","m":true}}',
    event: {
      kind: "trade",
      symbol: "BTCUSDT",
      venueTime: 1_700_000_000_349,
      tradeId: 4_714_402,
      priceTicks: 1_000,
      sizeLots: 4,
      takerSide: "sell",
    },
  },
  quote: {
    frame:
      '{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":1044,"s":"BTCUSDT","ps":"BTCUSDT","b":"100.00","B":"0.025","a":"100.40","A":"0.070","T":1700000000295,"E":1700000000300,"st":0}}',
    event: {
      kind: "quote",
      symbol: "BTCUSDT",
      venueTime: 1_700_000_000_300,
      sequence: 1_044,
      bidTicks: 1_000,
      bidLots: 25,
      askTicks: 1_004,
      askLots: 70,
    },
  },
  // Of the path "/market": the adapter asks for none, and a tape may hold some.
  kline: {
    frame:
      '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1700000002000,"s":"BTCUSDT","k":{"t":1699999980000,"T":1700000039999,"s":"BTCUSDT","i":"1m","f":1,"L":9,"o":"100.00","c":"100.40","h":"100.50","l":"99.70","v":"0.300","n":9,"x":true,"q":"30.0000","V":"0.125","Q":"12.5000","B":"0"}}}',
    event: {
      kind: "kline",
      symbol: "BTCUSDT",
      venueTime: 1_700_000_002_000,
      openTime: 1_699_999_980_000,
      closeTime: 1_700_000_039_999,
      openTicks: 1_000,
      highTicks: 1_005,
      lowTicks: 997,
      closeTicks: 1_004,
      volumeLots: 300,
      takerBuyLots: 125,
      trades: 9,
      isClosed: true,
    },
  },
  ignored: [
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000350,"T":1700000000349,"s":"BTCUSDT","t":1,"p":"0","q":"0","X":"NA","m":true}}',
    '{"stream":"btcusdt@markPrice","data":{"e":"markPriceUpdate","E":1700000000350,"s":"BTCUSDT","p":"100.00"}}',
  ],
  acknowledged: ['{"result":null,"id":1}'],
  refused: ['{"error":{"code":2,"msg":"Invalid request"},"id":1}'],
  closing: [],
};

export const fixtures: Readonly<Record<string, VenueFixture>> = {
  "binance-spot": spot,
  "binance-usd-m": usdM,
  "binance-coin-m": coinM,
};

export function fixtureOf(venue: string): VenueFixture {
  const fixture = fixtures[venue];
  if (fixture === undefined) throw new Error(`${venue} is in the registry and has no fixture: add a session to test/exchanges/fixtures.ts`);
  return fixture;
}
