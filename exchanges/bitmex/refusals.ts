/**
 * What the venue answers to a message of ours that it doesn't take: `{status, error, meta, request}`, the request being the whole message, of up to 20
 * topics, whichever of them it refuses. 429 comes with `meta.retryAfter` in seconds (https://www.bitmex.com/app/wsAPI, read 2026-11-27).
 */

import { MS_PER_MINUTE, MS_PER_SECOND } from "../../core/units/time.ts";
import type { Decoded, Subscription } from "../contract.ts";
import { isObject, type JsonObject, shown } from "../decoding/json-fields.ts";
import { subscriptionOf } from "./topics.ts";

/** Where it doesn't say: as of a bare 429 by HTTP. */
const RATE_LIMIT_WAIT_MS = MS_PER_MINUTE;
/** No limit of the venue's is of a longer time; more is a mistake. */
const LONGEST_WAIT_MS = 60 * MS_PER_MINUTE;

export function refusalOf(root: JsonObject): Decoded {
  const request = isObject(root.request) ? root.request : {};
  const detail = `${shown(root.status)}: ${shown(root.error)}`;
  const retryAfterMs = root.status === 429 ? waitOf(root) : null;
  // A topic that we had left already: nothing is missing for it.
  if (request.op === "unsubscribe" && retryAfterMs === null) return { kind: "control", control: "acknowledged", detail };
  return { kind: "control", control: "refused", detail, retryAfterMs, among: request.op === "subscribe" ? subscriptionsOf(request) : null };
}

function waitOf({ meta }: JsonObject): number {
  const seconds = isObject(meta) ? Number(meta.retryAfter) : Number.NaN;
  return seconds > 0 ? Math.min(seconds * MS_PER_SECOND, LONGEST_WAIT_MS) : RATE_LIMIT_WAIT_MS;
}

function subscriptionsOf({ args }: JsonObject): readonly Subscription[] | null {
  const topics: readonly unknown[] = Array.isArray(args) ? args : [args];
  const named = topics.flatMap((topic) => (typeof topic === "string" ? (subscriptionOf(topic) ?? []) : []));
  return named.length === 0 ? null : named;
}
