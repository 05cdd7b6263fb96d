/** The gap ledger: of one market, or of all. */

import { createRoute, z } from "@hono/zod-openapi";
import { openDatabase } from "../../storage/database.ts";
import { type GapRange, readGaps } from "../../storage/read-gaps.ts";
import { type App, type AppContext, Refused, requireKnownMarket } from "../context.ts";
import { marketParameter, rangeQuery, rowLimit } from "../parameters.ts";
import { badParameter } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { type GapBody, gapPageSchema } from "../schemas.ts";
import { timeRange } from "../time.ts";
import { gapBody } from "../views/stored.ts";

const query = z.strictObject(rangeQuery);
const page = json(gapPageSchema, "Gaps that touch the range");

const marketGapsRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/gaps",
  tags: ["Recorded"],
  summary: "Gaps of one market, oldest first",
  request: { params: marketParameter, query },
  responses: { 200: page, ...problems("bad-request", "unknown-market") },
});

const gapsRoute = createRoute({
  method: "get",
  path: "/v1/gaps",
  tags: ["Recorded"],
  summary: "Gaps of every market, oldest first",
  request: { query },
  responses: { 200: page, ...problems("bad-request") },
});

export function addGapRoutes(app: App): void {
  app.openapi(marketGapsRoute, async (context) => {
    const { market } = context.req.valid("param");
    await requireKnownMarket(context, market);
    return context.json(await gapPage(context, context.req.valid("query"), market), 200);
  });

  app.openapi(gapsRoute, async (context) => context.json(await gapPage(context, context.req.valid("query"), null), 200));
}

async function gapPage(
  context: AppContext,
  asked: z.output<typeof query>,
  market: string | null,
): Promise<{ from: number; to: number; gaps: GapBody[]; nextCursor: string | null }> {
  const range = timeRange(asked.from, asked.to, Date.now());
  if ("refused" in range) throw new Refused(badParameter("from", range.refused));
  const limit = rowLimit(asked.limit);
  const after = asked.cursor === undefined ? null : readCursor(asked.cursor);
  const rows = await readGaps(openDatabase(context.env.DB), { market, ...range, after, limit: limit + 1 });
  const gaps = rows.slice(0, limit);
  const last = gaps.at(-1);
  return { ...range, gaps: gaps.map(gapBody), nextCursor: rows.length > limit && last !== undefined ? `${last.from}~${last.id}` : null };
}

/** `<from>~<id>` of the last gap of the page before. */
function readCursor(cursor: string): GapRange["after"] {
  const match = /^(\d{1,15})~(.+)$/.exec(cursor);
  if (match?.[2] === undefined) throw new Refused(badParameter("cursor", `"${cursor}" is none that this API gave`));
  return { from: Number(match[1]), id: match[2] };
}
