/** The minutes of receive time that have ended: each is closed once, in order, with a snapshot of every market, and kept until somebody takes it. */

import { MS_PER_MINUTE, minuteOf } from "../core/units/time.ts";
import type { MinuteSnapshot } from "./contract.ts";
import type { MarketTracker } from "./market-tracker.ts";
import { minuteSnapshot } from "./views.ts";

/** After a longer silence of ours the minutes between are not closed one by one: the ledger says what happened. */
const MAX_MINUTES_AT_ONCE = 60;

export interface ClosedMinute {
  readonly minute: number;
  readonly snapshots: MinuteSnapshot[];
}

export class ClosedMinutes {
  private readonly markets: ReadonlyMap<string, MarketTracker>;
  /** A side, of each snapshot. */
  private readonly levels: number;
  private openMinute: number | null = null;
  private closed: ClosedMinute[] = [];

  constructor(markets: ReadonlyMap<string, MarketTracker>, levels: number) {
    this.markets = markets;
    this.levels = levels;
  }

  /** Closes what has ended before `time`, which never goes back. */
  moveTo(time: number): void {
    const minute = minuteOf(time);
    this.openMinute ??= minute;
    let closing = this.openMinute;
    if (minute - closing > MAX_MINUTES_AT_ONCE * MS_PER_MINUTE) {
      this.close(closing);
      closing = minute - MS_PER_MINUTE;
    }
    for (; closing < minute; closing += MS_PER_MINUTE) this.close(closing);
    this.openMinute = minute;
  }

  take(): ClosedMinute[] {
    const taken = this.closed;
    this.closed = [];
    return taken;
  }

  private close(minute: number): void {
    const snapshots = [...this.markets.values()].map((market) => minuteSnapshot(market, minute, this.levels));
    this.closed.push({ minute, snapshots });
    // Nobody takes them in a replay that only wants features.
    if (this.closed.length > 2 * MAX_MINUTES_AT_ONCE) this.closed.shift();
  }
}
