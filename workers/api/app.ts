/**
 * The public API: read only, JSON, every refusal a problem+json. Handlers translate the request, ask the feed, the database or the model,
 * and show what was answered; what an answer looks like is decided in views/.
 */

import { OpenAPIHono } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { ForecastDesk } from "../forecasts/desk.ts";
import { type App, type AppContext, type AppEnv, Refused } from "./context.ts";
import { errorResponse, problemResponse } from "./error-response.ts";
import { badRequest, isProblemName, PROBLEMS, problem } from "./problems.ts";
import { addCostRoute } from "./routes/cost.ts";
import { addDayRoutes } from "./routes/days.ts";
import { addForecastRoutes } from "./routes/forecast.ts";
import { addForecastStreamRoute } from "./routes/forecast-stream.ts";
import { addGapRoutes } from "./routes/gaps.ts";
import { addHealthRoute } from "./routes/health.ts";
import { addLedgerRoute } from "./routes/ledger.ts";
import { addMarketRoutes } from "./routes/markets.ts";
import { addModelsRoute } from "./routes/models.ts";
import { addQualityRoutes } from "./routes/quality.ts";
import { addScorecardRoutes } from "./routes/scorecards.ts";
import { addSignalRoute } from "./routes/signal.ts";
import { addSnapshotsRoute } from "./routes/snapshots.ts";
import { addStreamRoute } from "./routes/stream.ts";
import { addTapeRoute } from "./routes/tapes.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "edgebook",
    version: "1",
    description:
      "Order books, forecasts and what was recorded of them. Times are epoch ms; prices and sizes are decimal strings beside integers on the market's own grid. A book that is stale, gapped or still being built gets a refusal with its reason (application/problem+json), never a number.",
  },
};

const EXPOSED_HEADERS = [
  ...["ETag", "Retry-After", "Content-Range", "Accept-Ranges"],
  ...["Edgebook-Feature-Time", "Edgebook-Row-Age-Ms", "Edgebook-Age-Ms", "Edgebook-Model", "Edgebook-Skill"],
];

/** @param desk shared by all requests of an isolate. */
export function createApp(desk = new ForecastDesk()): App {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      throw new Refused(badRequest(result.error.issues.map(({ path, message }) => ({ parameter: path.join(".") || "query", message }))));
    },
  });
  app.use(cors({ origin: "*", allowMethods: ["GET", "HEAD"], exposeHeaders: EXPOSED_HEADERS }));
  app.use(setDefaults);
  addHealthRoute(app);
  addMarketRoutes(app);
  addForecastRoutes(app, desk);
  addForecastStreamRoute(app, desk);
  addSignalRoute(app, desk);
  addSnapshotsRoute(app);
  addGapRoutes(app);
  addQualityRoutes(app);
  addTapeRoute(app);
  addDayRoutes(app);
  addModelsRoute(app);
  addScorecardRoutes(app);
  addLedgerRoute(app);
  addStreamRoute(app);
  addCostRoute(app);
  app.doc31("/openapi.json", DOCUMENT);
  app.get("/problems/:name", describeProblem);
  app.notFound((context) => problemResponse(problem("unknown-path", `Nothing is served at ${context.req.path.slice(0, 200)}.`)));
  app.onError((error, context) => errorResponse(error, context.req.raw));
  return app;
}

/** Live data is never kept by a cache; what may be says so itself. */
async function setDefaults(context: AppContext, next: () => Promise<void>): Promise<void> {
  if (!["GET", "HEAD"].includes(context.req.method)) {
    throw new Refused(problem("method-not-allowed", `${context.req.method} is not served: this API is read with GET and HEAD.`));
  }
  await next();
  if (!context.res.headers.has("cache-control")) context.res.headers.set("cache-control", "no-store");
  context.res.headers.set("x-content-type-options", "nosniff");
}

/** What a problem's `type` leads to. */
function describeProblem(context: AppContext): Response {
  const name = context.req.param("name") ?? "";
  if (!isProblemName(name)) throw new Refused(problem("unknown-path", `No problem is named "${name.slice(0, 100)}".`));
  return context.json({ type: `/problems/${name}`, ...PROBLEMS[name] });
}
