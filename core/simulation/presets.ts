/**
 * The parameters of the generative market, in two presets. Units: ticks, seconds, and the model's unit of size (a limit order is 1 unit).
 *
 * Rates of Cont, Stoikov, Talreja, "A stochastic model for order book dynamics" (Operations Research 58(3), 2010), table 1; beyond distance 5
 * the paper's power law k i^-alpha with k = 1.92, alpha = 0.52. What they lack (memory of signs, drift, clustering of volatility) comes from a
 * latent fair price; those parameters were fitted once to stylised facts (test/simulation/stylised-facts.ts), and not to any recording.
 */

import { exponential, naturalLog } from "../math/elementary.ts";

export interface MarketPreset {
  /** Arrivals of limit orders per second and level, by distance from the opposite best: [ACTIVE_LEVELS + 1], index 0 unused. */
  readonly limitRates: Float64Array;
  /** Cancels per second and resting unit, by distance from the opposite best: [ACTIVE_LEVELS + 1], index 0 unused. */
  readonly cancelRates: Float64Array;
  /** Market orders per second, both sides together. */
  readonly takerRate: number;
  /** How strongly limit orders lean back to the fair price, per tick of deviation. */
  readonly limitPull: number;
  /** How fast stale quotes are pulled: the exponent per tick by which the mid is off the fair price beyond half a tick. */
  readonly stalePull: number;
  /** Standard deviation of the passing pressure on limit orders (an OU process of 8 s). */
  readonly pressureSd: number;
  /** Volatility of the fair price, ticks per square root of a second. */
  readonly fairVolatility: number;
  /** What one unit of taker volume moves the fair price by, in ticks. */
  readonly fairImpact: number;
}

export type PresetName = "large-tick" | "small-tick";

/** Distances from the opposite best at which limit orders arrive. */
export const ACTIVE_LEVELS = 10;

const NEAR_LIMIT_RATES = [0, 1.85, 1.51, 1.09, 0.88, 0.77];
const NEAR_CANCEL_RATES = [0, 0.71, 0.81, 0.68, 0.56, 0.47];
const FAR_CANCEL_RATE = 0.47;
const TAKER_RATE = 2 * 0.94;

export const PRESETS: Readonly<Record<PresetName, MarketPreset>> = {
  "large-tick": {
    limitRates: limitRates(2),
    cancelRates: cancelRates(),
    takerRate: TAKER_RATE,
    limitPull: 0.2,
    stalePull: 1.5,
    pressureSd: 0.4,
    fairVolatility: 0.5,
    fairImpact: 0.03,
  },
  "small-tick": {
    limitRates: limitRates(1.5),
    cancelRates: cancelRates(),
    takerRate: TAKER_RATE,
    limitPull: 0.3,
    stalePull: 4,
    pressureSd: 0.6,
    fairVolatility: 0.8,
    fairImpact: 0.05,
  },
};

function limitRates(scale: number): Float64Array {
  return rates((distance) => scale * (NEAR_LIMIT_RATES[distance] ?? 1.92 * exponential(-0.52 * naturalLog(distance))));
}

function cancelRates(): Float64Array {
  return rates((distance) => NEAR_CANCEL_RATES[distance] ?? FAR_CANCEL_RATE);
}

function rates(rateAt: (distance: number) => number): Float64Array {
  return Float64Array.from({ length: ACTIVE_LEVELS + 1 }, (_, distance) => (distance === 0 ? 0 : rateAt(distance)));
}
