/**
 * The key grammar of the object store (R2). Keys sort by time within a market.
 *
 * ```
 * tape/v1/<venue>/<symbol>/<yyyy>-<mm>-<dd>/<HH><MM>.tape.gz   one market's records received in that UTC minute
 * tape/v1/<venue>/_feed.<feed>/<yyyy>-<mm>-<dd>/<HH><MM>.tape.gz   records of a feed that belong to no one market
 * models/<id>/<version>/manifest.json | model.onnx             a published model
 * models/active.json                                           which one is served
 * ```
 * A tape object is a sequence of gzip members; `zcat` reads it, and members may be appended by concatenation.
 */

import { parseMarketId } from "../market/instrument.ts";

/** The pseudo-symbol of records that belong to no one market (undecodable frames, acknowledgements). */
export const FEED_TAPE_SYMBOL = "_feed";

/** In keys the feed's name is added: two feeds may share a venue. */
export function feedTapeSymbol(feed: string): string {
  return `${FEED_TAPE_SYMBOL}.${feed}`;
}

export const ACTIVE_MODEL_KEY = "models/active.json";

export function tapeKey(venue: string, symbol: string, minuteMs: number): string {
  const iso = new Date(minuteMs).toISOString();
  return `tape/v1/${venue}/${symbol}/${iso.slice(0, 10)}/${iso.slice(11, 13)}${iso.slice(14, 16)}.tape.gz`;
}

/** @returns null when the key is not a tape's. */
export function parseTapeKey(key: string): { venue: string; symbol: string; minuteMs: number } | null {
  const match = /^tape\/v1\/([^/]+)\/([^/]+)\/(\d{4}-\d{2}-\d{2})\/(\d{2})(\d{2})\.tape\.gz$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  const minuteMs = Date.parse(`${match[3]}T${match[4]}:${match[5]}:00.000Z`);
  return Number.isNaN(minuteMs) ? null : { venue: match[1], symbol: match[2], minuteMs };
}

/** Prefix under which a market's tapes of one UTC day (`yyyy-mm-dd`) lie. */
export function tapeDayPrefix(market: string, day: string): string | null {
  const parts = parseMarketId(market);
  return parts === null ? null : `tape/v1/${parts.venue}/${parts.symbol}/${day}/`;
}

export function modelKey(id: string, version: string, file: "manifest.json" | "model.onnx"): string {
  return `models/${id}/${version}/${file}`;
}
