/**
 * How often what happens next in the generative market: the rates of each kind of event, from the book and the latent state of now.
 *
 * Arrivals and cancels after Cont, Stoikov, Talreja (2010), by distance from the opposite best (presets.ts), with two additions:
 * - a bid arrives at rate lambda(i) e^-x, an ask at lambda(i) e^x, x = limitPull (mid - F) + N, cut at ±1.4;
 * - a resting unit is cancelled at rate theta(i); at the best on the wrong side of F that rate is multiplied by
 *   e^min(3, stalePull (|mid - F| - 1/2)): stale quotes are pulled, and without it mid and fair price come apart.
 */

import { exponential } from "../math/elementary.ts";
import type { Side } from "../units/side.ts";
import type { LatentState } from "./latent-state.ts";
import { ACTIVE_LEVELS, type MarketPreset } from "./presets.ts";
import type { RestingBook } from "./resting-book.ts";

const LARGEST_PULL = 1.4;
const LARGEST_STALE_EXPONENT = 3;
const FREE_DEVIATION_TICKS = 0.5;

export class EventRates {
  /** Events per second at activity 1; the limit rates are of all distances together. */
  total = 0;
  bidLimit = 0;
  askLimit = 0;
  bidCancel = 0;
  askCancel = 0;
  private readonly preset: MarketPreset;
  private readonly book: RestingBook;
  private readonly latent: LatentState;
  private readonly limitRateSum: number;
  private bidStaleFactor = 1;
  private askStaleFactor = 1;

  constructor(preset: MarketPreset, book: RestingBook, latent: LatentState) {
    this.preset = preset;
    this.book = book;
    this.latent = latent;
    this.limitRateSum = preset.limitRates.reduce((sum, rate) => sum + rate, 0);
  }

  /** To be called after each event; the rates hold until the next. */
  refresh(): void {
    const { preset, latent } = this;
    const deviation = this.book.midTicks - latent.fairTicks;
    const pull = Math.max(-LARGEST_PULL, Math.min(LARGEST_PULL, preset.limitPull * deviation + latent.pressure));
    const lean = exponential(pull);
    this.bidLimit = this.limitRateSum / lean;
    this.askLimit = this.limitRateSum * lean;
    const off = Math.abs(deviation) - FREE_DEVIATION_TICKS;
    const stale = off > 0 ? exponential(Math.min(LARGEST_STALE_EXPONENT, preset.stalePull * off)) : 1;
    this.bidStaleFactor = deviation > 0 ? stale : 1;
    this.askStaleFactor = deviation < 0 ? stale : 1;
    this.sumCancels();
    this.total = preset.takerRate + this.bidLimit + this.askLimit + this.bidCancel + this.askCancel;
  }

  /** The distance from the opposite best at which a limit order arrives. @param share uniform on [0, 1). */
  limitDistance(share: number): number {
    const rates = this.preset.limitRates;
    let distance = 1;
    let left = share * this.limitRateSum - (rates[1] as number);
    while (left >= 0 && distance < ACTIVE_LEVELS) left -= rates[++distance] as number;
    return distance;
  }

  /** The price at which a unit is cancelled. @param share uniform on [0, 1). */
  cancelTicks(side: Side, share: number): number {
    const { book } = this;
    const rates = this.preset.cancelRates;
    const isBid = side === "bid";
    const step = isBid ? -1 : 1;
    const opposite = isBid ? book.bestAskTicks : book.bestBidTicks;
    const best = book.bestTicks(side);
    let chosen = best;
    let left = share * (isBid ? this.bidCancel : this.askCancel);
    for (let distance = book.bestAskTicks - book.bestBidTicks; distance <= ACTIVE_LEVELS; distance++) {
      const price = opposite + step * distance;
      const size = book.sizeAt(price);
      if (size === 0) continue;
      // Where rounding leaves a rest, the last one with a size is taken.
      chosen = price;
      const rate = (rates[distance] as number) * size;
      left -= price === best ? rate * (isBid ? this.bidStaleFactor : this.askStaleFactor) : rate;
      if (left < 0) break;
    }
    return chosen;
  }

  private sumCancels(): void {
    const { book } = this;
    const rates = this.preset.cancelRates;
    const { bestBidTicks: bid, bestAskTicks: ask } = book;
    const spread = ask - bid;
    let bids = 0;
    let asks = 0;
    if (spread <= ACTIVE_LEVELS) {
      const rate = rates[spread] as number;
      bids = rate * book.sizeAt(bid) * this.bidStaleFactor;
      asks = rate * book.sizeAt(ask) * this.askStaleFactor;
    }
    for (let distance = spread + 1; distance <= ACTIVE_LEVELS; distance++) {
      const rate = rates[distance] as number;
      bids += rate * book.sizeAt(ask - distance);
      asks += rate * book.sizeAt(bid + distance);
    }
    this.bidCancel = bids;
    this.askCancel = asks;
  }
}
