/** The venues as the fuzz suite knows them: how each writes its messages, and who reads them plainly. A venue that is added to the registry gets its entry here. */

import type { Instrument } from "../../core/market/instrument.ts";
import { type DecimalGrid, formatSteps } from "../../core/units/decimal.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { fixtures } from "../exchanges/fixtures.ts";
import { streamedFixtureOf } from "../exchanges/streamed-fixtures.ts";
import { naiveBinance } from "./naive-binance.ts";
import { NaiveBitmex } from "./naive-bitmex.ts";
import { NaiveAdvanced, NaiveExchange } from "./naive-coinbase.ts";
import type { NaiveReader } from "./naive-values.ts";
import { bestOf, type Change, type TrueLevel, type VenueWriter, type Wire } from "./sessions.ts";

export interface FuzzVenue {
  readonly adapter: ExchangeAdapter;
  /** The fixture's market, and another whose steps are not powers of ten. */
  readonly instruments: readonly Instrument[];
  readonly writer: VenueWriter;
  /** Frames of the fixture's hand-written session, which belong to no session here and may be put into any. */
  readonly strangers: readonly string[];
  readonly instrumentsBody: string;
  createReader(instruments: readonly Instrument[]): NaiveReader;
}

/** Changes as `[["price","size"],…]`, a removed one with size 0. */
function pairs(changes: readonly (TrueLevel & { readonly action?: string })[], text: (level: TrueLevel) => [string, string]): string {
  return JSON.stringify(changes.map((change) => text(change.action === "delete" ? { ...change, lots: 0 } : change)));
}

/** With trailing zeros up to `decimals`. */
function padded(steps: number, grid: DecimalGrid, decimals: number): string {
  const text = formatSteps(steps, grid);
  const digits = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
  return digits >= decimals ? text : `${digits === 0 ? `${text}.` : text}${"0".repeat(decimals - digits)}`;
}

function binanceWriter(isSpot: boolean): VenueWriter {
  const decimals = isSpot ? 8 : 0;
  const level = ({ tick, lot }: Instrument) => {
    return ({ ticks, lots }: TrueLevel): [string, string] => [padded(ticks, tick, decimals), padded(lots, lot, decimals)];
  };
  const wrap = (symbol: string, stream: string, data: string) => `{"stream":"${symbol.toLowerCase()}@${stream}","data":{${data}}}`;
  const times = ({ time }: Wire) => (isSpot ? `"E":${time}` : `"E":${time},"T":${time - 5}`);
  return {
    isOfOneAction: false,
    opening: () => ['{"result":null,"id":1}'],
    depth({ instrument, changes, first, last, previous }, wire) {
      const of = (isBid: boolean) =>
        pairs(
          changes.filter((change) => change.isBid === isBid),
          level(instrument),
        );
      const numbers = `"U":${first},"u":${last}${isSpot ? "" : `,"pu":${previous}`}`;
      const data = `"e":"depthUpdate",${times(wire)},"s":"${instrument.symbol}",${numbers},"b":${of(true)},"a":${of(false)}`;
      return wrap(instrument.symbol, "depth@100ms", data);
    },
    trade({ instrument, ticks, lots, isBuy }, wire) {
      const { symbol } = instrument;
      const [price, size] = level(instrument)({ ticks, lots, id: 0 });
      const head = `"e":"trade",${times(wire)},"s":"${symbol}","t":${++wire.tradeId},"p":"${price}","q":"${size}"`;
      return wrap(symbol, "trade", isSpot ? `${head},"T":${wire.time},"m":${!isBuy},"M":true` : `${head},"X":"MARKET","m":${!isBuy}`);
    },
    quote({ instrument, book }, wire) {
      const [bid, bidSize] = level(instrument)(bestOf(book.bids, "bid"));
      const [ask, askSize] = level(instrument)(bestOf(book.asks, "ask"));
      const { symbol } = instrument;
      const top = `"s":"${symbol}","b":"${bid}","B":"${bidSize}","a":"${ask}","A":"${askSize}"`;
      const data = isSpot ? `"u":${book.last},${top}` : `"e":"bookTicker","u":${book.last},${top},"T":${wire.time - 5},"E":${wire.time}`;
      return wrap(symbol, "bookTicker", data);
    },
    snapshot({ instrument, book }, wire) {
      const head = `"lastUpdateId":${book.last}${isSpot ? "" : `,${times(wire)}`}`;
      return `{${head},"bids":${pairs(book.bids, level(instrument))},"asks":${pairs(book.asks, level(instrument))}}`;
    },
    other({ symbol }, wire) {
      return wrap(symbol, "aggTrade", `"e":"aggTrade","E":${wire.time},"s":"${symbol}","a":1,"p":"1.00","q":"1.00"`);
    },
  };
}

