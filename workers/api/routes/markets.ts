/** Markets, and the live book and quote of each. */

import { createRoute, z } from "@hono/zod-openapi";
import { marketId } from "../../../core/market/instrument.ts";
import { askFeed } from "../../feed-client.ts";
import { configuredFeeds } from "../../feed-directory.ts";
import { logWarning } from "../../log.ts";
import { type App, askMarketFeed, feedCarrying, Refused } from "../context.ts";
import { DEFAULT_LEVELS, MAX_LEVELS, marketParameter, noQuery, wholeNumber } from "../parameters.ts";
import { feedProblem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { bookSchema, marketDetailSchema, marketListSchema, quoteSchema } from "../schemas.ts";
import { bookBody, marketDetailView, marketView, quoteBody } from "../views/live.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/markets",
  tags: ["Live"],
  summary: "Markets that are carried",
  request: { query: noQuery },
  responses: { 200: json(marketListSchema, "Every market, also those whose feed does not answer"), ...problems("bad-request") },
});

const marketRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}",
  tags: ["Live"],
  summary: "One market and the proof of its book",
  request: { params: marketParameter, query: noQuery },
  responses: {
    200: json(marketDetailSchema, "The market"),
    ...problems("bad-request", "unknown-market", "not-carried", "feed-unreachable"),
  },
});

const quoteRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/quote",
  tags: ["Live"],
  summary: "Best bid and ask now",
  request: { params: marketParameter, query: noQuery },
  responses: {
    200: json(quoteSchema, "The quote"),
    ...problems("bad-request", "unknown-market", "not-carried", "disconnected", "syncing", "stale-book", "no-mid", "feed-unreachable"),
  },
});

const bookRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/book",
  tags: ["Live"],
  summary: "The order book now",
  request: {
    params: marketParameter,
    query: z.strictObject({
      levels: wholeNumber(1, MAX_LEVELS)
        .optional()
        .openapi({ description: `Levels a side, ${DEFAULT_LEVELS} when left out` }),
    }),
  },
  responses: {
    200: json(bookSchema, "The book"),
    ...problems("bad-request", "unknown-market", "not-carried", "disconnected", "syncing", "stale-book", "no-mid", "feed-unreachable"),
  },
});

export function addMarketRoutes(app: App): void {
  app.openapi(listRoute, async (context) => {
    const markets = await Promise.all(
      configuredFeeds(context.env.FEEDS).map(async (configuration) => {
        const status = await askFeed(context.env.FEED, configuration, (rpc) => rpc.status()).catch((error: unknown) => {
          logWarning("feed-unreachable", { feed: configuration.feed, cause: String(error) });
          return null;
        });
        return configuration.symbols.map((symbol) => {
          const market = marketId(configuration.venue, symbol);
          return marketView(market, configuration, status === null ? null : status.markets.find((each) => each.market === market));
        });
      }),
    );
    return context.json({ markets: markets.flat() }, 200);
  });

  app.openapi(marketRoute, async (context) => {
    const { market } = context.req.valid("param");
    const configuration = await feedCarrying(context, market);
    const status = await askFeed(context.env.FEED, configuration, (rpc) => rpc.status());
    const view = status.markets.find((each) => each.market === market);
    return context.json(marketDetailView(market, configuration, view), 200);
  });

  app.openapi(quoteRoute, async (context) => {
    const { market } = context.req.valid("param");
    const answer = await askMarketFeed(context, market, (rpc) => rpc.quote(market));
    if (!answer.ok) throw new Refused(feedProblem(answer));
    return context.json(quoteBody(answer), 200);
  });

  app.openapi(bookRoute, async (context) => {
    const { market } = context.req.valid("param");
    const { levels } = context.req.valid("query");
    const answer = await askMarketFeed(context, market, (rpc) => rpc.book(market, levels ?? DEFAULT_LEVELS));
    if (!answer.ok) throw new Refused(feedProblem(answer));
    return context.json(bookBody(answer), 200);
  });
}
