/**
 * Market events as text: what `import` writes and `export` gives out, the one form between every foreign format and ours.
 *
 * One JSON object a line. The first is the header: `{"format":"edgebook-events","version":1,"market":"binance-spot:BTCUSDT","tick":"0.01",
 * "lot":"0.00001","source":"…"}`. Prices and sizes are decimal strings on the header's grids, levels `[price, size]` best first, times epoch ms.
 * In memory they are whole ticks and lots. What isn't known is null: a venue that gives trades no side has none here.
 *
 * | kind | fields |
 * |---|---|
 * | snapshot | receivedAt, venueTime, sequence, bids, asks: replaces the book |
 * | depth | receivedAt, venueTime, sequence, bids, asks: absolute sizes, 0 removes |
 * | trade | receivedAt, venueTime, tradeId, price, size, takerSide |
 * | quote | receivedAt, venueTime, sequence, bid, ask: each [price, size], null for an empty side, size null where the source gives none |
 * | bar | receivedAt, venueTime, openTime, closeTime (exclusive), open, high, low, close, volume, turnover, takerBuyVolume, trades: the last three null where the source gives none |
 * | gap | receivedAt (when it was known), from, to (null while open), reason, detail: nothing is known of the market in between |
 *
 * A gap stands where it was known: behind what was received before it ended. It doesn't empty the book: a snapshot after it replaces the book, and
 * a change after it says that the source vouches for it. The header may say two things more: `"bookLevels":20` where the source shows
 * only so many levels a side, and `"sideInferred":"<rule>"` where sides of trades are not the source's but were worked out by that rule.
 */

import { type DecimalGrid, formatSteps, parseGrid, parseSteps } from "../units/decimal.ts";
import type { TakerSide } from "../units/side.ts";
import { isTime } from "../units/time.ts";

export interface EventsHeader {
  readonly market: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
  /** Where the events come from, for a person. */
  readonly source: string;
  /** Levels a side that the source shows at most; absent where it shows all it has, or that isn't known. */
  readonly bookLevels?: number;
  /** The rule by which sides of trades were worked out; absent where they are the source's own. */
  readonly sideInferred?: string;
}

/** [ticks, lots] */
export type EventLevel = readonly [number, number];
/** [ticks, lots]; lots null where the source tells no size. */
export type QuoteLevel = readonly [number, number | null];

interface EventTimes {
  readonly receivedAt: number;
  readonly venueTime: number | null;
}

export interface BookRecord extends EventTimes {
  readonly kind: "snapshot" | "depth";
  readonly sequence: number | null;
  readonly bids: readonly EventLevel[];
  readonly asks: readonly EventLevel[];
}

export interface TradeRecord extends EventTimes {
  readonly kind: "trade";
  readonly tradeId: string | null;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerSide: TakerSide | null;
}

export interface QuoteRecord extends EventTimes {
  readonly kind: "quote";
  readonly sequence: number | null;
  readonly bid: QuoteLevel | null;
  readonly ask: QuoteLevel | null;
}

/** One bar of a source's own candles; prices in ticks, volumes in lots. */
export interface BarRecord extends EventTimes {
  readonly kind: "bar";
  readonly openTime: number;
  /** The first moment that is no longer of the bar. */
  readonly closeTime: number;
  readonly openTicks: number;
  readonly highTicks: number;
  readonly lowTicks: number;
  readonly closeTicks: number;
  readonly volumeLots: number;
  /** Value traded as the source wrote it, in its own unit (Binance: quote currency; BitMEX: satoshis): a plain decimal. */
  readonly turnover: string | null;
  readonly takerBuyLots: number | null;
  readonly trades: number | null;
}

export interface GapRecordLine {
  readonly kind: "gap";
  readonly receivedAt: number;
  readonly from: number;
  readonly to: number | null;
  readonly reason: string;
  readonly detail: string;
}

export type MarketRecord = BookRecord | TradeRecord | QuoteRecord | BarRecord | GapRecordLine;

const FORMAT = "edgebook-events";
const VERSION = 1;
/** No venue's whole book is deeper; a line with more is refused rather than held. */
const MAX_LEVELS_A_SIDE = 100_000;
const PLAIN_DECIMAL = /^\d{1,40}(\.\d{1,40})?$/;

/** @returns the line, without a line feed. */
export function encodeEventsHeader(header: EventsHeader): string {
  const { market, tick, lot, source, bookLevels, sideInferred } = header;
  const grids = { tick: formatSteps(1, tick), lot: formatSteps(1, lot) };
  // What is undefined is left out.
  return JSON.stringify({ format: FORMAT, version: VERSION, market, ...grids, source, bookLevels, sideInferred });
}

