/**
 * What one connection brought, or the tape of one market of it: where its records come from, in the order in which they were received. Files and the
 * simulator all come down to this, and from here on nothing knows which it was.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";

export interface FeedSource {
  /** For the card: file names or the simulator's settings, never a path. */
  readonly name: string;
  readonly venue: string;
  /** Those that are wanted; the records may speak of others too. */
  readonly instruments: readonly Instrument[];
  /** Whether the records are all of a connection's, or one market's alone (feed-markets.ts). */
  readonly frames: "whole" | "one-market";
  /** What `records` will read, for a progress bar: bytes of files, or milliseconds of simulated time. */
  readonly size: number;
  /** @param onProgress called with what has been read of `size`. */
  records(onProgress: (done: number) => void): AsyncIterable<readonly SourceRecord[]>;
}

/** A record, or a line that is none: counted, never fatal. */
export type SourceRecord = TapeRecord | { readonly malformed: string };
