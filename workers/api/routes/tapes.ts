/** The tape itself: everything received of a market in one minute, as it lies in R2. */

import { createRoute, z } from "@hono/zod-openapi";
import { parseMarketId } from "../../../core/market/instrument.ts";
import { minuteOf } from "../../../core/units/time.ts";
import { getTape } from "../../storage/tapes.ts";
import { type App, Refused, requireKnownMarket } from "../context.ts";
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
    const object = await getTape(context.env.TAPES, { ...parts, minute: minuteOf(minute) }, conditionOf(context.req.raw.headers));
    if (object === null) {
      throw new Refused(problem("no-tape", `Nothing is stored of ${market} in the minute ${new Date(minuteOf(minute)).toISOString()}.`));
    }
    // A closed minute hardly ever changes, and then only by growing (workers/storage/tapes.ts): the ETag tells.
    const headers = { etag: object.httpEtag, "cache-control": "public, max-age=3600" };
    if (!("body" in object)) return new Response(null, { status: 304, headers });
    const name = object.key.split("/").slice(2).join("_");
    return new Response(object.body, {
      headers: {
        ...headers,
        "content-type": "application/gzip",
        "content-length": String(object.size),
        "content-disposition": `attachment; filename="${name}"`,
      },
    });
  });
}

/** RFC 9110, 8.8.3 and 13.1.2. */
const ETAG_LIST = /^(\*|\s*(W\/)?"[\x21\x23-\x7e]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e]*")*\s*)$/;

/**
 * Only If-None-Match: R2 would answer the other conditions in ways that HTTP asks other statuses for. One that is no list of ETags matches
 * nothing; R2 would throw on it.
 */
function conditionOf(headers: Headers): Headers {
  const etag = headers.get("if-none-match");
  return etag === null || !ETAG_LIST.test(etag) ? new Headers() : new Headers({ "if-none-match": etag });
}
