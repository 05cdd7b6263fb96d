/**
 * Binance spot's messages as text, in its own layout and order of keys (as recorded in 2021 and 2024), prices and sizes with 8 decimals.
 * github.com/binance/binance-spot-api-docs, web-socket-streams.md and rest-api.md, read 2026-11-21.
 */

import { type DecimalGrid, formatSteps } from "../core/units/decimal.ts";
import type { Bar } from "./minute-bars.ts";

/** Decimals that Binance spot writes. */
const DECIMALS = 8;
/** Steps whose text is kept; beyond it is made anew each time. */
const KEPT_TEXTS = 65_536;

/** The decimal text of whole steps of a grid, with exactly 8 decimals; digits beyond are cut. */
export function fixed8(steps: number, grid: DecimalGrid): string {
  const text = formatSteps(steps, grid);
  if (grid.decimals === 0) return `${text}.00000000`;
  return grid.decimals <= DECIMALS ? text.padEnd(text.length + DECIMALS - grid.decimals, "0") : text.slice(0, DECIMALS - grid.decimals);
}

/** How a product writes whole steps of a grid. */
export type StepText = (steps: number, grid: DecimalGrid) => string;

/** The texts of one grid, remembering small numbers of steps: a generated market writes the same few thousand texts over and over. */
export class StepTexts {
  private readonly grid: DecimalGrid;
  private readonly text: StepText;
  private readonly texts: string[] = [];

  constructor(grid: DecimalGrid, text: StepText = fixed8) {
    this.grid = grid;
    this.text = text;
  }

  of(steps: number): string {
    if (steps >= KEPT_TEXTS) return this.text(steps, this.grid);
    let text = this.texts[steps];
    if (text === undefined) {
      text = this.text(steps, this.grid);
      this.texts[steps] = text;
    }
    return text;
  }
}

export function combinedText(stream: string, data: string): string {
  return `{"stream":"${stream}","data":${data}}`;
}

/** @param levels e.g. `["200.00000000","0.10000000"],["199.99000000","0.00000000"]` */
export interface DepthFields {
  readonly symbol: string;
  readonly eventTime: number;
  readonly firstId: number;
  readonly lastId: number;
  /** Levels as text, without the outer brackets. */
  readonly bids: string;
  readonly asks: string;
}

export function depthData(fields: DepthFields): string {
  const { symbol, eventTime, firstId, lastId, bids, asks } = fields;
  return `{"e":"depthUpdate","E":${eventTime},"s":"${symbol}","U":${firstId},"u":${lastId},"b":[${bids}],"a":[${asks}]}`;
}

export interface QuoteFields {
  readonly symbol: string;
  readonly updateId: number;
  readonly bid: string;
  readonly bidSize: string;
  readonly ask: string;
  readonly askSize: string;
}

export function quoteData(fields: QuoteFields): string {
  const { symbol, updateId, bid, bidSize, ask, askSize } = fields;
  return `{"u":${updateId},"s":"${symbol}","b":"${bid}","B":"${bidSize}","a":"${ask}","A":"${askSize}"}`;
}

export interface TradeFields {
  readonly symbol: string;
  readonly time: number;
  readonly tradeId: number;
  readonly price: string;
  readonly size: string;
  readonly isBuyerMaker: boolean;
}

export function tradeData(fields: TradeFields): string {
  const { symbol, time, tradeId, price, size, isBuyerMaker } = fields;
  return `{"e":"trade","E":${time},"s":"${symbol}","t":${tradeId},"p":"${price}","q":"${size}","T":${time},"m":${isBuyerMaker},"M":true}`;
}

/** The grids of one market: ticks, lots, and their product for volumes in quote currency. */
export interface MarketGrids {
  readonly symbol: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export function klineData(grids: MarketGrids, bar: Bar, moment: { eventTime: number; isClosed: boolean }, text: StepText = fixed8): string {
  const { symbol, tick, lot } = grids;
  const quote = quoteGrid(grids);
  return (
    `{"e":"kline","E":${moment.eventTime},"s":"${symbol}","k":{"t":${bar.openTime},"T":${bar.closeTime},"s":"${symbol}","i":"1m",` +
    `"f":${bar.firstTradeId},"L":${bar.lastTradeId},"o":"${text(bar.openTicks, tick)}","c":"${text(bar.closeTicks, tick)}",` +
    `"h":"${text(bar.highTicks, tick)}","l":"${text(bar.lowTicks, tick)}","v":"${text(bar.lots, lot)}","n":${bar.trades},` +
    `"x":${moment.isClosed},"q":"${text(bar.tickLots, quote)}","V":"${text(bar.takerBuyLots, lot)}","Q":"${text(bar.takerBuyTickLots, quote)}","B":"0"}}`
  );
}

/** One row of `GET /api/v3/klines`. */
export function klineRow(grids: MarketGrids, bar: Bar, text: StepText = fixed8): string {
  const { tick, lot } = grids;
  const quote = quoteGrid(grids);
  const prices = [bar.openTicks, bar.highTicks, bar.lowTicks, bar.closeTicks].map((ticks) => `"${text(ticks, tick)}"`).join(",");
  return (
    `[${bar.openTime},${prices},"${text(bar.lots, lot)}",${bar.closeTime},"${text(bar.tickLots, quote)}",${bar.trades},` +
    `"${text(bar.takerBuyLots, lot)}","${text(bar.takerBuyTickLots, quote)}","0"]`
  );
}

/** @param bids and asks: levels as text, best first, without the outer brackets. */
export function snapshotBody(lastUpdateId: number, bids: string, asks: string): string {
  return `{"lastUpdateId":${lastUpdateId},"bids":[${bids}],"asks":[${asks}]}`;
}

function quoteGrid(grids: MarketGrids): DecimalGrid {
  return { decimals: grids.tick.decimals + grids.lot.decimals, mantissa: grids.tick.mantissa * grids.lot.mantissa };
}
