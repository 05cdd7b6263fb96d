/** Day files, as the API lists them. */

import { z } from "@hono/zod-openapi";
import { epochMs } from "./schemas.ts";

const sha256 = z
  .string()
  .openapi({ description: "64 hex digits", example: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" });

export const daySchema = z
  .object({
    market: z.string().openapi({ description: "`venue:_feed` is what belongs to no one market", example: "binance-spot:BTCUSDT" }),
    day: z.string().openapi({ description: "UTC", example: "2026-01-05" }),
    part: z.int().openapi({ description: "0, and 1 and so on for what came late" }),
    link: z.int().openapi({ description: "Its number in the chain over the market's files, from 1 on" }),
    head: sha256.openapi({ description: "SHA-256 that names the file's whole content; its ETag too" }),
    previous: sha256.nullable().openapi({ description: "The head of the file before; null of the first" }),
    chain: sha256.openapi({
      description:
        "SHA-256 of `<chain of the link before, or 64 zeros> <market> <day> <part> <head>`: the newest vouches for all before it",
    }),
    bytes: z.int(),
    blocks: z.int(),
    lines: z.int().openapi({ description: "Records" }),
    textBytes: z.int().openapi({ description: "Of the tape that comes out" }),
    firstReceivedAt: epochMs.nullable(),
    lastReceivedAt: epochMs.nullable(),
    coverage: z
      .number()
      .nullable()
      .openapi({ description: "Share of the day in which the book was live, 0 to 1; null where it has no minutes" }),
    missingMinutes: z
      .int()
      .openapi({ description: "Minutes of the day of which no part that is listed here or was made before has anything" }),
    missing: z.array(z.tuple([epochMs, epochMs])).openapi({ description: "The same as stretches: start of the first, end of the last" }),
    compactedAt: epochMs,
    url: z.string(),
  })
  .openapi("Day");

export const dayPageSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    days: z.array(daySchema).openapi({ description: "By market, day and part" }),
    nextCursor: z.string().nullable(),
  })
  .openapi("DayPage");

export type DayBody = z.infer<typeof daySchema>;
