/** What the routes share: the app's type, the refusal that they throw, and how a market in the path is looked up. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type FeedConfiguration, feedOfMarket } from "../../feed/configuration.ts";
import type { FeedRpc } from "../../feed/contract.ts";
import type { PublicEnv } from "../env.ts";
import { askFeed } from "../feed-client.ts";
import { configuredFeeds } from "../feed-directory.ts";
import { openDatabase } from "../storage/database.ts";
import { readInstrument } from "../storage/read-instruments.ts";
import { type Problem, problem, unknownMarket } from "./problems.ts";

export type AppEnv = { Bindings: PublicEnv };
export type App = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;

/** Ends a request with a problem: error-response.ts turns it into the answer. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly problem: Problem;

  constructor(refused: Problem) {
    super(refused.detail);
    this.problem = refused;
  }
}

/** The feed that carries the market. @throws Refused when none does: `not-carried` where the market is known from the past. */
export async function feedCarrying(context: AppContext, market: string): Promise<FeedConfiguration> {
  const configuration = feedOfMarket(configuredFeeds(context.env.FEEDS), market);
  if (configuration !== null) return configuration;
  const stored = await readInstrument(openDatabase(context.env.DB), market);
  if (stored === null) throw new Refused(unknownMarket(market));
  throw new Refused(problem("not-carried", `${market} was recorded by the feed "${stored.feed}"; no feed carries it now.`));
}

/** Asks the feed that carries the market. @throws Refused, FeedUnreachable */
export async function askMarketFeed<T>(context: AppContext, market: string, ask: (rpc: FeedRpc) => Promise<T>): Promise<T> {
  return askFeed(context.env.FEED, await feedCarrying(context, market), ask);
}

/** @throws Refused when the market is neither carried nor was ever recorded. */
export async function requireKnownMarket(context: AppContext, market: string): Promise<void> {
  if (feedOfMarket(configuredFeeds(context.env.FEEDS), market) !== null) return;
  if ((await readInstrument(openDatabase(context.env.DB), market)) === null) throw new Refused(unknownMarket(market));
}
