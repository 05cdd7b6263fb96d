/** The pace of a replay: when each recorded message may go. */

import type { Hub } from "./hub.ts";

/** Messages between two looks at the sockets, at speed 0: a few hundred KB. */
const UNBOUNDED_MESSAGES = 256;

/** Lets messages go at their time; at speed 0, as fast as the sockets take them. */
export class Pace {
  private readonly speed: number;
  private readonly hub: Hub;
  private startedAt = 0;
  private firstAt: number | null = null;
  private sinceLook = 0;

  constructor(speed: number, hub: Hub) {
    this.speed = speed;
    this.hub = hub;
  }

  async reach(receivedAt: number): Promise<void> {
    if (this.speed === 0) return this.takeTurns();
    if (this.firstAt === null) {
      this.firstAt = receivedAt;
      this.startedAt = performance.now();
    }
    const due = this.startedAt + (receivedAt - this.firstAt) / this.speed;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    else await this.takeTurns();
  }

  /** Runs what may wait; the pace waits with it. */
  async hold(wait: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await wait();
    this.startedAt += performance.now() - began;
  }

  private async takeTurns(): Promise<void> {
    if (++this.sinceLook < UNBOUNDED_MESSAGES) return;
    this.sinceLook = 0;
    if (this.hub.isCongested) await this.hub.drained();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
