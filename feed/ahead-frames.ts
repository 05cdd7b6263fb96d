/**
 * Changes of a standby that begin beyond the numbered book that they are for. The present connection may be a moment behind, so that what is before them
 * is on its way: they wait for it, in their order, as text. What a book hasn't reached after a while is taken to be lost.
 *
 * Bounded in time, and like frames whose snapshot is on its way (pending-frames.ts): what there is no room for isn't kept, and shows a hole at once.
 */

import type { DepthEvent } from "../core/market/event.ts";
import { PendingFrames, type PendingLimits } from "./pending-frames.ts";

/** How long they wait: as long as quotes may be ahead of a numbered book (quote-lead.ts). */
const WAITS_MS = 5_000;

export class AheadFrames {
  private readonly frames: PendingFrames;
  /** What the oldest follows, and when it came; null while there is none. */
  private oldest: { readonly follows: number; readonly at: number } | null = null;

  constructor(limits: PendingLimits) {
    this.frames = new PendingFrames(limits);
  }

  get isEmpty(): boolean {
    return this.oldest === null;
  }

  /** Oldest first. */
  get kept(): readonly string[] {
    return this.frames.kept;
  }

  /** They wait from here on. */
  waitAnew(at: number): void {
    if (this.oldest !== null) this.oldest = { ...this.oldest, at };
  }

  /** @param after what the book holds. @returns whether the change begins beyond it, and has been kept. */
  keep(change: DepthEvent, frame: string, { after, receivedAt }: { after: number | null; receivedAt: number }): boolean {
    const follows = change.previousSequence ?? change.firstSequence - 1;
    if (after === null || follows <= after) return false;
    if (this.frames.push(change, frame) === "overflowed") {
      this.clear();
      return false;
    }
    this.oldest ??= { follows, at: receivedAt };
    return true;
  }

  /** Whether a book that stands at `sequence` has come to where the oldest goes on. */
  isReached(sequence: number | null): boolean {
    return this.oldest !== null && sequence !== null && sequence >= this.oldest.follows;
  }

  isOverdue(now: number): boolean {
    return this.oldest !== null && now - this.oldest.at > WAITS_MS;
  }

  /** All that is kept, oldest first; nothing is kept afterwards. */
  take(): readonly string[] {
    this.oldest = null;
    return this.frames.take();
  }

  clear(): void {
    this.oldest = null;
    this.frames.clear();
  }
}
