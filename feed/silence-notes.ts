/**
 * Silences of a live book that are too short to be stale, written down for whoever must know of each: a venue whose feed stops for seconds every minute
 * is whole by every other rule, and what is computed over its silences is not.
 *
 * A silence ends with the next message of the book, whatever that says, and is in the ledger as it ends, `noted`: nothing is asked for anew. One that ends
 * otherwise is the gap that ended it: a connection that went down, a book that was lost or given up as stale. Trades and quotes don't vouch for a book.
 */

import type { GapTracker } from "./gap-tracker.ts";

export class SilenceNotes {
  private readonly gaps: GapTracker;
  private readonly boundMs: number | null;
  private lastAt: number | null = null;

  /** @param boundMs the longest silence that is none; null where none is to be noted. */
  constructor(gaps: GapTracker, boundMs: number | null) {
    this.gaps = gaps;
    this.boundMs = boundMs;
  }

  /** The book is live from `at` on. */
  begin(at: number): void {
    this.lastAt = at;
  }

  /** The book is lost. */
  stop(): void {
    this.lastAt = null;
  }

  /** A message of the book has come; nothing, while it is not live. */
  heard(at: number): void {
    const from = this.lastAt;
    if (from === null || this.boundMs === null) return;
    this.lastAt = at;
    if (at - from <= this.boundMs) return;
    this.gaps.note({ from, to: at, reason: "silence", detail: `${at - from} ms without a message of the book` });
  }

  /** How much of a silence counts as covered, of what its own pace allows. */
  allowedMs(byPaceMs: number): number {
    return this.boundMs === null ? byPaceMs : Math.min(byPaceMs, this.boundMs);
  }
}
