/** The tape itself: everything received of a market in one minute, as it lies in R2. */

import { createRoute, z } from "@hono/zod-openapi";
import { parseMarketId } from "../../../core/market/instrument.ts";
import { dayOf, MS_PER_MINUTE, minuteOf } from "../../../core/units/time.ts";
import { tapeKey } from "../../../core/wire/keys.ts";
import { openDatabase } from "../../storage/database.ts";
import { readDayRange } from "../../storage/day-files.ts";
import { readDayParts } from "../../storage/days.ts";
import { findMinuteTape, readPieces, type TapePiece } from "../../storage/read-tapes.ts";
import { type App, type AppContext, Refused, requireKnownMarket } from "../context.ts";
import { marketParameter, noQuery, timeParameter } from "../parameters.ts";
import { isNamed } from "../preconditions.ts";
import { problem, unknownMarket } from "../problems.ts";
import { problems } from "../responses.ts";

/** Of each part's head, in an ETag. */
const ETAG_DIGITS = 16;

const tapeRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/tapes/{minute}",
  tags: ["Recorded"],
  summary: "All that was received in one minute",
  request: {
    params: marketParameter.extend({
      minute: timeParameter.openapi({ param: { name: "minute", in: "path" }, description: "Any time within the minute" }),
    }),
    query: noQuery,
  },
  responses: {
    200: {
      description: "gzip members, one record a line: `<receivedAt ms> <kind> <payload>`",
      content: { "application/gzip": { schema: z.string().openapi({ format: "binary" }) } },
    },
    304: { description: "The ETag given in If-None-Match is still right" },
    ...problems("bad-request", "unknown-market", "no-tape"),
  },
});

export function addTapeRoute(app: App): void {
  app.openapi(tapeRoute, async (context) => {
    const { market, minute } = context.req.valid("param");
    await requireKnownMarket(context, market);
    const parts = parseMarketId(market);
    if (parts === null) throw new Refused(unknownMarket(market));
    const start = minuteOf(minute);
    const pieces = await findMinuteTape(context.env.TAPES, parts, start);
    if (pieces.length === 0) return fromDayFiles(context, market, start);
    // A closed minute hardly ever changes, and then only by growing (workers/storage/tapes.ts): the ETag tells.
    const etag = `"${pieces.map((piece) => piece.etag).join(".")}"`;
    const headers = { etag, "cache-control": "public, max-age=3600" };
    if (isNamed(etag, context.req.header("if-none-match"))) return new Response(null, { status: 304, headers });
    return new Response(await bodyOf(context, pieces), {
      headers: { ...headers, ...fileHeaders(parts, start), "content-length": String(pieces.reduce((sum, { bytes }) => sum + bytes, 0)) },
    });
  });
}

/**
 * Minute objects go when day files hold the same (workers/cron/survey-day.ts): the lines received in that minute, gzip in one member, then come from
 * there. Their text is that of the minute's objects, but for lines that were stored with another minute than the one they were received in.
 */
async function fromDayFiles(context: AppContext, market: string, start: number): Promise<Response> {
  const parts = parseMarketId(market);
  const files = await readDayParts(openDatabase(context.env.DB), market, dayOf(start));
  if (parts === null || files.length === 0) throw noTape(market, start);
  const etag = `"${files.map(({ head }) => head.slice(0, ETAG_DIGITS)).join(".")}.${start}"`;
  const headers = { etag, "cache-control": "public, max-age=3600" };
  if (isNamed(etag, context.req.header("if-none-match"))) return new Response(null, { status: 304, headers });
  const texts: Uint8Array<ArrayBuffer>[] = [];
  for (const { key, bytes } of files)
    texts.push(...(await readDayRange(context.env.TAPES, { key, bytes }, { from: start, to: start + MS_PER_MINUTE })));
  if (texts.length === 0) throw noTape(market, start);
  const body = new Blob(texts).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(context.req.raw.method === "HEAD" ? null : body, { headers: { ...headers, ...fileHeaders(parts, start) } });
}

function noTape(market: string, start: number): Refused {
  return new Refused(problem("no-tape", `Nothing is stored of ${market} in the minute ${new Date(start).toISOString()}.`));
}

function fileHeaders({ venue, symbol }: { venue: string; symbol: string }, start: number): Record<string, string> {
  const name = tapeKey(venue, symbol, start).split("/").slice(2).join("_");
  return { "content-type": "application/gzip", "content-disposition": `attachment; filename="${name}"` };
}

/** Whoever asks for the head alone is told the length from the directory: nothing is read. */
async function bodyOf(context: AppContext, pieces: readonly TapePiece[]): Promise<Uint8Array | null> {
  return context.req.raw.method === "HEAD" ? null : readPieces(context.env.TAPES, pieces);
}
