/** The forecast: the feed's newest features through the served model. A refusal of either is the answer; nothing stands in for it. */

import { createRoute, z } from "@hono/zod-openapi";
import { featureSetV1 } from "../../../core/features/registry.ts";
import { MS_PER_DAY } from "../../../core/units/time.ts";
import { askInference } from "../../inference-client.ts";
import { type App, askMarketFeed, Refused } from "../context.ts";
import { marketParameter, wholeNumber } from "../parameters.ts";
import { feedProblem, modelProblem, problem, rowsProblem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { forecastSchema } from "../schemas.ts";
import { forecastBody } from "../views/forecast.ts";

/** What the served models read. */
const { fingerprint } = featureSetV1;

const forecastRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/forecast",
  tags: ["Forecasts"],
  summary: "Forecast of bid, mid and ask",
  request: {
    params: marketParameter,
    query: z.strictObject({
      horizonMs: wholeNumber(1, MS_PER_DAY).optional().openapi({ description: "One of the model's horizons; all of them when left out" }),
    }),
  },
  responses: {
    200: json(forecastSchema, "The forecast"),
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

export function addForecastRoute(app: App): void {
  app.openapi(forecastRoute, async (context) => {
    const { market } = context.req.valid("param");
    const { horizonMs } = context.req.valid("query");
    const features = await askMarketFeed(context, market, (rpc) => rpc.features(market, [{ fingerprint, rows: 1 }]));
    if (!features.ok) throw new Refused(feedProblem(features));
    const [set] = features.sets;
    if (set === undefined) throw new Error("the feed said nothing of the rows that it was asked for");
    if ("refusal" in set) throw new Refused(rowsProblem(set.refusal));
    const sets = [{ fingerprint, rows: set.rows }];
    const predicted = await askInference(context.env.INFERENCE, (rpc) => rpc.predict([{ market, slot: "forecast", sets }]));
    const prediction = predicted.answers[0]?.active;
    if (prediction === undefined || (prediction.ok && prediction.kind !== "moves")) throw new Error("a forecast of no moves came");
    if (!prediction.ok) throw new Refused(modelProblem(prediction));
    const answer = forecastBody({ ...features, fingerprint }, prediction, horizonMs ?? null);
    if ("available" in answer) {
      const { available } = answer;
      throw new Refused(problem("unknown-horizon", `No horizon of ${horizonMs} ms: the model has ${available.join(", ")}.`, { available }));
    }
    if ("expired" in answer) {
      const { rowAgeMs } = features;
      const detail = `The newest features are ${rowAgeMs} ms old, and the forecast is for ${answer.expired.join(", ")} ms after them.`;
      throw new Refused(problem("row-too-old", detail, { rowAgeMs, expired: answer.expired }));
    }
    return context.json(answer.forecast, 200);
  });
}
