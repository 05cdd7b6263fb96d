/**
 * Frames of a market whose book is being built, in order, until a snapshot comes.
 *
 * All of them, not changes alone: applied later in the same order, they leave features and checks as if they had come live. Kept as text, since
 * decoded events are views. Bounded: past the bound everything is dropped, and the snapshot has to join what comes after. The characters are of a
 * room that all markets share: whoever finds it full lets its own go, most often the one that fills it.
 */

import type { MarketEvent } from "../core/market/event.ts";
import { Room } from "./room.ts";

/**
 * Frames kept while snapshots are on their way, by all markets together, and by each at least: five minutes of the busiest recorded market alone. That
 * bounds what each costs beside its characters.
 */
const PENDING_FRAMES = 40_000;
const LEAST_PENDING_FRAMES = 500;
/** Their characters: a share of an object's 128 MB that leaves room for its books and for tape that can't be stored. */
const PENDING_CHARACTERS = 24_000_000;
/** What may be kept at most; whichever is reached first. */
export interface PendingLimits {
  readonly frames: number;
  /** Of characters. */
  readonly room: Room;
}

/** Of each of so many markets. @param room of all of them. */
export function pendingLimits(markets: number, room: Room): PendingLimits {
  return { frames: Math.max(LEAST_PENDING_FRAMES, Math.floor(PENDING_FRAMES / markets)), room };
}

/** For the frames that are kept while snapshots are on their way. */
export function createPendingRoom(): Room {
  return new Room(PENDING_CHARACTERS);
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

  /** All that is kept, oldest first. */
  get kept(): readonly string[] {
    return this.frames;
  }

  /** @returns whether there was room; when there wasn't, this frame is the first of a new beginning, if it is kept itself. */
  push(event: MarketEvent, frame: string): "kept" | "overflowed" {
    const { frames, room } = this.limits;
    const isFull = this.frames.length >= frames || room.taken + frame.length > room.size;
    if (isFull) this.clear();
    // Full of what others keep: not even this one has room.
    if (!room.take(frame.length)) return "overflowed";
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
    this.limits.room.give(this.characters);
    this.frames = [];
    this.characters = 0;
    this.firstSequence = null;
  }
}
