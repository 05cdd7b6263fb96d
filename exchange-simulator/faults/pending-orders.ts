/** Orders that wait for their occasion, or go on: when one is due, how often it has been done, when it is over. */

import { Random } from "../../core/math/random.ts";
import type { Clock } from "../venue.ts";
import type { FaultOrder } from "./fault.ts";
import type { FaultEntry } from "./record.ts";

export interface Pending {
  readonly number: number;
  readonly order: FaultOrder;
  readonly random: Random;
  seen: number;
  done: number;
  /** Until when it goes on, once begun: silence, refusals. */
  until: number | null;
  entry: FaultEntry | null;
}

export class PendingOrders {
  private readonly clock: Clock;
  private readonly seed: number;
  private orders: readonly Pending[] = [];
  private count = 0;

  constructor(clock: Clock, seed: number) {
    this.clock = clock;
    this.seed = seed;
  }

  /** In the order in which they were given; a removal makes a new list. */
  get list(): readonly Pending[] {
    return this.orders;
  }

  add(order: FaultOrder): Pending {
    const number = ++this.count;
    const pending: Pending = { number, order, random: new Random(this.seed + number), seen: 0, done: 0, until: null, entry: null };
    this.orders = [...this.orders, pending];
    return pending;
  }

  clear(): void {
    this.orders = [];
  }

  /** Whether an order's time has come, at an occasion for it. */
  isDue(pending: Pending): boolean {
    const { order } = pending;
    if (pending.until !== null || this.clock.now < (order.at ?? 0)) return false;
    pending.seen++;
    if (pending.seen <= (order.afterFrames ?? 0)) return false;
    return order.probability === undefined || pending.random.uniform() < order.probability;
  }

  /** As `isDue`, of what may last: begins it, or says whether it goes on. */
  goesOn(pending: Pending): boolean {
    const { order } = pending;
    if (pending.until !== null) {
      if (this.clock.now < pending.until) return true;
      this.remove(pending);
      return false;
    }
    if (!this.isDue(pending)) return false;
    if (order.durationMs === undefined) this.complete(pending);
    else pending.until = Math.max(order.at ?? this.clock.now, 0) + order.durationMs;
    if (pending.until !== null && pending.until <= this.clock.now) {
      this.remove(pending);
      return false;
    }
    return true;
  }

  /** Counts one more time, and takes the order away when that was the last. */
  complete(pending: Pending): void {
    pending.done++;
    const times = pending.order.times ?? 1;
    if (times > 0 && pending.done >= times) this.remove(pending);
  }

  remove(pending: Pending): void {
    this.orders = this.orders.filter((other) => other !== pending);
  }
}
