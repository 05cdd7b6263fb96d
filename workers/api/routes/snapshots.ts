/** Stored minutes of a market, by time. */

import { createRoute, z } from "@hono/zod-openapi";
import { openDatabase } from "../../storage/database.ts";
import { readSnapshots } from "../../storage/read-snapshots.ts";
import { type App, Refused, requireKnownMarket } from "../context.ts";
import { marketParameter, rangeQuery, rowLimit, wholeNumber } from "../parameters.ts";
import { badParameter } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { snapshotPageSchema } from "../schemas.ts";
import { parseTime, timeRange } from "../time.ts";
import { snapshotBody } from "../views/stored.ts";

/** What cron stores of each side. */
const STORED_LEVELS = 20;

const snapshotsRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/snapshots",
  tags: ["Recorded"],
  summary: "Stored minutes, oldest first",
  request: {
    params: marketParameter,
    query: z.strictObject({
      ...rangeQuery,
      levels: wholeNumber(0, STORED_LEVELS).optional().openapi({ description: "Levels a side, 20 when left out" }),
    }),
  },
  responses: { 200: json(snapshotPageSchema, "A page of minutes"), ...problems("bad-request", "unknown-market") },
});

export function addSnapshotsRoute(app: App): void {
  app.openapi(snapshotsRoute, async (context) => {
    const { market } = context.req.valid("param");
    const query = context.req.valid("query");
    await requireKnownMarket(context, market);
    const range = timeRange(query.from, query.to, Date.now());
    if ("refused" in range) throw new Refused(badParameter("from", range.refused));
    const limit = rowLimit(query.limit);
    const from = query.cursor === undefined ? range.from : Math.max(range.from, minuteAfter(query.cursor));
    // One row more than asked for says whether there is a next page.
    const rows = await readSnapshots(openDatabase(context.env.DB), { market, from, to: range.to, limit: limit + 1 });
    const page = rows.slice(0, limit);
    return context.json(
      {
        market,
        ...range,
        snapshots: page.map((row) => snapshotBody(row, query.levels ?? STORED_LEVELS)),
        nextCursor: rows.length > limit ? String(page.at(-1)?.minute) : null,
      },
      200,
    );
  });
}

/** The cursor is the last minute of the page before. */
function minuteAfter(cursor: string): number {
  const minute = parseTime(cursor);
  if (minute === null) throw new Refused(badParameter("cursor", `"${cursor}" is none that this API gave`));
  return minute + 1;
}
