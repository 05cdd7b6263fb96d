/**
 * Tapes in R2: one object for each feed and minute (core/wire/minute-tapes.ts) under the grammar of core/wire/keys.ts.
 *
 * What is stored is never lost, and an object never changes: each is written only where none is. Of a minute that is stored already, the same
 * bytes change nothing; other bytes (a restart with a clock slightly behind, records that were flushed late) become the minute's next part,
 * without what the parts before hold. A market that moved to another feed within the minute lies in both feeds' objects. Whoever reads a
 * market's minute gets what all of them hold of it. The store checks each content against its SHA-256 on the way in.
 */

import { MAX_TAPES_PARTS, tapesKey } from "../../core/wire/keys.ts";
import { layOut, parseDirectory, type SymbolTape, type TapePlace, type TapeRange, withoutStored } from "../../core/wire/minute-tapes.ts";
import { logWarning } from "../log.ts";

export interface MinuteTapes {
  readonly feed: string;
  readonly venue: string;
  /** Start of the minute, epoch ms. */
  readonly minute: number;
  readonly tapes: readonly SymbolTape[];
}

export interface StoredTapes {
  /** By symbol; where a market's members lie in several parts, the largest piece. */
  readonly places: ReadonlyMap<string, TapePlace>;
  /** Objects written: none when all was there. */
  readonly objects: number;
}

/** @throws what the store throws: doing it again is then right, whatever had been stored. */
export async function putTapes(bucket: R2Bucket, given: MinuteTapes): Promise<StoredTapes> {
  const places = new Map<string, TapePlace>();
  let left = given.tapes.filter(({ bytes }) => bytes.byteLength > 0);
  for (let part = 0; part < MAX_TAPES_PARTS && left.length > 0; part++) {
    const key = tapesKey({ venue: given.venue, feed: given.feed, minuteMs: given.minute, part });
    if (await putWhereNoneIs(bucket, key, { ...given, tapes: left })) {
      if (part > 0) logWarning("tape-part-added", { key, symbols: left.length });
      const { directory, body } = layOut(left);
      note(places, key, readDirectory(directory, body.byteLength, key));
      return { places, objects: 1 };
    }
    left = await notIn(bucket, key, { left, places });
  }
  if (left.length > 0)
    throw new Error(`${given.feed} has ${MAX_TAPES_PARTS} parts of ${new Date(given.minute).toISOString()}, and would have more`);
  return { places, objects: 0 };
}

/** What of the tapes the object doesn't hold; where it holds what was looked for is noted. */
async function notIn(
  bucket: R2Bucket,
  key: string,
  { left, places }: { left: readonly SymbolTape[]; places: Map<string, TapePlace> },
): Promise<SymbolTape[]> {
  const head = await bucket.head(key);
  if (head === null) throw new Error(`the tapes ${key} were there and are gone`);
  const ranges = directoryOf(head);
  // The feed's other markets may fill this part alone: then there is nothing to read.
  if (!left.some(({ symbol }) => ranges.has(symbol))) return [...left];
  const object = await bucket.get(key);
  if (object === null) throw new Error(`the tapes ${key} were there and are gone`);
  const body = new Uint8Array(await object.arrayBuffer());
  return left.flatMap(({ symbol, bytes }) => {
    const range = ranges.get(symbol);
    if (range === undefined) return [{ symbol, bytes }];
    const rest = withoutStored(bytes, body.subarray(range.offset, range.offset + range.bytes));
    if (rest.byteLength < bytes.byteLength) note(places, key, new Map([[symbol, range]]));
    return rest.byteLength === 0 ? [] : [{ symbol, bytes: rest }];
  });
}

function note(places: Map<string, TapePlace>, key: string, ranges: ReadonlyMap<string, TapeRange>): void {
  for (const [symbol, range] of ranges) {
    if (range.bytes > (places.get(symbol)?.bytes ?? 0)) places.set(symbol, { key, ...range });
  }
}

/** @returns whether there was none, and the bytes are stored. */
async function putWhereNoneIs(bucket: R2Bucket, key: string, { feed, venue, minute, tapes }: MinuteTapes): Promise<boolean> {
  const { directory, body } = layOut(tapes);
  const object = await bucket.put(key, body, {
    onlyIf: { etagDoesNotMatch: "*" },
    sha256: await crypto.subtle.digest("SHA-256", body),
    httpMetadata: { contentType: "application/gzip" },
    customMetadata: { feed, venue, minute: new Date(minute).toISOString(), directory },
  });
  return object !== null;
}

/** @throws on a directory that isn't the object's: our own cron wrote it, so that is a bug, or not our object. */
export function directoryOf(object: R2Object): Map<string, TapeRange> {
  return readDirectory(object.customMetadata?.directory ?? "", object.size, object.key);
}

function readDirectory(text: string, bytes: number, key: string): Map<string, TapeRange> {
  const ranges = parseDirectory(text, bytes);
  if (ranges === null) throw new Error(`the tapes ${key} of ${bytes} bytes have the directory "${text.slice(0, 200)}"`);
  return ranges;
}
