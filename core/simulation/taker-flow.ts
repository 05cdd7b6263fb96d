/**
 * Who takes: the side and the size of each market order of the generative market.
 *
 * Half of the orders are slices of one of six metaorders, whose lengths follow a Pareto law of exponent 1.5: that is what gives signs of trades
 * their long memory (F. Lillo, S. Mike, J. D. Farmer, Phys. Rev. E 71, 066122, 2005). The others lean back to the fair price. Sizes are geometric.
 */

import { exponential, naturalLog } from "../math/elementary.ts";
import type { Random } from "../math/random.ts";
import type { LatentState } from "./latent-state.ts";

const METAORDERS = 6;
const METAORDER_SHARE = 0.5;
const PARETO_EXPONENT = 1.5;
const LONGEST_METAORDER = 500;
/** P(a new metaorder buys) = 1 / (1 + e^(-0.4 z)). */
const REGIME_LEAN = 0.4;
/** P(another order buys) = 1 / (1 + e^(0.1 (mid - F))), the exponent cut at ±4. */
const FAIR_LEAN_PER_TICK = 0.1;
const LARGEST_LEAN = 4;
const STOP_PROBABILITY = 0.6;
const LARGEST_UNITS = 20;

export class TakerFlow {
  private readonly random: Random;
  private readonly latent: LatentState;
  private readonly signs = new Int8Array(METAORDERS);
  private readonly slicesLeft = new Int32Array(METAORDERS);

  constructor(random: Random, latent: LatentState) {
    this.random = random;
    this.latent = latent;
    for (let slot = 0; slot < METAORDERS; slot++) this.startMetaorder(slot);
  }

  /** +1 for an order that buys, -1 for one that sells. */
  nextSign(midTicks: number): 1 | -1 {
    if (this.random.uniform() < METAORDER_SHARE) return this.nextSlice();
    const lean = FAIR_LEAN_PER_TICK * (this.latent.fairTicks - midTicks);
    return this.leaning(Math.max(-LARGEST_LEAN, Math.min(LARGEST_LEAN, lean)));
  }

  nextUnits(): number {
    let units = 1;
    while (units < LARGEST_UNITS && this.random.uniform() > STOP_PROBABILITY) units++;
    return units;
  }

  private nextSlice(): 1 | -1 {
    const slot = this.random.integerBelow(METAORDERS);
    const sign = (this.signs[slot] as number) > 0 ? 1 : -1;
    const left = (this.slicesLeft[slot] as number) - 1;
    this.slicesLeft[slot] = left;
    if (left <= 0) this.startMetaorder(slot);
    return sign;
  }

  private startMetaorder(slot: number): void {
    this.signs[slot] = this.leaning(REGIME_LEAN * this.latent.regime);
    const length = exponential(-naturalLog(1 - this.random.uniform()) / PARETO_EXPONENT);
    this.slicesLeft[slot] = Math.min(LONGEST_METAORDER, Math.floor(length));
  }

  private leaning(lean: number): 1 | -1 {
    return this.random.uniform() < 1 / (1 + exponential(-lean)) ? 1 : -1;
  }
}
