/**
 * A checkpoint: the feed's own book as text on the tape, so that a replay may begin in the middle.
 *
 * A replay that has no book yet takes it; one that has compares, and a difference is a fault of the replay or of the tape.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { LevelBatch } from "../core/market/event.ts";
import type { Side } from "../core/units/side.ts";

export interface Checkpoint {
  readonly lastSequence: number;
  readonly contentHash: string;
  readonly levels: LevelBatch;
  readonly window: CheckpointWindow;
  /** What the decoder needs for the messages that follow (exchanges/contract.ts, Decoder.memory); null where they refer to nothing. */
  readonly memory: string | null;
}

/** What was known of the book: down (bids) and up (asks) to which prices all of it, null for the whole side, and when (received) its top was last confirmed. */
export interface CheckpointWindow {
  readonly bidTicks: number | null;
  readonly askTicks: number | null;
  readonly confirmedAt: number;
}

export function encodeCheckpoint(book: OrderBook, at: { lastSequence: number; confirmedAt: number; memory: string | null }): string {
  const { lastSequence, confirmedAt, memory } = at;
  const window: CheckpointWindow = { bidTicks: book.bids.completeToTicks, askTicks: book.asks.completeToTicks, confirmedAt };
  return JSON.stringify({
    lastSequence,
    contentHash: book.contentHash(),
    window,
    bids: levelsOf(book, "bid"),
    asks: levelsOf(book, "ask"),
    ...(memory === null ? {} : { memory }),
  });
}

/** @returns why the text is no checkpoint, when it isn't. */
export function decodeCheckpoint(text: string): Checkpoint | { malformed: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { malformed: "a checkpoint that is not JSON" };
  }
  if (typeof value !== "object" || value === null) return { malformed: "a checkpoint that is not an object" };
  const { lastSequence, contentHash, bids, asks, window, memory = null } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(lastSequence) || typeof contentHash !== "string") return { malformed: "a checkpoint without sequence or hash" };
  if (!isFlatLevels(bids) || !isFlatLevels(asks)) return { malformed: "a checkpoint whose levels are not [ticks, lots, ...] integers" };
  if (!isWindow(window)) return { malformed: "a checkpoint without the window in which its book was known" };
  if (memory !== null && typeof memory !== "string") return { malformed: "a checkpoint whose memory is not text" };
  return { lastSequence: lastSequence as number, contentHash, levels: batchOf(bids, asks), window, memory };
}

/** [ticks, lots, ticks, lots, …], best first. */
function levelsOf(book: OrderBook, side: Side): number[] {
  const ladder = book.side(side);
  const flat: number[] = [];
  for (let depth = 0; depth < ladder.levelCount; depth++) flat.push(ladder.ticksAt(depth), ladder.lotsAt(depth));
  return flat;
}

function isFlatLevels(value: unknown): value is number[] {
  return Array.isArray(value) && value.length % 2 === 0 && value.every((item) => Number.isSafeInteger(item) && item > 0);
}

function isWindow(value: unknown): value is CheckpointWindow {
  if (typeof value !== "object" || value === null) return false;
  const { bidTicks, askTicks, confirmedAt } = value as Record<string, unknown>;
  return [bidTicks, askTicks].every((ticks) => ticks === null || Number.isSafeInteger(ticks)) && Number.isSafeInteger(confirmedAt);
}

function batchOf(bids: readonly number[], asks: readonly number[]): LevelBatch {
  const flat = [...bids, ...asks];
  return {
    bidCount: bids.length / 2,
    askCount: asks.length / 2,
    priceTicks: Float64Array.from({ length: flat.length / 2 }, (_, index) => flat[index * 2] as number),
    sizeLots: Float64Array.from({ length: flat.length / 2 }, (_, index) => flat[index * 2 + 1] as number),
  };
}
