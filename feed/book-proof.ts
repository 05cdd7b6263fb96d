/**
 * How far a book is known to have been the venue's: since when it is unbroken, when it last changed, when all of it was last the venue's own, how
 * much of each minute it was there. What breaks a book is judged elsewhere (book-check.ts, the venue's sequencer); here stands up to when it was good.
 */

import type { BookCheck } from "./book-check.ts";
import type { GapReason } from "./contract.ts";
import type { Coverage } from "./coverage.ts";
import type { Pace } from "./pace.ts";
import type { SilenceNotes } from "./silence-notes.ts";

export interface BookProofParts {
  readonly coverage: Coverage;
  readonly silences: SilenceNotes;
  readonly pace: Pace;
}

export class BookProof {
  /** When the book last changed or was replaced: what staleness is judged by. Trades and quotes don't vouch for it. */
  lastBookAt: number | null = null;
  unbrokenSince: number | null = null;
  /** Comparisons of the whole book with another connection's, and when the last one was. */
  audits = 0;
  lastAuditAt: number | null = null;
  /** When the whole book was last the venue's own: by a snapshot, or by an audit. */
  private wholeAt: number | null = null;
  private readonly coverage: Coverage;
  private readonly silences: SilenceNotes;
  private readonly pace: Pace;

  constructor({ coverage, silences, pace }: BookProofParts) {
    this.coverage = coverage;
    this.silences = silences;
    this.pace = pace;
  }

  /** Silence of the book after which the market counts as stale: by its own pace. */
  staleAfterMs(): number {
    return this.pace.staleAfterMs;
  }

  /** The book is live from here on. */
  begin(at: number): void {
    this.unbrokenSince = at;
    this.wholeAt = at;
    this.silences.begin(at);
    this.coverage.begin(at, this.silences.allowedMs(this.staleAfterMs()));
  }

  /** Something of the book's has come, whether it is of use or not. */
  heard(kind: "depth" | "snapshot", receivedAt: number): void {
    if (kind === "depth") this.pace.heard(receivedAt);
    this.silences.heard(receivedAt);
  }

  /** The book has changed, or been replaced, by what the venue sent. */
  bookVouchedFor(receivedAt: number): void {
    this.lastBookAt = receivedAt;
    this.coverage.heard(receivedAt, this.silences.allowedMs(this.staleAfterMs()));
  }

  /** The whole book is the venue's own. */
  whole(at: number): void {
    this.wholeAt = at;
  }

  /** It has been compared with another connection's whole book. */
  audited(at: number): void {
    this.audits++;
    this.lastAuditAt = at;
    this.wholeAt = at;
  }

  /** No pace across connections. */
  interrupted(): void {
    this.pace.interrupted();
  }

  /** Up to when a live book that is lost at `at` was good. */
  goodUntil(at: number, reason: GapReason, check: BookCheck): number {
    return Math.min(at, this.provedUntil(reason, check) ?? at);
  }

  /** The book is lost. @param goodUntil up to when it was there. */
  end(goodUntil: number): void {
    this.coverage.end(goodUntil);
    this.unbrokenSince = null;
    this.lastBookAt = null;
    this.silences.stop();
  }

  private provedUntil(reason: GapReason, check: BookCheck): number | null {
    switch (reason) {
      case "crossed-book":
      case "quote-mismatch":
        // Nothing but quotes proves a book that nothing numbers: what its changes did to it since the last one that agreed is not known. Nor does a
        // quote prove one that stands still: it may be of a moment before, or its top has come back.
        return check.isNumbered ? this.lastBookAt : Math.min(check.agreedAt ?? 0, this.lastBookAt ?? 0);
      case "unknown-level":
      case "snapshot-differs":
        return this.wholeAt;
      default:
        return this.lastBookAt;
    }
  }
}
