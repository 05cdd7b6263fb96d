/**
 * How much of each minute a market's book was live, by receive time.
 *
 * A book counts as live from the moment it joined the stream until the last message before it was lost: the time between that message and
 * the discovery of the loss is taken back, as far as it lies in the open minute.
 */

import { MS_PER_MINUTE } from "../core/units/time.ts";

export class Coverage {
  private minuteStart = 0;
  private liveSince: number | null = null;
  private coveredMs = 0;
  private lastMinuteMs = 0;

  /** The book is live from `at` on. */
  begin(at: number): void {
    if (this.liveSince === null) this.liveSince = Math.max(at, this.minuteStart);
  }

  /** The book has been lost; it was last known to be good at `at`. */
  end(at: number): void {
    if (this.liveSince === null) return;
    this.coveredMs += Math.max(0, at - this.liveSince);
    this.liveSince = null;
  }

  /** A process that died in this minute had covered `coveredMs` of it. */
  resume(minuteStart: number, coveredMs: number): void {
    this.minuteStart = minuteStart;
    this.coveredMs = coveredMs;
  }

  /** Covered milliseconds of the open minute, up to `now`. */
  openMinuteMs(now: number): number {
    return this.coveredMs + (this.liveSince === null ? 0 : Math.max(0, now - this.liveSince));
  }

  /** Closes the minute that starts at `minute` and opens the next. @returns its covered milliseconds. */
  closeMinute(minute: number): number {
    const end = minute + MS_PER_MINUTE;
    const covered = this.coveredMs + (this.liveSince === null ? 0 : Math.max(0, end - this.liveSince));
    if (this.liveSince !== null) this.liveSince = Math.max(end, this.liveSince);
    this.minuteStart = end;
    this.coveredMs = 0;
    this.lastMinuteMs = Math.min(covered, MS_PER_MINUTE);
    return this.lastMinuteMs;
  }

  /** Covered share, 0 to 1, of the last closed minute and the open one up to `now`. */
  share(now: number): number {
    const live = this.liveSince === null ? 0 : Math.max(0, now - this.liveSince);
    const elapsed = this.minuteStart === 0 ? 0 : Math.max(0, now - this.minuteStart);
    const span = elapsed + (this.minuteStart === 0 ? 0 : MS_PER_MINUTE);
    return span === 0 ? 0 : Math.min(1, (this.lastMinuteMs + this.coveredMs + live) / span);
  }
}
