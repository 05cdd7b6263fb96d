/**
 * A checkpoint: the feed's own book as text on the tape, so that a replay may begin in the middle.
 *
 * A replay that has no book yet takes it; one that has compares, and a difference is a fault of the replay or of the tape. One written while the
 * next connection is open carries that one's part too: its frames are on the tape, and mean nothing without it.
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
  /** Null unless the next connection was open beside the book's. */
  readonly standby: StandbyPart | null;
}

/** What a market has of a standby (standby.ts). */
interface StandbyPart {
  readonly openedAt: number;
  /** Whether the book has joined: where books carry no numbers it is the standby's then, and the checkpoint's memory that of its decoder. */
  readonly isJoined: boolean;
  /** The standby's own book of the market; null where it has none, or has no more. */
  readonly next: NextCheckpoint | null;
  /** Frames of it that begin beyond the numbered book (ahead-frames.ts). */
  readonly ahead: readonly string[];
}

export interface NextCheckpoint {
  readonly lastSequence: number;
  readonly levels: LevelBatch;
  readonly memory: string | null;
}

/** The same before it is written. */
export interface StandbyState extends Omit<StandbyPart, "next"> {
  readonly next: { readonly book: OrderBook; readonly lastSequence: number; readonly memory: string | null } | null;
}

/** What was known of the book: down (bids) and up (asks) to which prices all of it, null for the whole side, and when (received) its top was last confirmed. */
export interface CheckpointWindow {
  readonly bidTicks: number | null;
  readonly askTicks: number | null;
  readonly confirmedAt: number;
}

export interface CheckpointParts {
  readonly lastSequence: number;
  readonly confirmedAt: number;
  readonly memory: string | null;
  readonly standby: StandbyState | null;
}

export function encodeCheckpoint(book: OrderBook, { lastSequence, confirmedAt, memory, standby }: CheckpointParts): string {
  const window: CheckpointWindow = { bidTicks: book.bids.completeToTicks, askTicks: book.asks.completeToTicks, confirmedAt };
  return JSON.stringify({
    lastSequence,
    contentHash: book.contentHash(),
    window,
    bids: levelsOf(book, "bid"),
    asks: levelsOf(book, "ask"),
    ...(memory === null ? {} : { memory }),
    ...(standby === null ? {} : { standby: { ...standby, next: standby.next === null ? null : plainNext(standby.next) } }),
  });
}

function plainNext({ book, lastSequence, memory }: NonNullable<StandbyState["next"]>): object {
  return { lastSequence, bids: levelsOf(book, "bid"), asks: levelsOf(book, "ask"), memory };
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
  const { lastSequence, contentHash, bids, asks, window, memory = null, standby = null } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(lastSequence) || typeof contentHash !== "string") return { malformed: "a checkpoint without sequence or hash" };
  if (!isFlatLevels(bids) || !isFlatLevels(asks)) return { malformed: "a checkpoint whose levels are not [ticks, lots, ...] integers" };
  if (!isWindow(window)) return { malformed: "a checkpoint without the window in which its book was known" };
  if (memory !== null && typeof memory !== "string") return { malformed: "a checkpoint whose memory is not text" };
  const part = standby === null ? null : standbyPartOf(standby);
  if (part === "malformed") return { malformed: "a checkpoint with a standby that is none" };
  return { lastSequence: lastSequence as number, contentHash, levels: batchOf(bids, asks), window, memory, standby: part };
}

function standbyPartOf(value: unknown): StandbyPart | "malformed" {
  if (typeof value !== "object" || value === null) return "malformed";
  const { openedAt, isJoined, next, ahead } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(openedAt) || typeof isJoined !== "boolean" || !isTexts(ahead)) return "malformed";
  const read = next === null ? null : nextOf(next);
  return read === "malformed" ? read : { openedAt: openedAt as number, isJoined, next: read, ahead };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function nextOf(value: unknown): NextCheckpoint | "malformed" {
  if (typeof value !== "object" || value === null) return "malformed";
  const { lastSequence, bids, asks, memory } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(lastSequence) || !isFlatLevels(bids) || !isFlatLevels(asks)) return "malformed";
  if (memory !== null && typeof memory !== "string") return "malformed";
  return { lastSequence: lastSequence as number, levels: batchOf(bids, asks), memory };
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
