/** Scorecards, comparisons and the ledger of forecasts, as the API answers them. */

import { z } from "@hono/zod-openapi";
import { FORECAST_TARGETS } from "../../models/contract.ts";
import { MODEL_SLOTS } from "../../models/roles.ts";
import { oddsSkillShape } from "./odds-skill-shape.ts";
import { epochMs } from "./schemas.ts";

const modelName = z.string().openapi({
  description: "`id@version`; `shipped` for the model that comes with the code",
  example: "v2-ridge@0123456789ab",
});
const market = z.string().openapi({ example: "binance-spot:BTCUSDT" });
const label = z
  .enum(["point", "anchored"])
  .openapi({ description: "What the moves go to: the price at the horizon, or its mean up to there" });
const horizonMs = z.int().openapi({ example: 5_000 });
const known = z.number().nullable();

const moveScoreSchema = z
  .object({
    label,
    horizonMs,
    target: z.enum(FORECAST_TARGETS),
    scored: z.int(),
    uncovered: z.int().openapi({ description: "No unbroken path of prices led to the target: in no score" }),
    r2: known.openapi({ description: '1 - MSE / MSE of persistence ("the price stays"); null where nothing moved' }),
    r2Low: known.openapi({ description: "Its 95 % interval, drawn over hours; null from fewer than six" }),
    r2High: known,
    rmse: known.openapi({ description: "Basis points, as all errors here" }),
    persistenceRmse: known,
    mae: known,
    persistenceMae: known,
    hits: z.int().openapi({ description: "The forecast had the move's sign" }),
    moved: z.int().openapi({ description: "Forecasts after which the price was another one" }),
    directionHitRate: known.openapi({ description: "hits / moved" }),
    correlation: known,
    slope: known.openapi({ description: "Of what came on what was forecast, through zero: 1 is calibrated, less is too bold" }),
  })
  .openapi("MoveScore");

const intervalScoreSchema = z
  .object({
    label,
    horizonMs,
    scored: z.int(),
    inside: z.int(),
    below: z.int(),
    above: z.int(),
    coverage: z.number().openapi({ description: "inside / scored: how often the mid came to lie in the interval that was said" }),
  })
  .openapi("IntervalScore");

const oddsBinSchema = z
  .object({
    direction: z.enum(["down", "up"]),
    from: z.number(),
    to: z.number(),
    rows: z.int(),
    meanSaid: z.number(),
    cameShare: z.number().openapi({ description: "How often it came: of a calibrated model, as often as was said" }),
  })
  .openapi("OddsBin");

const oddsScoreSchema = z
  .object({
    label,
    horizonMs,
    scored: z.int(),
    brier: z.number(),
    logLoss: z.number().openapi({ description: "Nats" }),
    sharesBrier: z.number().openapi({ description: "Of whoever always says the shares that came in these very rows" }),
    sharesLogLoss: z.number(),
    skillScored: z.int().openapi({ description: "Of them those of hours with enough scored before: the skills are of these" }),
    ...oddsSkillShape,
    down: z.int().openapi({ description: "How often it came" }),
    flat: z.int(),
    up: z.int(),
    bins: z.array(oddsBinSchema).openapi({ description: "By the probability that was said" }),
  })
  .openapi("OddsScore");

const cardSchema = z
  .object({
    from: epochMs,
    to: epochMs.openapi({ description: "Exclusive" }),
    forecasts: z.int().openapi({ description: "Scored, or given up as uncovered" }),
    uncovered: z.int().openapi({ description: "Of them those of which no horizon had an unbroken path" }),
    hours: z.int().openapi({ description: "In which something was scored" }),
    moves: z.array(moveScoreSchema),
    intervals: z.array(intervalScoreSchema).openapi({ description: "Of the mid; of calibrated models" }),
    odds: z.array(oddsScoreSchema).openapi({ description: "Of down, flat and up of the mid" }),
  })
  .openapi("Scorecard");

