/**
 * Which feed carries which market: the FEEDS variable, read once per request or run.
 *
 * Refused, naming the place at fault: text that is not JSON, unknown fields, a feed named twice, a market carried twice. A deployment with
 * such a variable answers nothing but that error, since half a configuration would record half the markets in silence.
 */

import { z } from "zod";
import { marketId } from "../core/market/instrument.ts";

export interface FeedAssignment {
  /** Name of the feed object. */
  readonly feed: string;
  readonly venue: string;
  readonly symbols: readonly string[];
}

export interface FeedDirectory {
  readonly assignments: readonly FeedAssignment[];
  /** Null when no feed carries the market. */
  feedOf(market: string): FeedAssignment | null;
}

const assignments = z
  .array(
    z.strictObject({
      feed: z.string().regex(/^[a-z0-9-]{1,40}$/, "not a name in lower-case letters, digits and hyphens"),
      venue: z.string().regex(/^[a-z0-9-]{1,40}$/, "not a venue"),
      symbols: z
        .array(z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/, "not a symbol"))
        .min(1)
        .max(1_000),
    }),
  )
  .min(1);

/** @throws Error that says what is wrong with the variable. */
export function readFeedDirectory(text: string): FeedDirectory {
  const parsed = assignments.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`FEEDS is not a list of {feed, venue, symbols}: ${issue?.path.join(".") || "(root)"}: ${issue?.message}`);
  }
  return directoryOf(parsed.data);
}

function directoryOf(list: readonly FeedAssignment[]): FeedDirectory {
  const byMarket = new Map<string, FeedAssignment>();
  const names = new Set<string>();
  for (const assignment of list) {
    if (names.has(assignment.feed)) throw new Error(`FEEDS names the feed "${assignment.feed}" twice`);
    names.add(assignment.feed);
    for (const symbol of assignment.symbols) {
      const market = marketId(assignment.venue, symbol);
      if (byMarket.has(market)) throw new Error(`FEEDS carries ${market} twice`);
      byMarket.set(market, assignment);
    }
  }
  return { assignments: list, feedOf: (market) => byMarket.get(market) ?? null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`FEEDS is not JSON: ${text.slice(0, 60)}`);
  }
}
