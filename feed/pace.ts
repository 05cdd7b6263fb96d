/**
 * A market's own pace, and the silence that it excuses: a thin pair that speaks once a minute is, once that is known, not stale after half of one,
 * and a busy one is long before. The time between two connections is no interval of it; a silence on one is, whatever was done about it meanwhile.
 */

/** Weight of the newest interval in the mean: some hundred messages are remembered. */
const WEIGHT = 1 / 64;
/** A market is silent when this many of its mean intervals pass without a message. */
const STALE_INTERVALS = 20;

export class Pace {
  private readonly venueBoundMs: number;
  private meanMs: number | null = null;
  private lastAt: number | null = null;

  /** @param venueBoundMs the shortest silence after which any market of this venue counts as stale. */
  constructor(venueBoundMs: number) {
    this.venueBoundMs = venueBoundMs;
  }

  heard(at: number): void {
    if (this.lastAt !== null) {
      const interval = at - this.lastAt;
      this.meanMs = this.meanMs === null ? interval : this.meanMs + (interval - this.meanMs) * WEIGHT;
    }
    this.lastAt = at;
  }

  /** What comes next is not one interval after what came last. */
  interrupted(): void {
    this.lastAt = null;
  }

  /** Twenty mean intervals, at least the venue's bound and at most twenty of those. */
  get staleAfterMs(): number {
    const { venueBoundMs } = this;
    return Math.min(Math.max(venueBoundMs, STALE_INTERVALS * (this.meanMs ?? 0)), STALE_INTERVALS * venueBoundMs);
  }
}