export const scorecardsSchema = z
  .object({
    market,
    from: epochMs.openapi({ description: "Whole hours of market time, in which forecasts were made" }),
    to: epochMs.openapi({ description: "Exclusive" }),
    by: z.enum(["hour", "day", "all"]),
    models: z.array(
      z.object({
        model: modelName,
        scoredUpTo: epochMs.nullable().openapi({ description: "Forecasts made up to then are in scores; null: none yet" }),
        cards: z.array(cardSchema).openapi({ description: "Oldest first; by hour and day those with forecasts" }),
      }),
    ),
  })
  .openapi("Scorecards");

export const comparisonSchema = z
  .object({
    market,
    slot: z.enum(MODEL_SLOTS),
    active: modelName,
    challenger: modelName,
    from: epochMs,
    to: epochMs.openapi({ description: "Exclusive" }),
    days: z.int().openapi({ description: "UTC days with a tick that was compared" }),
    hours: z.int(),
    ticks: z.int().openapi({ description: "Both answered, and what came is known: one a minute, the first" }),
    horizons: z.array(
      z
        .object({
          horizonMs,
          target: z.literal("mid"),
          ticks: z.int(),
          r2Active: known,
          r2Challenger: known,
          difference: known.openapi({ description: "r2Challenger - r2Active" }),
          low: known.openapi({ description: "Its 95 % interval, drawn over hours; null from fewer than six" }),
          high: known,
          dmP: known.openapi({ description: "Diebold and Mariano's test of equal losses, corrected for few ticks, two-sided" }),
        })
        .openapi("PairedHorizon"),
    ),
    odds: z
      .array(
        z
          .object({
            horizonMs,
            target: z.literal("mid"),
            ticks: z.int(),
            hours: z.int(),
            brierActive: z.number(),
            brierChallenger: z.number(),
            difference: z.number().openapi({ description: "brierActive - brierChallenger: above 0 the challenger is better" }),
            low: known.openapi({ description: "Its 95 % interval, drawn over hours; null from fewer than six" }),
            high: known,
            dmP: known,
          })
          .openapi("PairedOdds"),
      )
      .openapi({
        description: "Of models that both give probabilities: down, flat and up as the active model's threshold tells them apart",
      }),
  })
  .openapi("Comparison");

const movesSchema = z.object({ bid: known, mid: known, ask: known });

const ledgerRowSchema = z
  .object({
    featureTime: epochMs.openapi({ description: "Grid time on the market's clock: what the forecast counts from" }),
    recordedAt: epochMs,
    bidTicks: z.int(),
    askTicks: z.int(),
    state: z
      .enum(["pending", "scored", "unreadable"])
      .openapi({ description: "scored: it is in the scores, or in their count of uncovered" }),
    label: label.nullable(),
    horizons: z.array(
      z
        .object({
          horizonMs,
          targetTime: epochMs,
          movesBps: movesSchema.openapi({ description: "As it was forecast; null: no such output" }),
          interval: z.object({ lowBps: z.number(), highBps: z.number() }).nullable(),
          odds: z.object({ down: z.number(), up: z.number(), thresholdBps: z.number() }).nullable(),
          came: z
            .object({ bid: z.number(), mid: z.number(), ask: z.number() })
            .nullable()
            .openapi({ description: "Basis points; null: not known, yet or ever" }),
        })
        .openapi("LedgerHorizon"),
    ),
  })
  .openapi("LedgerForecast");

export const ledgerPageSchema = z
  .object({
    market,
    model: modelName,
    from: epochMs,
    to: epochMs.openapi({ description: "Exclusive" }),
    forecasts: z.array(ledgerRowSchema).openapi({ description: "Oldest first" }),
    nextCursor: z.string().nullable(),
  })
  .openapi("LedgerPage");

export type ScorecardsBody = z.infer<typeof scorecardsSchema>;
export type LedgerRowBody = z.infer<typeof ledgerRowSchema>;
