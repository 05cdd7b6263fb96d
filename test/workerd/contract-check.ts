/** Every answer that a test gets is held against what the OpenAPI document says of it: no field of another type, none missing, none unsaid. */

import { z } from "@hono/zod-openapi";
import { expect } from "vitest";
import { costSchema } from "../../workers/api/cost-schemas.ts";
import { dayPageSchema } from "../../workers/api/day-schemas.ts";
import { forecastSchema, latestForecastsSchema, signalSchema } from "../../workers/api/forecast-schemas.ts";
import { modelListSchema } from "../../workers/api/model-schemas.ts";
import { marketQualityPageSchema, qualitySchema } from "../../workers/api/quality-schemas.ts";
import {
  bookSchema,
  gapPageSchema,
  healthSchema,
  marketDetailSchema,
  marketListSchema,
  problemSchema,
  quoteSchema,
  snapshotPageSchema,
} from "../../workers/api/schemas.ts";
import { comparisonSchema, ledgerPageSchema, scorecardsSchema } from "../../workers/api/scorecard-schemas.ts";

/** By path, without its query. */
const ANSWERS: readonly (readonly [RegExp, z.ZodType])[] = [
  [/^\/v1\/health$/, healthSchema],
  [/^\/v1\/models$/, modelListSchema],
  [/^\/v1\/markets$/, marketListSchema],
  [/^\/v1\/markets\/[^/]+$/, marketDetailSchema],
  [/^\/v1\/markets\/[^/]+\/quote$/, quoteSchema],
  [/^\/v1\/markets\/[^/]+\/book$/, bookSchema],
  [/^\/v1\/markets\/[^/]+\/forecast$/, forecastSchema],
  [/^\/v1\/markets\/[^/]+\/signal$/, signalSchema],
  [/^\/v1\/forecasts\/latest$/, latestForecastsSchema],
  [/^\/v1\/markets\/[^/]+\/snapshots$/, snapshotPageSchema],
  [/^\/v1\/cost$/, costSchema],
  [/^\/v1\/scorecards$/, scorecardsSchema],
  [/^\/v1\/scorecards\/compare$/, comparisonSchema],
  [/^\/v1\/forecasts$/, ledgerPageSchema],
  [/^\/v1\/days$/, dayPageSchema],
  [/^\/v1\/quality$/, qualitySchema],
  [/^\/v1\/quality\/[^/]+$/, marketQualityPageSchema],
  [/^\/v1\/(markets\/[^/]+\/)?gaps$/, gapPageSchema],
];

/** A problem that names the parameters at fault. */
export const badRequestSchema = problemSchema.extend({ errors: z.array(z.strictObject({ parameter: z.string(), message: z.string() })) });

/** What a test gets of the API. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, and as documented; null where there is none. */
  readonly body: Body;
}

/** The same, where a test looks into the body: it has to be what the route says it answers, or the problem that is expected. */
export function answerOf<Schema extends z.ZodType>(schema: Schema, { body, ...others }: Answer): Answer<z.output<Schema>> {
  return { ...others, body: schema.parse(body) };
}

/** @param response that was given for the path. */
export async function readAnswer(path: string, response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const body: unknown = text === "" ? null : JSON.parse(text);
  expectAsDocumented(path, { status, contentType: headers.get("content-type") }, body);
  return { status, headers, body };
}

function expectAsDocumented(path: string, { status, contentType }: { status: number; contentType: string | null }, body: unknown): void {
  if (body === null) return;
  const schema =
    contentType === "application/problem+json" ? problemSchema : ANSWERS.find(([of]) => of.test(path.split("?")[0] ?? ""))?.[1];
  if (schema === undefined) return;
  if (schema !== problemSchema) expect([200, 503], path).toContain(status);
  // Parsing leaves out what the schema doesn't name.
  expect(schema.parse(body), path).toEqual(body);
}
