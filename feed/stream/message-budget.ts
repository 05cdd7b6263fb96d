/** How often one client may speak: a bucket that fills with time. What answers our own pings is not counted: we decide how often we ask. */

/** As many at once: a subscription for each of a socket's markets would be one message. */
const BURST = 20;
const PER_SECOND = 5;

export class MessageBudget {
  private left = BURST;
  private at: number;

  constructor(now: number) {
    this.at = now;
  }

  /** @returns false when there is none left. */
  take(now: number): boolean {
    this.left = Math.min(BURST, this.left + (Math.max(0, now - this.at) * PER_SECOND) / 1_000);
    this.at = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
