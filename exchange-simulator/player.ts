/**
 * Plays a world to sockets: in real time, so many times as fast, or (speed 0) as fast as the sockets take it.
 *
 * At speed 0 the world waits for the first subscriber, so that nothing is missed, and for whoever reads slowly: nothing is lost and no memory is spent on
 * them. A host that slept longer than a minute finds the calendar moved on by whole minutes: the markets don't live through it. Paused, the world
 * stands still and has told everything: a client that lost nothing holds the truth.
 */

import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { World } from "./world.ts";

/** What the player must know of the sockets. */
export interface Outlet {
  readonly framesSent: number;
  readonly isCongested: boolean;
  drained(): Promise<void>;
  /** Resolves when somebody is subscribed to something. */
  subscribed(): Promise<void>;
}

const TICK_MS = 10;
const LONGEST_SLEEP_MS = MS_PER_MINUTE;
/** Simulated time between two looks at the sockets. */
const STEP_MS = 100;
/** At speed 0: frames, or steps, between two turns of the event loop. */
const FRAMES_A_TURN = 256;
const STEPS_A_TURN = 64;
/** The most that is caught up at once, in simulated time: a machine that is too slow falls behind instead of never answering. */
const LONGEST_CATCH_UP_MS = 2_000;

export class Player {
  private readonly world: World;
  private readonly speed: number;
  private readonly outlet: Outlet;
  private isStopped = false;
  private isOver = false;
  private resumed: (() => void) | null = null;
  private pausing: Promise<void> | null = null;

  constructor(world: World, speed: number, outlet: Outlet) {
    this.world = world;
    this.speed = speed;
    this.outlet = outlet;
  }

  get isDone(): boolean {
    return this.isOver;
  }

  get isPaused(): boolean {
    return this.pausing !== null;
  }

  /** Resolves when there is nothing more to tell, or after `stop`. Called once. */
  async run(): Promise<void> {
    if (this.speed > 0) await this.followClock();
    else await this.runUnbounded();
    this.isOver = true;
  }

  stop(): void {
    this.isStopped = true;
    this.resume();
  }

  /** Stands still once everything has been told. */
  pause(): void {
    this.pausing ??= new Promise<void>((resolve) => {
      this.resumed = resolve;
    });
    this.world.settle();
  }

  resume(): void {
    this.resumed?.();
    this.resumed = null;
    this.pausing = null;
  }

  private async followClock(): Promise<void> {
    let last = performance.now();
    while (!this.isStopped) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      if (this.pausing !== null) {
        await this.pausing;
        last = performance.now();
        continue;
      }
      const now = performance.now();
      const passed = now - last;
      last = now;
      if (passed > LONGEST_SLEEP_MS) this.world.skipMinutes(Math.floor((passed * this.speed) / MS_PER_MINUTE));
      else if (await this.advanceBy(Math.min(passed * this.speed, LONGEST_CATCH_UP_MS * Math.max(1, this.speed)))) return;
    }
  }

  /** @returns whether the world has ended. */
  private async advanceBy(simulatedMs: number): Promise<boolean> {
    const until = this.world.clock.now + simulatedMs;
    while (this.world.clock.now < until && !this.isStopped && this.pausing === null) {
      if (await this.step(Math.min(until, this.world.clock.now + STEP_MS))) return true;
      if (this.outlet.isCongested) await this.outlet.drained();
    }
    return false;
  }

  private async runUnbounded(): Promise<void> {
    if (this.pausing === null) await this.outlet.subscribed();
    let told = this.outlet.framesSent;
    let steps = 0;
    while (!this.isStopped) {
      if (this.pausing !== null) await this.pausing;
      if (await this.step(this.world.clock.now + STEP_MS)) return;
      if (++steps < STEPS_A_TURN && this.outlet.framesSent - told < FRAMES_A_TURN) continue;
      steps = 0;
      told = this.outlet.framesSent;
      if (this.outlet.isCongested) await this.outlet.drained();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** @returns whether the world has ended. */
  private async step(until: number): Promise<boolean> {
    for (;;) {
      const reached = this.world.advanceTo(until);
      if (reached !== "starved") return reached === "ended";
      await this.world.fill();
    }
  }
}