function isoOf(time: number): string {
  if (time !== lastIso.time) lastIso = { time, text: new Date(time).toISOString() };
  return lastIso.text;
}

/** Rows of one message have the same. */
let lastIso = { time: Number.NaN, text: "" };

function numberOf(steps: number, grid: DecimalGrid): string {
  return String(Number(formatSteps(steps, grid)));
}

const bitmexWriter: VenueWriter = {
  isOfOneAction: true,
  opening: (_, { time }) => [`{"info":"Welcome to the BitMEX Realtime API.","version":"2.0.0","timestamp":"${isoOf(time)}"}`],
  depth({ instrument, changes }, wire) {
    const rows = changes.map((change) => bitmexRow(change, instrument, wire.time));
    return `{"table":"orderBookL2","action":"${changes[0]?.action ?? "update"}","data":[${rows.join(",")}]}`;
  },
  trade({ instrument, ticks, lots, isBuy }, wire) {
    const { symbol, tick, lot } = instrument;
    const id = `00000000-006d-1000-0000-${(++wire.tradeId).toString(16).padStart(12, "0")}`;
    const sizes = `"size":${numberOf(lots, lot)},"price":${numberOf(ticks, tick)}`;
    return `{"table":"trade","action":"insert","data":[{"timestamp":"${isoOf(wire.time)}","symbol":"${symbol}","side":"${isBuy ? "Buy" : "Sell"}",${sizes},"tickDirection":"PlusTick","trdMatchID":"${id}","pool":"Primary"}]}`;
  },
  quote({ instrument: { symbol, tick, lot }, book }, wire) {
    const bid = bestOf(book.bids, "bid");
    const ask = bestOf(book.asks, "ask");
    const top = `"bidSize":${numberOf(bid.lots, lot)},"bidPrice":${numberOf(bid.ticks, tick)},"askPrice":${numberOf(ask.ticks, tick)},"askSize":${numberOf(ask.lots, lot)}`;
    return `{"table":"quote","action":"insert","data":[{"timestamp":"${isoOf(wire.time)}","symbol":"${symbol}",${top},"pool":"Primary"}]}`;
  },
  topLevels({ instrument: { symbol, tick, lot }, book }, wire) {
    const side = (levels: readonly TrueLevel[], sign: number) =>
      [...levels]
        .sort((left, right) => sign * (left.ticks - right.ticks))
        .slice(0, 10)
        .map(({ ticks, lots }) => `[${numberOf(ticks, tick)},${numberOf(lots, lot)}]`);
    return `{"table":"orderBook10","action":"update","data":[{"symbol":"${symbol}","bids":[${side(book.bids, -1)}],"asks":[${side(book.asks, 1)}],"timestamp":"${isoOf(wire.time)}","pool":"Primary"}]}`;
  },
  snapshot({ instrument, book }, wire) {
    const row = (isBid: boolean) => (level: TrueLevel) =>
      bitmexRow({ ...level, action: "insert", isBid, hasCrossedOver: false }, instrument, wire.time);
    const rows = [...book.asks.map(row(false)), ...book.bids.map(row(true))];
    return `{"table":"orderBookL2","action":"partial","keys":["symbol","id","side"],"filter":{"symbol":"${instrument.symbol}","pool":"Primary"},"data":[${rows.join(",")}]}`;
  },
  other: ({ symbol, tick, lot }, wire) => {
    const head = `{"table":"instrument","action":"update","data":[{"symbol":"${symbol}"`;
    // One in some says what is kept.
    if (wire.time % 3 !== 0) return `${head},"fairPrice":100.3,"markPrice":100.25,"timestamp":"${isoOf(wire.time)}"}]}`;
    return `${head},"state":"Open","tickSize":${numberOf(1, tick)},"lotSize":${numberOf(1, lot)},"timestamp":"${isoOf(wire.time)}"}]}`;
  },
};

/** As of 2021 for every third id: neither price nor time in an update or a delete. */
function bitmexRow({ action, isBid, ticks, lots, id }: Change, { symbol, tick, lot }: Instrument, time: number): string {
  const isPlain = action !== "insert" && id % 3 === 0;
  const head = `{"symbol":"${symbol}","id":${id},"side":"${isBid ? "Buy" : "Sell"}"`;
  const size = action === "delete" ? "" : `,"size":${numberOf(lots, lot)}`;
  const rest = `,"price":${numberOf(ticks, tick)},"pool":"Primary","timestamp":"${isoOf(time)}","transactTime":"${isoOf(time)}"`;
  return `${head}${size}${isPlain ? "" : rest}}`;
}

