/**
 * Whether a numbered book has been left behind: the venue's quotes carry numbers that it hasn't reached, and go on for seconds. Then the book's channel is
 * silent, or what it says doesn't come, long before its own pace would show that.
 *
 * One quote ahead is nothing, a batch is on its way; nor is one whose change was undone within a batch, so that no change came: several moments of
 * quotes, beside one that has waited for long enough, are a channel that stands still.
 *
 * Quotes come in the order of their numbers. One whose successors lie below it is absurd, or another connection's that is ahead: what is waited for is the
 * lowest number ahead, since when that came.
 */

/** How long the lowest quote ahead is waited for: fifty batches of 100 ms. */
const LEAD_MS = 5_000;
/** Moments with a quote ahead, so far apart, within that time: a market without quotes isn't left behind. */
const MOMENTS = 3;
const MOMENT_MS = 500;

export class QuoteLead {
  /** The lowest quote ahead of the book, and when it came; null while there is none. */
  private lowest: { readonly sequence: number; readonly at: number } | null = null;
  private moments = 0;
  private momentAt = Number.NEGATIVE_INFINITY;

  /** A quote has come. @returns whether the book has been left behind. */
  onQuote(sequence: number, bookSequence: number, receivedAt: number): boolean {
    if (sequence <= bookSequence) return false;
    if (this.lowest !== null && sequence < this.lowest.sequence) this.reset();
    this.lowest ??= { sequence, at: receivedAt };
    if (receivedAt - this.momentAt >= MOMENT_MS) {
      this.moments++;
      this.momentAt = receivedAt;
    }
    return this.moments >= MOMENTS && receivedAt - this.lowest.at > LEAD_MS;
  }

  /** The book has moved. */
  onBook(sequence: number): void {
    if (this.lowest !== null && sequence >= this.lowest.sequence) this.reset();
  }

  reset(): void {
    this.lowest = null;
    this.moments = 0;
    this.momentAt = Number.NEGATIVE_INFINITY;
  }
}
