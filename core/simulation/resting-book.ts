/**
 * The book of the generative market: one array of sizes over the whole price range, bids at and below the best bid, asks at and above the best ask.
 *
 * The range is fixed: prices are 1 .. PRICES - 1 ticks. The fair price that the book follows is reflected EDGE_TICKS before each end
 * (latent-state.ts), and the book reaches some 60 ticks from its best, so no level is ever asked for outside; if one were, that is a bug and throws.
 * Never crossed, never empty.
 */

import type { Side } from "../units/side.ts";

const PRICES = 40_001;
const EDGE_TICKS = 500;
export const CENTRE_TICKS = 20_000;
export const LOWEST_FAIR_TICKS = EDGE_TICKS;
export const HIGHEST_FAIR_TICKS = PRICES - EDGE_TICKS;

export class RestingBook {
  bestBidTicks: number;
  bestAskTicks: number;
  private readonly sizes = new Int32Array(PRICES);
  /** No bid rests below, no ask above. */
  private lowest: number;
  private highest: number;

  /** An empty book around a price; both bests must be set before anything is read. */
  constructor(bestBidTicks: number) {
    this.bestBidTicks = bestBidTicks;
    this.bestAskTicks = bestBidTicks + 1;
    this.lowest = this.bestBidTicks;
    this.highest = this.bestAskTicks;
  }

  get midTicks(): number {
    return (this.bestBidTicks + this.bestAskTicks) / 2;
  }

  get lowestBidTicks(): number {
    return this.lowest;
  }

  get highestAskTicks(): number {
    return this.highest;
  }

  bestTicks(side: Side): number {
    return side === "bid" ? this.bestBidTicks : this.bestAskTicks;
  }

  /** Units resting on a side at a price; 0 on the other side of the market. */
  units(side: Side, priceTicks: number): number {
    const isOnSide = side === "bid" ? priceTicks <= this.bestBidTicks : priceTicks >= this.bestAskTicks;
    return isOnSide ? (this.sizes[priceTicks] ?? 0) : 0;
  }

  /** The array's own value, for a price that the caller knows to be on the side that it means. */
  sizeAt(priceTicks: number): number {
    return this.sizes[priceTicks] as number;
  }

  /** Sets the absolute size on a side, and finds the best again when that was emptied. */
  set(side: Side, priceTicks: number, units: number): void {
    if (priceTicks < 1 || priceTicks >= PRICES) throw new RangeError(`a level at ${priceTicks} ticks is outside the price range`);
    this.sizes[priceTicks] = units;
    if (side === "bid") {
      if (units > 0) {
        if (priceTicks > this.bestBidTicks) this.bestBidTicks = priceTicks;
        if (priceTicks < this.lowest) this.lowest = priceTicks;
      } else if (priceTicks === this.bestBidTicks) this.bestBidTicks = this.nextResting(priceTicks, -1);
    } else if (units > 0) {
      if (priceTicks < this.bestAskTicks) this.bestAskTicks = priceTicks;
      if (priceTicks > this.highest) this.highest = priceTicks;
    } else if (priceTicks === this.bestAskTicks) this.bestAskTicks = this.nextResting(priceTicks, 1);
  }

  /** Says that nothing rests on a side beyond a price any more. */
  narrow(side: Side, worstTicks: number): void {
    if (side === "bid") this.lowest = worstTicks;
    else this.highest = worstTicks;
  }

  private nextResting(fromTicks: number, step: 1 | -1): number {
    const { sizes } = this;
    for (let price = fromTicks + step; price > 0 && price < PRICES; price += step) {
      if ((sizes[price] as number) > 0) return price;
    }
    throw new Error(`the side of the book beyond ${fromTicks} ticks is empty`);
  }
}
