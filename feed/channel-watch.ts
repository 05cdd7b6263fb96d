/**
 * A channel beside the book's, trades or quotes: whether it has gone silent while the book goes on, and what of it is known to be lost.
 *
 * Trades come in bursts, so their mean interval says little: a channel is silent when it has been for four times its longest silence of
 * late, and twenty times its mean, and longer than the venue's bound. Before some intervals are known nothing is judged. One that stays silent is
 * subscribed to anew, and again, ever later: first after the venue's bound, at last once an hour.
 */

import type { GapReason } from "./contract.ts";
import type { GapTracker } from "./gap-tracker.ts";

/** Weight of the newest interval in the mean. */
const WEIGHT = 1 / 256;
const MEAN_INTERVALS = 20;
const LONGEST_SILENCES = 4;
/** What is left of the longest silence after each further interval: half of it after some 700. */
const FORGETTING = 0.999;
/** Intervals before a channel's pace is known. */
const LEARNT_AFTER = 30;
/** However slow a channel is: after an hour it is looked after. */
const LONGEST_ALLOWED_MS = 3_600_000;

export class ChannelWatch {
  readonly gaps: GapTracker;
  lastAt: number | null = null;
  /** The last message of any connection: what was lost was lost after it. */
  spokeAt: number | null = null;
  /** Messages of it that have come. */
  messages = 0;
  private readonly venueBoundMs: number;
  private meanMs = 0;
  private longestMs = 0;
  private intervals = 0;
  private isDue = false;
  private askAgainAt = 0;
  private askAgainAfterMs = 0;

  /** @param venueBoundMs the shortest silence after which any channel of this venue counts as stale. */
  constructor(gaps: GapTracker, venueBoundMs: number) {
    this.gaps = gaps;
    this.venueBoundMs = venueBoundMs;
  }

  heard(at: number): void {
    this.messages++;
    if (this.lastAt !== null) {
      const interval = at - this.lastAt;
      this.intervals++;
      this.meanMs += (interval - this.meanMs) * Math.max(WEIGHT, 1 / this.intervals);
      this.longestMs = Math.max(interval, this.longestMs * FORGETTING);
    }
    this.lastAt = at;
    this.spokeAt = at;
    this.isDue = false;
    this.gaps.end(at);
  }

  /** Another connection, or none: the time between is no interval, and the silence is the connection's. */
  interrupted(at: number): void {
    this.lastAt = null;
    this.isDue = false;
    this.gaps.end(at);
  }

  get staleAfterMs(): number {
    const own = Math.max(MEAN_INTERVALS * this.meanMs, LONGEST_SILENCES * this.longestMs);
    return Math.min(Math.max(this.venueBoundMs, own), LONGEST_ALLOWED_MS);
  }

  /** @returns whether it is to be subscribed to anew now: it has just gone silent, or is still silent after a while. */
  judge(now: number): boolean {
    if (this.lastAt === null || this.intervals < LEARNT_AFTER) return false;
    if (now - this.lastAt <= this.staleAfterMs) return false;
    if (this.gaps.current === null) {
      const seconds = (this.staleAfterMs / 1_000).toFixed(0);
      this.gaps.begin(this.lastAt, "stale", `nothing for longer than its own pace allows (${seconds} s) while the book went on`);
      this.askAgainAfterMs = this.venueBoundMs;
    } else if (now >= this.askAgainAt) {
      this.askAgainAfterMs = Math.min(2 * this.askAgainAfterMs, LONGEST_ALLOWED_MS);
    } else return false;
    this.askAgainAt = now + this.askAgainAfterMs;
    this.isDue = true;
    return true;
  }

  /** @returns whether it is to be subscribed to anew, once for each time that it was judged so. */
  takeDue(): boolean {
    const { isDue } = this;
    this.isDue = false;
    return isDue;
  }

  /** Messages of it are known to be lost, between the last one, be it of another connection, and this. */
  lost(at: number, reason: GapReason, detail: string): void {
    this.gaps.note({ from: this.spokeAt ?? at, to: at, reason, detail });
  }
}
