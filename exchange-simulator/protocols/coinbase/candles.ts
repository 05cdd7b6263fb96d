/** Advanced Trade's candles: buckets of five minutes, told each second in which they changed. */

import type { AppliedTrade } from "../../market/canonical-market.ts";
import type { Listing } from "../../venue.ts";
import { plainSteps } from "./products.ts";

const BUCKET_S = 300;
/** As many as the channel's snapshot holds. */
const KEPT = 100;

interface Candle {
  readonly startS: number;
  openTicks: number;
  highTicks: number;
  lowTicks: number;
  closeTicks: number;
  lots: number;
}

export class FiveMinuteCandle {
  private readonly listing: Listing;
  private readonly candles: Candle[] = [];
  private hasChanged = false;

  constructor(listing: Listing) {
    this.listing = listing;
  }

  add({ time, priceTicks, sizeLots }: AppliedTrade): void {
    const startS = Math.floor(time / 1_000 / BUCKET_S) * BUCKET_S;
    let candle = this.candles.at(-1);
    if (candle === undefined || candle.startS < startS) {
      candle = { startS, openTicks: priceTicks, highTicks: priceTicks, lowTicks: priceTicks, closeTicks: priceTicks, lots: 0 };
      this.candles.push(candle);
      if (this.candles.length > KEPT) this.candles.shift();
    }
    candle.highTicks = Math.max(candle.highTicks, priceTicks);
    candle.lowTicks = Math.min(candle.lowTicks, priceTicks);
    candle.closeTicks = priceTicks;
    candle.lots += sizeLots;
    this.hasChanged = true;
  }

  /** The running candle; null when it hasn't changed since it was taken. */
  takeText(): string | null {
    const candle = this.candles.at(-1);
    if (candle === undefined || !this.hasChanged) return null;
    this.hasChanged = false;
    return this.text(candle);
  }

  /** Newest first. */
  allTexts(): string[] {
    return this.candles.map((candle) => this.text(candle)).reverse();
  }

  private text({ startS, openTicks, highTicks, lowTicks, closeTicks, lots }: Candle): string {
    const { symbol, market } = this.listing;
    const [high, low, open, close] = [highTicks, lowTicks, openTicks, closeTicks].map((ticks) => plainSteps(ticks, market.tick));
    return (
      `{"start":"${startS}","high":"${high}","low":"${low}","open":"${open}","close":"${close}",` +
      `"volume":"${plainSteps(lots, market.lot)}","product_id":"${symbol}"}`
    );
  }
}
