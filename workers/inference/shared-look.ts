/**
 * What one look at a store found, for all who ask within a minute of it.
 *
 * It is looked again by whoever comes when that is due; the others go on with what is there, and so does whoever came, where it may be a little old (`known`). Where nothing is there yet, all wait for one and the same
 * look. Whoever began it must stay alive until it is done (main.ts sees to that); one that takes far too long is taken for dead, the next to come looks
 * anew, and what the dead one finds after all is left where it is.
 */

import { sharedPromise } from "../shared-promise.ts";

const RECHECK_MS = 60_000;
/** What nobody has asked for in so long is looked for first: a role that was taken away since would be played on. */
const KNOWN_FOR_MS = 180_000;
/** A look takes under a second; the platform gives a request that has been answered 30 s more. */
const LOST_AFTER_MS = 30_000;

interface Look {
  readonly startedAt: number;
  readonly done: Promise<void>;
}

export class SharedLook<T extends object> {
  private found: T | null = null;
  private foundAt = Number.NEGATIVE_INFINITY;
  private look: Look | null = null;

  /** @param find is given what was found before. Must not throw: where it does, so does this, and the next to come looks anew. */
  async at(now: number, find: (before: T | null) => Promise<T>): Promise<T> {
    if (this.isDue(now)) await this.begin(now, find);
    else if (this.found === null) await this.look?.done;
    if (this.found === null) throw new Error("a look ended without a finding");
    return this.found;
  }

  /** What is there, as long as it isn't far too old; where a look is due, it is done behind. @param how `untilDone` keeps the looking request alive. */
  async known(
    now: number,
    { find, untilDone }: { find(before: T | null): Promise<T>; untilDone(work: Promise<unknown>): void },
  ): Promise<T> {
    if (this.found === null || now - this.foundAt >= KNOWN_FOR_MS) return this.at(now, find);
    if (this.isDue(now)) untilDone(this.begin(now, find).catch(() => undefined));
    return this.found;
  }

  /** Looks now, however fresh what is there, for who needs more of it; where a look is on its way, that one's end is all. */
  async again(now: number, find: (before: T | null) => Promise<T>): Promise<T> {
    if (this.isLooking(now)) await this.look?.done;
    else await this.begin(now, find);
    if (this.found === null) throw new Error("a look ended without a finding");
    return this.found;
  }

  /** What came out otherwise than the look had it, until it is looked again. */
  amend(change: (found: T) => T): void {
    if (this.found !== null) this.found = change(this.found);
  }

  private isDue(now: number): boolean {
    const isFresh = this.found !== null && now - this.foundAt < RECHECK_MS;
    return !isFresh && !this.isLooking(now);
  }

  private isLooking(now: number): boolean {
    return this.look !== null && now - this.look.startedAt < LOST_AFTER_MS;
  }

  private begin(now: number, find: (before: T | null) => Promise<T>): Promise<void> {
    const done: Promise<void> = sharedPromise(
      find(this.found)
        .then((found) => {
          if (this.look?.done !== done) return;
          this.found = found;
          this.foundAt = now;
        })
        .finally(() => {
          if (this.look?.done === done) this.look = null;
        }),
    );
    this.look = { startedAt: now, done };
    return done;
  }
}
