/**
 * What moves the generative market and is not seen in it: a fair price, its regime of drift, the level of activity, a passing pressure.
 *
 * - activity Y: OU with a half-life of 600 s, sd 0.6, stepped exactly once a second; every rate is multiplied by e^(Y - sd²/2);
 * - regime z in {-1, 0, 1}: exponential stays of 60 s (±1) and 120 s (0); from ±1 back to 0 with probability 0.75, else to the other sign;
 * - fair price F: dF = volatility e^(Y/2) dW + 0.02 z dt + impact x signed taker volume;
 * - pressure N: OU of 8 s on the rates of limit orders.
 *
 * F is reflected at the ends of the price range (resting-book.ts): the market turns round there, and never leaves its array.
 */

import { exponential } from "../math/elementary.ts";
import type { Random } from "../math/random.ts";
import type { MarketPreset } from "./presets.ts";
import { HIGHEST_FAIR_TICKS, LOWEST_FAIR_TICKS } from "./resting-book.ts";

const ACTIVITY_SD = 0.6;
const ACTIVITY_HALF_LIFE_S = 600;
const ACTIVITY_DECAY = exponential(-Math.LN2 / ACTIVITY_HALF_LIFE_S);
const ACTIVITY_NOISE = ACTIVITY_SD * Math.sqrt(1 - ACTIVITY_DECAY * ACTIVITY_DECAY);
const PRESSURE_S = 8;
const DRIFT_TICKS_PER_S = 0.02;
const TREND_STAY_S = 60;
const CALM_STAY_S = 120;
const TREND_TO_CALM = 0.75;

export class LatentState {
  fairTicks: number;
  pressure = 0;
  /** -1, 0 or 1. */
  regime = 0;
  /** e^(Y - sd²/2): the factor on every rate, 1 in the mean. */
  activity = 1;
  private readonly preset: MarketPreset;
  private readonly random: Random;
  private logActivity: number;
  private volatility = 0;
  private regimeLeftS: number;

  constructor(preset: MarketPreset, random: Random, centreTicks: number) {
    this.preset = preset;
    this.random = random;
    this.fairTicks = centreTicks + 0.5;
    this.logActivity = ACTIVITY_SD * random.normal();
    this.regimeLeftS = random.exponential() * CALM_STAY_S;
    this.readActivity();
  }

  /** Moves fair price, pressure and regime on by a time between two events. */
  pass(seconds: number): void {
    const { random } = this;
    this.moveFair(this.volatility * Math.sqrt(seconds) * random.normal() + this.regime * DRIFT_TICKS_PER_S * seconds);
    const decay = exponential(-seconds / PRESSURE_S);
    this.pressure = this.pressure * decay + this.preset.pressureSd * Math.sqrt(1 - decay * decay) * random.normal();
    this.regimeLeftS -= seconds;
    if (this.regimeLeftS <= 0) this.changeRegime();
  }

  /** Once a second. */
  stepActivity(): void {
    this.logActivity = this.logActivity * ACTIVITY_DECAY + ACTIVITY_NOISE * this.random.normal();
    this.readActivity();
  }

  /** @param signedUnits what takers bought, less what they sold. */
  absorb(signedUnits: number): void {
    this.moveFair(this.preset.fairImpact * signedUnits);
  }

  private moveFair(ticks: number): void {
    const fair = this.fairTicks + ticks;
    if (fair < LOWEST_FAIR_TICKS) this.fairTicks = 2 * LOWEST_FAIR_TICKS - fair;
    else if (fair > HIGHEST_FAIR_TICKS) this.fairTicks = 2 * HIGHEST_FAIR_TICKS - fair;
    else this.fairTicks = fair;
  }

  private changeRegime(): void {
    if (this.regime === 0) this.regime = this.random.uniform() < 0.5 ? 1 : -1;
    else this.regime = this.random.uniform() < TREND_TO_CALM ? 0 : -this.regime;
    this.regimeLeftS = this.random.exponential() * (this.regime === 0 ? CALM_STAY_S : TREND_STAY_S);
  }

  private readActivity(): void {
    this.activity = exponential(this.logActivity - (ACTIVITY_SD * ACTIVITY_SD) / 2);
    this.volatility = this.preset.fairVolatility * exponential(this.logActivity / 2);
  }
}
