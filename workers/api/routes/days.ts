/** Day files: what there is, and each of them, whole or by ranges. */

import { createRoute, z } from "@hono/zod-openapi";
import { dayOf, MS_PER_DAY, startOfDay } from "../../../core/units/time.ts";
import { MAX_DAY_PARTS } from "../../../core/wire/keys.ts";
import { openDatabase } from "../../storage/database.ts";
import { type DayPlace, type DayRow, readDayParts, readDays } from "../../storage/days.ts";
import { readContradicted } from "../../storage/read-contradicted.ts";
import { type App, type AppContext, Refused, requireKnownMarket } from "../context.ts";
import { dayPageSchema } from "../day-schemas.ts";
import { marketParameter, rowLimit, wholeNumber } from "../parameters.ts";
import { askedRange, isNamed } from "../preconditions.ts";
import { badParameter, problem } from "../problems.ts";
import { json, problems } from "../responses.ts";
import { dayBody } from "../views/day.ts";

/** Days of a list at most, and when nothing is said. */
const MAX_DAYS = 3_660;
const DEFAULT_DAYS = 31;
const MAX_ROWS = 500;

const dayParameter = z
  .string()
  .refine((text) => startOfDay(text) !== null, "a day of the calendar, yyyy-mm-dd")
  .openapi({ type: "string", format: "date", description: "UTC, yyyy-mm-dd", example: "2026-01-05" });

const listRoute = createRoute({
  method: "get",
  path: "/v1/days",
  tags: ["Recorded"],
  summary: "Day files, with the heads and the chain by which they are proved",
  request: {
    query: z.strictObject({
      market: z.string().optional().openapi({ description: "One market; all when left out", example: "binance-spot:BTCUSDT" }),
      from: dayParameter.optional().openapi({ description: `Inclusive; ${DEFAULT_DAYS} days before \`to\` when left out` }),
      to: dayParameter.optional().openapi({ description: `Inclusive; today when left out. At most ${MAX_DAYS} days after \`from\`` }),
      limit: wholeNumber(1, MAX_ROWS).optional().openapi({ description: "Files in one answer, 100 when left out" }),
      cursor: z.string().max(200).optional().openapi({ description: "`nextCursor` of the page before" }),
    }),
  },
  responses: { 200: json(dayPageSchema, "Day files"), ...problems("bad-request", "unknown-market") },
});

const fileContent = { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } };

const fileRoute = createRoute({
  method: "get",
  path: "/v1/markets/{market}/days/{day}",
  tags: ["Recorded"],
  summary: "A day file: all that was received of a market on a day, hash-chained",
  request: {
    params: marketParameter.extend({ day: dayParameter.openapi({ param: { name: "day", in: "path" } }) }),
    query: z.strictObject({
      part: wholeNumber(0, MAX_DAY_PARTS - 1)
        .optional()
        .openapi({ description: "0 when left out; /v1/days lists them" }),
    }),
  },
  responses: {
    200: { description: "The file. Its ETag is its head, and never changes", content: fileContent },
    206: { description: "The range that was asked for: one range of bytes", content: fileContent },
    304: { description: "The ETag given in If-None-Match is still right" },
    ...problems("bad-request", "no-day", "other-version", "range-not-satisfiable"),
  },
});

