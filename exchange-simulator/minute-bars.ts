/** One-minute bars of one market, built from its trades. Whole numbers throughout; the last 1,000 closed bars are kept, as many as the venue gives. */

import type { TakerSide } from "../core/units/side.ts";
import { MS_PER_MINUTE, minuteOf } from "../core/units/time.ts";

export interface Bar {
  readonly openTime: number;
  readonly closeTime: number;
  openTicks: number;
  highTicks: number;
  lowTicks: number;
  closeTicks: number;
  lots: number;
  takerBuyLots: number;
  /** Sum of ticks x lots. */
  tickLots: number;
  takerBuyTickLots: number;
  trades: number;
  /** -1 in a minute without a trade. */
  firstTradeId: number;
  lastTradeId: number;
}

export interface BarTrade {
  readonly time: number;
  readonly tradeId: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerSide: TakerSide;
}

const KEPT_BARS = 1_000;

export class MinuteBars {
  private readonly closed: Bar[] = [];
  private current: Bar | null = null;

  /** The bar of the running minute; null before the first trade. */
  get open(): Bar | null {
    return this.current;
  }

  /** Closed bars, oldest first, then the running one. */
  get all(): readonly Bar[] {
    return this.current === null ? this.closed : [...this.closed, this.current];
  }

  add(trade: BarTrade): void {
    this.closeUntil(trade.time);
    this.current ??= emptyBar(minuteOf(trade.time), trade.priceTicks);
    const bar = this.current;
    const { priceTicks, sizeLots } = trade;
    const isFirst = bar.trades === 0;
    bar.openTicks = isFirst ? priceTicks : bar.openTicks;
    bar.highTicks = isFirst ? priceTicks : Math.max(bar.highTicks, priceTicks);
    bar.lowTicks = isFirst ? priceTicks : Math.min(bar.lowTicks, priceTicks);
    bar.closeTicks = priceTicks;
    bar.lots += sizeLots;
    bar.tickLots += priceTicks * sizeLots;
    if (trade.takerSide === "buy") {
      bar.takerBuyLots += sizeLots;
      bar.takerBuyTickLots += priceTicks * sizeLots;
    }
    if (isFirst) bar.firstTradeId = trade.tradeId;
    bar.lastTradeId = trade.tradeId;
    bar.trades++;
  }

  /**
   * Closes every bar that ends at or before a time; minutes without a trade repeat the last price.
   * @returns the bar closed last, null when none was.
   */
  closeUntil(time: number): Bar | null {
    let last: Bar | null = null;
    while (this.current !== null && this.current.closeTime < time) {
      last = this.current;
      this.closed.push(last);
      if (this.closed.length > KEPT_BARS) this.closed.shift();
      // A silence longer than what is kept leaves nothing to keep of it.
      const next = Math.max(last.openTime + MS_PER_MINUTE, minuteOf(time) - KEPT_BARS * MS_PER_MINUTE);
      this.current = emptyBar(next, last.closeTicks);
    }
    return last;
  }
}

function emptyBar(openTime: number, ticks: number): Bar {
  return {
    openTime,
    closeTime: openTime + MS_PER_MINUTE - 1,
    openTicks: ticks,
    highTicks: ticks,
    lowTicks: ticks,
    closeTicks: ticks,
    lots: 0,
    takerBuyLots: 0,
    tickLots: 0,
    takerBuyTickLots: 0,
    trades: 0,
    firstTradeId: -1,
    lastTradeId: -1,
  };
}