/** @returns why the line is no header, when it isn't. */
export function decodeEventsHeader(line: string): EventsHeader | { malformed: string } {
  const value = parseObject(line);
  if (value === null) return { malformed: "the first line is not a JSON object" };
  const { format, version, market, tick, lot, source } = value;
  if (format !== FORMAT) return { malformed: `the first line does not say "format":"${FORMAT}"` };
  if (version !== VERSION) return { malformed: `version ${String(version).slice(0, 20)}; this program reads version ${VERSION}` };
  const grids = { tick: gridOf(tick), lot: gridOf(lot) };
  if (typeof market !== "string" || market === "") return { malformed: `the header names no market` };
  if (grids.tick === null || grids.lot === null) return { malformed: `the header's tick or lot is not a positive decimal` };
  const { bookLevels, sideInferred } = value;
  return {
    market,
    tick: grids.tick,
    lot: grids.lot,
    source: typeof source === "string" ? source : "",
    ...(isCount(bookLevels) && bookLevels > 0 ? { bookLevels } : {}),
    ...(typeof sideInferred === "string" ? { sideInferred } : {}),
  };
}

/** @returns the line, without a line feed. */
export function encodeMarketRecord(record: MarketRecord, { tick, lot }: Pick<EventsHeader, "tick" | "lot">): string {
  const level = ([ticks, lots]: EventLevel): [string, string] => [formatSteps(ticks, tick), formatSteps(lots, lot)];
  switch (record.kind) {
    case "snapshot":
    case "depth": {
      const { kind, receivedAt, venueTime, sequence, bids, asks } = record;
      return JSON.stringify({ kind, receivedAt, venueTime, sequence, bids: bids.map(level), asks: asks.map(level) });
    }
    case "trade": {
      const { kind, receivedAt, venueTime, tradeId, priceTicks, sizeLots, takerSide } = record;
      const [price, size] = level([priceTicks, sizeLots]);
      return JSON.stringify({ kind, receivedAt, venueTime, tradeId, price, size, takerSide });
    }
    case "quote": {
      const { kind, receivedAt, venueTime, sequence, bid, ask } = record;
      const side = (quoted: QuoteLevel | null): [string, string | null] | null =>
        quoted && [formatSteps(quoted[0], tick), quoted[1] === null ? null : formatSteps(quoted[1], lot)];
      return JSON.stringify({ kind, receivedAt, venueTime, sequence, bid: side(bid), ask: side(ask) });
    }
    case "bar":
      return JSON.stringify(barFields(record, { tick, lot }));
    case "gap": {
      const { kind, receivedAt, from, to, reason, detail } = record;
      return JSON.stringify({ kind, receivedAt, from, to, reason, detail });
    }
  }
}

