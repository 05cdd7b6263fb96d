/**
 * The key grammar of the object store (R2). Keys sort by time within a venue.
 *
 * ```
 * tape/v2/<venue>/<yyyy>-<mm>-<dd>/<HH><MM>.<feed>.<part>.tapes.gz   what one feed received in that UTC minute, all its markets
 * models/<id>/<version>/manifest.json | model.onnx                   a published model
 * models/active.json                                                 which one is served
 * ```
 * A tapes object is the gzip members of one market after those of another; whose are where says its directory (minute-tapes.ts). Objects are
 * never changed: what comes of a minute that is stored already is its next part.
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

export const ACTIVE_MODEL_KEY = "models/active.json";

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
  return `tape/v2/${venue}/${day}/`;
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

export function modelKey(id: string, version: string, file: "manifest.json" | "model.onnx"): string {
  return `models/${id}/${version}/${file}`;
}
