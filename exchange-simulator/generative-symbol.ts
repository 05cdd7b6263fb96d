/**
 * One generated market, told as Binance spot would: depth diffs in batches, bookTicker at each change of the top, trades, 1-minute klines.
 *
 * An update id counts each level change, from the start time in ms. Depth batches end at whole multiples of the interval by the venue's clock
 * and hold each changed price once, with the size at the batch's end, bids from the highest, asks from the lowest. One unit of the model is
 * 100 lots of 0.001; a tick is 0.01.
 * The same preset, seed and start time give the same messages byte for byte, however `advanceTo` is cut into calls.
 */

import { GenerativeMarket, type MarketSink } from "../core/simulation/generative-market.ts";
import type { PresetName } from "../core/simulation/presets.ts";
import type { Side, TakerSide } from "../core/units/side.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import { depthData, klineData, type MarketGrids, quoteData, StepTexts, snapshotBody, tradeData } from "./frame-text.ts";
import { type Bar, MinuteBars } from "./minute-bars.ts";

export const GENERATIVE_TICK = { decimals: 2, mantissa: 1 } as const;
export const GENERATIVE_LOT = { decimals: 3, mantissa: 1 } as const;
export const UNIT_LOTS = 100;
/** A new market isn't shown before it has lived this long: its first book is flat. */
export const WARM_UP_MS = 300_000;
const KLINE_UPDATE_MS = 2_000;
const PRICES = 40_001;

export type StreamKind = "depth" | "quote" | "trade" | "kline";

/** Who hears the messages. `wants` lets the text of what nobody hears go unwritten. */
export interface SymbolListener {
  wants(kind: StreamKind): boolean;
  /** @param time by the venue's clock, epoch ms; never goes backwards. */
  hear(kind: StreamKind, data: string, time: number): void;
}

export interface GenerativeSymbolOptions {
  readonly symbol: string;
  readonly preset: PresetName;
  readonly seed: number;
  /** Epoch ms of the first message; the market has then lived for WARM_UP_MS. */
  readonly startTime: number;
  /** Length of a depth batch. */
  readonly intervalMs: number;
}

const DEAF: SymbolListener = { wants: () => false, hear: () => {} };

export class GenerativeSymbol implements MarketSink {
  readonly grids: MarketGrids;
  readonly bars = new MinuteBars();
  private readonly market: GenerativeMarket;
  /** Epoch ms of the market's own time 0. */
  private origin: number;
  private readonly intervalMs: number;
  private readonly priceTexts = new StepTexts(GENERATIVE_TICK);
  private readonly sizeTexts = new StepTexts(GENERATIVE_LOT);
  private listener: SymbolListener = DEAF;
  private now: number;
  private time: number;
  private updateId: number;
  private tradeId: number;
  private batchFirstId: number;
  /** Number of the batch in which a price last changed, by side: [PRICES]. */
  private readonly bidBatch = new Int32Array(PRICES);
  private readonly askBatch = new Int32Array(PRICES);
  private batch = 1;
  private readonly changedBids: number[] = [];
  private readonly changedAsks: number[] = [];
  private quoteBid = 0;
  private quoteBidUnits = 0;
  private quoteAsk = 0;
  private quoteAskUnits = 0;

  constructor(options: GenerativeSymbolOptions) {
    const { symbol, preset, seed, startTime, intervalMs } = options;
    if (!Number.isInteger(intervalMs) || intervalMs < 1) throw new RangeError(`a depth interval of ${intervalMs} ms`);
    this.grids = { symbol, tick: GENERATIVE_TICK, lot: GENERATIVE_LOT };
    this.market = new GenerativeMarket({ preset, seed });
    this.intervalMs = intervalMs;
    this.origin = startTime - WARM_UP_MS;
    this.now = this.origin;
    this.time = this.origin;
    // Slower than a thousand a second, ids that start from the clock are larger in each later run than in the one before, as at the venue.
    this.updateId = this.origin;
    this.tradeId = this.origin;
    this.batchFirstId = this.updateId + 1;
    this.advanceTo(startTime, DEAF);
  }

  get eventHash(): string {
    return this.market.eventHash;
  }

  /** Moves the calendar on without the market living through it, by whole minutes so that every grid keeps its phase. */
  skipMinutes(minutes: number): void {
    this.origin += minutes * MS_PER_MINUTE;
    this.now += minutes * MS_PER_MINUTE;
  }

  /** Lets the market live up to a time by the venue's clock (epoch ms). */
  advanceTo(until: number, listener: SymbolListener): void {
    this.listener = listener;
    for (let stop = this.nextStop(); stop <= until; stop = this.nextStop()) {
      this.market.advance(stop - this.origin, this);
      this.now = stop;
      if (stop % this.intervalMs === 0) this.endBatch();
      if (stop % KLINE_UPDATE_MS === 0) this.tellKline();
    }
    this.market.advance(until - this.origin, this);
    this.now = until;
    this.listener = DEAF;
  }