const exchangeWriter: VenueWriter = {
  isOfOneAction: false,
  // The first ticker of a connection is of a trade before it.
  opening: (instruments, wire) =>
    instruments.flatMap(({ symbol }) => [
      `{"type":"ticker","sequence":900,"product_id":"${symbol}","price":"101.00","best_bid":"100.90","best_bid_size":"1.0","best_ask":"101.00","best_ask_size":"2.0","side":"buy","time":"${isoOf(wire.time)}","trade_id":${wire.tradeId},"last_size":"0.1"}`,
      `{"type":"last_match","trade_id":${wire.tradeId},"side":"sell","size":"0.1","price":"101.00","product_id":"${symbol}","sequence":900,"time":"${isoOf(wire.time)}"}`,
    ]),
  depth({ instrument: { symbol, tick, lot }, changes }, wire) {
    const list = changes.map((change) => [
      change.isBid ? "buy" : "sell",
      padded(change.ticks, tick, 2),
      padded(change.action === "delete" ? 0 : change.lots, lot, 8),
    ]);
    return `{"type":"l2update","product_id":"${symbol}","changes":${JSON.stringify(list)},"time":"${isoOf(wire.time)}"}`;
  },
  trade({ instrument: { symbol, tick, lot }, ticks, lots, isBuy }, wire) {
    const orders = `"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8","taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1"`;
    const of = `"side":"${isBuy ? "sell" : "buy"}","size":"${padded(lots, lot, 8)}","price":"${padded(ticks, tick, 2)}","product_id":"${symbol}"`;
    return `{"type":"match","trade_id":${++wire.tradeId},${orders},${of},"sequence":950,"time":"${isoOf(wire.time)}"}`;
  },
  quote({ instrument: { symbol, tick, lot }, book }, wire) {
    const bid = bestOf(book.bids, "bid");
    const ask = bestOf(book.asks, "ask");
    const top = `"best_bid":"${padded(bid.ticks, tick, 2)}","best_bid_size":"${padded(bid.lots, lot, 8)}","best_ask":"${padded(ask.ticks, tick, 2)}","best_ask_size":"${padded(ask.lots, lot, 8)}"`;
    return `{"type":"ticker","sequence":950,"product_id":"${symbol}","price":"100.04",${top},"side":"buy","time":"${isoOf(wire.time)}","trade_id":${++wire.tradeId},"last_size":"0.5"}`;
  },
  snapshot({ instrument: { symbol, tick, lot }, book }, wire) {
    const level = ({ ticks, lots }: TrueLevel): [string, string] => [padded(ticks, tick, 2), padded(lots, lot, 8)];
    return `{"type":"snapshot","product_id":"${symbol}","asks":${pairs(book.asks, level)},"bids":${pairs(book.bids, level)},"time":"${isoOf(wire.time)}"}`;
  },
  other: ({ symbol }, { tradeId, time }) =>
    `{"type":"heartbeat","sequence":950,"last_trade_id":${tradeId},"product_id":"${symbol}","time":"${isoOf(time)}"}`,
};

const advancedWriter: VenueWriter = {
  isOfOneAction: false,
  opening: (_, wire) => [advancedFrame("subscriptions", '{"subscriptions":{"heartbeats":["heartbeats"]}}', wire)],
  depth({ instrument, changes }, wire) {
    const updates = changes.map(({ isBid, ...change }) => advancedUpdate(isBid, change, { instrument, time: wire.time }));
    return advancedBook("update", updates, { instrument, wire });
  },
  // Two at once, the newest first.
  trade({ instrument: { symbol, tick, lot }, ticks, lots, isBuy }, wire) {
    const trade = (id: number) =>
      `{"product_id":"${symbol}","trade_id":"${id}","price":"${formatSteps(ticks, tick)}","size":"${formatSteps(lots, lot)}","time":"${isoOf(wire.time)}","side":"${isBuy ? "SELL" : "BUY"}"}`;
    wire.tradeId += 2;
    return advancedFrame("market_trades", `{"type":"update","trades":[${trade(wire.tradeId)},${trade(wire.tradeId - 1)}]}`, wire);
  },
  quote({ instrument: { symbol, tick, lot }, book }, wire) {
    const bid = bestOf(book.bids, "bid");
    const ask = bestOf(book.asks, "ask");
    const top = `"best_bid":"${formatSteps(bid.ticks, tick)}","best_ask":"${formatSteps(ask.ticks, tick)}","best_bid_quantity":"${formatSteps(bid.lots, lot)}","best_ask_quantity":"${formatSteps(ask.lots, lot)}"`;
    return advancedFrame(
      "ticker",
      `{"type":"update","tickers":[{"type":"ticker","product_id":"${symbol}","price":"100.04",${top}}]}`,
      wire,
    );
  },
  snapshot({ instrument, book }, wire) {
    const at = { instrument, time: wire.time };
    const updates = [
      ...book.bids.map((level) => advancedUpdate(true, level, at)),
      ...book.asks.map((level) => advancedUpdate(false, level, at)),
    ];
    return advancedBook("snapshot", updates, { instrument, wire });
  },
  other: (_, wire) => advancedFrame("heartbeats", '{"current_time":"2023-11-14 22:13:21","heartbeat_counter":139651}', wire),
};

