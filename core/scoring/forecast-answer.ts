/**
 * What a model said of one market at one moment, in the form in which it is kept and scored: moves of bid, mid and ask over each horizon, and of the
 * mid, where the model was calibrated, an interval and the odds of down, flat and up. Absent is null, and is not scored.
 */

import type { LabelKind, LabelTarget } from "../labels/moves.ts";

/** Smoothed moves start at a mean of the past, and are served by nobody. */
export type ServedLabel = Exclude<LabelKind, "smoothed">;

export interface MoveInterval {
  readonly lowBps: number;
  readonly highBps: number;
}

/** Of the mid. Flat is what is left to 1. */
export interface MoveOdds {
  readonly down: number;
  readonly up: number;
  /** A move of at most so many bps, either way, is flat. */
  readonly thresholdBps: number;
}

export interface HorizonAnswer {
  /** A whole number of grid steps. */
  readonly horizonMs: number;
  /** In bps of each target's own present price. */
  readonly movesBps: Readonly<Record<LabelTarget, number | null>>;
  readonly interval: MoveInterval | null;
  readonly odds: MoveOdds | null;
}

export interface ForecastAnswer {
  readonly label: ServedLabel;
  /** Rising, each horizon once. */
  readonly horizons: readonly HorizonAnswer[];
}

/** A forecast as it was made: at a row of the feature grid, from its best prices. */
export interface MadeForecast {
  /** Grid time on the market's clock, epoch ms. */
  readonly featureTime: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly answer: ForecastAnswer;
}

/** @returns 0 where nothing was said. */
export function longestHorizonMs({ horizons }: ForecastAnswer): number {
  return horizons.at(-1)?.horizonMs ?? 0;
}
