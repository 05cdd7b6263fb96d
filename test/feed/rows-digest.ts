/**
 * A tape of a generated market through the feed's reducer: the digest of every bit of its feature rows, and the book's hash. The test in Node and the test
 * inside the Workers runtime expect the same constants, so online and offline are one.
 */

import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { marketOf, scriptedFeed } from "./scripted-venue.ts";

const SECONDS = 240;

export interface Digest {
  readonly rows: number;
  readonly rowsHash: string;
  readonly bookHash: string;
  readonly comparisons: number;
  readonly mismatches: number;
}

export const EXPECTED: Digest = { rows: 240, rowsHash: "2d1a255991abe403", bookHash: "e6746beafedc0682", comparisons: 611, mismatches: 0 };

export function digestOfTape(): Digest {
  const feed = scriptedFeed();
  const tape = simulateTape({ preset: "small-tick", seed: 5, symbol: "AAAUSDT", seconds: SECONDS, startTime: Date.UTC(2026, 0, 5) });
  for (const record of tape) feed.record(record);
  const { book, pipeline, check } = marketOf(feed);
  const { comparisons, mismatches } = check;
  return { rows: pipeline.rowCount, rowsHash: pipeline.rowsHash, bookHash: book.contentHash(), comparisons, mismatches };
}
