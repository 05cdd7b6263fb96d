/** The websocket of live messages: the request goes on to the feed object that holds the markets, and the object's answer comes back. */

import { createRoute, z } from "@hono/zod-openapi";
import { type FeedConfiguration, feedOfMarket } from "../../../feed/configuration.ts";
import { DEFAULT_STREAM_LEVELS, INTERVALS_MS, STREAM_LEVELS, TURN_MS } from "../../../feed/stream/protocol.ts";
import { readStreamQuery } from "../../../feed/stream/requests.ts";
import { FeedUnreachable } from "../../feed-client.ts";
import { configuredFeeds, marketsOfFeed } from "../../feed-directory.ts";
import { type App, type AppContext, feedCarrying, Refused } from "../context.ts";
import { badParameter, badRequest, problem } from "../problems.ts";
import { problems } from "../responses.ts";

const route = createRoute({
  method: "get",
  path: "/v1/stream",
  tags: ["Live"],
  summary: "Quotes, trades, depth and gaps as they come, on a websocket",
  description: "Opened by a websocket handshake. What is said on it is in docs/api.md. All its markets are of one feed.",
  request: {
    query: z.strictObject({
      markets: z.string().openapi({ description: "venue:SYMBOL, more than one by comma", example: "binance-spot:BTCUSDT" }),
      channels: z.string().optional().openapi({ description: "Of quote, trades, depth, gaps, by comma; all of them when left out" }),
      levels: z
        .string()
        .optional()
        .openapi({ description: `Levels a side of depth: ${STREAM_LEVELS.join(", ")}; ${DEFAULT_STREAM_LEVELS} when left out` }),
      intervalMs: z
        .string()
        .optional()
        .openapi({
          description: `Least time between two messages of a market's depth or quote: ${INTERVALS_MS.join(", ")}; ${TURN_MS} when left out`,
        }),
    }),
  },
  responses: {
    101: { description: "The websocket is open" },
    ...problems("bad-request", "unknown-market", "not-carried", "upgrade-required", "too-many-clients", "feed-unreachable"),
  },
});

export function addStreamRoute(app: App): void {
  app.openapi(route, async (context) => {
    const query = context.req.valid("query");
    const configuration = await feedOfAll(context, query.markets.split(","));
    const subscriptions = readStreamQuery(query, marketsOfFeed(configuration));
    if ("errors" in subscriptions) throw new Refused(badRequest(subscriptions.errors));
    if (context.req.header("upgrade")?.toLowerCase() !== "websocket")
      throw new Refused(
        problem("upgrade-required", "This address speaks websocket: open it with wss://, or ws:// where it isn't encrypted."),
      );
    return openStream(context, configuration);
  });
}

/** The one feed that carries all of the markets. @throws Refused: that says how to split them, where they are of several. */
async function feedOfAll(context: AppContext, markets: readonly string[]): Promise<FeedConfiguration> {
  const feeds = configuredFeeds(context.env.FEEDS);
  const byFeed = new Map<string, string[]>();
  for (const market of markets) {
    const { feed } = feedOfMarket(feeds, market) ?? (await feedCarrying(context, market));
    byFeed.set(feed, [...(byFeed.get(feed) ?? []), market]);
  }
  const [first] = byFeed.keys();
  const configuration = feeds.find(({ feed }) => feed === first);
  if (configuration === undefined) throw new Refused(badParameter("markets", "at least one, as venue:SYMBOL"));
  if (byFeed.size === 1) return configuration;
  const split = [...byFeed.values()].map((names) => `markets=${names.join(",")}`);
  throw new Refused(
    badParameter(
      "markets",
      `they are of ${byFeed.size} feeds, and a socket is of one: open one each, ${split.join(" and ")}`.slice(0, 1_000),
    ),
  );
}

async function openStream(context: AppContext, { feed, object }: FeedConfiguration): Promise<Response> {
  const address = new URL(context.req.url);
  address.pathname = `/${feed}`;
  const answer = await context.env.FEED.getByName(object)
    .fetch(new Request(address, context.req.raw))
    .catch((cause: unknown) => {
      throw new FeedUnreachable(feed, cause);
    });
  if (answer.webSocket) return new Response(null, { status: 101, webSocket: answer.webSocket });
  const { reason, detail } = await answer.json<{ reason: string; detail: string }>();
  if (reason === "full") throw new Refused(problem("too-many-clients", detail));
  throw new FeedUnreachable(feed, detail);
}
