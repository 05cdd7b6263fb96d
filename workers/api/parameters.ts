/** Path and query parameters: how they are read, and what the OpenAPI document says of them. */

import { z } from "@hono/zod-openapi";
import { parseTime } from "./time.ts";

export const MAX_LEVELS = 500;
export const DEFAULT_LEVELS = 20;
const MAX_ROWS = 500;
const DEFAULT_ROWS = 100;

export const marketParameter = z.object({
  market: z.string().openapi({ param: { name: "market", in: "path" }, description: "venue:SYMBOL", example: "binance-spot:BTCUSDT" }),
});

/** Of a path that takes no query: an unknown parameter is refused, since one that is ignored looks obeyed. */
export const noQuery = z.strictObject({});

/** A whole number in a query. The OpenAPI document sees an integer; text such as "", "1e3" or "0x10" is refused. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  const refused = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, refused)
    .transform(Number)
    .refine((value) => value >= min && value <= max, refused)
    .openapi({ type: "integer", minimum: min, maximum: max });
}

/** Of one answer. */
export const MAX_MARKETS = 50;

/** Several by comma, each once. */
export const marketsParameter = z
  .string()
  .transform((text) => [...new Set(text.split(","))])
  .refine((markets) => !markets.includes(""), "venue:SYMBOL, more than one by comma")
  .refine((markets) => markets.length <= MAX_MARKETS, `at most ${MAX_MARKETS} markets`)
  .openapi({ type: "string", description: `venue:SYMBOL, up to ${MAX_MARKETS} by comma`, example: "binance-spot:BTCUSDT,bitmex:XBTUSD" });

/** From 0 to 1, in decimal notation. */
export const shareParameter = z
  .string()
  // Digits enough for any double as programs write it.
  .regex(/^\d(\.\d{1,20})?$/, "a number from 0 to 1")
  .transform(Number)
  .refine((value) => value <= 1, "a number from 0 to 1")
  .openapi({ type: "number", minimum: 0, maximum: 1 });

/** Epoch ms from either form. */
export const timeParameter = z
  .string()
  .transform((text, context) => {
    const time = parseTime(text);
    if (time === null) {
      context.addIssue({ code: "custom", message: "epoch milliseconds, or ISO 8601 with its zone (a bare date is UTC)" });
      return z.NEVER;
    }
    return time;
  })
  .openapi({
    type: "string",
    description: "Epoch milliseconds, or ISO 8601 with its zone (a bare date is UTC)",
    example: "2026-11-21T12:00:00Z",
  });

export const rangeQuery = {
  from: timeParameter.optional().openapi({ description: "Inclusive; an hour before `to` when left out" }),
  to: timeParameter.optional().openapi({ description: "Exclusive; now when left out. At most 31 days after `from`" }),
  limit: wholeNumber(1, MAX_ROWS)
    .optional()
    .openapi({ description: `Rows in one answer, ${DEFAULT_ROWS} when left out` }),
  cursor: z.string().max(200).optional().openapi({ description: "`nextCursor` of the page before" }),
};

export function rowLimit(limit: number | undefined): number {
  return limit ?? DEFAULT_ROWS;
}
