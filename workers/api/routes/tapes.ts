/** The tape itself: everything received of a market in one minute, as it lies in R2. */

import { createRoute, z } from "@hono/zod-openapi";
import { parseMarketId } from "../../../core/market/instrument.ts";
import { minuteOf } from "../../../core/units/time.ts";
import { tapeKey } from "../../../core/wire/keys.ts";
import { findMinuteTape, readPieces, type TapePiece } from "../../storage/read-tapes.ts";
import { type App, type AppContext, Refused, requireKnownMarket } from "../context.ts";
import { marketParameter, noQuery, timeParameter } from "../parameters.ts";
import { problem, unknownMarket } from "../problems.ts";
import { problems } from "../responses.ts";

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
    if (pieces.length === 0)
      throw new Refused(problem("no-tape", `Nothing is stored of ${market} in the minute ${new Date(start).toISOString()}.`));
    // A closed minute hardly ever changes, and then only by growing (workers/storage/tapes.ts): the ETag tells.
    const etag = `"${pieces.map((piece) => piece.etag).join(".")}"`;
    const headers = { etag, "cache-control": "public, max-age=3600" };
    if (isKnown(etag, context.req.header("if-none-match"))) return new Response(null, { status: 304, headers });
    const name = tapeKey(parts.venue, parts.symbol, start).split("/").slice(2).join("_");
    return new Response(await bodyOf(context, pieces), {
      headers: {
        ...headers,
        "content-type": "application/gzip",
        "content-length": String(pieces.reduce((sum, { bytes }) => sum + bytes, 0)),
        "content-disposition": `attachment; filename="${name}"`,
      },
    });
  });
}

/** Whoever asks for the head alone is told the length from the directory: nothing is read. */
async function bodyOf(context: AppContext, pieces: readonly TapePiece[]): Promise<Uint8Array | null> {
  return context.req.raw.method === "HEAD" ? null : readPieces(context.env.TAPES, pieces);
}

/** If-None-Match compares weakly: RFC 9110, 8.8.3.2 and 13.1.2. What is no list of ETags matches nothing. */
function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ETAG_LIST.test(ifNoneMatch) && [...ifNoneMatch.matchAll(ETAG)].some(([tag]) => tag === etag);
}

const ETAG = /"[\x21\x23-\x7e]*"/g;
const ETAG_LIST = /^\s*(W\/)?"[\x21\x23-\x7e]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e]*")*\s*$/;
