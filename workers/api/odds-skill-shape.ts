/** What odds are worth beside climatology (core/scoring/odds-skill.ts), as answers and scorecards say it. */

import { z } from "@hono/zod-openapi";

const known = z.number().nullable();

export const oddsSkillShape = {
  brierSkill: known.openapi({
    description:
      "1 - Brier / Brier of whoever always says the shares of the classes in the model's scored forecasts of the day before each hour, as they were known when it began; null where nothing could be scored so",
  }),
  brierLow: known.openapi({ description: "Its 95 % interval, drawn over hours; null from fewer than six" }),
  brierHigh: known,
  logLossSkill: known.openapi({ description: "The same of the log-loss" }),
  logLossLow: known,
  logLossHigh: known,
};
