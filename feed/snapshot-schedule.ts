/**
 * When a market's snapshot is to be asked for: once the first change has been kept, so that it can't be older than that, or after a while on a
 * quiet market; one request at a time; after failures ever later, since snapshots are what venues limit first.
 */

/** A quiet market sends no first change to wait for: ask for its snapshot after this. */
const QUIET_SYNC_AFTER_MS = 3_000;
/** A snapshot that was subscribed to and has not come by then never will. Requests have a limit of their own, and always end. */
const ANSWERED_WITHIN_MS = 15_000;
/** What each failure in a row adds to the wait before the next request, and the longest wait. */
const RETRY_STEP_MS = 2_000;
const RETRY_LAST_MS = 60_000;

/** Failures in a row after which what was kept for the snapshots is no longer held to be good. */
const STUCK_AFTER = 3;

export class SnapshotSchedule {
  private askedAt: number | null = null;
  private since = 0;
  private notBefore = 0;
  private failures = 0;

  /** The book is to be built from `at` on. */
  begin(at: number): void {
    this.askedAt = null;
    this.since = at;
  }

  /** Another connection: what failed on the last one says nothing of this one. */
  forgive(): void {
    this.failures = 0;
    this.notBefore = 0;
  }

  asked(at: number): void {
    this.askedAt = at;
  }

  answered(): void {
    this.askedAt = null;
  }

  /** The request failed, or what it gave could not be used, or the book that it gave broke. */
  failed(at: number): void {
    this.askedAt = null;
    this.notBefore = at + Math.min(RETRY_LAST_MS, RETRY_STEP_MS * this.failures);
    this.failures++;
  }

  /** Whether it has been asked for, and hasn't come. */
  get isAwaited(): boolean {
    return this.askedAt !== null;
  }

  /** Whether so many have failed that it may be what they are joined with that is bad. */
  get isStuck(): boolean {
    return this.failures >= STUCK_AFTER;
  }

  /** @param hasChange `subscribed` for a book whose snapshot comes on the socket by itself: asked for again only when it doesn't come. */
  isDue(now: number, hasChange: "change-kept" | "nothing-kept" | "subscribed"): boolean {
    if (hasChange === "subscribed") return now >= this.notBefore && (this.askedAt === null || now >= this.askedAt + ANSWERED_WITHIN_MS);
    if (this.askedAt !== null || now < this.notBefore) return false;
    return hasChange === "change-kept" || now >= this.since + QUIET_SYNC_AFTER_MS;
  }
}
