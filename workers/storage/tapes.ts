/**
 * Tapes in R2, one object per market and minute under the grammar of core/wire/keys.ts.
 *
 * A key holds one content: writing it twice writes the same bytes, and the store checks them against their SHA-256 on the way in.
 */

import { tapeKey } from "../../core/wire/keys.ts";

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

/** @throws what the store throws: the tape is then not stored, or stored whole. */
export async function putTape(bucket: R2Bucket, tape: Tape): Promise<TapeObject> {
  const key = tapeKey(tape.venue, tape.symbol, tape.minute);
  await bucket.put(key, tape.bytes, {
    sha256: await crypto.subtle.digest("SHA-256", tape.bytes),
    httpMetadata: { contentType: "application/gzip" },
    customMetadata: { feed: tape.feed, venue: tape.venue, symbol: tape.symbol, minute: new Date(tape.minute).toISOString() },
  });
  return { key, bytes: tape.bytes.byteLength };
}

/** @returns null when nothing was recorded; an object without a body when `onlyIf` says the caller has it already. */
export async function getTape(
  bucket: R2Bucket,
  address: Pick<Tape, "venue" | "symbol" | "minute">,
  onlyIf: Headers,
): Promise<R2ObjectBody | R2Object | null> {
  return bucket.get(tapeKey(address.venue, address.symbol, address.minute), { onlyIf });
}
