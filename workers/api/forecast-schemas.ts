/** What the forecasts' addresses answer, as zod schemas: the OpenAPI document and the types of the views are made of them. */

import { z } from "@hono/zod-openapi";
import { oddsSkillShape } from "./odds-skill-shape.ts";
import { decimal, epochMs, freshnessSchema, labelKind, problemSchema, proofSchema } from "./schemas.ts";

const forecastPrice = z
  .object({
    price: decimal.openapi({ description: "Four digits beyond the tick" }),
    moveBps: z.number().openapi({ description: "Move from the present price of the same kind, in basis points" }),
    moveTicks: z.number().openapi({ description: "The same move in ticks of the market, whose size /v1/markets has" }),
  })
  .openapi("ForecastPrice");

const probability = z.number().openapi({ description: "0 to 1" });

const intervalSchema = z
  .object({ low: decimal, high: decimal, lowBps: z.number(), highBps: z.number() })
  .nullable()
  .openapi("ForecastInterval", {
    description:
      "The mid lies within as often as the model's calibration says (`calibration.coverage` in /v1/models); null of a model that was never calibrated",
  });

const oddsSchema = z
  .object({
    down: probability,
    flat: probability,
    up: probability,
    thresholdBps: z.number().openapi({ description: "A move of the mid of at most so many basis points, either way, is flat" }),
  })
  .nullable()
  .openapi("ForecastOdds", { description: "Null of a model that was never calibrated" });

const skillMark = z.enum(["skilled", "none", "unknown"]).openapi({
  description:
    "`skilled`: better than persistence (moves), or than the shares of classes that came before (odds), in this market over the last 24 hours, its whole interval above 0. `none`: scored, and not so. `unknown`: scored too seldom to tell",
});

const skillSchema = z
  .object({
    mark: skillMark.openapi({
      description: "Of more than half of its horizons; of a model without moves, and of a signal, that of the odds",
    }),
    horizons: z.array(
      z.object({
        label: labelKind,
        horizonMs: z.int(),
        scored: z.int().openapi({ description: "Forecasts, of the mid" }),
        r2: z.number().nullable().openapi({ description: "1 - MSE / MSE of persistence" }),
        low: z.number().nullable(),
        high: z.number().nullable(),
        mark: skillMark,
      }),
    ),
    odds: z
      .array(z.object({ label: labelKind, horizonMs: z.int(), scored: z.int(), ...oddsSkillShape, mark: skillMark }))
      .openapi({ description: "Of down, flat and up of the mid; empty of a model that gives no probabilities" }),
  })
  .openapi("Skill", { description: "Of the model in this market, by the ledger, over the last 24 hours" });

const servedModelSchema = z
  .object({
    id: z.string(),
    version: z.string(),
    sha256: z.string(),
    source: z.enum(["r2", "shipped"]),
    label: labelKind,
    trainedOn: z.string().openapi({ description: "Skill on a market that isn't among these is unknown. /v1/models has its scores" }),
    tickBps: z.number().openapi({ description: "A tick of this market, in basis points of its present mid" }),
    otherTick: z.boolean().nullable().openapi({
      description:
        "Whether that is less than half or more than twice of any tick that the model was trained on: what it learnt of moves and spreads is of other markets then. Null of a model that doesn't say what it was trained on",
    }),
  })
  .openapi("ServedModel");

export const forecastSchema = z
  .object({
    market: z.string(),
    asOf: epochMs.openapi({ description: "Market time of the features" }),
    present: z.object({ bid: decimal, mid: decimal, ask: decimal }).openapi({ description: "As of `asOf`" }),
    horizons: z.array(
      z.object({
        horizonMs: z.int(),
        targetTime: epochMs.openapi({ description: "Market time that the forecast is for" }),
        bid: forecastPrice.nullable(),
        mid: forecastPrice.nullable(),
        ask: forecastPrice.nullable(),
        interval: intervalSchema,
        odds: oddsSchema,
      }),
    ),
    rowAgeMs: z.number().openapi({ description: "Milliseconds since the features were written, by the feed's clock" }),
    expired: z.array(z.int()).openapi({ description: "Horizons left out, in ms: no longer than the features' age, their time has passed" }),
    model: servedModelSchema,
    skill: skillSchema,
    fingerprint: z.string().openapi({ description: "Of the feature set" }),
    coverage: z.number().openapi({ description: "Share of the last closed minute and the open one in which the book was live, 0 to 1" }),
    freshness: freshnessSchema,
    proof: proofSchema,
  })
  .openapi("Forecast");

export const latestForecastsSchema = z
  .object({
    forecasts: z
      .array(
        z.object({
          market: z.string(),
          forecast: forecastSchema.nullable(),
          problem: problemSchema.nullable().openapi({ description: "Why there is no forecast" }),
        }),
      )
      .openapi({ description: "In the order asked for, each market once" }),
  })
  .openapi("LatestForecasts");

export const SIGNAL_KINDS = ["simple", "neural"] as const;

export const signalSchema = z
  .object({
    market: z.string(),
    kind: z.enum(SIGNAL_KINDS),
    definition: z
      .enum(["edgebook", "classic"])
      .openapi({ description: "`classic`: as sturex/pyOrderbookTrading has it, for parity alone" }),
    signal: z.enum(["BUY", "SELL", "WAIT"]),
    pressure: z
      .number()
      .openapi({ description: "-1 to 1, above 0 where the price is expected to rise; of `classic` the indicator is its negative" }),
    threshold: z.number().openapi({ description: "Pressure beyond it, either way, is no WAIT" }),
    levels: z.object({ bid: z.int(), ask: z.int() }).nullable().openapi({ description: "Counted a side; null of `neural`" }),
    model: z
      .object({
        ...servedModelSchema.shape,
        asOf: epochMs,
        rowAgeMs: z.number(),
        asks: z.enum(["move", "next-change"]).openapi({ description: "Which way the mid goes within the horizon, or at its next change" }),
        horizonMs: z.int(),
        down: probability,
        up: probability,
        skill: skillSchema,
      })
      .nullable()
      .openapi({ description: "Null of `simple`" }),
    freshness: freshnessSchema,
    proof: proofSchema,
  })
  .openapi("Signal");

export type ForecastBody = z.infer<typeof forecastSchema>;
export type LatestForecastsBody = z.infer<typeof latestForecastsSchema>;
export type SignalBody = z.infer<typeof signalSchema>;
export type SkillView = z.infer<typeof skillSchema>;
export type ServedModelView = z.infer<typeof servedModelSchema>;
