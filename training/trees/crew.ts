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
/** The step that is open to whoever is there, and the next of its tasks, in one word. */
const TICKET = 64;
/** How many of its tasks are done. */
const DONE = 80;
const CLAIMS = 96;
/** 32-bit words of a cache line: no two counters share one. */
const LINE = 16;
/** A counter is cleared half a round before it is used again. */
const CLAIM_COUNTERS = 8;
export const CREW_BYTES = (CLAIMS + CLAIM_COUNTERS * LINE) * 4;
/** About 50 µs. With more threads than cores, who is waited for needs the core of who waits. */
const LOOKS = 20_000;
/** Tasks of an open step, and open steps: the two halves of a ticket. */
const MOST_TASKS = 65_536;
const MOST_STEPS = 32_767;
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

  /**
   * Shares the tasks of a step among those threads that are at work by then: the first thread, which opens it, and each other one that comes while it is
   * open. For work before all have started. Returns to the first thread when all is done, to others when no task is left.
   * @param step of this crew, from 1, one after the other.
   */
  shareOpen({ step, count, isOpening }: { step: number; count: number; isOpening: boolean }, work: (task: number) => void): void {
    if (count >= MOST_TASKS || step >= MOST_STEPS) throw new RangeError(`${count} tasks in step ${step} are more than a ticket holds`);
    const { control } = this;
    if (isOpening) {
      Atomics.store(control, DONE, 0);
      Atomics.store(control, TICKET, step * MOST_TASKS);
      Atomics.notify(control, TICKET);
    } else {
      this.awaitCell(TICKET, (ticket) => ticket >= step * MOST_TASKS);
    }
    for (let task = this.claimOpen(step, count); task < count; task = this.claimOpen(step, count)) {
      work(task);
      if (Atomics.add(control, DONE, 1) === count - 1) Atomics.notify(control, DONE);
    }
    if (isOpening) this.awaitCell(DONE, (done) => done >= count);
    if (Atomics.load(control, FAILED) !== 0) throw new CrewFailed("another thread failed");
  }

  /** @returns the next task; `count` when none is left, or the step is over. */
  private claimOpen(step: number, count: number): number {
    for (;;) {
      const ticket = Atomics.load(this.control, TICKET);
      const task = ticket - step * MOST_TASKS;
      if (task >= count) return count;
      if (Atomics.compareExchange(this.control, TICKET, ticket, ticket + 1) === ticket) return task;
    }
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
    // All steps are over, and all tasks done.
    Atomics.store(this.control, TICKET, MOST_STEPS * MOST_TASKS);
    Atomics.add(this.control, DONE, MOST_TASKS);
    for (const cell of [PHASE, TICKET, DONE]) Atomics.notify(this.control, cell);
  }

  private awaitPhase(phase: number): void {
    this.awaitCell(PHASE, (reached) => reached !== phase);
  }

  private awaitCell(cell: number, isReached: (value: number) => boolean): void {
    const { control } = this;
    for (let look = 0; look < this.looks; look++) if (isReached(Atomics.load(control, cell))) return;
    for (let value = Atomics.load(control, cell); !isReached(value); value = Atomics.load(control, cell)) {
      if (Atomics.wait(control, cell, value, MOST_WAIT_MS) === "timed-out") throw new Error("a thread of the training died");
    }
  }
}

function counterOf(phase: number): number {
  return CLAIMS + (phase % CLAIM_COUNTERS) * LINE;
}
