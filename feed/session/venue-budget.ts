/**
 * What may be asked of a venue by this process: its weight per minute, its dials, and the silence that it has asked for. Venues count by address, and
 * ban the address, so every feed of a venue in one process is given the same one.
 *
 * Dials: half of what the venue allows in its window may be made at once, and the other half comes back evenly over the window. So no window of any
 * place has more than is allowed, and after a storm of reconnects the wait is for one dial, not for a whole window (an hour, of BitMEX).
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { VenueLimits } from "../../exchanges/contract.ts";

/** The share of the venue's budget that is taken: something is left for others behind the same address. */
const BUDGET_SHARE = 0.9;

export class VenueBudget {
  private readonly weightPerMinute: number;
  private notBefore = 0;
  private spent: { readonly at: number; readonly weight: number }[] = [];
  /** What the venue says that this address has used beyond what we know of, and when it said so. */
  private others = { at: Number.NEGATIVE_INFINITY, weight: 0 };
  /** Dials that may be made at once, and how long one takes to come back. */
  private readonly mostDials: number;
  private readonly msPerDial: number;
  /** When as many as may be made at once were last there, or will be. */
  private dialsFullAt = Number.NEGATIVE_INFINITY;

  constructor({ weightPerMinute, dials: { most, withinMs } }: Pick<VenueLimits, "weightPerMinute" | "dials">) {
    this.weightPerMinute = weightPerMinute * BUDGET_SHARE;
    const half = (most * BUDGET_SHARE) / 2;
    this.mostDials = Math.max(1, Math.floor(half));
    this.msPerDial = Math.ceil(withinMs / half);
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

  /**
   * The earliest time of the next dial. @param purpose `spare`: of a connection beside one that there is: it leaves half of the dials to those that
   * have none.
   */
  dialAt(purpose: "needed" | "spare"): number {
    const most = purpose === "needed" ? this.mostDials : Math.ceil(this.mostDials / 2);
    return Math.max(this.notBefore, this.dialsFullAt - (most - 1) * this.msPerDial);
  }

  dialled(now: number): void {
    this.dialsFullAt = Math.max(this.dialsFullAt, now) + this.msPerDial;
  }

  hold(until: number): void {
    this.notBefore = Math.max(this.notBefore, until);
  }

  private used(now: number): number {
    this.spent = this.spent.filter((entry) => entry.at > now - MS_PER_MINUTE);
    return this.spent.reduce((sum, entry) => sum + entry.weight, 0);
  }
}
