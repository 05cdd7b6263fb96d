/** What models were worth, from the ledger's sums; and two of them on the ticks that both answered. */

import { createRoute, z } from "@hono/zod-openapi";
import { SHARES_REACH_MS } from "../../../core/scoring/odds-skill.ts";
import { MS_PER_DAY, MS_PER_HOUR } from "../../../core/units/time.ts";
import { MODEL_SLOTS, SHIPPED_KEY } from "../../../models/roles.ts";
import { compareModels, MOST_COMPARED_ROWS, MOST_DAYS } from "../../ledger/compare-models.ts";
import { activeModel, findModel, hourOf, type NamedModel, nameModels, readScoredUpTo } from "../../ledger/model-names.ts";
import { type HourScores, readScores } from "../../ledger/read-ledger.ts";
import { type Database, openDatabase } from "../../storage/database.ts";
import { type App, Refused, requireKnownMarket } from "../context.ts";
import { timeParameter } from "../parameters.ts";
import { badParameter, problem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { comparisonSchema, scorecardsSchema } from "../scorecard-schemas.ts";
import { cardsOf } from "../views/scorecards.ts";

const MAX_DAYS = 31;
/** Some 3 kB each: a month of five models. */
const MAX_HOURS_OF_MODELS = 4_000;
const DEFAULT_COMPARED_DAYS = 7;
/** Scores are added to once a minute. */
const FOR_A_MINUTE = { "cache-control": "max-age=60" };

const market = z.string().openapi({ description: "venue:SYMBOL", example: "binance-spot:BTCUSDT" });
const model = z.string().max(200).openapi({ description: "`id@version`, or `shipped`" });

const scorecardsRoute = createRoute({
  method: "get",
  path: "/v1/scorecards",
  tags: ["Forecasts"],
  summary: "What forecasts were worth: skill against persistence, errors, direction, calibration",
  request: {
    query: z.strictObject({
      market,
      model: model.optional().openapi({ description: "`id@version`, or `shipped`; every model of the market when left out" }),
      from: timeParameter.optional().openapi({ description: "Inclusive, down to the hour; 24 hours before `to` when left out" }),
      to: timeParameter.optional().openapi({ description: "Exclusive, up to the hour; now when left out" }),
      by: z.enum(["hour", "day", "all"]).optional().openapi({ description: "What a card is of; all when left out" }),
    }),
  },
  responses: {
    200: json(scorecardsSchema, `Of at most ${MAX_DAYS} days`),
    ...problems("bad-request", "unknown-market", "unknown-model"),
  },
});

const compareRoute = createRoute({
  method: "get",
  path: "/v1/scorecards/compare",
  tags: ["Forecasts"],
  summary: "Two models on the ticks that both answered",
  request: {
    query: z.strictObject({
      market,
      challenger: model,
      active: model.optional().openapi({ description: "The one that has the role now when left out" }),
      slot: z.enum(MODEL_SLOTS).optional().openapi({ description: "Of which the active model is meant; forecast when left out" }),
      from: timeParameter.optional().openapi({ description: `Inclusive; ${DEFAULT_COMPARED_DAYS} days before \`to\` when left out` }),
      to: timeParameter.optional().openapi({ description: "Exclusive; now when left out" }),
    }),
  },
  responses: {
    200: json(comparisonSchema, `Over at most ${MOST_DAYS} days`),
    ...problems("bad-request", "unknown-market", "unknown-model"),
  },
});

export function addScorecardRoutes(app: App): void {
  app.openapi(scorecardsRoute, async (context) => {
    const { market: asked, model: name, by = "all", ...given } = context.req.valid("query");
    const span = spanOf(given, { defaultDays: 1, mostDays: MAX_DAYS });
    const to = hourOf(span.to + MS_PER_HOUR - 1);
    const from = given.from === undefined ? Math.max(0, to - MS_PER_DAY) : hourOf(span.from);
    await requireKnownMarket(context, asked);
    const database = openDatabase(context.env.DB);
    const only = name === undefined ? null : await requireModel(database, "model", name);
    const hours = await readScores(database, {
      ...{ market: asked, model: only?.key ?? null },
      // Odds of an hour are judged by what came in the day before it.
      ...{ from: Math.max(0, from - SHARES_REACH_MS), to, limit: MAX_HOURS_OF_MODELS + 1 },
    });
    if (hours.length > MAX_HOURS_OF_MODELS) {
      throw new Refused(badParameter("from", `more than ${MAX_HOURS_OF_MODELS} hours of models: name a model, or a shorter range`));
    }
    const byModel = groupByModel(hours, from);
    const named = only === null ? await namesOf(database, [...byModel.keys()]) : [only];
    const models = await Promise.all(
      named.map(async ({ key, name: shown }) => ({
        model: shown,
        scoredUpTo: await readScoredUpTo(database, asked, key),
        cards: cardsOf(byModel.get(key) ?? [], { from, to, by }),
      })),
    );
    return context.json({ market: asked, from, to, by, models }, 200, FOR_A_MINUTE);
  });

  app.openapi(compareRoute, async (context) => {
    const { market: asked, challenger: name, active: activeName, slot = "forecast", ...given } = context.req.valid("query");
    const { from, to } = spanOf(given, { defaultDays: DEFAULT_COMPARED_DAYS, mostDays: MOST_DAYS });
    await requireKnownMarket(context, asked);
    const database = openDatabase(context.env.DB);
    const challenger = await requireModel(database, "challenger", name);
    const active = activeName === undefined ? await activeModel(database, asked, slot) : await requireModel(database, "active", activeName);
    if (slot === "signal" && activeName === undefined && active.key === SHIPPED_KEY)
      throw new Refused(badParameter("active", `no model of signals is active for ${asked}: say which one is meant`));
    if (active.key === challenger.key) throw new Refused(badParameter("challenger", `${name} is the active model itself`));
    const compared = await compareModels(database, {
      ...{ market: asked, from, to },
      ...{ active: active.key, challenger: challenger.key },
    });
    if (compared === null) throw new Refused(badParameter("from", `more than ${MOST_COMPARED_ROWS} rows of horizons: a shorter range`));
    const { days, hours, ticks, horizons, odds } = compared;
    return context.json(
      {
        ...{ market: asked, slot, active: active.name, challenger: challenger.name, from, to },
        ...{ days, hours, ticks, horizons: [...horizons], odds: [...odds] },
      },
      200,
      FOR_A_MINUTE,
    );
  });
}

/** @throws Refused where no such version was ever published. */
export async function requireModel(database: Database, parameter: string, name: string): Promise<NamedModel> {
  const found = await findModel(database, name);
  if (found === null)
    throw new Refused(problem("unknown-model", `No model "${name.slice(0, 100)}" (${parameter}). /v1/models lists those there are.`));
  return found;
}

function spanOf(
  { from, to }: { from?: number | undefined; to?: number | undefined },
  { defaultDays, mostDays }: { defaultDays: number; mostDays: number },
): { from: number; to: number } {
  const end = to ?? Date.now();
  const start = from ?? Math.max(0, end - defaultDays * MS_PER_DAY);
  if (start >= end) throw new Refused(badParameter("from", `from (${start}) is not before to (${end})`));
  if (end - start > mostDays * MS_PER_DAY) {
    throw new Refused(badParameter("from", `a range of ${Math.ceil((end - start) / MS_PER_DAY)} days: at most ${mostDays} at once`));
  }
  return { from: start, to: end };
}

/** Of those models that have an hour since `from`. */
function groupByModel(hours: readonly HourScores[], from: number): Map<number, HourScores[]> {
  const groups = new Map<number, HourScores[]>();
  for (const hour of hours) groups.set(hour.model, [...(groups.get(hour.model) ?? []), hour]);
  return new Map([...groups].filter(([, own]) => own.some(({ hour }) => hour >= from)));
}

async function namesOf(database: Database, keys: readonly number[]): Promise<NamedModel[]> {
  const names = await nameModels(database, keys);
  return keys.map((key) => ({ key, name: names.get(key) ?? `${key}` }));
}
