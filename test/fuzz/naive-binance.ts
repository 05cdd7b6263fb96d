/**
 * Binance's frames read plainly from its documents (exchanges/binance/frame-parser.ts names them): what any decoder of ours must have read.
 *
 * A combined-stream frame is `{"stream":…,"data":…}`; the stream's name says the channel and the symbol, `data` says both again.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import {
  control,
  countOf,
  type DepthSaid,
  demand,
  events,
  type Fields,
  fieldsOf,
  IGNORED,
  isFields,
  type Level,
  listOf,
  lotsOf,
  type NaiveReader,
  type Reading,
  readJson,
  stringOf,
  ticksOf,
} from "./naive-values.ts";

type Product = "spot" | "futures";

const EVENT_OF_CHANNEL: Readonly<Record<string, string>> = {
  depth: "depthUpdate",
  trade: "trade",
  bookTicker: "bookTicker",
  kline: "kline",
};
/** Twice the venue's largest snapshot. */
const MOST_LEVELS = 20_000;

export function naiveBinance(product: Product, instruments: readonly Instrument[]): NaiveReader {
  const bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
  return {
    connectionSequence: null,
    read: (frame) => readJson(frame, (root) => readRoot(fieldsOf(root), product, bySymbol)),
    readSnapshot: (symbol, body) => readJson(body, (root) => readSnapshot(fieldsOf(root), product, bySymbol.get(symbol))),
  };
}

function readRoot(root: Fields, product: Product, bySymbol: ReadonlyMap<string, Instrument>): Reading {
  if (typeof root.stream === "string" && Object.hasOwn(root, "data")) {
    return readStream(root.stream, fieldsOf(root.data), { product, bySymbol });
  }
  if (root.e === "serverShutdown") return control("closing");
  if (Object.hasOwn(isFields(root.error) ? root.error : root, "msg")) return control("refused");
  demand(Object.hasOwn(root, "result"));
  return control("acknowledged");
}

function readStream(
  stream: string,
  data: Fields,
  { product, bySymbol }: { product: Product; bySymbol: ReadonlyMap<string, Instrument> },
): Reading {
  if (data.e === "serverShutdown") return control("closing");
  const [, channel = ""] = /^(?:[^@]*@)?([^@_]*)/.exec(stream) ?? [];
  const event = Object.hasOwn(EVENT_OF_CHANNEL, channel) ? EVENT_OF_CHANNEL[channel] : undefined;
  if (event === undefined) return IGNORED;
  demand(data.e === event || (event === "bookTicker" && product === "spot" && data.e === undefined));
  const instrument = bySymbol.get(stringOf(data.s));
  if (instrument === undefined) return IGNORED;
  demand(stream.startsWith(`${instrument.symbol.toLowerCase()}@`));
  if (event === "depthUpdate") return events([depthOf(data, product, instrument)]);
  if (event === "trade") return readTrade(data, product, instrument);
  return event === "kline" ? readKline(data, instrument) : readQuote(data, product, instrument);
}

function depthOf(data: Fields, product: Product, { symbol, tick, lot }: Instrument): DepthSaid {
  const first = countOf(data.U);
  const last = countOf(data.u);
  demand(first <= last);
  return {
    kind: "depth",
    symbol,
    venueTime: countOf(data.E),
    first,
    last,
    previous: product === "futures" ? countOf(data.pu) : null,
    ...sides(data.b, data.a, { tick, lot }),
  };
}

function sides(bids: unknown, asks: unknown, grids: { tick: DecimalGrid; lot: DecimalGrid }): { bids: Level[]; asks: Level[] } {
  demand(listOf(bids).length + listOf(asks).length <= MOST_LEVELS);
  const levels = (list: unknown): Level[] =>
    listOf(list).map((entry) => {
      demand(listOf(entry).length === 2);
      const [price, size] = listOf(entry);
      return [ticksOf(price, grids.tick), lotsOf(size, grids.lot)];
    });
  return { bids: levels(bids), asks: levels(asks) };
}

function readSnapshot(root: Fields, product: Product, instrument: Instrument | undefined): Reading {
  demand(instrument !== undefined && !Object.hasOwn(root, "msg"));
  const { symbol, tick, lot } = instrument as Instrument;
  demand(!Object.hasOwn(root, "symbol") || root.symbol === symbol);
  const venueTime = product === "futures" ? countOf(root.E) : null;
  return events([{ kind: "snapshot", symbol, venueTime, last: countOf(root.lastUpdateId), ...sides(root.bids, root.asks, { tick, lot }) }]);
}

function readTrade(data: Fields, product: Product, { symbol, tick, lot }: Instrument): Reading {
  if (product === "futures" && stringOf(data.X) !== "MARKET") return IGNORED;
  const lots = lotsOf(data.q, lot);
  demand(lots > 0 && typeof data.m === "boolean");
  const takerSide = data.m === true ? "sell" : "buy";
  return events([
    { kind: "trade", symbol, venueTime: countOf(data.T), tradeId: countOf(data.t), ticks: ticksOf(data.p, tick), lots, takerSide },
  ]);
}

function readQuote(data: Fields, product: Product, { symbol, tick, lot }: Instrument): Reading {
  const venueTime = product === "futures" ? countOf(data.E) : null;
  const sequence = countOf(data.u);
  const isZero = (price: unknown) => typeof price === "string" && /^0+(\.0+)?$/.test(price);
  if (isZero(data.b) || isZero(data.a)) return IGNORED;
  const bid = [ticksOf(data.b, tick), lotsOf(data.B, lot)] as const;
  const ask = [ticksOf(data.a, tick), lotsOf(data.A, lot)] as const;
  return events([{ kind: "quote", symbol, venueTime, sequence, bid, ask }]);
}

function readKline(data: Fields, { symbol, tick, lot }: Instrument): Reading {
  const bar = fieldsOf(data.k);
  if (bar.i !== "1m") return IGNORED;
  demand(bar.s === symbol && typeof bar.x === "boolean");
  const prices = [bar.o, bar.h, bar.l, bar.c].map((price) => ticksOf(price, tick));
  const volumes = [bar.v, bar.V].map((volume) => lotsOf(volume, lot));
  const numbers = [countOf(data.E), countOf(bar.t), countOf(bar.T), ...prices, ...volumes, countOf(bar.n)];
  return events([{ kind: "kline", symbol, numbers, isClosed: bar.x === true }]);
}
