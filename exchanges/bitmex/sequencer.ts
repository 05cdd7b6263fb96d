/**
 * Whether a depth message continues a BitMEX book. The venue numbers nothing: the decoder counts each book's messages since its partial, and the
 * next must be the next. So a hole here is a message that came and could not be read; one that never came shows in the ids
 * (books.ts), or in nothing but the quote.
 */

import type { BookSequencer, Verdict } from "../contract.ts";

export function createBitmexSequencer(): BookSequencer {
  let last: number | null = null;
  return {
    get isSynced() {
      return last !== null;
    },
    get lastSequence() {
      return last;
    },
    judge({ firstSequence, lastSequence }): Verdict {
      // What comes before the partial is of no book.
      if (last === null) return "drop";
      if (lastSequence <= last) return "duplicate";
      if (firstSequence !== last + 1) return { resync: "sequence-gap" };
      last = lastSequence;
      return "apply";
    },
    judgeSnapshot(lastSequence): "apply" | "too-old" {
      last = lastSequence;
      return "apply";
    },
    reset() {
      last = null;
    },
  };
}
