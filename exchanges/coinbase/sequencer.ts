/**
 * Whether a change continues a book of Coinbase, whose books have no numbers of their own.
 *
 * Exchange numbers nothing: the decoder counts each book's messages since its snapshot, and a change must be the next one. That shows what
 * the decoder itself passed over; what never came shows only against the ticker (continuity "none").
 * Advanced Trade numbers the messages of a connection over all its channels: a book's changes rise, with holes where other messages were,
 * and the feed judges the whole (feed/connection-order.ts). Two events of one frame share its number.
 *
 * Both: a snapshot replaces the book whenever it comes, and before the first there is nothing that a change could belong to.
 */

import type { BookSequencer, Verdict } from "../contract.ts";

export function createCountedSequencer(): BookSequencer {
  return new Sequencer((first, last) => first === last + 1);
}

export function createRisingSequencer(): BookSequencer {
  return new Sequencer((first, last) => first >= last);
}

class Sequencer implements BookSequencer {
  private readonly follows: (first: number, last: number) => boolean;
  private last: number | null = null;

  constructor(follows: (first: number, last: number) => boolean) {
    this.follows = follows;
  }

  get isSynced(): boolean {
    return this.last !== null;
  }

  get lastSequence(): number | null {
    return this.last;
  }

  judge({ firstSequence, lastSequence }: Parameters<BookSequencer["judge"]>[0]): Verdict {
    if (this.last === null) return "drop";
    // A number of the past is no duplicate here: neither feed sends one twice, so it speaks of another book than ours.
    if (!this.follows(firstSequence, this.last)) return { resync: "sequence-gap" };
    this.last = lastSequence;
    return "apply";
  }

  judgeSnapshot(lastSequence: number): "apply" {
    this.last = lastSequence;
    return "apply";
  }

  reset(): void {
    this.last = null;
  }
}
