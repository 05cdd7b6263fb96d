/** The models: who plays which role, what they say of themselves, and every version there is. */

import { createRoute } from "@hono/zod-openapi";
import { askInference } from "../../inference-client.ts";
import { logWarning } from "../../log.ts";
import { openDatabase } from "../../storage/database.ts";
import { readVersions } from "../../storage/read-roles.ts";
import { type App, Refused } from "../context.ts";
import { modelListSchema } from "../model-schemas.ts";
import { noQuery } from "../parameters.ts";
import { modelProblem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { modelListBody } from "../views/model.ts";

/** A version a day for half a year. */
const MAX_VERSIONS = 200;

const modelsRoute = createRoute({
  method: "get",
  path: "/v1/models",
  tags: ["Forecasts"],
  summary: "The models that are served and their shadows, with their scores; every version that was published",
  request: { query: noQuery },
  responses: { 200: json(modelListSchema, "The models"), ...problems("bad-request", "model-unavailable") },
});

export function addModelsRoute(app: App): void {
  app.openapi(modelsRoute, async (context) => {
    const { INFERENCE, DB } = context.env;
    const [{ roster, models }, versions] = await Promise.all([
      askInference(INFERENCE, async (rpc) => ({ roster: await rpc.roster(), models: await rpc.models() })),
      readVersions(openDatabase(DB), MAX_VERSIONS).catch((error: unknown) => {
        logWarning("database-unreachable", { cause: String(error) });
        return null;
      }),
    ]);
    const body = modelListBody({ roster, models, versions });
    if ("ok" in body) throw new Refused(modelProblem(body));
    return context.json(body, 200);
  });
}
