/**
 * Answers that are right until the market's next grid time: a weak ETag of what was computed, and headers that say how fresh it is. A cache may keep them and has to
 * ask each time whether they are still right (`no-cache`, RFC 9111, 5.2.2.4): what hasn't changed is answered with 304 and no body.
 */

import { ContentHash } from "../../core/math/hash.ts";
import type { AppContext } from "./context.ts";
import { isNamed } from "./preconditions.ts";

export interface LiveAnswer {
  /** All that the answer hangs on but its age. */
  readonly basis: readonly (string | number)[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Two answers of one ETag differ in ages alone: hence weak. */
export function liveResponse(context: AppContext, { basis, headers, body }: LiveAnswer): Response {
  const hash = new ContentHash();
  for (const part of basis) hash.text(String(part));
  const tag = `"${hash.digest()}"`;
  const all = { ...headers, etag: `W/${tag}`, "cache-control": "no-cache" };
  if (isNamed(tag, context.req.header("if-none-match"))) return new Response(null, { status: 304, headers: all });
  return new Response(JSON.stringify(body), { status: 200, headers: { ...all, "content-type": "application/json" } });
}
