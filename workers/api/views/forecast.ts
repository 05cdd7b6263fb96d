/**
 * A forecast from the newest feature row and the model's moves. Pure.
 *
 * The model says by how many basis points bid, mid and ask move; the price is the present one moved by that much. Each target is moved on
 * its own: nothing here bends a bid below an ask, so that what is shown is what the model said.
 *
 * A horizon no longer than the row's age is for a time that has passed, and is left out: it would be a forecast of what is known.
 */

import type { FeatureMoment } from "../../../feed/contract.ts";
import type { ForecastTarget } from "../../../models/contract.ts";
import type { MovesPrediction } from "../../inference/contract.ts";
import { forecastPriceText } from "../prices.ts";
import type { ForecastBody } from "../schemas.ts";
import { freshnessOf } from "./live.ts";

const BPS = 10_000;

/** The moment, and what its rows were made with. */
export type ForecastMoment = FeatureMoment & { readonly fingerprint: string };

/**
 * @param horizonMs one horizon, or null for all.
 * @returns the horizons there are when the one asked for is not among them; those asked for when the time of each has passed.
 */
export function forecastBody(
  features: ForecastMoment,
  prediction: MovesPrediction,
  horizonMs: number | null,
): { forecast: ForecastBody } | { available: number[] } | { expired: number[] } {
  const available = [...new Set(prediction.columns.map((column) => column.horizonMs))].sort((a, b) => a - b);
  const asked = horizonMs === null ? available : available.filter((horizon) => horizon === horizonMs);
  if (asked.length === 0) return { available };
  const { instrument, bidTicks, askTicks, featureTime, rowAgeMs } = features;
  const horizons = asked.filter((horizon) => horizon > rowAgeMs);
  const expired = asked.filter((horizon) => horizon <= rowAgeMs);
  if (horizons.length === 0) return { expired };
  return {
    forecast: {
      market: features.market,
      asOf: featureTime,
      present: {
        bid: forecastPriceText(bidTicks, instrument.tick),
        mid: forecastPriceText((bidTicks + askTicks) / 2, instrument.tick),
        ask: forecastPriceText(askTicks, instrument.tick),
      },
      horizons: horizons.map((horizon) => ({
        horizonMs: horizon,
        targetTime: featureTime + horizon,
        bid: forecastPrice(features, prediction, { target: "bid", horizonMs: horizon }),
        mid: forecastPrice(features, prediction, { target: "mid", horizonMs: horizon }),
        ask: forecastPrice(features, prediction, { target: "ask", horizonMs: horizon }),
      })),
      rowAgeMs,
      expired,
      model: {
        id: prediction.modelId,
        version: prediction.version,
        sha256: prediction.sha256,
        source: prediction.source,
        label: prediction.label,
        trainedOn: prediction.trainedOn,
      },
      fingerprint: features.fingerprint,
      coverage: features.coverage,
      freshness: freshnessOf(features),
      proof: features.proof,
    },
  };
}

/** Null when the model has no such output. */
function forecastPrice(
  features: FeatureMoment,
  prediction: MovesPrediction,
  output: { target: ForecastTarget; horizonMs: number },
): { price: string; moveBps: number } | null {
  const column = prediction.columns.findIndex(({ target, horizonMs }) => target === output.target && horizonMs === output.horizonMs);
  const moveBps = prediction.movesBps[column];
  if (moveBps === undefined) return null;
  return { price: forecastPriceText(presentTicks(features, output.target) * (1 + moveBps / BPS), features.instrument.tick), moveBps };
}

function presentTicks({ bidTicks, askTicks }: FeatureMoment, target: ForecastTarget): number {
  if (target === "mid") return (bidTicks + askTicks) / 2;
  return target === "bid" ? bidTicks : askTicks;
}
