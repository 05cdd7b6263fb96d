/**
 * Tapes in R2, one object per market and minute under the grammar of core/wire/keys.ts.
 *
 * What is stored is never lost: an object is only ever added to. Writing the same bytes again changes nothing; other bytes of the same minute
 * (a restart with a clock slightly behind, a market that moved to another feed within the minute) are put behind those that are there, since
 * gzip members may be concatenated. The store checks each content against its SHA-256 on the way in.
 */

import { tapeKey } from "../../core/wire/keys.ts";
import { logWarning } from "../log.ts";

export interface Tape {
  readonly feed: string;
  readonly venue: string;
  readonly symbol: string;
  /** Start of the minute, epoch ms. */
  readonly minute: number;
  /** gzip members. */
  readonly bytes: Uint8Array;
}

export interface TapeObject {
  readonly key: string;
  readonly bytes: number;
}

/** Writers who may come in between, one after the other: there are two at most, an early run and a late one. */
const JOINS_TRIED = 5;

/** @throws what the store throws: the tape is then not stored, or stored whole. @returns the object with all that it holds now. */
export async function putTape(bucket: R2Bucket, tape: Tape): Promise<TapeObject> {
  const key = tapeKey(tape.venue, tape.symbol, tape.minute);
  const stored = await putIf(bucket, { key, tape, bytes: tape.bytes, onlyIf: { etagDoesNotMatch: "*" } });
  return stored ? { key, bytes: tape.bytes.byteLength } : joinTape(bucket, key, tape);
}

async function joinTape(bucket: R2Bucket, key: string, tape: Tape): Promise<TapeObject> {
  for (let tried = 0; tried < JOINS_TRIED; tried++) {
    const object = await bucket.get(key);
    if (object === null) throw new Error(`the tape ${key} was there and is gone`);
    const existing = new Uint8Array(await object.arrayBuffer());
    const joined = join(existing, tape.bytes);
    if (joined === existing) return { key, bytes: existing.byteLength };
    if (await putIf(bucket, { key, tape, bytes: joined, onlyIf: { etagMatches: object.etag } })) {
      logWarning("tape-joined", { key, had: existing.byteLength, given: tape.bytes.byteLength, has: joined.byteLength });
      return { key, bytes: joined.byteLength };
    }
  }
  throw new Error(`the tape ${key} was changed by others ${JOINS_TRIED} times while it was added to`);
}

/** One where it holds the other, so that doing it again adds nothing; both, one behind the other, where neither does. */
function join(existing: Uint8Array, given: Uint8Array): Uint8Array {
  if (holds(existing, given)) return existing;
  if (holds(given, existing)) return given;
  const joined = new Uint8Array(existing.byteLength + given.byteLength);
  joined.set(existing);
  joined.set(given, existing.byteLength);
  return joined;
}

function holds(whole: Uint8Array, part: Uint8Array): boolean {
  const first = part[0];
  if (first === undefined) return true;
  const last = whole.length - part.length;
  for (let at = whole.indexOf(first); at >= 0 && at <= last; at = whole.indexOf(first, at + 1)) {
    if (part.every((byte, index) => whole[at + index] === byte)) return true;
  }
  return false;
}

interface ConditionalPut {
  readonly key: string;
  readonly tape: Tape;
  readonly bytes: Uint8Array;
  readonly onlyIf: R2Conditional;
}

/** @returns whether the condition held, and the bytes are stored. */
async function putIf(bucket: R2Bucket, { key, tape, bytes, onlyIf }: ConditionalPut): Promise<boolean> {
  const object = await bucket.put(key, bytes, {
    onlyIf,
    sha256: await crypto.subtle.digest("SHA-256", bytes),
    httpMetadata: { contentType: "application/gzip" },
    customMetadata: { feed: tape.feed, venue: tape.venue, symbol: tape.symbol, minute: new Date(tape.minute).toISOString() },
  });
  return object !== null;
}

/** @returns null when nothing was recorded; an object without a body when `onlyIf` says the caller has it already. */
export async function getTape(
  bucket: R2Bucket,
  address: Pick<Tape, "venue" | "symbol" | "minute">,
  onlyIf: Headers,
): Promise<R2ObjectBody | R2Object | null> {
  return bucket.get(tapeKey(address.venue, address.symbol, address.minute), { onlyIf });
}
