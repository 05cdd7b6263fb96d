/**
 * What may be asked of a venue by this process: its weight per minute, and the silence that it has asked for. Venues count by address, and ban the
 * address, so every feed of a venue in one process is given the same one.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";

/** The share of the venue's budget that is taken: something is left for others behind the same address. */
const BUDGET_SHARE = 0.9;

export class RequestBudget {
  private readonly weightPerMinute: number;
  private notBefore = 0;
  private spent: { readonly at: number; readonly weight: number }[] = [];
  /** What the venue says that this address has used beyond what we know of, and when it said so. */
  private others = { at: Number.NEGATIVE_INFINITY, weight: 0 };

  constructor(weightPerMinute: number) {
    this.weightPerMinute = weightPerMinute * BUDGET_SHARE;
  }

  /** The venue has asked to be left alone. */
  isHeld(now: number): boolean {
    return now < this.notBefore;
  }

  /** Whether a request of this weight may be made now. One that is heavier than the budget may, once nothing else has been. */
  mayAsk(now: number, weight: number): boolean {
    if (this.isHeld(now)) return false;
    const used = this.used(now) + (now < this.others.at + MS_PER_MINUTE ? this.others.weight : 0);
    return used === 0 || used + weight <= this.weightPerMinute;
  }

  spend(now: number, weight: number): void {
    this.spent.push({ at: now, weight });
  }

  /** The venue has said what this address has used in the last minute. */
  told(now: number, used: number): void {
    this.others = { at: now, weight: Math.max(0, used - this.used(now)) };
  }

  hold(until: number): void {
    this.notBefore = Math.max(this.notBefore, until);
  }

  private used(now: number): number {
    this.spent = this.spent.filter((entry) => entry.at > now - MS_PER_MINUTE);
    return this.spent.reduce((sum, entry) => sum + entry.weight, 0);
  }
}
