/**
 * How much of each minute a market's book was live, by receive time.
 *
 * A live book covers the time up to its last message and as far beyond as its own pace allows silence: what comes after that, up to the next
 * message or the end, is not covered, whether or not anybody noticed in time.
 */

import { MS_PER_MINUTE, minuteOf } from "../core/units/time.ts";

export class Coverage {
  private minuteStart = 0;
  /** Start of the stretch that is being counted; null while the book is not live. */
  private since: number | null = null;
  /** The last message of a live book, and how long it may be silent after it. */
  private heardAt = 0;
  private allowedMs = 0;
  private coveredMs = 0;
  private lastMinuteMs = 0;

  /** The book is live from `at` on. */
  begin(at: number, allowedMs: number): void {
    if (this.since !== null) return;
    // In the first minute of a process none has been closed yet.
    if (this.minuteStart === 0) this.minuteStart = minuteOf(at);
    this.since = Math.max(at, this.minuteStart);
    this.heardAt = at;
    this.allowedMs = allowedMs;
  }

  /** A message of the market has come. */
  heard(at: number, allowedMs: number): void {
    if (this.since === null) return;
    const until = this.heardAt + this.allowedMs;
    if (at > until) {
      this.coveredMs += Math.max(0, until - this.since);
      this.since = Math.max(at, this.minuteStart);
    }
    this.heardAt = at;
    this.allowedMs = allowedMs;
  }

  /** The book has been lost; it was last known to be good at `at`. What was counted of the open minute after that is taken back; a closed one is stored. */
  end(at: number): void {
    if (this.since === null) return;
    this.coveredMs += Math.max(0, Math.min(at, this.heardAt + this.allowedMs) - this.since);
    if (at < this.since) this.coveredMs = Math.min(this.coveredMs, Math.max(0, at - this.minuteStart));
    this.since = null;
  }

  /** A process that died in this minute had covered `coveredMs` of it. */
  resume(minuteStart: number, coveredMs: number): void {
    this.minuteStart = minuteStart;
    this.coveredMs = coveredMs;
  }

  /** Covered milliseconds of the open minute, up to `now`. */
  openMinuteMs(now: number): number {
    if (this.since === null) return this.coveredMs;
    return this.coveredMs + Math.max(0, Math.min(now, this.heardAt + this.allowedMs) - this.since);
  }

  /** Closes the minute that starts at `minute` and opens the next. @returns its covered milliseconds. */
  closeMinute(minute: number): number {
    const end = minute + MS_PER_MINUTE;
    this.lastMinuteMs = Math.min(this.openMinuteMs(end), MS_PER_MINUTE);
    if (this.since !== null) this.since = Math.max(end, this.since);
    this.minuteStart = end;
    this.coveredMs = 0;
    return this.lastMinuteMs;
  }

  /** Covered share, 0 to 1, of the last closed minute and the open one up to `now`. */
  share(now: number): number {
    const span = this.minuteStart === 0 ? 0 : MS_PER_MINUTE + Math.max(0, now - this.minuteStart);
    return span === 0 ? 0 : Math.min(1, (this.lastMinuteMs + this.openMinuteMs(now)) / span);
  }
}
