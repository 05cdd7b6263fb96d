/**
 * Frames of a market whose book is being built, in order, until a snapshot comes.
 *
 * All of them, not changes alone: applied later in the same order, they leave features and checks as if they had come live. Kept as text, since
 * decoded events are views. Bounded: past the bound everything is dropped, and the snapshot has to join what comes after.
 */

import type { MarketEvent } from "../core/market/event.ts";

/** What may be kept at most; whichever is reached first. */
export interface PendingLimits {
  readonly frames: number;
  readonly characters: number;
}

export class PendingFrames {
  /** First sequence of the oldest change kept; null when there is none. */
  firstSequence: number | null = null;
  private readonly limits: PendingLimits;
  private frames: string[] = [];
  private characters = 0;

  constructor(limits: PendingLimits) {
    this.limits = limits;
  }

  /** @returns whether there was room; when there wasn't, this frame is the first of a new beginning. */
  push(event: MarketEvent, frame: string): "kept" | "overflowed" {
    const isFull = this.frames.length >= this.limits.frames || this.characters + frame.length > this.limits.characters;
    if (isFull) this.clear();
    this.frames.push(frame);
    this.characters += frame.length;
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
    this.characters = 0;
    this.firstSequence = null;
  }
}
