/**
 * Whether a depth message continues a book: Binance's recipes for a local order book, spot and futures.
 *
 * Spot, https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21), L = the snapshot's lastUpdateId:
 * 1. Until a snapshot is there, buffer.
 * 2. A snapshot that ends before the first buffered message begins leaves a hole: take another.
 * 3. Drop messages with `u <= L`.
 * 4. The first applied has `U <= L + 1 <= u`.
 * 5. After it each `U` is the previous `u` plus 1.
 *
 * Futures, https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams (read 2026-11-21):
 * 3. Drop messages with `u < L`. 4. The first applied has `U <= L <= u`. 5. After it each `pu` is the previous `u`.
 * A first message with `pu = L` joins too: that is rule 5 with the snapshot in the place of the previous message, and without it a quiet
 * book would ask for a second snapshot each time.
 *
 * A message that begins inside what the book holds and ends beyond it is applied too: sizes are absolute, so the part that is held already says what
 * is so, and a second connection may cut the same changes into other messages.
 *
 * Once joined, a message that ends at or before what the book holds is a duplicate (or came late): it is named, not applied, and the
 * book stays whole. Anything else that does not continue is a gap. The sequencer keeps judging gap until it is reset.
 */

import type { BookSequencer, Verdict } from "../contract.ts";

/** What a product's rules say of one message, with the book at `last`. */
interface ContinuityRule {
  isBeforeSnapshot(lastUpdate: number, snapshot: number): boolean;
  joins(message: SequenceNumbers, snapshot: number): boolean;
  follows(message: SequenceNumbers, last: number): boolean;
  isTooOld(snapshot: number, firstBuffered: number): boolean;
}

type SequenceNumbers = Parameters<BookSequencer["judge"]>[0];

const SPOT: ContinuityRule = {
  isBeforeSnapshot: (lastUpdate, snapshot) => lastUpdate <= snapshot,
  joins: ({ firstSequence, lastSequence }, snapshot) => firstSequence <= snapshot + 1 && snapshot + 1 <= lastSequence,
  follows: ({ firstSequence, lastSequence }, last) => firstSequence <= last + 1 && lastSequence > last,
  isTooOld: (snapshot, firstBuffered) => snapshot + 1 < firstBuffered,
};

const FUTURES: ContinuityRule = {
  isBeforeSnapshot: (lastUpdate, snapshot) => lastUpdate < snapshot,
  joins: ({ firstSequence, lastSequence, previousSequence }, snapshot) =>
    (firstSequence <= snapshot && snapshot <= lastSequence) || previousSequence === snapshot,
  follows: ({ lastSequence, previousSequence }, last) => previousSequence !== null && previousSequence <= last && lastSequence > last,
  isTooOld: (snapshot, firstBuffered) => snapshot < firstBuffered,
};

export function createSpotSequencer(): BookSequencer {
  return new Sequencer(SPOT);
}

export function createFuturesSequencer(): BookSequencer {
  return new Sequencer(FUTURES);
}

class Sequencer implements BookSequencer {
  private readonly rule: ContinuityRule;
  private last: number | null = null;
  /** A message has been applied on top of the snapshot. */
  private hasJoined = false;

  constructor(rule: ContinuityRule) {
    this.rule = rule;
  }

  get isSynced(): boolean {
    return this.last !== null;
  }

  get lastSequence(): number | null {
    return this.last;
  }

  judge(message: SequenceNumbers): Verdict {
    if (this.last === null) return "buffer";
    if (!this.hasJoined) {
      if (this.rule.isBeforeSnapshot(message.lastSequence, this.last)) return "drop";
      if (!this.rule.joins(message, this.last)) return { resync: "sequence-gap" };
      this.hasJoined = true;
    } else if (!this.rule.follows(message, this.last)) {
      return message.lastSequence <= this.last ? "duplicate" : { resync: "sequence-gap" };
    }
    this.last = message.lastSequence;
    return "apply";
  }

  judgeSnapshot(lastSequence: number, firstBuffered: number | null): "apply" | "too-old" {
    if (firstBuffered !== null && this.rule.isTooOld(lastSequence, firstBuffered)) return "too-old";
    this.last = lastSequence;
    this.hasJoined = false;
    return "apply";
  }

  reset(): void {
    this.last = null;
    this.hasJoined = false;
  }
}
