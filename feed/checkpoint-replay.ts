/** A checkpoint of a tape, in a replay: taken where there is no book, compared where there is. */

import type { OrderBook } from "../core/book/order-book.ts";
import type { SnapshotEvent } from "../core/market/event.ts";
import type { Decoder } from "../exchanges/contract.ts";
import type { BookCheck } from "./book-check.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What of a market a checkpoint is compared with, or put into. */
export interface CheckpointTarget {
  readonly symbol: string;
  readonly isLive: boolean;
  readonly lastSequence: number | null;
  readonly book: OrderBook;
  readonly check: BookCheck;
  onSnapshot(event: SnapshotEvent, receivedAt: number): void;
}

/** @returns what it was: `differs` from the book that is held, or its memory can't be read. */
export function replayCheckpoint(
  checkpoint: Checkpoint,
  receivedAt: number,
  { target, decoder }: { target: CheckpointTarget; decoder: Decoder },
): "taken" | "equal" | "differs" | "malformed" {
  const { symbol, book, check } = target;
  const { lastSequence, levels, window, memory } = checkpoint;
  if (target.isLive) return target.lastSequence === lastSequence && book.contentHash() === checkpoint.contentHash ? "equal" : "differs";
  if (memory !== null && !decoder.recall(symbol, memory)) return "malformed";
  target.onSnapshot({ kind: "snapshot", symbol, venueTime: null, lastSequence, levels }, receivedAt);
  // What was known of the book then, and since when it was confirmed, so that a replay loses it when the feed did.
  if (target.lastSequence !== lastSequence) return "taken";
  if (window.bidTicks !== null) book.bids.markCompleteTo(window.bidTicks);
  if (window.askTicks !== null) book.asks.markCompleteTo(window.askTicks);
  check.replaced(book, window.confirmedAt);
  return "taken";
}
