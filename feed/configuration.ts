/**
 * Which markets share a feed object: configuration text, judged once, with an error that says what to change.
 *
 * By default all feeds share one object, since one always-on object lies inside the plan and each further one costs as much again; a busy market
 * gets its own by one more entry that names another object.
 */

import type { FeatureSet } from "../core/features/contract.ts";
import { featureSetNamed, featureSets, featureSetV1, featureSetV2, featureSetVolumes10 } from "../core/features/registry.ts";
import { type Instrument, marketId } from "../core/market/instrument.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { VenueHosts, VenueKey } from "../exchanges/contract.ts";

/** At least one. */
export type FeatureSets = readonly [FeatureSet, ...FeatureSet[]];

export interface FeedConfiguration {
  /** Its name: one connection to one venue. */
  readonly feed: string;
  /** The object that holds it, with the others that name the same one: by default all share one. */
  readonly object: string;
  readonly venue: string;
  readonly symbols: readonly string[];
  /** Levels a side in each minute's snapshot; 20 where nothing is said. */
  readonly levels?: number;
  /** Silences of a book beyond so many ms are in the ledger; where nothing is said, only those that its own pace doesn't allow. */
  readonly silenceMs?: number;
  /** How often books that nothing numbers are compared with another connection's; each ten minutes where nothing is said. */
  readonly auditMs?: number;
  /** Ids of the feature sets that are computed of each market, at least one; v1, v2 and volumes-10 where nothing is said. Minute rows store the first one's. */
  readonly features?: readonly string[];
}

/** v1 first: the rows that are stored have been its since the first. */
const DEFAULT_FEATURE_SETS: FeatureSets = [featureSetV1, featureSetV2, featureSetVolumes10];
export const DEFAULT_OBJECT = "main";
const FEED_NAME = /^[a-z0-9-]{1,40}$/;
const SYMBOL = /^[A-Za-z0-9_.-]{1,40}$/;
export const MAX_SNAPSHOT_LEVELS = 1_000;
/**
 * Symbols times levels. A closed minute of all a feed's markets is one row of its object's SQLite, which holds 2 MB, and a level is at most 36
 * characters of it: two sides of so many are 1.44 MB.
 */
const MAX_LEVELS_OF_FEED = 20_000;
/** Each silence is a row: a market that speaks once a second would fill the ledger with less. */
const SHORTEST_SILENCE_MS = 1_000;

/** A standby that failed is followed by the next after three minutes: sooner than each minute there would always be one. */
const SHORTEST_AUDIT_MS = MS_PER_MINUTE;

/** @param text the FEEDS variable: `[{"feed":"main","venue":"binance-spot","symbols":["BTCUSDT"],"levels":20,"object":"main"}]`; levels, silenceMs, auditMs, features and object may be left out. */
export function parseFeeds(text: string): FeedConfiguration[] | { malformed: string } {
  const value = parseJson(text);
  if (!Array.isArray(value) || value.length === 0)
    return { malformed: `FEEDS must be a JSON list with at least one feed, and is: ${text.slice(0, 80)}` };
  const feeds: FeedConfiguration[] = [];
  const taken = new Set<string>();
  for (const item of value as unknown[]) {
    const feed = feedOf(item);
    if ("malformed" in feed) return feed;
    for (const name of [feed.feed, ...feed.symbols.map((symbol) => marketId(feed.venue, symbol))]) {
      if (taken.has(name)) return { malformed: `FEEDS names ${name} twice` };
      taken.add(name);
    }
    feeds.push(feed);
  }
  return feeds;
}

