/** Stored minutes of a market, by time. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_SNAPSHOT_LEVELS } from "../../../feed/configuration.ts";
import { openDatabase } from "../../storage/database.ts";
import { readSnapshots } from "../../storage/read-snapshots.ts";
import { type App, Refused, requireKnownMarket } from "../context.ts";
import { DEFAULT_LEVELS, marketParameter, rangeQuery, rowLimit, wholeNumber } from "../parameters.ts";
import { badParameter } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { snapshotPageSchema } from "../schemas.ts";
import { parseTime, timeRange } from "../time.ts";
import { snapshotBody } from "../views/stored.ts";

/** Of all rows of a page together, a side: some 5 MB of answer. */
const MAX_LEVELS_OF_PAGE = 50_000;

const snapshotsRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/snapshots",
  tags: ["Recorded"],
  summary: "Stored minutes, oldest first",
  request: {
    params: marketParameter,
    query: z.strictObject({
      ...rangeQuery,
      levels: wholeNumber(0, MAX_SNAPSHOT_LEVELS)
        .optional()
        .openapi({
          description: `Levels a side, ${DEFAULT_LEVELS} when left out; as many as the feed keeps. levels × limit is at most ${MAX_LEVELS_OF_PAGE}`,
        }),
    }),
  },
  responses: { 200: json(snapshotPageSchema, "A page of minutes"), ...problems("bad-request", "unknown-market") },
});

export function addSnapshotsRoute(app: App): void {
  app.openapi(snapshotsRoute, async (context) => {
    const { market } = context.req.valid("param");
    const query = context.req.valid("query");
    await requireKnownMarket(context, market);
    const now = Date.now();
    const range = timeRange(query.from, query.to, now);
    if ("refused" in range) throw new Refused(badParameter("from", range.refused));
    const limit = rowLimit(query.limit);
    const levels = query.levels ?? DEFAULT_LEVELS;
    if (levels * limit > MAX_LEVELS_OF_PAGE) {
      const message = `${limit} rows of ${levels} levels: at most ${MAX_LEVELS_OF_PAGE} levels a page, so a smaller limit`;
      throw new Refused(badParameter("levels", message));
    }
    const from = query.cursor === undefined ? range.from : Math.max(range.from, minuteAfter(query.cursor));
    // One row more than asked for says whether there is a next page.
    const rows = await readSnapshots(openDatabase(context.env.DB), { market, from, to: range.to, limit: limit + 1, now });
    const page = rows.slice(0, limit);
    return context.json(
      {
        market,
        ...range,
        snapshots: page.map((row) => snapshotBody(row, levels)),
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
