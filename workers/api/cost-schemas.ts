/** The projected bill, as the API answers it. */

import { z } from "@hono/zod-openapi";
import { epochMs } from "./schemas.ts";

const usd = z.number().openapi({ description: "US dollars, to a hundredth of a cent" });

const lineSchema = z
  .object({
    id: z.string().openapi({ example: "r2-class-a" }),
    what: z.string(),
    unit: z.string(),
    basis: z.enum(["measured", "assumed"]),
    from: z.string().openapi({ description: "What the rate is made of" }),
    perDay: z.number().openapi({ description: "Units a day; of storage, what is added" }),
    perMonth: z.number().openapi({ description: "Units in 30 days; of storage, its mean over them" }),
    included: z.number().openapi({ description: "In the plan, for the whole account" }),
    billable: z.number(),
    priceUsd: z.number().openapi({ description: "For `per` units" }),
    per: z.number(),
    costUsd: usd,
    arithmetic: z.string().openapi({ example: "max(0, 1296000 - 1000000) / 1000000 × 4.5 = 1.332" }),
  })
  .openapi("BillLine");

const dayUsd = z.number().openapi({ description: "US dollars a day, to a millionth" });

const forecastLineSchema = z
  .object({
    id: z.string().openapi({ example: "d1-rows-written" }),
    what: z.string(),
    unit: z.string(),
    basis: z.enum(["measured", "assumed"]),
    from: z.string().openapi({ description: "What the rate is made of" }),
    perDay: z.number().openapi({ description: "Units a day; of storage, the bytes of a day, kept for 30" }),
    priceUsd: z.number().openapi({ description: "For `per` units" }),
    per: z.number(),
    usdPerDay: dayUsd,
    arithmetic: z.string().openapi({ example: "25200 / 1000000 × 1 = 0.0252" }),
  })
  .openapi("ForecastBillLine");

export const costSchema = z
  .object({
    now: epochMs,
    pricesRead: z.string().openapi({ description: "The day on which the prices were read", example: "2026-11-27" }),
    planUsd: usd.openapi({ description: "Workers Paid, with all that is included" }),
    lines: z.array(lineSchema),
    totalUsd: usd.openapi({ description: "The plan and every line" }),
    forecasts: z
      .object({ forecastsPerDay: z.int(), markets: z.int(), models: z.int(), lines: z.array(forecastLineSchema), usdPerDay: dayUsd })
      .openapi({
        description:
          "What forecasts, recorded and scored, cost a day, at the rate of the last day's hours that have any, by the price of each thing: were nothing included in the plan. The lines of the month have them too",
      }),
    ifMessagesAreBilled: z.object({ messagesPerDay: z.int(), line: lineSchema, totalUsd: usd }).openapi({
      description: "Whether messages on an outgoing socket are billed is not documented: the total if they were, 20 to a request",
    }),
    markets: z.int(),
    feeds: z.int(),
  })
  .openapi("Cost");