  /** The body of the answer to a depth request, as of now. */
  depthBody(limit: number): string {
    const { book } = this.market;
    const side = (name: Side, worst: number): string => {
      const step = name === "bid" ? -1 : 1;
      const levels: string[] = [];
      for (let price = book.bestTicks(name); step * (price - worst) <= 0 && levels.length < limit; price += step) {
        if (book.units(name, price) > 0) levels.push(this.levelText(name, price));
      }
      return levels.join(",");
    };
    return snapshotBody(this.updateId, side("bid", book.lowestBidTicks), side("ask", book.highestAskTicks));
  }

  begin(timeMs: number): void {
    this.time = this.origin + timeMs;
  }

  level(side: Side, priceTicks: number, _units: number): void {
    this.updateId++;
    const batches = side === "bid" ? this.bidBatch : this.askBatch;
    if (batches[priceTicks] === this.batch) return;
    batches[priceTicks] = this.batch;
    (side === "bid" ? this.changedBids : this.changedAsks).push(priceTicks);
  }

  trade(takerSide: TakerSide, priceTicks: number, units: number): void {
    const tradeId = ++this.tradeId;
    const time = this.time;
    const sizeLots = units * UNIT_LOTS;
    this.bars.add({ time, tradeId, priceTicks, sizeLots, takerSide });
    if (!this.listener.wants("trade")) return;
    const price = this.priceTexts.of(priceTicks);
    const size = this.sizeTexts.of(sizeLots);
    const { symbol } = this.grids;
    this.listener.hear("trade", tradeData({ symbol, time, tradeId, price, size, isBuyerMaker: takerSide === "sell" }), time);
  }

  end(): void {
    const { book } = this.market;
    const { bestBidTicks: bid, bestAskTicks: ask } = book;
    const bidUnits = book.sizeAt(bid);
    const askUnits = book.sizeAt(ask);
    if (bid === this.quoteBid && ask === this.quoteAsk && bidUnits === this.quoteBidUnits && askUnits === this.quoteAskUnits) return;
    this.quoteBid = bid;
    this.quoteAsk = ask;
    this.quoteBidUnits = bidUnits;
    this.quoteAskUnits = askUnits;
    if (!this.listener.wants("quote")) return;
    const { priceTexts, sizeTexts } = this;
    const data = quoteData({
      symbol: this.grids.symbol,
      updateId: this.updateId,
      bid: priceTexts.of(bid),
      bidSize: sizeTexts.of(bidUnits * UNIT_LOTS),
      ask: priceTexts.of(ask),
      askSize: sizeTexts.of(askUnits * UNIT_LOTS),
    });
    this.listener.hear("quote", data, this.time);
  }

  /** The next time at which something is told by the clock: the end of a batch, a kline. */
  private nextStop(): number {
    return Math.min(nextMultiple(this.now, this.intervalMs), nextMultiple(this.now, KLINE_UPDATE_MS));
  }

  private endBatch(): void {
    const { changedBids, changedAsks } = this;
    const firstId = this.batchFirstId;
    const lastId = this.updateId;
    if (lastId < firstId) return;
    if (this.listener.wants("depth")) {
      changedBids.sort((left, right) => right - left);
      changedAsks.sort((left, right) => left - right);
      const bids = this.levelTexts("bid", changedBids);
      const asks = this.levelTexts("ask", changedAsks);
      const eventTime = this.now;
      this.listener.hear("depth", depthData({ symbol: this.grids.symbol, eventTime, firstId, lastId, bids, asks }), eventTime);
    }
    changedBids.length = 0;
    changedAsks.length = 0;
    this.batch++;
    this.batchFirstId = lastId + 1;
  }

  private levelTexts(side: Side, prices: readonly number[]): string {
    let text = "";
    for (const price of prices) text += text === "" ? this.levelText(side, price) : `,${this.levelText(side, price)}`;
    return text;
  }

  private levelText(side: Side, price: number): string {
    return `["${this.priceTexts.of(price)}","${this.sizeTexts.of(this.market.book.units(side, price) * UNIT_LOTS)}"]`;
  }

  private tellKline(): void {
    const closed = this.now % MS_PER_MINUTE === 0 ? this.bars.closeUntil(this.now) : null;
    if (!this.listener.wants("kline")) return;
    if (closed !== null) this.hearKline(closed, true);
    else if (this.bars.open !== null) this.hearKline(this.bars.open, false);
  }

  private hearKline(bar: Bar, isClosed: boolean): void {
    this.listener.hear("kline", klineData(this.grids, bar, { eventTime: this.now, isClosed }), this.now);
  }
}

function nextMultiple(value: number, step: number): number {
  return (Math.floor(value / step) + 1) * step;
}