function advancedFrame(channel: string, event: string, wire: Wire): string {
  return `{"channel":"${channel}","timestamp":"${isoOf(wire.time)}","sequence_num":${wire.sequence++},"events":[${event}]}`;
}

function advancedBook(type: string, updates: readonly string[], { instrument, wire }: { instrument: Instrument; wire: Wire }): string {
  return advancedFrame("l2_data", `{"type":"${type}","product_id":"${instrument.symbol}","updates":[${updates.join(",")}]}`, wire);
}

function advancedUpdate(
  isBid: boolean,
  { ticks, lots, action }: TrueLevel & { readonly action?: string },
  { instrument: { tick, lot }, time }: { instrument: Instrument; time: number },
): string {
  const size = formatSteps(action === "delete" ? 0 : lots, lot);
  return `{"side":"${isBid ? "bid" : "offer"}","event_time":"${isoOf(time)}","price_level":"${formatSteps(ticks, tick)}","new_quantity":"${size}"}`;
}

function binance(venue: string, second: Pick<Instrument, "symbol" | "tick" | "lot">): FuzzVenue {
  const fixture = fixtures[venue];
  if (fixture === undefined) throw new Error(`no fixture of ${venue}`);
  const product = venue === "binance-spot" ? "spot" : "futures";
  const { instrument, trade, quote, kline, buffered, following, ignored, acknowledged, refused, closing } = fixture;
  return {
    adapter: adapterOf(venue),
    instruments: [instrument, { venue, ...second }],
    writer: binanceWriter(product === "spot"),
    strangers: [trade.frame, quote.frame, kline.frame, ...buffered, ...following, ...ignored, ...acknowledged, ...refused, ...closing],
    instrumentsBody: fixture.instrumentsBody,
    createReader: (instruments) => naiveBinance(product, instruments),
  };
}

function streamed(
  venue: string,
  second: Pick<Instrument, "symbol" | "tick" | "lot">,
  { writer, createReader }: Pick<FuzzVenue, "writer" | "createReader">,
): FuzzVenue {
  const fixture = streamedFixtureOf(venue);
  const { instrument, trade, quote, opening, snapshotFrames, following, losses = [], ignored, acknowledged, heartbeats, refused } = fixture;
  const lists = fixture.topLevels === undefined ? [] : [fixture.topLevels.frame];
  const whole = [...opening, ...snapshotFrames, ...following, trade.frame, quote.frame, ...lists, ...losses.map(({ frame }) => frame)];
  return {
    adapter: adapterOf(venue),
    instruments: [instrument, { venue, ...second }],
    writer,
    strangers: [...whole, ...ignored, ...acknowledged, ...heartbeats, ...refused],
    instrumentsBody: fixture.instrumentsBody,
    createReader,
  };
}

function adapterOf(venue: string): ExchangeAdapter {
  const adapter = findAdapter(venue);
  if (adapter === null) throw new Error(`${venue} is not in the registry`);
  return adapter;
}

export const fuzzVenues: readonly FuzzVenue[] = [
  binance("binance-spot", { symbol: "BTCUSDX", tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 3, mantissa: 25 } }),
  binance("binance-usd-m", { symbol: "ETHUSDT", tick: { decimals: 2, mantissa: 5 }, lot: { decimals: 2, mantissa: 2 } }),
  binance("binance-coin-m", { symbol: "ETHUSD_PERP", tick: { decimals: 2, mantissa: 5 }, lot: { decimals: 0, mantissa: 1 } }),
  streamed(
    "bitmex",
    { symbol: "ETHUSD", tick: { decimals: 2, mantissa: 5 }, lot: { decimals: 0, mantissa: 1 } },
    { writer: bitmexWriter, createReader: (instruments) => new NaiveBitmex(instruments) },
  ),
  streamed(
    "coinbase-advanced",
    { symbol: "ETH-USD", tick: { decimals: 2, mantissa: 5 }, lot: { decimals: 3, mantissa: 25 } },
    { writer: advancedWriter, createReader: (instruments) => new NaiveAdvanced(instruments) },
  ),
  streamed(
    "coinbase-exchange",
    { symbol: "ETH-USD", tick: { decimals: 2, mantissa: 5 }, lot: { decimals: 3, mantissa: 25 } },
    { writer: exchangeWriter, createReader: (instruments) => new NaiveExchange(instruments) },
  ),
];
