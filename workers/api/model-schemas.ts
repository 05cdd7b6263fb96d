/** What `/v1/models` answers, as zod schemas: the OpenAPI document is made of them. */

import { z } from "@hono/zod-openapi";
import { FORECAST_TARGETS } from "../../models/contract.ts";
import { MODEL_SLOTS } from "../../models/roles.ts";
import { commit, epochMs, labelKind } from "./schemas.ts";

const scoreSchema = z.object({
  target: z.enum(FORECAST_TARGETS),
  horizonMs: z.int(),
  rows: z.int(),
  r2: z.number().openapi({ description: "1 - MSE / MSE of persistence, on data that training never saw" }),
  r2Low: z.number(),
  r2High: z.number(),
  ridgeR2: z.number(),
  directionHitRate: z.number().nullable(),
  moves: z.int(),
});

const classScoreSchema = z.object({
  asks: z.enum(["move", "next-change"]),
  target: z.enum(FORECAST_TARGETS),
  horizonMs: z.int(),
  rows: z.int(),
  accuracy: z.number(),
  macroF1: z.number(),
  mcc: z.number().nullable(),
  mccLow: z.number().nullable(),
  mccHigh: z.number().nullable(),
  logLoss: z.number(),
  brier: z.number(),
  persistenceMcc: z.number().nullable(),
  logisticMcc: z.number().nullable(),
  logisticLogLoss: z.number().nullable(),
  majorityLogLoss: z.number(),
});

const slot = z.enum(MODEL_SLOTS);
const fault = { fault: z.string(), detail: z.string() };

/** A version of a model, by its name and by what the ledger calls it. */
const modelIdentity = {
  key: z.int().openapi({ description: "What stored forecasts call it; 0 is the shipped one" }),
  id: z.string(),
  version: z.string(),
};

const modelRole = {
  slot,
  market: z.string().openapi({ description: "`venue:SYMBOL`, or `*`: every market that has none of its own" }),
  role: z.enum(["active", "shadow"]),
  ...modelIdentity,
};

export const modelSchema = z
  .object({
    key: modelIdentity.key,
    id: z.string(),
    version: z.string(),
    family: z.string(),
    source: z.enum(["r2", "shipped"]),
    fellBackFrom: z.object(fault).nullable().openapi({ description: "Why the published model is not the one served" }),
    sha256: z.string(),
    bytes: z.int(),
    opset: z.int(),
    featureSet: z.object({ id: z.string(), fingerprint: z.string(), columns: z.array(z.string()) }),
    window: z.int().openapi({ description: "Rows of it that one answer takes, the newest the last" }),
    intervalMs: z.int(),
    answer: z.string().openapi({ description: "`moves` or `classes`: forecasts are made of moves, signals of either" }),
    outputs: z.array(z.object({ target: z.enum(FORECAST_TARGETS), horizonMs: z.int() })).openapi({ description: "Of moves" }),
    questions: z
      .array(
        z.object({
          asks: z.enum(["move", "next-change"]),
          target: z.enum(FORECAST_TARGETS),
          horizonMs: z.int(),
          labels: z.array(z.string()),
          thresholdBps: z.number(),
        }),
      )
      .openapi({ description: "Of classes" }),
    calibration: z
      .object({ from: epochMs, to: epochMs, rows: z.int(), coverage: z.number(), outputs: z.int() })
      .nullable()
      .openapi({ description: "What intervals and probabilities rest on; null: it serves none" }),
    label: labelKind,
    trainedOn: z.object({
      source: z.string(),
      datasetSha256: z.string(),
      from: epochMs,
      to: epochMs,
      rows: z.int(),
      seed: z.int(),
      commit,
      ticksBps: z
        .object({ low: z.number(), high: z.number() })
        .optional()
        .openapi({ description: "What a tick was, in basis points of the mid, over its markets; absent of a model that doesn't say" }),
    }),
    scores: z.array(scoreSchema),
    classScores: z.array(classScoreSchema),
    scoredOn: z
      .object({
        source: z.string(),
        datasetSha256: z.string(),
        from: epochMs,
        to: epochMs,
        rows: z.int(),
        purgeMs: z.number(),
        commit,
      })
      .nullable(),
  })
  .openapi("Model");

export const modelListSchema = z
  .object({
    active: modelSchema.openapi({ description: "Of forecasts of every market" }),
    models: z.array(modelSchema.omit({ fellBackFrom: true })).openapi({ description: "Every model that has a role" }),
    roles: z.array(
      z.object({
        ...modelRole,
        source: z.enum(["r2", "shipped"]),
        fellBackFrom: z.object({ ...fault, model: z.object(modelIdentity).nullable() }).nullable(),
      }),
    ),
    refused: z
      .array(z.object({ ...modelRole, ...fault }))
      .openapi({ description: "Roles whose model failed its checks, and nobody stands in" }),
    versions: z
      .array(
        z.object({
          ...modelIdentity,
          family: z.string(),
          featureSet: z.string(),
          fingerprint: z.string(),
          label: z.string(),
          bytes: z.int(),
          publishedAt: epochMs,
        }),
      )
      .nullable()
      .openapi({ description: "The newest 200 that were ever published; null: the database does not answer" }),
  })
  .openapi("Models");

export type ModelBody = z.infer<typeof modelSchema>;
export type ModelListBody = z.infer<typeof modelListSchema>;
