/**
 * Frames of a market whose book is being built, in order, until a snapshot comes.
 *
 * All of them, not changes alone: applied later in the same order, they leave features and checks as if they had come live. Kept as text, since
 * decoded events are views. Bounded: past the bound everything is dropped, and the snapshot has to join what comes after.
 */

import type { MarketEvent } from "../core/market/event.ts";

export class PendingFrames {
  /** First sequence of the oldest change kept; null when there is none. */
  firstSequence: number | null = null;
  private readonly limit: number;
  private frames: string[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @returns whether there was room; when there wasn't, this frame is the first of a new beginning. */
  push(event: MarketEvent, frame: string): "kept" | "overflowed" {
    const isFull = this.frames.length >= this.limit;
    if (isFull) this.clear();
    this.frames.push(frame);
    if (event.kind === "depth") this.firstSequence ??= event.firstSequence;
    return isFull ? "overflowed" : "kept";
  }

  /** All that is kept, oldest first; nothing is kept afterwards. */
  take(): readonly string[] {
    const taken = this.frames;
    this.clear();
    return taken;
  }

  clear(): void {
    this.frames = [];
    this.firstSequence = null;
  }
}