/** @returns the record of one line, or why it is none. */
export function decodeMarketRecord(line: string, header: Pick<EventsHeader, "tick" | "lot">): MarketRecord | { malformed: string } {
  const value = parseObject(line);
  if (value === null) return { malformed: `not a JSON object: ${line.slice(0, 60)}` };
  const { kind, receivedAt } = value;
  if (!isEpochMs(receivedAt)) return { malformed: `"receivedAt" is no epoch ms: ${line.slice(0, 60)}` };
  switch (kind) {
    case "snapshot":
    case "depth":
      return bookOf(value, kind, header) ?? { malformed: `a ${kind} without times, sequence or levels on the grid: ${line.slice(0, 60)}` };
    case "trade":
      return tradeOf(value, header) ?? { malformed: `a trade without times, price and size on the grid, or side: ${line.slice(0, 60)}` };
    case "quote":
      return quoteOf(value, header) ?? { malformed: `a quote without times or levels on the grid: ${line.slice(0, 60)}` };
    case "bar":
      return barOf(value, header) ?? { malformed: `a bar without times, or with prices or volumes off the grid: ${line.slice(0, 60)}` };
    case "gap":
      return gapOf(value) ?? { malformed: `a gap without from, to, reason and detail: ${line.slice(0, 60)}` };
    default:
      return { malformed: `unknown kind ${JSON.stringify(kind)?.slice(0, 40)}` };
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Grids = Pick<EventsHeader, "tick" | "lot">;

function barFields(bar: BarRecord, { tick, lot }: Grids): Fields {
  const { kind, receivedAt, venueTime, openTime, closeTime, turnover, takerBuyLots, trades } = bar;
  const [open, high, low, close] = [bar.openTicks, bar.highTicks, bar.lowTicks, bar.closeTicks].map((ticks) => formatSteps(ticks, tick));
  const volume = formatSteps(bar.volumeLots, lot);
  const takerBuyVolume = takerBuyLots === null ? null : formatSteps(takerBuyLots, lot);
  return { kind, receivedAt, venueTime, openTime, closeTime, open, high, low, close, volume, turnover, takerBuyVolume, trades };
}

function barOf(value: Fields, { tick, lot }: Grids): BarRecord | null {
  const { receivedAt, venueTime, openTime, closeTime, turnover, takerBuyVolume, trades } = value;
  if (!isTimeOrNull(venueTime) || !isEpochMs(openTime) || !isEpochMs(closeTime) || closeTime <= openTime) return null;
  const openTicks = stepsOf(value.open, tick);
  const highTicks = stepsOf(value.high, tick);
  const lowTicks = stepsOf(value.low, tick);
  const closeTicks = stepsOf(value.close, tick);
  const volumeLots = stepsOf(value.volume, lot);
  if (openTicks === null || highTicks === null || lowTicks === null || closeTicks === null || volumeLots === null) return null;
  const takerBuyLots = takerBuyVolume === null ? null : stepsOf(takerBuyVolume, lot);
  if (takerBuyVolume !== null && takerBuyLots === null) return null;
  if (!(turnover === null || (typeof turnover === "string" && PLAIN_DECIMAL.test(turnover)))) return null;
  if (!(trades === null || isCount(trades))) return null;
  const prices = { openTicks, highTicks, lowTicks, closeTicks, volumeLots };
  return { kind: "bar", receivedAt: receivedAt as number, venueTime, openTime, closeTime, ...prices, turnover, takerBuyLots, trades };
}

function bookOf(value: Fields, kind: BookRecord["kind"], grids: Grids): BookRecord | null {
  const { receivedAt, venueTime, sequence } = value;
  const bids = levelsOf(value.bids, grids);
  const asks = levelsOf(value.asks, grids);
  if (!isTimeOrNull(venueTime) || !isSequenceOrNull(sequence) || bids === null || asks === null) return null;
  return { kind, receivedAt: receivedAt as number, venueTime, sequence, bids, asks };
}

function tradeOf(value: Fields, { tick, lot }: Grids): TradeRecord | null {
  const { receivedAt, venueTime, tradeId, price, size, takerSide } = value;
  const priceTicks = stepsOf(price, tick);
  const sizeLots = stepsOf(size, lot);
  if (!isTimeOrNull(venueTime) || !(tradeId === null || typeof tradeId === "string")) return null;
  if (priceTicks === null || sizeLots === null || sizeLots === 0) return null;
  if (takerSide !== null && takerSide !== "buy" && takerSide !== "sell") return null;
  return { kind: "trade", receivedAt: receivedAt as number, venueTime, tradeId, priceTicks, sizeLots, takerSide };
}

function quoteOf(value: Fields, grids: Grids): QuoteRecord | null {
  const { receivedAt, venueTime, sequence } = value;
  const bid = value.bid === null ? null : quoteLevelOf(value.bid, grids);
  const ask = value.ask === null ? null : quoteLevelOf(value.ask, grids);
  if (!isTimeOrNull(venueTime) || !isSequenceOrNull(sequence) || bid === undefined || ask === undefined) return null;
  return { kind: "quote", receivedAt: receivedAt as number, venueTime, sequence, bid, ask };
}

function gapOf(value: Fields): GapRecordLine | null {
  const { receivedAt, from, to, reason, detail } = value;
  if (!isEpochMs(from) || !isTimeOrNull(to) || typeof reason !== "string" || typeof detail !== "string") return null;
  return { kind: "gap", receivedAt: receivedAt as number, from, to, reason, detail };
}

function levelsOf(value: unknown, grids: Grids): EventLevel[] | null {
  if (!Array.isArray(value) || value.length > MAX_LEVELS_A_SIDE) return null;
  const levels: EventLevel[] = [];
  for (const item of value as unknown[]) {
    const level = levelOf(item, grids);
    if (level === undefined) return null;
    levels.push(level);
  }
  return levels;
}

function levelOf(value: unknown, { tick, lot }: Grids): EventLevel | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const ticks = stepsOf(value[0], tick);
  const lots = stepsOf(value[1], lot);
  return ticks === null || lots === null ? undefined : [ticks, lots];
}

function quoteLevelOf(value: unknown, grids: Grids): QuoteLevel | undefined {
  if (!Array.isArray(value) || value.length !== 2 || value[1] !== null) return levelOf(value, grids);
  const ticks = stepsOf(value[0], grids.tick);
  return ticks === null ? undefined : [ticks, null];
}

function stepsOf(value: unknown, grid: DecimalGrid): number | null {
  return typeof value === "string" ? parseSteps(value, 0, value.length, grid) : null;
}

function gridOf(value: unknown): DecimalGrid | null {
  return typeof value === "string" ? parseGrid(value) : null;
}

function isEpochMs(value: unknown): value is number {
  return typeof value === "number" && isTime(value);
}

function isTimeOrNull(value: unknown): value is number | null {
  return value === null || isEpochMs(value);
}

function isSequenceOrNull(value: unknown): value is number | null {
  return value === null || isCount(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseObject(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}
