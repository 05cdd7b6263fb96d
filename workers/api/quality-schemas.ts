/** How well markets were recorded, as the API answers it (schemas.ts has the rest). */

import { z } from "@hono/zod-openapi";
import { epochMs, gapSchema, proofSchema } from "./schemas.ts";

const coverage = z.number().nullable().openapi({
  description: "coveredMs / expectedMs: the share of the expected time in which the book was proved and live; null where none was expected",
});
const expectedMinutes = z.int().openapi({ description: "Minutes since the market was first recorded whose row should be stored by now" });

const expectedMs = z
  .int()
  .openapi({ description: "Of the expected minutes; of the first ever, in which recording began, what was covered" });

const bucketSchema = z
  .object({
    start: epochMs.openapi({ description: "Start of the minute, hour or day, UTC" }),
    coverage,
    coveredMs: z.int(),
    expectedMs,
    minutes: z.int().openapi({ description: "Minutes stored" }),
    expectedMinutes,
    events: z.int(),
    trades: z.int(),
  })
  .openapi("CoverageBucket");

const gapCountSchema = z
  .object({
    channel: gapSchema.shape.channel,
    reason: z.string(),
    count: z.int(),
    totalMs: z.int().openapi({ description: "What of them lies in the range" }),
  })
  .openapi("GapCount");

const longestGapSchema = gapSchema
  .extend({ lengthMs: z.int().openapi({ description: "What of it lies in the range" }) })
  .openapi("LongestGap");

export const marketQualitySchema = z
  .object({
    market: z.string().openapi({ example: "binance-spot:BTCUSDT" }),
    isCarried: z.boolean().openapi({ description: "Whether a feed carries it now" }),
    state: z
      .enum(["live", "disconnected", "syncing", "stale", "unreachable"])
      .nullable()
      .openapi({ description: "Now; null unless carried" }),
    recordedSince: epochMs.nullable().openapi({ description: "Its first stored minute ever" }),
    coverage,
    coveredMs: z.int(),
    expectedMs,
    minutes: z.int(),
    expectedMinutes,
    missingMinutes: z.int().openapi({ description: "Expected and not stored" }),
    buckets: z.array(bucketSchema).openapi({ description: "Oldest first; those in which a minute was expected or is stored" }),
    gaps: z.object({
      count: z.int(),
      totalMs: z.int().openapi({ description: "Added up; gaps of different channels may overlap" }),
      counts: z.array(gapCountSchema),
      longest: longestGapSchema.nullable(),
      open: z.array(gapSchema).openapi({ description: "Not ended now, whatever the range" }),
    }),
    proof: z
      .object({
        continuity: proofSchema.shape.continuity,
        comparisons: z.int().openapi({ description: "Of the book with the venue's own quote, since the feed's process began" }),
        mismatches: z.int(),
        mismatchRate: z.number().nullable().openapi({ description: "mismatches / comparisons; null where nothing was compared" }),
        topLevels: proofSchema.shape.topLevels,
        audits: proofSchema.shape.audits,
        lastAuditAt: proofSchema.shape.lastAuditAt,
        lastSequence: z.int().nullable(),
        unbrokenSince: epochMs.nullable(),
        gaps24h: z.int(),
      })
      .nullable()
      .openapi({ description: "Of the live book; null where no feed answers for it" }),
    staleness: z
      .object({ lastReceivedAt: epochMs.nullable(), ageMs: z.int().nullable().openapi({ description: "Since then, by the feed's clock" }) })
      .nullable(),
  })
  .openapi("MarketQuality");

const range = {
  from: epochMs,
  to: epochMs.openapi({ description: "Exclusive" }),
  by: z.enum(["minute", "hour", "day"]),
};

export const marketQualityPageSchema = z.object({ ...range, quality: marketQualitySchema }).openapi("MarketQualityAnswer");

export const qualitySchema = z
  .object({
    ...range,
    markets: z.array(marketQualitySchema).openapi({ description: "Carried now, or with something stored in the range" }),
    otherGaps: z
      .array(gapCountSchema.extend({ market: z.string() }))
      .openapi({ description: "Gaps of no one market: lost tape of what belongs to none" }),
  })
  .openapi("Quality");

export type MarketQuality = z.infer<typeof marketQualitySchema>;