/** @param text the VENUE_HOSTS variable: hosts that stand in for a venue's own, by venue. */
export function parseVenueHosts(text: string): Map<string, VenueHosts> | { malformed: string } {
  const value = parseJson(text === "" ? "{}" : text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { malformed: "VENUE_HOSTS must be a JSON object by venue" };
  const hosts = new Map<string, VenueHosts>();
  for (const [venue, entry] of Object.entries(value)) {
    const { stream, rest } = (entry ?? {}) as Record<string, unknown>;
    if (typeof stream !== "string" || typeof rest !== "string")
      return { malformed: `VENUE_HOSTS of ${venue} needs "stream" and "rest" addresses` };
    hosts.set(venue, { stream, rest });
  }
  return hosts;
}

/** @param text the VENUE_KEYS secret: `{"coinbase-advanced":{"id":"…","secret":"…"}}`; empty without keys. */
export function parseVenueKeys(text: string): Map<string, VenueKey> | { malformed: string } {
  const value = parseJson(text === "" ? "{}" : text);
  // Nothing of a secret is shown, not even of one that can't be read.
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { malformed: "VENUE_KEYS must be a JSON object by venue" };
  const keys = new Map<string, VenueKey>();
  for (const [venue, entry] of Object.entries(value)) {
    const { id, secret } = (entry ?? {}) as Record<string, unknown>;
    if (typeof id !== "string" || typeof secret !== "string") return { malformed: `VENUE_KEYS of ${venue} needs "id" and "secret"` };
    keys.set(venue, { id, secret });
  }
  return keys;
}

/** The feed that holds a market; null when none does. */
export function feedOfMarket(feeds: readonly FeedConfiguration[], market: string): FeedConfiguration | null {
  return feeds.find((feed) => feed.symbols.some((symbol) => marketId(feed.venue, symbol) === market)) ?? null;
}

/** What is computed of each of a feed's markets. @throws for ids that `parseFeeds` refuses. */
export function featureSetsOf({ feed, features }: Pick<FeedConfiguration, "feed" | "features">): FeatureSets {
  if (features === undefined) return DEFAULT_FEATURE_SETS;
  const sets = namedFeatureSets(feed, features);
  if ("malformed" in sets) throw new RangeError(sets.malformed);
  return sets;
}

function namedFeatureSets(feed: string, ids: unknown): FeatureSets | { malformed: string } {
  const sets = Array.isArray(ids) ? ids.map((id) => (typeof id === "string" ? featureSetNamed(id) : null)) : [];
  const [first, ...further] = sets.filter((set) => set !== null);
  const isEachOnce = new Set(sets).size === sets.length;
  if (first !== undefined && further.length === sets.length - 1 && isEachOnce) return [first, ...further];
  const known = featureSets.map(({ id }) => id).join(", ");
  return {
    malformed: `the features of feed ${feed} must be a list of ${known}, each at most once, and are: ${JSON.stringify(ids)?.slice(0, 80)}`,
  };
}

/** The symbols of a feed that its venue does not list. */
export function missingSymbols(feed: FeedConfiguration, instruments: readonly Instrument[]): string[] {
  return feed.symbols.filter((symbol) => !instruments.some((instrument) => instrument.symbol === symbol));
}

function feedOf(value: unknown): FeedConfiguration | { malformed: string } {
  const {
    feed,
    venue,
    symbols,
    levels,
    silenceMs,
    auditMs,
    features,
    object = DEFAULT_OBJECT,
  } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof feed !== "string" || !FEED_NAME.test(feed))
    return { malformed: `a feed's name must be of a-z, 0-9 and -, and is: ${String(feed)}` };
  if (typeof venue !== "string" || !FEED_NAME.test(venue))
    return { malformed: `the venue of feed ${feed} is no venue name: ${String(venue)}` };
  const isSymbol = (item: unknown): item is string => typeof item === "string" && SYMBOL.test(item);
  if (!Array.isArray(symbols) || symbols.length === 0 || !symbols.every(isSymbol))
    return { malformed: `feed ${feed} needs a list of symbols` };
  if (typeof object !== "string" || !FEED_NAME.test(object))
    return { malformed: `the object of feed ${feed} must be of a-z, 0-9 and -, and is: ${String(object)}` };
  if (silenceMs !== undefined && (typeof silenceMs !== "number" || !Number.isInteger(silenceMs) || silenceMs < SHORTEST_SILENCE_MS))
    return {
      malformed: `the silenceMs of feed ${feed} must be a whole number from ${SHORTEST_SILENCE_MS} on, and is: ${JSON.stringify(silenceMs)}`,
    };
  if (auditMs !== undefined && (typeof auditMs !== "number" || !Number.isInteger(auditMs) || auditMs < SHORTEST_AUDIT_MS))
    return {
      malformed: `the auditMs of feed ${feed} must be a whole number from ${SHORTEST_AUDIT_MS} on, and is: ${JSON.stringify(auditMs)}`,
    };
  const sets = features === undefined ? null : namedFeatureSets(feed, features);
  if (sets !== null && "malformed" in sets) return sets;
  const named = {
    ...{ feed, object, venue, symbols },
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(auditMs === undefined ? {} : { auditMs }),
    ...(sets === null ? {} : { features: sets.map(({ id }) => id) }),
  };
  if (levels === undefined) return named;
  if (typeof levels !== "number" || !Number.isInteger(levels) || levels < 1 || levels > MAX_SNAPSHOT_LEVELS)
    return {
      malformed: `the levels of feed ${feed} must be a whole number from 1 to ${MAX_SNAPSHOT_LEVELS}, and are: ${JSON.stringify(levels)}`,
    };
  if (levels * symbols.length > MAX_LEVELS_OF_FEED)
    return {
      malformed: `feed ${feed} has ${symbols.length} symbols of ${levels} levels: at most ${MAX_LEVELS_OF_FEED} levels in all, so fewer levels, or more feeds`,
    };
  return { ...named, levels };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
