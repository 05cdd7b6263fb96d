/** Forecasts: of one market, and of many at once. A refusal of the feed or of the model is the answer; nothing stands in for it. */

import { createRoute, z } from "@hono/zod-openapi";
import { MS_PER_DAY } from "../../../core/units/time.ts";
import type { ForecastDesk } from "../../forecasts/desk.ts";
import type { App, AppContext } from "../context.ts";
import { askDesk, portsOf, questionOf, requireForecast } from "../desk-access.ts";
import { problemOf } from "../error-response.ts";
import { type ForecastBody, forecastSchema, type LatestForecastsBody, latestForecastsSchema } from "../forecast-schemas.ts";
import { liveResponse, NOT_MODIFIED, ROW_HEADERS, rowHeaders } from "../live-answer.ts";
import { marketParameter, marketsParameter, wholeNumber } from "../parameters.ts";
import { json, problems } from "../responses.ts";

const horizonParameter = wholeNumber(1, MS_PER_DAY)
  .optional()
  .openapi({ description: "One of the model's horizons; all of them when left out" });

const forecastRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/forecast",
  tags: ["Forecasts"],
  summary: "Forecast of bid, mid and ask",
  request: { params: marketParameter, query: z.strictObject({ horizonMs: horizonParameter }) },
  responses: {
    200: { ...json(forecastSchema, "The forecast"), headers: ROW_HEADERS },
    304: NOT_MODIFIED,
    ...problems(
      "bad-request",
      "unknown-horizon",
      "unknown-market",
      "not-carried",
      "disconnected",
      "syncing",
      "stale-book",
      "no-mid",
      "warming-up",
      "row-too-old",
      "feed-unreachable",
      "model-unavailable",
      "model-mismatch",
    ),
  },
});

const latestRoute = createRoute({
  method: "get",
  path: "/v1/forecasts/latest",
  tags: ["Forecasts"],
  summary: "Forecasts of several markets",
  request: { query: z.strictObject({ markets: marketsParameter, horizonMs: horizonParameter }) },
  responses: {
    200: { ...json(latestForecastsSchema, "Of each market a forecast, or the problem that it has"), headers: { ETag: ROW_HEADERS.ETag } },
    304: NOT_MODIFIED,
    ...problems("bad-request"),
  },
});

export function addForecastRoutes(app: App, desk: ForecastDesk): void {
  app.openapi(forecastRoute, async (context) => {
    const { market } = context.req.valid("param");
    const { horizonMs = null } = context.req.valid("query");
    const forecast = await forecastOf(context, desk, { market, horizonMs });
    return liveResponse(context, { basis: basisOf(forecast, horizonMs), headers: rowHeaders(forecast), body: forecast });
  });

  app.openapi(latestRoute, async (context) => {
    const { markets, horizonMs = null } = context.req.valid("query");
    const forecasts = await Promise.all(markets.map((market) => forecastOrProblem(context, desk, { market, horizonMs })));
    const basis = forecasts.flatMap(({ market, forecast, problem }) => [
      market,
      ...(forecast === null ? [problem?.reason ?? ""] : basisOf(forecast, horizonMs)),
    ]);
    return liveResponse(context, { basis, headers: {}, body: { forecasts } satisfies LatestForecastsBody });
  });
}

interface Asked {
  readonly market: string;
  readonly horizonMs: number | null;
}

async function forecastOf(context: AppContext, desk: ForecastDesk, { market, horizonMs }: Asked): Promise<ForecastBody> {
  const answer = await askDesk(desk, await questionOf(context, "forecast", market), portsOf(context));
  return requireForecast(answer, horizonMs);
}

async function forecastOrProblem(context: AppContext, desk: ForecastDesk, asked: Asked): Promise<LatestForecastsBody["forecasts"][number]> {
  const { market } = asked;
  try {
    return { market, forecast: await forecastOf(context, desk, asked), problem: null };
  } catch (error) {
    return { market, forecast: null, problem: problemOf(error, context.req.raw) };
  }
}

/** What of it may not change behind an ETag. */
function basisOf({ market, asOf, present, model, expired, skill, horizons }: ForecastBody, horizonMs: number | null): (string | number)[] {
  // A model published again with another manifest is the same file with other prices, intervals and odds; a skill grows by what was scored.
  const said = [present, ...horizons].map((each) => JSON.stringify(each));
  const scored = skill.horizons.map((each) => `${each.horizonMs} ${each.scored} ${each.mark}`);
  const odds = skill.odds.map((each) => `${each.horizonMs} ${each.scored} ${each.mark}`);
  return [market, asOf, model.sha256, model.version, skill.mark, horizonMs ?? "all", ...expired, ...said, ...scored, ...odds];
}
