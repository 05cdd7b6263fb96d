/** How well markets were recorded: coverage, gaps, and the proof of the books that are live. */

import { createRoute, z } from "@hono/zod-openapi";
import { marketId } from "../../../core/market/instrument.ts";
import { MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE } from "../../../core/units/time.ts";
import { FEED_TAPE_SYMBOL } from "../../../core/wire/keys.ts";
import type { FeedConfiguration } from "../../../feed/configuration.ts";
import { askFeed } from "../../feed-client.ts";
import { configuredFeeds } from "../../feed-directory.ts";
import { logWarning } from "../../log.ts";
import { openDatabase } from "../../storage/database.ts";
import { readInstruments } from "../../storage/read-instruments.ts";
import { readQuality } from "../../storage/read-quality.ts";
import type { QualityRange } from "../../storage/stored-quality.ts";
import { type App, type AppContext, Refused, requireKnownMarket } from "../context.ts";
import { marketParameter, timeParameter } from "../parameters.ts";
import { badParameter } from "../problems.ts";
import { marketQualityPageSchema, qualitySchema } from "../quality-schemas.ts";
import { json, problems } from "../responses.ts";
import { parseDay } from "../time.ts";
import { type CarriedMarket, marketQuality } from "../views/quality.ts";

/** A row of each market and minute is read: a week of a hundred markets is a million, a month of one 44,640. */
const MAX_DAYS_OF_ALL = 7;
const MAX_DAYS_OF_ONE = 31;
const BUCKETS_MS = { minute: MS_PER_MINUTE, hour: MS_PER_HOUR, day: MS_PER_DAY } as const;

const span = {
  from: timeParameter.optional().openapi({ description: "Inclusive; 24 hours before `to` when left out" }),
  to: timeParameter.optional().openapi({ description: "Exclusive; now when left out" }),
  day: z.string().optional().openapi({ description: "One UTC day, in place of `from` and `to`", example: "2026-11-21" }),
};
const ofAll = z.strictObject({
  ...span,
  by: z.enum(["hour", "day"]).optional().openapi({ description: "Length of a bucket; day when left out" }),
});
const ofOne = z.strictObject({
  ...span,
  by: z
    .enum(["minute", "hour", "day"])
    .optional()
    .openapi({ description: "Length of a bucket; day when left out. By minute a day at most" }),
});

const qualityRoute = createRoute({
  method: "get",
  path: "/v1/quality",
  tags: ["Recorded"],
  summary: "How well every market was recorded: coverage, gaps, proof",
  request: { query: ofAll },
  responses: { 200: json(qualitySchema, `Each market; at most ${MAX_DAYS_OF_ALL} days`), ...problems("bad-request") },
});

const marketQualityRoute = createRoute({
  method: "get",
  path: "/v1/quality/{market}",
  tags: ["Recorded"],
  summary: "How well one market was recorded: coverage per minute, hour or day, gaps, proof",
  request: { params: marketParameter, query: ofOne },
  responses: {
    200: json(marketQualityPageSchema, `The market; at most ${MAX_DAYS_OF_ONE} days`),
    ...problems("bad-request", "unknown-market"),
  },
});

export function addQualityRoutes(app: App): void {
  app.openapi(qualityRoute, async (context) => {
    const asked = context.req.valid("query");
    const { by, range } = rangeOf(asked, MAX_DAYS_OF_ALL);
    const database = openDatabase(context.env.DB);
    const feeds = configuredFeeds(context.env.FEEDS);
    const [carried, recorded] = await Promise.all([carriedMarkets(context, feeds), readInstruments(database)]);
    const known = [...new Set([...carried.keys(), ...recorded.map(({ market }) => market)])];
    const stored = await readQuality(database, range, { markets: known, only: null });
    const markets = known.filter(
      (market) => carried.has(market) || [...stored.buckets, ...stored.gapCounts].some((row) => row.market === market),
    );
    return context.json(
      {
        from: range.from,
        to: range.to,
        by,
        markets: markets.map((market) => marketQuality(market, range, { stored, carried: carried.get(market) ?? null })),
        otherGaps: stored.gapCounts.filter(({ market }) => market.endsWith(`:${FEED_TAPE_SYMBOL}`)),
      },
      200,
    );
  });

  app.openapi(marketQualityRoute, async (context) => {
    const { market } = context.req.valid("param");
    const { by, range } = rangeOf(context.req.valid("query"), MAX_DAYS_OF_ONE);
    await requireKnownMarket(context, market);
    const feeds = configuredFeeds(context.env.FEEDS).filter((feed) =>
      feed.symbols.some((symbol) => marketId(feed.venue, symbol) === market),
    );
    const [carried, stored] = await Promise.all([
      carriedMarkets(context, feeds),
      readQuality(openDatabase(context.env.DB), range, { markets: [market], only: market }),
    ]);
    const quality = marketQuality(market, range, { stored, carried: carried.get(market) ?? null });
    return context.json({ from: range.from, to: range.to, by, quality }, 200);
  });
}

/** @throws Refused on a range that is none, or longer than so many days. */
function rangeOf(asked: z.output<typeof ofOne>, maxDays: number): { by: keyof typeof BUCKETS_MS; range: QualityRange } {
  const now = Date.now();
  const by = asked.by ?? "day";
  const { from, to } = spanOf(asked, now);
  if (from >= to) throw new Refused(badParameter("from", `from (${from}) is not before to (${to})`));
  const most = by === "minute" ? 1 : maxDays;
  if (to - from > most * MS_PER_DAY) {
    const days = Math.ceil((to - from) / MS_PER_DAY);
    throw new Refused(badParameter("from", `a range of ${days} days: at most ${most} at once${by === "minute" ? " by minute" : ""}`));
  }
  return { by, range: { from, to, now, bucketMs: BUCKETS_MS[by] } };
}

function spanOf({ from, to, day }: z.output<typeof ofOne>, now: number): { from: number; to: number } {
  if (day === undefined) {
    const end = to ?? now;
    return { from: from ?? Math.max(0, end - MS_PER_DAY), to: end };
  }
  if (from !== undefined || to !== undefined) throw new Refused(badParameter("day", "it stands in place of from and to, not beside them"));
  const start = parseDay(day);
  if (start === null) throw new Refused(badParameter("day", `"${day.slice(0, 40)}" is no day of the form 2026-11-21`));
  return { from: start, to: start + MS_PER_DAY };
}

/** Every market of these feeds, with what its feed says of it. One that doesn't answer is a finding, not an error. */
async function carriedMarkets(context: AppContext, feeds: readonly FeedConfiguration[]): Promise<Map<string, CarriedMarket>> {
  const answers = await Promise.all(
    feeds.map(async (configuration) => {
      const { feed, venue, symbols } = configuration;
      const status = await askFeed(context.env.FEED, configuration, (rpc) => rpc.status()).catch((error: unknown) => {
        logWarning("feed-unreachable", { feed, cause: String(error) });
        return null;
      });
      return symbols.map((symbol): [string, CarriedMarket] => {
        const market = marketId(venue, symbol);
        const ofMarket = status === null ? null : status.markets.find((each) => each.market === market);
        return [market, { status: ofMarket, now: status?.now ?? 0 }];
      });
    }),
  );
  return new Map(answers.flat());
}
