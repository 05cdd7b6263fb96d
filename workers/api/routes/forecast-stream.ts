/** Forecasts as they come, as server-sent events (WHATWG HTML, 9.2): each market's at once, then each new one. */

import { createRoute, z } from "@hono/zod-openapi";
import { agedMoment } from "../../forecasts/aged.ts";
import type { ForecastDesk } from "../../forecasts/desk.ts";
import { STREAM_MS, type StreamEvent, streamForecasts } from "../../forecasts/stream.ts";
import { type App, type AppContext, Refused } from "../context.ts";
import { deskProblem, portsOf, questionOf, requireForecast } from "../desk-access.ts";
import { problemOf } from "../error-response.ts";
import { marketsParameter } from "../parameters.ts";
import type { Problem } from "../problems.ts";
import { problems } from "../responses.ts";

/** After the end, or a break, a browser comes again so much later. */
const RETRY_MS = 1_000;

const route = createRoute({
  method: "get",
  path: "/v1/forecasts/stream",
  tags: ["Forecasts"],
  summary: "Forecasts as they come, as server-sent events",
  description: `Events \`forecast\` (data: as /v1/markets/{market}/forecast answers; id: its market time) and \`problem\` (data: market and problem, when a market has none). It ends after ${STREAM_MS / 60_000} minutes at most, sooner of many markets; an EventSource comes again by itself.`,
  request: { query: z.strictObject({ markets: marketsParameter }) },
  responses: {
    200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
    ...problems("bad-request", "unknown-market", "not-carried"),
  },
});

export function addForecastStreamRoute(app: App, desk: ForecastDesk): void {
  app.openapi(route, async (context) => {
    const { markets } = context.req.valid("query");
    const questions = await Promise.all(markets.map((market) => questionOf(context, "forecast", market)));
    const count = { calls: 0 };
    const ports = portsOf(context, count);
    let isGone = false;
    const events = streamForecasts(questions, { ports, answer: (question) => desk.answer(question, ports), count, isGone: () => isGone });
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
      pull: async (controller) => {
        const { done, value } = await events.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(eventText(value, { context, now: ports.now() })));
      },
      cancel: () => {
        isGone = true;
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" } });
  });
}

function eventText(event: StreamEvent, { context, now }: { context: AppContext; now: number }): string {
  if (event.kind === "heartbeat") return ": still here\n\n";
  const { market } = event;
  if (event.kind === "failure") return problemText(market, problemOf(event.error, context.req.raw));
  if (!event.result.ok) return problemText(market, deskProblem(event.result));
  try {
    const forecast = requireForecast({ ...event.result, moment: agedMoment(event.result, now), heardAt: now }, null);
    return `event: forecast\nid: ${forecast.asOf}\ndata: ${JSON.stringify(forecast)}\n\n`;
  } catch (error) {
    if (error instanceof Refused) return problemText(market, error.problem);
    throw error;
  }
}

function problemText(market: string, problem: Problem): string {
  return `event: problem\ndata: ${JSON.stringify({ market, problem })}\n\n`;
}
