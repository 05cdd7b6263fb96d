/**
 * What is looked up once a minute for all who ask, by key. Where it is known it is given at once, also while it is looked up anew; where it isn't, all wait for one
 * look. A look that fails is not kept. One that takes far too long is taken for dead, and the next to come looks anew.
 */

import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { sharedPromise } from "../shared-promise.ts";

const LOST_AFTER_MS = 10_000;

interface Kept<T> {
  readonly value: T;
  readonly since: number;
}

interface Look<T> {
  readonly startedAt: number;
  readonly done: Promise<T>;
}

export class MinuteKept<T> {
  private readonly most: number;
  private readonly kept = new Map<string, Kept<T>>();
  private readonly looks = new Map<string, Look<T>>();

  /** @param most keys; the one that was looked up longest ago goes first. */
  constructor(most: number) {
    this.most = most;
  }

  /** @param around `untilDone` keeps the looking request alive. @throws what `look` throws, where nothing is known. */
  async get(key: string, around: { now: number; untilDone(work: Promise<unknown>): void }, look: () => Promise<T>): Promise<T> {
    const kept = this.kept.get(key);
    if (kept !== undefined && around.now - kept.since < MS_PER_MINUTE) return kept.value;
    const looking = this.looks.get(key);
    const isLooking = looking !== undefined && around.now - looking.startedAt < LOST_AFTER_MS;
    const done = isLooking ? looking.done : this.begin(key, around, look);
    return kept === undefined ? done : kept.value;
  }

  forget(key: string): void {
    this.kept.delete(key);
    this.looks.delete(key);
  }

  private begin(
    key: string,
    { now, untilDone }: { now: number; untilDone(work: Promise<unknown>): void },
    look: () => Promise<T>,
  ): Promise<T> {
    const done: Promise<T> = sharedPromise(
      look()
        .then((value) => {
          if (this.looks.get(key)?.done === done) this.keep(key, { value, since: now });
          return value;
        })
        .finally(() => {
          if (this.looks.get(key)?.done === done) this.looks.delete(key);
        }),
    );
    this.looks.set(key, { startedAt: now, done });
    untilDone(done.catch(() => undefined));
    return done;
  }

  private keep(key: string, kept: Kept<T>): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > this.most && oldest !== undefined) this.kept.delete(oldest);
  }
}
