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

/** Of what was computed from a feature row, for the OpenAPI document. */
export const ROW_HEADERS = {
  ETag: { description: "Weak: of what is said and the query", schema: { type: "string" } },
  "Edgebook-Feature-Time": { description: "`asOf`", schema: { type: "integer" } },
  "Edgebook-Row-Age-Ms": { description: "`rowAgeMs`", schema: { type: "number" } },
  "Edgebook-Model": { description: "id@version", schema: { type: "string" } },
  "Edgebook-Skill": { description: "`skill.mark`", schema: { type: "string" } },
} as const;

export const NOT_MODIFIED = { description: "What If-None-Match names is still right" };

interface RowSaid {
  readonly asOf: number;
  readonly rowAgeMs: number;
  readonly model: { readonly id: string; readonly version: string };
  readonly skill: { readonly mark: string };
}

export function rowHeaders({ asOf, rowAgeMs, model, skill }: RowSaid): Record<string, string> {
  return {
    "edgebook-feature-time": String(asOf),
    "edgebook-row-age-ms": String(rowAgeMs),
    "edgebook-model": `${model.id}@${model.version}`,
    "edgebook-skill": skill.mark,
  };
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
