/** BUY, SELL or WAIT: of the book alone, or of the model that is active in the slot of signals. */

import { createRoute, z } from "@hono/zod-openapi";
import { CLASSIC_LEVELS } from "../../../core/signals/classic.ts";
import type { ForecastDesk } from "../../forecasts/desk.ts";
import { type App, type AppContext, askMarketFeed, Refused } from "../context.ts";
import { askDesk, expiredProblem, portsOf, questionOf } from "../desk-access.ts";
import { SIGNAL_KINDS, type SignalBody, signalSchema } from "../forecast-schemas.ts";
import { liveResponse, NOT_MODIFIED, ROW_HEADERS, rowHeaders } from "../live-answer.ts";
import { marketParameter, shareParameter, wholeNumber } from "../parameters.ts";
import { badParameter, feedProblem, problem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { neuralSignalBody, type SignalOptions, simpleSignalBody } from "../views/signal.ts";

/** What feature rows and published studies of imbalance count. */
const DEFAULT_LEVELS = 10;
const MAX_LEVELS = 500;
/** Two thirds of all seconds have a signal, of a simple book that leads (StandX, 2026-01-08). */
const DEFAULT_THRESHOLD = 0.4;

const AGE_HEADER = { description: "Of a simple signal: `freshness.ageMs`", schema: { type: "number" } } as const;

const route = createRoute({
  method: "get",
  path: "/v1/markets/{market}/signal",
  tags: ["Forecasts"],
  summary: "BUY, SELL or WAIT",
  description:
    "A sign of the next move, not a strategy: where it is right, what it gains is a fraction of a taker's fee, and the price has moved before an order arrives.",
  request: {
    params: marketParameter,
    query: z.strictObject({
      kind: z.enum(SIGNAL_KINDS).optional().openapi({ description: "`simple`, the book alone, when left out; `neural`, a model's word" }),
      threshold: shareParameter
        .optional()
        .openapi({ description: `0 to 1, ${DEFAULT_THRESHOLD} when left out: the lower, the more signals` }),
      levels: wholeNumber(1, MAX_LEVELS)
        .optional()
        .openapi({ description: `Of \`simple\`: levels a side, ${DEFAULT_LEVELS} when left out` }),
      classic: z.enum(["true", "false"]).optional().openapi({
        description: "As sturex/pyOrderbookTrading has it: fifty levels, the best ask in both sums; the model's word upside down",
      }),
    }),
  },
  responses: {
    200: { ...json(signalSchema, "The signal"), headers: { ...ROW_HEADERS, "Edgebook-Age-Ms": AGE_HEADER } },
    304: NOT_MODIFIED,
    ...problems(
      "bad-request",
      "unknown-market",
      "not-carried",
      "disconnected",
      "syncing",
      "stale-book",
      "no-mid",
      "book-too-short",
      "warming-up",
      "row-too-old",
      "feed-unreachable",
      "model-unavailable",
      "model-mismatch",
    ),
  },
});

export function addSignalRoute(app: App, desk: ForecastDesk): void {
  app.openapi(route, async (context) => {
    const { market } = context.req.valid("param");
    const { kind = "simple", threshold = DEFAULT_THRESHOLD, levels, classic } = context.req.valid("query");
    const options = { threshold, isClassic: classic === "true" };
    if (levels !== undefined && (kind === "neural" || options.isClassic))
      throw new Refused(badParameter("levels", `given for the ${kind === "neural" ? "neural" : "classic"} signal, which counts its own`));
    const signal =
      kind === "simple"
        ? await simpleSignalOf(context, market, { ...options, levels: levels ?? DEFAULT_LEVELS })
        : await neuralSignalOf(context, desk, { market, ...options });
    return liveResponse(context, { basis: basisOf(signal), headers: headersOf(signal), body: signal });
  });
}

/** What of it may not change behind an ETag: all but ages and the proof. */
function basisOf({ market, kind, definition, signal, pressure, threshold, levels, model }: SignalBody): (string | number)[] {
  const said = [market, kind, definition, signal, pressure, threshold, levels === null ? "" : `${levels.bid} ${levels.ask}`];
  if (model === null) return said;
  const { rowAgeMs: _, tickBps: __, skill, ...word } = model;
  const scored = [...skill.horizons, ...skill.odds].map((each) => `${each.horizonMs} ${each.scored} ${each.mark}`);
  return [...said, JSON.stringify(word), skill.mark, ...scored];
}

function headersOf({ model, freshness }: SignalBody): Record<string, string> {
  return model === null ? { "edgebook-age-ms": String(freshness.ageMs) } : rowHeaders({ ...model, model });
}

async function simpleSignalOf(context: AppContext, market: string, options: SignalOptions & { levels: number }): Promise<SignalBody> {
  const asked = options.isClassic ? CLASSIC_LEVELS : options.levels;
  const book = await askMarketFeed(context, market, (rpc) => rpc.book(market, asked));
  if (!book.ok) throw new Refused(feedProblem(book));
  if (book.state === "empty" || book.state === "one-sided" || book.state === "crossed")
    throw new Refused(problem("no-mid", `The book of ${market} is ${book.state}.`));
  const signal = simpleSignalBody(book, options);
  if (signal !== null) return signal;
  const { bids, asks } = book;
  throw new Refused(
    problem(
      "book-too-short",
      `The classic signal takes ${asked} levels a side, and ${bids.length} bids and ${asks.length} asks are known.`,
    ),
  );
}

async function neuralSignalOf(
  context: AppContext,
  desk: ForecastDesk,
  { market, ...options }: SignalOptions & { market: string },
): Promise<SignalBody> {
  const answer = await askDesk(desk, await questionOf(context, "signal", market), portsOf(context));
  const said = neuralSignalBody(answer, options);
  if (said === "no-probabilities") {
    const { modelId, version } = answer.prediction;
    throw new Refused(
      problem(
        "model-unavailable",
        `${modelId} ${version} gives no probabilities of up and down: it was never calibrated, or answers other classes.`,
        {
          reason: "no-probabilities",
        },
      ),
    );
  }
  if ("expired" in said) throw new Refused(expiredProblem(answer.moment.rowAgeMs, [said.expired]));
  return said.signal;
}
