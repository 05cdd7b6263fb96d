/** The ledger itself: forecasts as they were made, and what came of each. */

import { createRoute, z } from "@hono/zod-openapi";
import { longestHorizonMs, type MadeForecast } from "../../../core/scoring/forecast-answer.ts";
import { realisedMoves } from "../../../core/scoring/realised-moves.ts";
import { MS_PER_HOUR } from "../../../core/units/time.ts";
import { activeModel, readScoredUpTo } from "../../ledger/model-names.ts";
import { type LedgerForecast, readForecasts } from "../../ledger/read-ledger.ts";
import { type Database, openDatabase } from "../../storage/database.ts";
import { readPricePath } from "../../storage/read-price-path.ts";
import { type App, Refused, requireKnownMarket } from "../context.ts";
import { rangeQuery, rowLimit } from "../parameters.ts";
import { badParameter } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { ledgerPageSchema } from "../scorecard-schemas.ts";
import { timeRange } from "../time.ts";
import { ledgerRow } from "../views/scorecards.ts";
import { requireModel } from "./scorecards.ts";

/** What came is looked up in the prices of all the time that a page spans: of few forecasts a page is shorter. */
const MAX_PAGE_MS = 6 * MS_PER_HOUR;

const ledgerRoute = createRoute({
  method: "get",
  path: "/v1/forecasts",
  tags: ["Forecasts"],
  summary: "Forecasts as they were made, and what came of each, oldest first",
  request: {
    query: z.strictObject({
      market: z.string().openapi({ description: "venue:SYMBOL", example: "binance-spot:BTCUSDT" }),
      model: z.string().max(200).optional().openapi({ description: "`id@version`, or `shipped`; the active model when left out" }),
      ...rangeQuery,
    }),
  },
  responses: {
    200: json(ledgerPageSchema, "A page of at most six hours"),
    ...problems("bad-request", "unknown-market", "unknown-model"),
  },
});

export function addLedgerRoute(app: App): void {
  app.openapi(ledgerRoute, async (context) => {
    const asked = context.req.valid("query");
    const range = timeRange(asked.from, asked.to, Date.now());
    if ("refused" in range) throw new Refused(badParameter("from", range.refused));
    const after = asked.cursor === undefined ? null : readCursor(asked.cursor);
    await requireKnownMarket(context, asked.market);
    const database = openDatabase(context.env.DB);
    const model =
      asked.model === undefined
        ? await activeModel(database, asked.market, "forecast")
        : await requireModel(database, "model", asked.model);
    const limit = rowLimit(asked.limit);
    const from = after === null ? range.from : Math.max(range.from, after + 1);
    const rows = await readForecasts(database, { market: asked.market, model: model.key, from, to: range.to, limit: limit + 1 });
    const first = rows[0]?.featureTime ?? 0;
    const page = rows.slice(0, limit).filter(({ featureTime }) => featureTime < first + MAX_PAGE_MS);
    const came = await outcomesOf(page, asked.market, database);
    const scoredUpTo = await readScoredUpTo(database, asked.market, model.key);
    const last = page.at(-1);
    return context.json(
      {
        ...{ market: asked.market, model: model.name, ...range },
        forecasts: page.map((row) => ledgerRow(row, { came: came.get(row.featureTime) ?? [], scoredUpTo })),
        nextCursor: last !== undefined && page.length < rows.length ? `${last.featureTime}` : null,
      },
      200,
    );
  });
}

/** By featureTime. */
async function outcomesOf(
  page: readonly LedgerForecast[],
  market: string,
  database: Database,
): Promise<Map<number, ReturnType<typeof realisedMoves>[number]>> {
  const made = page.flatMap(({ made: own }): MadeForecast[] => (own === null ? [] : [own]));
  const [first, last] = [made[0], made.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const longest = Math.max(...made.map(({ answer }) => longestHorizonMs(answer)));
  const path = await readPricePath(database, market, { from: first.featureTime, to: last.featureTime + longest + 1 });
  const outcomes = realisedMoves(made, path);
  return new Map(made.map(({ featureTime }, at) => [featureTime, outcomes[at] ?? []]));
}

/** featureTime of the last forecast of the page before. */
function readCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw new Refused(badParameter("cursor", `"${cursor}" is none that this API gave`));
  return Number(cursor);
}
