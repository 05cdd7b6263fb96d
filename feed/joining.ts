/**
 * What a standby has of one market until the two are one (standby.ts), and how a checkpoint carries it, so that a replay may begin while two connections
 * are open.
 *
 * What has been found in comparing the two books isn't carried: at a checkpoint it begins anew, in the feed as in a replay, so that both join at the same
 * message.
 */

import type { Decoder } from "../exchanges/contract.ts";
import type { AheadFrames } from "./ahead-frames.ts";
import type { Checkpoint, StandbyState } from "./checkpoint.ts";
import { LastingDifference } from "./lasting-difference.ts";
import type { MarketTracker } from "./market-tracker.ts";
import type { NextBook } from "./next-book.ts";

export interface Joining {
  readonly market: MarketTracker;
  /** Null where books are numbered. */
  readonly next: NextBook | null;
  /** Of the standby's changes, where books are numbered. */
  readonly ahead: AheadFrames;
  isJoined: boolean;
  /** When the two books were shown to be one, the standby's behind. */
  behindSince: number | null;
  /** Since when both are whole; null while one isn't. */
  bothSince: number | null;
  lasting: LastingDifference;
}

/** For a checkpoint. @param decoder the standby's. */
export function joiningState({ market, next, ahead, isJoined }: Joining, decoder: Decoder): Omit<StandbyState, "openedAt"> {
  const part = { isJoined, ahead: ahead.kept };
  const lastSequence = next === null || isJoined ? null : next.sequencer.lastSequence;
  if (next === null || lastSequence === null) return { ...part, next: null };
  return { ...part, next: { book: next.book, lastSequence, memory: decoder.memory(market.instrument.symbol) } };
}

/** Takes what a checkpoint carries. @param decoder the standby's. @returns whether it could be read. */
export function recallJoining(
  joining: Joining,
  { standby, lastSequence }: Checkpoint,
  { decoder, receivedAt }: { decoder: Decoder; receivedAt: number },
): boolean {
  if (standby === null) return false;
  const { market, next, ahead } = joining;
  joining.isJoined = standby.isJoined;
  if (next === null) return recallAhead(ahead, standby.ahead, { decoder, after: lastSequence, receivedAt });
  if (standby.isJoined) market.useDecoder(decoder);
  if (standby.next === null) return true;
  const { memory } = standby.next;
  if (memory !== null && !decoder.recall(market.instrument.symbol, memory)) return false;
  next.recall(standby.next);
  return true;
}

/** The two are compared from here on. */
export function joinAnew(joining: Joining, receivedAt: number): void {
  joining.ahead.waitAnew(receivedAt);
  joining.next?.compareAnew();
  joining.behindSince = null;
  joining.bothSince = null;
  joining.lasting = new LastingDifference();
}

function recallAhead(
  ahead: AheadFrames,
  frames: readonly string[],
  { decoder, ...at }: { decoder: Decoder; after: number; receivedAt: number },
): boolean {
  ahead.clear();
  return frames.every((text) => {
    const decoded = decoder.decode(text);
    return decoded.kind === "event" && decoded.event.kind === "depth" && ahead.keep(decoded.event, text, at);
  });
}
