/** What is counted of a minute of receive time while it is open: how long the book was live in it, what came, and where the best prices were. */

import { Coverage } from "./coverage.ts";
import { PathTally } from "./path-tally.ts";

export interface MinuteCounts {
  readonly coveredMs: number;
  readonly events: number;
  readonly trades: number;
  /** Best prices at each grid time that was written (core/wire/price-path.ts); null for none. */
  readonly pricePath: string | null;
}

/** What an earlier process had counted; one of an older deployment knew no price path. */
export type EarlierCounts = Omit<MinuteCounts, "pricePath"> & Partial<Pick<MinuteCounts, "pricePath">>;

export class MinuteTally {
  readonly coverage = new Coverage();
  readonly path = new PathTally();
  events = 0;
  trades = 0;

  soFar(now: number): MinuteCounts {
    return { coveredMs: this.coverage.openMinuteMs(now), events: this.events, trades: this.trades, pricePath: this.path.soFar };
  }

  /** A process that died in this minute had counted so much of it. */
  resume(minute: number, counted: EarlierCounts): void {
    this.coverage.resume(minute, counted.coveredMs);
    this.events += counted.events;
    this.trades += counted.trades;
    this.path.resume(counted.pricePath ?? null);
  }

  /** Closes the minute that starts at `minute` and opens the next. @returns what was counted of it. */
  close(minute: number): MinuteCounts {
    const { events, trades } = this;
    this.events = 0;
    this.trades = 0;
    return { coveredMs: this.coverage.closeMinute(minute), events, trades, pricePath: this.path.close() };
  }
}
