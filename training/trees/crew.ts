/**
 * Threads that do the same work in step: all run the same program; where they meet, each waits for all. Between two meetings tasks are claimed one
 * by one, by whoever is free.
 *
 * Nothing that a thread computes may depend on who claimed what. Who waits first looks again and again, since a phase often ends within some
 * microseconds, and only then sleeps. A thread that fails says so before it ends, and the others fail with it instead of waiting for ever.
 */

import { availableParallelism } from "node:os";

const ARRIVED = 0;
const PHASE = 16;
const FAILED = 32;
const FINISHED = 48;
const CLAIMS = 64;
/** 32-bit words of a cache line: no two counters share one. */
const LINE = 16;
/** A counter is cleared half a round before it is used again. */
const CLAIM_COUNTERS = 8;
export const CREW_BYTES = (CLAIMS + CLAIM_COUNTERS * LINE) * 4;
/** About 50 µs. With more threads than cores, who is waited for needs the core of who waits. */
const LOOKS = 20_000;
/** No phase takes this long: who is still missing then has died. */
const MOST_WAIT_MS = 600_000;

/** What a thread hears when another one failed: that one says why. */
export class CrewFailed extends Error {
  override readonly name = "CrewFailed";
}

export class Crew {
  private readonly control: Int32Array;
  readonly threads: number;
  private readonly looks: number;
  private phase = 0;

  constructor(control: Int32Array, threads: number) {
    this.control = control;
    this.threads = threads;
    this.looks = threads > availableParallelism() ? 0 : LOOKS;
  }

  /** Returns when all threads are here. */
  meet(): void {
    const { control, threads, phase } = this;
    this.phase = phase + 1;
    if (Atomics.add(control, ARRIVED, 1) === threads - 1) {
      Atomics.store(control, ARRIVED, 0);
      Atomics.store(control, counterOf(phase + CLAIM_COUNTERS / 2), 0);
      Atomics.store(control, PHASE, phase + 1);
      if (threads > 1) Atomics.notify(control, PHASE);
    } else {
      this.awaitPhase(phase);
    }
    if (Atomics.load(control, FAILED) !== 0) throw new CrewFailed("another thread failed");
  }

  /** Calls `work` with each of 0 … count - 1 that no other thread took. */
  share(count: number, work: (task: number) => void): void {
    const counter = counterOf(this.phase);
    for (let task = Atomics.add(this.control, counter, 1); task < count; task = Atomics.add(this.control, counter, 1)) work(task);
  }

  /** Tells all threads, once they have met, that enough was done for this target, the first being 0, and those before. */
  finish(target: number): void {
    Atomics.store(this.control, FINISHED, target + 1);
  }

  isFinished(target: number): boolean {
    return Atomics.load(this.control, FINISHED) > target;
  }

  /** Lets nobody wait for this thread any more. */
  fail(): void {
    Atomics.store(this.control, FAILED, 1);
    Atomics.add(this.control, PHASE, 1);
    Atomics.notify(this.control, PHASE);
  }

  private awaitPhase(phase: number): void {
    const { control } = this;
    for (let look = 0; look < this.looks; look++) if (Atomics.load(control, PHASE) !== phase) return;
    while (Atomics.load(control, PHASE) === phase) {
      if (Atomics.wait(control, PHASE, phase, MOST_WAIT_MS) === "timed-out") throw new Error("a thread of the training died");
    }
  }
}

function counterOf(phase: number): number {
  return CLAIMS + (phase % CLAIM_COUNTERS) * LINE;
}
