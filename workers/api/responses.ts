/** The responses of a route, for the OpenAPI document. */

import type { z } from "@hono/zod-openapi";
import { PROBLEMS, type ProblemName } from "./problems.ts";
import { problemSchema } from "./schemas.ts";

interface JsonResponse<S extends z.ZodType> {
  description: string;
  content: { "application/json": { schema: S } };
}

interface ProblemResponse {
  description: string;
  content: { "application/problem+json": { schema: typeof problemSchema } };
}

export function json<S extends z.ZodType>(schema: S, description: string): JsonResponse<S> {
  return { description, content: { "application/json": { schema } } };
}

/** One entry per status, naming every problem that comes with it. Keyed as text, so that handlers stay typed by their 200 alone. */
export function problems(...names: readonly ProblemName[]): Record<`${number}`, ProblemResponse> {
  const responses: Record<`${number}`, ProblemResponse> = {};
  for (const name of [...names, "internal"] as const) {
    const { status, title } = PROBLEMS[name];
    const before = responses[`${status}`]?.description;
    responses[`${status}`] = {
      description: `${before === undefined ? "" : `${before} · `}${name}: ${title}`,
      content: { "application/problem+json": { schema: problemSchema } },
    };
  }
  return responses;
}
