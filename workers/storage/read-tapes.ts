/**
 * Reads what is stored of one market: a minute, or a day of them in order, from whatever objects hold it (tapes.ts).
 *
 * Listing is what finds them: it needs no table, tells where each market lies, and can't be behind what is stored.
 */

import { MS_PER_DAY, MS_PER_MINUTE, startOfDay } from "../../core/units/time.ts";
import { parseTapesKey, tapesDayPrefix, tapesMinutePrefix } from "../../core/wire/keys.ts";
import type { TapePlace } from "../../core/wire/minute-tapes.ts";
import { directoryOf } from "./tapes.ts";

export interface TapePiece extends TapePlace {
  readonly etag: string;
  /** When its object was stored, by the store's clock, epoch ms. */
  readonly uploadedAt: number;
}

/** One market's members of one minute, in the order in which they were stored. */
export interface MinuteTape {
  /** Start of the minute, epoch ms. */
  readonly minute: number;
  readonly pieces: readonly TapePiece[];
}

export interface DayTapes {
  /** Oldest first. */
  readonly minutes: readonly MinuteTape[];
  /** Starts of the day's minutes of which nothing is stored, oldest first. */
  readonly missing: readonly number[];
}

/** A page has up to 1,000 objects, fewer with their metadata. A day of a hundred feeds, a part each, is 144,000. */
const MAX_PAGES = 1_000;

/** @returns the pieces; none when nothing of the market is stored in that minute. */
export async function findMinuteTape(
  bucket: R2Bucket,
  market: { venue: string; symbol: string },
  minute: number,
): Promise<readonly TapePiece[]> {
  const found = await piecesBelow(bucket, tapesMinutePrefix(market.venue, minute), market.symbol);
  return found.get(minute) ?? [];
}

/** @param day UTC, `yyyy-mm-dd`. Throws RangeError on one that no calendar has. */
export async function findDayTapes(bucket: R2Bucket, market: { venue: string; symbol: string }, day: string): Promise<DayTapes> {
  const start = startOfDay(day);
  if (start === null) throw new RangeError(`no such day: ${day}`);
  const found = await piecesBelow(bucket, tapesDayPrefix(market.venue, day), market.symbol);
  const all = Array.from({ length: MS_PER_DAY / MS_PER_MINUTE }, (_, index) => start + index * MS_PER_MINUTE);
  return {
    minutes: all.flatMap((minute) => {
      const pieces = found.get(minute);
      return pieces === undefined ? [] : [{ minute, pieces }];
    }),
    missing: all.filter((minute) => !found.has(minute)),
  };
}

/** The gzip members, one after the other. One range of one object is read for each piece. */
export async function readPieces(bucket: R2Bucket, pieces: readonly TapePiece[]): Promise<Uint8Array> {
  const whole = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const { key, offset, bytes } of pieces) {
    const object = await bucket.get(key, { range: { offset, length: bytes } });
    if (object === null) throw new Error(`the tapes ${key} were listed and are gone`);
    const read = new Uint8Array(await object.arrayBuffer());
    if (read.byteLength !== bytes) throw new Error(`the tapes ${key} gave ${read.byteLength} of ${bytes} bytes from ${offset} on`);
    whole.set(read, at);
    at += bytes;
  }
  return whole;
}

/** A day's minutes one after the other, so that memory holds one of them. */
export async function* readDayTapes(bucket: R2Bucket, { minutes }: DayTapes): AsyncGenerator<{ minute: number; bytes: Uint8Array }> {
  for (const { minute, pieces } of minutes) yield { minute, bytes: await readPieces(bucket, pieces) };
}

/** By minute, each minute's in the order of their keys: feed by feed, part by part. */
async function piecesBelow(bucket: R2Bucket, prefix: string, symbol: string): Promise<Map<number, TapePiece[]>> {
  const found = new Map<number, TapePiece[]>();
  for await (const objects of listPages(bucket, prefix)) {
    for (const object of objects) {
      const name = parseTapesKey(object.key);
      const range = name === null ? undefined : directoryOf(object).get(symbol);
      if (name === null || range === undefined) continue;
      const piece = { key: object.key, etag: object.etag, uploadedAt: object.uploaded.getTime(), ...range };
      const pieces = found.get(name.minuteMs);
      if (pieces === undefined) found.set(name.minuteMs, [piece]);
      else pieces.push(piece);
    }
  }
  return found;
}

/** Objects below a prefix, with their metadata, page by page. */
export async function* listPages(bucket: R2Bucket, prefix: string): AsyncGenerator<readonly R2Object[]> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await bucket.list({ prefix, include: ["customMetadata"], ...(cursor === undefined ? {} : { cursor }) });
    yield listed.objects;
    if (!listed.truncated) return;
    cursor = listed.cursor;
  }
  throw new Error(`more than ${MAX_PAGES} pages of objects below ${prefix}`);
}
