/** What is held back of each connection: all frames behind a delay, and a frame that is to come behind the next one of its kind. */

import type { Link } from "../link.ts";
import type { Frame } from "../venue.ts";

interface Held {
  /** Frames behind a delay; null while there is none. */
  queue: Frame[] | null;
  late: Frame | null;
}

/** Frames that a delay may hold: past it they go out, the memory being what ends first. */
const LONGEST_QUEUE = 100_000;

export class HeldFrames {
  private readonly held = new Map<Link, Held>();

  /** Sends a frame, or queues it where its connection is held. */
  emit(link: Link, frame: Frame): void {
    const held = this.held.get(link);
    if (held?.queue) {
      held.queue.push(frame);
      if (held.queue.length > LONGEST_QUEUE) this.release(link);
      return;
    }
    link.wire.deliver(frame.text);
    const late = held?.late;
    if (held === undefined || !late || late === frame || late.symbol !== frame.symbol || late.channel !== frame.channel) return;
    held.late = null;
    this.emit(link, late);
  }

  /** Keeps a frame until the next one of its symbol and channel. @returns whether it could. */
  postpone(link: Link, frame: Frame): boolean {
    const held = this.of(link);
    if (held.late !== null || held.queue !== null) return false;
    held.late = frame;
    return true;
  }

  /** Holds the connection from a frame on. @returns how it is let go, with the number of frames; null where it is held already. */
  stop(link: Link, frame: Frame): (() => number) | null {
    const held = this.of(link);
    if (held.queue !== null) return null;
    const queue = [frame];
    held.queue = queue;
    return () => {
      const count = queue.length;
      if (this.held.get(link)?.queue === queue) this.release(link);
      return count;
    };
  }

  settle(): void {
    for (const link of [...this.held.keys()]) this.release(link);
  }

  forget(link: Link): void {
    this.held.delete(link);
  }

  private release(link: Link): void {
    const held = this.held.get(link);
    this.held.delete(link);
    if (held?.late) this.of(link).late = held.late;
    for (const frame of held?.queue ?? []) this.emit(link, frame);
    const late = this.held.get(link)?.late;
    this.held.delete(link);
    if (late) link.wire.deliver(late.text);
  }

  private of(link: Link): Held {
    const known = this.held.get(link);
    if (known !== undefined) return known;
    const held: Held = { queue: null, late: null };
    this.held.set(link, held);
    return held;
  }
}
