/** What is to happen at a time of the simulated world, between the frames that it tells. */

import type { World } from "../../exchange-simulator/world.ts";

export class SimulatedTime {
  private readonly world: World;
  private due: { readonly at: number; readonly happen: () => void }[] = [];

  constructor(world: World) {
    this.world = world;
  }

  get now(): number {
    return this.world.clock.now;
  }

  at(time: number, happen: () => void): void {
    const place = this.due.findIndex((other) => other.at > time);
    this.due.splice(place === -1 ? this.due.length : place, 0, { at: time, happen });
  }

  advanceTo(until: number): void {
    for (let next = this.due[0]; next !== undefined && next.at <= until; next = this.due[0]) {
      this.due.shift();
      this.world.advanceTo(next.at);
      next.happen();
    }
    this.world.advanceTo(until);
  }
}
