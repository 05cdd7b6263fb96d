/**
 * Messages of Binance's streams and requests as text, in the venue's order of keys: spot's by `frame-text.ts`, futures' here. What futures add: the
 * transaction time `T`, the last id before `pu`, the order type `X`; COIN-M adds the pair `ps`.
 */

import type { EventLevel } from "../../../core/wire/market-events.ts";
import { depthData, klineData, type MarketGrids, quoteData, StepTexts, snapshotBody, tradeData } from "../../frame-text.ts";
import type { AppliedTrade } from "../../market/canonical-market.ts";
import type { Bar } from "../../minute-bars.ts";
import { type BinanceProduct, pairOf } from "./product.ts";

export interface DepthMoment {
  readonly time: number;
  readonly firstId: number;
  readonly lastId: number;
  readonly previousId: number;
}

export class BinanceMessages {
  private readonly product: BinanceProduct;
  readonly grids: MarketGrids;
  private readonly prices: StepTexts;
  private readonly sizes: StepTexts;

  constructor(product: BinanceProduct, grids: MarketGrids) {
    this.product = product;
    this.grids = grids;
    this.prices = new StepTexts(grids.tick, product.text);
    this.sizes = new StepTexts(grids.lot, product.text);
  }

  levels(levels: readonly EventLevel[]): string {
    let text = "";
    for (const [ticks, lots] of levels) text += `${text === "" ? "" : ","}["${this.prices.of(ticks)}","${this.sizes.of(lots)}"]`;
    return text;
  }

  /** @param bids and asks as `levels` writes them. */
  depth(moment: DepthMoment, bids: string, asks: string): string {
    const { time, firstId, lastId, previousId } = moment;
    const { symbol } = this.grids;
    if (!this.product.isFutures) return depthData({ symbol, eventTime: time, firstId, lastId, bids, asks });
    return (
      `{"e":"depthUpdate","E":${time},"T":${time},${this.name()},"U":${firstId},"u":${lastId},"pu":${previousId},` +
      `"b":[${bids}],"a":[${asks}]}`
    );
  }

  quote(moment: { time: number; updateId: number }, bid: EventLevel, ask: EventLevel): string {
    const { prices, sizes } = this;
    const fields = { bid: prices.of(bid[0]), bidSize: sizes.of(bid[1]), ask: prices.of(ask[0]), askSize: sizes.of(ask[1]) };
    if (!this.product.isFutures) return quoteData({ symbol: this.grids.symbol, updateId: moment.updateId, ...fields });
    return (
      `{"e":"bookTicker","u":${moment.updateId},${this.name()},"b":"${fields.bid}","B":"${fields.bidSize}","a":"${fields.ask}",` +
      `"A":"${fields.askSize}","T":${moment.time},"E":${moment.time}}`
    );
  }

  trade({ tradeId, priceTicks, sizeLots, takerSide }: AppliedTrade, time: number): string {
    const { symbol } = this.grids;
    const price = this.prices.of(priceTicks);
    const size = this.sizes.of(sizeLots);
    const isBuyerMaker = takerSide === "sell";
    if (!this.product.isFutures) return tradeData({ symbol, time, tradeId, price, size, isBuyerMaker });
    return (
      `{"e":"trade","E":${time},"T":${time},"s":"${symbol}","t":${tradeId},"p":"${price}","q":"${size}","X":"MARKET",` +
      `"m":${isBuyerMaker}}`
    );
  }

  kline(bar: Bar, moment: { eventTime: number; isClosed: boolean }): string {
    return klineData(this.grids, bar, moment, this.product.text);
  }

  /** The body of the answer to a depth request. */
  snapshot(moment: { time: number; lastUpdateId: number }, bids: string, asks: string): string {
    const { time, lastUpdateId } = moment;
    const { symbol } = this.grids;
    if (!this.product.isFutures) return snapshotBody(lastUpdateId, bids, asks);
    const names = this.product.namesPair ? `"symbol":"${symbol}","pair":"${pairOf(symbol)}",` : "";
    return `{"lastUpdateId":${lastUpdateId},${names}"E":${time},"T":${time},"bids":[${bids}],"asks":[${asks}]}`;
  }

  private name(): string {
    const { symbol } = this.grids;
    return this.product.namesPair ? `"s":"${symbol}","ps":"${pairOf(symbol)}"` : `"s":"${symbol}"`;
  }
}
