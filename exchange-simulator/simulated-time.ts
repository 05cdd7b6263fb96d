/** What is to happen at a time of the simulated world, between the frames that it tells: everything that its feeds do. One of it a world. */

import type { World } from "./world.ts";

/**
 * What anything takes from a feed to its venue or back. The world is advanced by no more at once: whatever a feed has to say to a frame is then not yet
 * due when the frames behind it have been told.
 */
export const LATENCY_MS = 10;

export class SimulatedTime {
  readonly world: World;
  private due: { readonly at: number; readonly happen: () => void }[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** In whole ms, as a platform's clock tells it. */
  get now(): number {
    return Math.floor(this.world.clock.now);
  }

  /** At equal times in the order of being told of. */
  at(time: number, happen: () => void): void {
    const place = this.due.findLastIndex((other) => other.at <= time);
    this.due.splice(place + 1, 0, { at: time, happen });
  }

  /** Lives up to a time. @returns whether a source must be filled first, and the call made again; or all have ended. */
  advanceTo(until: number): ReturnType<World["advanceTo"]> {
    for (;;) {
      const at = Math.min(until, this.due[0]?.at ?? until, this.world.clock.now + LATENCY_MS);
      const reached = this.world.advanceTo(at);
      if (reached !== "reached") return reached;
      for (let next = this.due[0]; next !== undefined && next.at <= at; next = this.due[0]) {
        this.due.shift();
        next.happen();
      }
      if (at >= until) return "reached";
    }
  }
}