export function addDayRoutes(app: App): void {
  app.openapi(listRoute, async (context) => {
    const query = context.req.valid("query");
    const now = Date.now();
    const to = query.to ?? dayOf(now);
    const end = startOfDay(to) ?? 0;
    const from = query.from ?? dayOf(Math.max(0, end - (DEFAULT_DAYS - 1) * MS_PER_DAY));
    const days = (end - (startOfDay(from) ?? 0)) / MS_PER_DAY + 1;
    if (days < 1 || days > MAX_DAYS)
      throw new Refused(badParameter("from", days < 1 ? `${from} is after ${to}` : `a range of ${days} days: at most ${MAX_DAYS} at once`));
    const limit = rowLimit(query.limit);
    const after = query.cursor === undefined ? null : readCursor(query.cursor);
    const database = openDatabase(context.env.DB);
    const rows = await readDays(database, { market: query.market ?? null, from, to, after, limit: limit + 1 });
    if (rows.length === 0 && query.market !== undefined) await requireStoredOrKnown(context, query.market);
    const page = rows.slice(0, limit);
    const first = page[0];
    // Parts before the page's first belong to what its day is missing.
    const before =
      first === undefined || first.part === 0 ? [] : (await readDayParts(database, first.market, first.day)).slice(0, first.part);
    const known = [...before, ...page];
    const parts = (row: DayRow): DayRow[] => known.filter(({ market, day }) => market === row.market && day === row.day);
    const times = page.map(({ day }) => startOfDay(day) ?? 0);
    const markets = [...new Set(page.map(({ market }) => market))];
    const span = { from: Math.min(...times), to: Math.max(...times) + MS_PER_DAY };
    const contradicted = page.length === 0 ? [] : await readContradicted(database, { markets, ...span, now, bucketMs: MS_PER_DAY });
    const less = (row: DayRow): number =>
      contradicted.find(({ market, start }) => market === row.market && start === startOfDay(row.day))?.contradictedMs ?? 0;
    const last = page.at(-1);
    const nextCursor = rows.length > limit && last !== undefined ? `${last.market}~${last.day}~${last.part}` : null;
    return context.json(
      { from, to, days: page.map((row) => dayBody(row, { parts: parts(row), contradictedMs: less(row) })), nextCursor },
      200,
    );
  });

  app.openapi(fileRoute, async (context) => {
    const { market, day } = context.req.valid("param");
    const part = context.req.valid("query").part ?? 0;
    const parts = await readDayParts(openDatabase(context.env.DB), market, day);
    const row = parts.find((each) => each.part === part);
    if (row === undefined) throw new Refused(problem("no-day", `There is no day file of ${market.slice(0, 100)} on ${day}, part ${part}.`));
    return fileResponse(context, row);
  });
}

/** What is of no market (`venue:_feed`), and markets that came without an instrument, are known by their files alone. */
async function requireStoredOrKnown(context: AppContext, market: string): Promise<void> {
  const all = { market, from: "0000-00-00", to: "9999-99-99", after: null, limit: 1 };
  if ((await readDays(openDatabase(context.env.DB), all)).length === 0) await requireKnownMarket(context, market);
}

async function fileResponse(context: AppContext, { key, bytes, head }: DayRow): Promise<Response> {
  const etag = `"${head}"`;
  const header = (name: string): string | undefined => context.req.header(name);
  const headers = { etag, "cache-control": "public, max-age=86400", "accept-ranges": "bytes" };
  const ifMatch = header("if-match");
  if (ifMatch !== undefined && !isNamed(etag, ifMatch)) throw new Refused(problem("other-version", `The file's ETag is ${etag}.`));
  if (isNamed(etag, header("if-none-match"))) return new Response(null, { status: 304, headers });
  const ifRange = header("if-range");
  const range = ifRange === undefined || ifRange.trim() === etag ? askedRange(header("range"), bytes) : "whole";
  if (range === "unsatisfiable") throw new Refused(problem("range-not-satisfiable", `The file has ${bytes} bytes.`, { bytes }));
  const { offset, length } = range === "whole" ? { offset: 0, length: bytes } : range;
  const answer = {
    status: range === "whole" ? 200 : 206,
    headers: {
      ...headers,
      "content-type": "application/octet-stream",
      "content-length": String(length),
      "content-disposition": `attachment; filename="${key.split("/").slice(2).join("_")}"`,
      ...(range === "whole" ? {} : { "content-range": `bytes ${offset}-${offset + length - 1}/${bytes}` }),
    },
  };
  if (context.req.raw.method === "HEAD") return new Response(null, answer);
  const object = await context.env.TAPES.get(key, range === "whole" ? {} : { range: { offset, length } });
  if (object === null) throw new Error(`the day file ${key} is gone`);
  // R2's stream says its length; passed on as it is, nothing is held here.
  return new Response(object.body, answer);
}

/** `<market>~<day>~<part>` of the last file of the page before. */
function readCursor(cursor: string): DayPlace {
  const match = /^([^~]{3,100})~(\d{4}-\d{2}-\d{2})~(\d{1,2})$/.exec(cursor);
  if (match === null) throw new Refused(badParameter("cursor", `"${cursor}" is none that this API gave`));
  const [, market = "", day = "", part] = match;
  return { market, day, part: Number(part) };
}
