/** The served model. */

import { createRoute } from "@hono/zod-openapi";
import { askInference } from "../../inference-client.ts";
import { type App, Refused } from "../context.ts";
import { noQuery } from "../parameters.ts";
import { modelProblem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { modelListSchema } from "../schemas.ts";
import { modelBody } from "../views/model.ts";

const modelsRoute = createRoute({
  method: "get",
  path: "/v1/models",
  tags: ["Forecasts"],
  summary: "The served model, its scores, and whether it is the published one",
  request: { query: noQuery },
  responses: { 200: json(modelListSchema, "The model"), ...problems("bad-request", "model-unavailable") },
});

export function addModelsRoute(app: App): void {
  app.openapi(modelsRoute, async (context) => {
    const view = await askInference(context.env.INFERENCE, (rpc) => rpc.active());
    if (!view.ok) throw new Refused(modelProblem(view));
    return context.json({ active: modelBody(view) }, 200);
  });
}
