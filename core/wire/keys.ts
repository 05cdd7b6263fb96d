/**
 * The key grammar of the object store (R2). Keys sort by time within a venue.
 *
 * ```
 * tape/v2/<venue>/<yyyy>-<mm>-<dd>/<HH><MM>.<feed>.<part>.tapes.gz   what one feed received in that UTC minute, all its markets
 * days/v1/<venue>/<symbol>/<yyyy>-<mm>-<dd>.<part>.<head>.day        a day file: all of one market on that UTC day
 * work/v1/<venue>/<symbol>/<yyyy>-<mm>-<dd>/<sources>/<step>         a day file while it is written; gone when it is whole
 * models/<id>/<version>/manifest-<sha256>.json | model.onnx          a published model
 * ```
 * A tapes object is the gzip members of one market after those of another; whose are where says its directory (minute-tapes.ts). Objects are
 * never changed: what comes of a minute that is stored already is its next part. Day files are alike: what came after one was whole is in the
 * day's next part, and `<head>`, the first 12 hex digits of the chain's head, names the content.
 *
 * A market's minute by itself, as the API gives it out and as a tree of files holds it, has a name of its own:
 *
 * ```
 * tape/v1/<venue>/<symbol>/<yyyy>-<mm>-<dd>/<HH><MM>.tape.gz
 * ```
 * It is a sequence of gzip members; `zcat` reads it, and files may be appended by concatenation.
 */

/** The pseudo-symbol of records that belong to no one market (undecodable frames, acknowledgements). */
export const FEED_TAPE_SYMBOL = "_feed";

/** Where instances named their model before the database had roles: read once, when the first model is published into such an instance. */
export const ACTIVE_MODEL_KEY = "models/active.json";

/** Below it lie the venues. */
export const TAPES_PREFIX = "tape/v2/";

const HEAD_DIGITS = 12;
/** Parts of a market's day: each is a time when something came late. */
export const MAX_DAY_PARTS = 100;

/** Parts of one feed and minute. Two writers who differ make two; a feed whose minute is larger than an object may be makes a few more. */
export const MAX_TAPES_PARTS = 100;

export interface TapesObjectName {
  readonly venue: string;
  readonly feed: string;
  /** Start of the minute, epoch ms. */
  readonly minuteMs: number;
  /** From 0 on. */
  readonly part: number;
}

export function tapesKey({ venue, feed, minuteMs, part }: TapesObjectName): string {
  return `${tapesMinutePrefix(venue, minuteMs)}${feed}.${String(part).padStart(2, "0")}.tapes.gz`;
}

/** @returns null when the key is not one of tapes. */
export function parseTapesKey(key: string): TapesObjectName | null {
  const match = /^tape\/v2\/([^/]+)\/(\d{4}-\d{2}-\d{2})\/(\d{2})(\d{2})\.([a-z0-9-]+)\.(\d{2})\.tapes\.gz$/.exec(key);
  if (match === null) return null;
  const [, venue = "", day, hours, minutes, feed = "", part] = match;
  const minuteMs = Date.parse(`${day}T${hours}:${minutes}:00.000Z`);
  return Number.isNaN(minuteMs) ? null : { venue, feed, minuteMs, part: Number(part) };
}

/** Every feed's tapes of a venue in one minute begin so. */
export function tapesMinutePrefix(venue: string, minuteMs: number): string {
  const iso = new Date(minuteMs).toISOString();
  return `${tapesDayPrefix(venue, iso.slice(0, 10))}${iso.slice(11, 13)}${iso.slice(14, 16)}.`;
}

/** @param day UTC, `yyyy-mm-dd`. */
export function tapesDayPrefix(venue: string, day: string): string {
  return `${tapesVenuePrefix(venue)}${day}/`;
}

/** Below it lie a venue's days, one "folder" each. */
export function tapesVenuePrefix(venue: string): string {
  return `${TAPES_PREFIX}${venue}/`;
}

export interface DayFileKey {
  readonly venue: string;
  readonly symbol: string;
  /** UTC, `yyyy-mm-dd`. */
  readonly day: string;
  /** From 0 on. */
  readonly part: number;
  /** The first 12 hex digits of the head; more are cut. */
  readonly head: string;
}

export function dayFileKey({ venue, symbol, day, part, head }: DayFileKey): string {
  return `days/v1/${venue}/${symbol}/${day}.${String(part).padStart(2, "0")}.${head.slice(0, HEAD_DIGITS)}.day`;
}

/** @returns null when the key is not a day file's. */
export function parseDayFileKey(key: string): DayFileKey | null {
  const match = /^days\/v1\/([^/]+)\/([^/]+)\/(\d{4}-\d{2}-\d{2})\.(\d{2})\.([0-9a-f]{12})\.day$/.exec(key);
  if (match === null) return null;
  const [, venue = "", symbol = "", day = "", part, head = ""] = match;
  return { venue, symbol, day, part: Number(part), head };
}

/** Where a day file is made; `sources` names what it is made of, so that other sources are other work. Without them: all work on that day. */
export function dayWorkPrefix(market: { readonly venue: string; readonly symbol: string }, day: string, sources?: string): string {
  const prefix = `work/v1/${market.venue}/${market.symbol}/${day}/`;
  return sources === undefined ? prefix : `${prefix}${sources}/`;
}

export function dayWorkKey(prefix: string, step: number): string {
  return `${prefix}${String(step).padStart(5, "0")}`;
}

export function tapeKey(venue: string, symbol: string, minuteMs: number): string {
  const iso = new Date(minuteMs).toISOString();
  return `tape/v1/${venue}/${symbol}/${iso.slice(0, 10)}/${iso.slice(11, 13)}${iso.slice(14, 16)}.tape.gz`;
}

/** @returns null when the key is not a market's minute. */
export function parseTapeKey(key: string): { venue: string; symbol: string; minuteMs: number } | null {
  const match = /^tape\/v1\/([^/]+)\/([^/]+)\/(\d{4}-\d{2}-\d{2})\/(\d{2})(\d{2})\.tape\.gz$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  const minuteMs = Date.parse(`${match[3]}T${match[4]}:${match[5]}:00.000Z`);
  return Number.isNaN(minuteMs) ? null : { venue: match[1], symbol: match[2], minuteMs };
}

export function modelKey({ id, version }: { readonly id: string; readonly version: string }): string {
  return `models/${id}/${version}/model.onnx`;
}

/**
 * By its own hash: a version that is published again with another manifest leaves the one before where it is, for whoever still goes by that.
 * @param manifestSha256 lower-case hex; null: where instances that named their model in models/active.json have it
 */
export function manifestKey({ id, version }: { readonly id: string; readonly version: string }, manifestSha256: string | null): string {
  return `models/${id}/${version}/manifest${manifestSha256 === null ? "" : `-${manifestSha256}`}.json`;
}
