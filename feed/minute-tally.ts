/** What is counted of a minute of receive time while it is open: how long the book was live in it, and what came. */

import { Coverage } from "./coverage.ts";

export interface MinuteCounts {
  readonly coveredMs: number;
  readonly events: number;
  readonly trades: number;
}

export class MinuteTally {
  readonly coverage = new Coverage();
  events = 0;
  trades = 0;

  soFar(now: number): MinuteCounts {
    return { coveredMs: this.coverage.openMinuteMs(now), events: this.events, trades: this.trades };
  }

  /** A process that died in this minute had counted so much of it. */
  resume(minute: number, counted: MinuteCounts): void {
    this.coverage.resume(minute, counted.coveredMs);
    this.events += counted.events;
    this.trades += counted.trades;
  }

  /** Closes the minute that starts at `minute` and opens the next. @returns what was counted of it. */
  close(minute: number): MinuteCounts {
    const { events, trades } = this;
    this.events = 0;
    this.trades = 0;
    return { coveredMs: this.coverage.closeMinute(minute), events, trades };
  }
}
