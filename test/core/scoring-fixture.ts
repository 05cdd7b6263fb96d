/** A made-up market and a model of it: a path with gaps, and forecasts of its rows that know a little of what comes. */

import type { PriceRows } from "../../core/labels/moves.ts";
import { Random } from "../../core/math/random.ts";
import type { ForecastAnswer, HorizonAnswer, MadeForecast, ServedLabel } from "../../core/scoring/forecast-answer.ts";

export const HORIZONS_MS = [1_000, 5_000, 30_000] as const;

export interface MadeMarket {
  readonly path: PriceRows & {
    readonly times: number[];
    readonly bidTicks: number[];
    readonly askTicks: number[];
    readonly segments: number[];
  };
  readonly forecasts: MadeForecast[];
}

export interface MarketSettings {
  readonly seed: number;
  readonly startsAt: number;
  readonly seconds: number;
  /** A forecast each so many seconds. */
  readonly every: number;
  readonly label?: ServedLabel;
  /** Chance of a second that a gap begins at it. */
  readonly gaps?: number;
}

export function madeMarket({ seed, startsAt, seconds, every, label = "point", gaps = 0.005 }: MarketSettings): MadeMarket {
  const random = new Random(seed);
  const path: MadeMarket["path"] = { times: [], bidTicks: [], askTicks: [], segments: [] };
  const forecasts: MadeForecast[] = [];
  let [bid, segment, missing] = [50_000, 0, 0];
  for (let second = 0; second < seconds; second++) {
    bid += Math.round(random.normal() * 3);
    const ask = bid + 1 + random.integerBelow(3);
    if (missing === 0 && random.uniform() < gaps) {
      // Half of the gaps leave out no second: the book was lost and found between two rows.
      missing = random.integerBelow(2) * random.integerBelow(40);
      segment++;
    }
    if (missing > 0) {
      missing--;
      continue;
    }
    const featureTime = startsAt + second * 1_000;
    path.times.push(featureTime);
    path.bidTicks.push(bid);
    path.askTicks.push(ask);
    path.segments.push(segment);
    if (second % every === 0) forecasts.push({ featureTime, bidTicks: bid, askTicks: ask, answer: madeAnswer(random, label) });
  }
  return { path, forecasts };
}

/** All numbers are float32, as a row of the ledger holds them. */
function madeAnswer(random: Random, label: ServedLabel): ForecastAnswer {
  return { label, horizons: HORIZONS_MS.map((horizonMs) => madeHorizon(random, horizonMs)) };
}

function madeHorizon(random: Random, horizonMs: number): HorizonAnswer {
  const scale = Math.sqrt(horizonMs / 1_000) * 0.6;
  const mid = Math.fround(random.normal() * scale * 0.2);
  const down = Math.fround(random.uniform() * 0.6);
  return {
    horizonMs,
    movesBps: { bid: Math.fround(mid * 0.9), mid, ask: Math.fround(mid * 1.1) },
    interval: { lowBps: Math.fround(mid - scale), highBps: Math.fround(mid + scale) },
    odds: { down, up: Math.fround((1 - down) * random.uniform()), thresholdBps: Math.fround(scale / 3) },
  };
}
