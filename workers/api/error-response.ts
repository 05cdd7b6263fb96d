/** The one place that turns errors into answers. What is not foreseen is logged with its stack and answered without it. */

import { FeedUnreachable } from "../feed-client.ts";
import { InferenceUnreachable } from "../inference-client.ts";
import { logError, logWarning } from "../log.ts";
import { Refused } from "./context.ts";
import { type Problem, problem, retryAfterOf } from "./problems.ts";

export function errorResponse(error: unknown, request: Request): Response {
  return problemResponse(problemOf(error, request));
}

export function problemResponse(refused: Problem): Response {
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const retryAfterS = retryAfterOf(refused);
  if (retryAfterS !== null) headers.set("retry-after", String(retryAfterS));
  if (refused.status === 426) headers.set("upgrade", "websocket");
  if (refused.status === 405) headers.set("allow", "GET, HEAD, OPTIONS");
  return new Response(JSON.stringify(refused), { status: refused.status, headers });
}

/** What is not foreseen is logged. */
export function problemOf(error: unknown, request: Request): Problem {
  if (error instanceof Refused) return error.problem;
  const path = new URL(request.url).pathname;
  if (error instanceof FeedUnreachable) {
    logWarning("feed-unreachable", { path, feed: error.feed, cause: String(error.cause) });
    return problem("feed-unreachable", `The feed "${error.feed}" does not answer; it restarts by itself.`);
  }
  if (error instanceof InferenceUnreachable) {
    logWarning("inference-unreachable", { path, cause: String(error.cause) });
    return problem("model-unavailable", "The inference Worker does not answer.", { reason: "unreachable" });
  }
  const id = crypto.randomUUID();
  logError("request-failed", error, { id, path });
  return problem("internal", `Something failed that should not have. It is logged under ${id}.`, { id });
}
