/**
 * Every way this API says no: RFC 9457 problem details. Pure.
 *
 * `type` is `/problems/<name>`, relative to the API's own address, stable, and answers with its description. A refusal holds a reason and
 * a sentence, never a number that stands in for the one that was asked for.
 */

import type { Refusal, RowsRefusal, Unavailable } from "../../feed/contract.ts";
import type { ModelRefusal } from "../inference/contract.ts";

interface ProblemKind {
  readonly status: 400 | 404 | 405 | 409 | 412 | 416 | 426 | 500 | 503;
  readonly title: string;
  /** When asking again may help, in seconds; null where it won't. */
  readonly retryAfterS: number | null;
  readonly description: string;
}

export const PROBLEMS = {
  "bad-request": kind(400, "The query can't be read", "A parameter is missing, malformed or out of its range; `errors` names each."),
  "unknown-horizon": kind(400, "No such horizon", "The served model has no output at this horizon; `available` lists those it has."),
  "unknown-path": kind(404, "No such address", "Nothing is served here. /openapi.json lists what is."),
  "unknown-market": kind(404, "No such market", "No feed carries this market, and nothing of it was ever recorded."),
  "unknown-model": kind(404, "No such model", "No version of this name was ever published."),
  "not-carried": kind(404, "Not carried now", "The market was recorded once, and no feed carries it now: only what is stored can be read."),
  "no-tape": kind(404, "No tape", "Nothing is stored of this market in this minute: see its gaps."),
  "no-day": kind(
    404,
    "No day file",
    "There is no such day file: the day is not over for two hours yet, was not compacted yet, or nothing came.",
  ),
  "other-version": kind(412, "Another file by now", "What is here is not what If-Match names: begin the download anew."),
  "range-not-satisfiable": kind(416, "Beyond the file's end", "The range begins behind the last byte; `bytes` says how many there are."),
  "method-not-allowed": kind(405, "Read only", "This API is read with GET and HEAD."),
  "upgrade-required": kind(
    426,
    "A websocket is opened here",
    "The address answers a websocket handshake alone: open it with ws:// or wss://.",
  ),
  "too-many-clients": kind(
    503,
    "The feed serves as many sockets as it can",
    "A feed serves a bounded number of sockets, and has as many.",
    30,
  ),
  disconnected: kind(503, "The feed has no connection", "The connection to the venue is down and is being made again.", 5),
  syncing: kind(503, "The book is being built", "Connected; the book waits for its snapshot or is being rebuilt after a gap.", 2),
  "stale-book": kind(503, "The book is stale", "No data has come for longer than this venue allows.", 5),
  "no-mid": kind(409, "The book has no mid", "One side is empty, or the book is crossed."),
  "book-too-short": kind(409, "The book is too short", "Fewer levels are known than the signal's definition takes."),
  "warming-up": kind(503, "Features are warming up", "Features need a stretch of unbroken feed after each gap.", 10),
  "row-too-old": kind(
    503,
    "The features are older than the horizon",
    "The market has been quiet for longer than the horizon: the time that the forecast would be for has passed already.",
    2,
  ),
  "feed-unreachable": kind(503, "The feed does not answer", "The feed is restarting or overloaded.", 5),
  "not-measured": kind(
    503,
    "Too little is counted yet",
    "A feed has not run for a minute, or nothing of it is stored: no rate can be told.",
    60,
  ),
  "model-unavailable": kind(503, "No model can be served", "Neither the published nor the shipped model passed its checks.", 60),
  "model-mismatch": kind(
    503,
    "The model reads other features",
    "The served model was trained on another feature set than the feed writes.",
    60,
  ),
  internal: kind(500, "An error of ours", "A bug. It is in the logs under the id given.", null),
} as const;

export type ProblemName = keyof typeof PROBLEMS;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: ProblemKind["status"];
  /** For programs: as fine as the source knows it. */
  readonly reason: string;
  /** For a person. */
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export function problem(name: ProblemName, detail: string, extensions: Readonly<Record<string, unknown>> = {}): Problem {
  const { title, status } = PROBLEMS[name];
  return { type: `/problems/${name}`, title, status, reason: name, detail, ...extensions };
}

/** A parameter that was read and can't be meant. */
export function badParameter(parameter: string, message: string): Problem {
  return badRequest([{ parameter, message }]);
}

/** @param errors each parameter at fault, and why. */
export function badRequest(errors: readonly { parameter: string; message: string }[]): Problem {
  return problem("bad-request", errors.map(({ parameter, message }) => `${parameter}: ${message}`).join("; "), { errors });
}

/** Seconds for the Retry-After header; null where asking again won't help. */
export function retryAfterOf(refused: Problem): number | null {
  const name = refused.type.slice("/problems/".length);
  return isProblemName(name) ? PROBLEMS[name].retryAfterS : null;
}

export function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name);
}

export function unknownMarket(market: string): Problem {
  return problem("unknown-market", `No market "${market.slice(0, 100)}". /v1/markets lists those there are.`);
}

/** What the feed refused, as it said it. */
export function feedProblem(refusal: Refusal): Problem {
  return problem(FEED_PROBLEMS[refusal.reason], refusal.detail, { reason: refusal.reason });
}

const FEED_PROBLEMS: Readonly<Record<Unavailable, ProblemName>> = {
  "unknown-market": "unknown-market",
  disconnected: "disconnected",
  syncing: "syncing",
  stale: "stale-book",
  "no-mid": "no-mid",
  "warming-up": "warming-up",
};

/** What the feed has no rows of. */
export function rowsProblem({ reason, detail }: RowsRefusal): Problem {
  return problem(reason === "not-computed" ? "model-mismatch" : "warming-up", detail, { reason });
}

export function modelProblem(refusal: ModelRefusal): Problem {
  const name = refusal.fault === "fingerprint-mismatch" ? "model-mismatch" : "model-unavailable";
  return problem(name, refusal.detail, { reason: refusal.fault });
}

function kind<S extends ProblemKind["status"]>(
  status: S,
  title: string,
  description: string,
  retryAfterS: number | null = null,
): ProblemKind & { status: S } {
  return { status, title, description, retryAfterS };
}
