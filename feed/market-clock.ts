/**
 * The clock of a market: the largest venueTime among its events, kept from being carried away by one of them.
 *
 * An event within a minute of the clock moves it, or leaves it where it is when it is late. One further off is held: it says nothing, until three
 * in a row agree; then they are right and the clock was wrong, or the market has slept, and the clock is set anew, forwards or backwards. All of
 * this depends on the events alone, so a replay at any speed judges alike; only the very first time is held against our own clock.
 */

import { isTime, MS_PER_DAY, MS_PER_MINUTE } from "../core/units/time.ts";

const NEAR_MS = MS_PER_MINUTE;
const WITNESSES = 3;

/** `moved`: the event is of now. `held`: it can't be believed yet. `set-anew`: the clock has been put where it and those before it say. */
export type ClockJudgement = "moved" | "held" | "set-anew";

export class MarketClock {
  /** Epoch ms; null before the first event that could be believed. */
  time: number | null = null;
  private witnessTime = 0;
  private witnesses = 0;

  judge(venueTime: number, receivedAt: number): ClockJudgement {
    if (!isTime(venueTime)) return "held";
    if (this.time === null) {
      if (venueTime - receivedAt > MS_PER_DAY) return "held";
      this.time = venueTime;
      return "moved";
    }
    if (Math.abs(venueTime - this.time) <= NEAR_MS) {
      this.witnesses = 0;
      this.time = Math.max(this.time, venueTime);
      return "moved";
    }
    const isAgreed = this.witnesses > 0 && Math.abs(venueTime - this.witnessTime) <= NEAR_MS;
    this.witnesses = isAgreed ? this.witnesses + 1 : 1;
    this.witnessTime = isAgreed ? Math.max(this.witnessTime, venueTime) : venueTime;
    if (this.witnesses < WITNESSES) return "held";
    this.witnesses = 0;
    this.time = this.witnessTime;
    return "set-anew";
  }
}
