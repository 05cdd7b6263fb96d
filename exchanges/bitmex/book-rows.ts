/**
 * The rows of one orderBookL2 message, in columns that are allocated once: what the parser or the scanner has read and the books
 * (books.ts) take. A message is in here whole before any book looks at it.
 */

import { MAX_LEVELS_PER_MESSAGE } from "../decoding/event-buffers.ts";
import type { BitmexMarket } from "./markets.ts";

export type BookAction = "partial" | "insert" | "update" | "delete";

/** Rows one message may carry; recorded images of a whole book hold up to 9,500. */
export const MAX_ROWS_PER_MESSAGE = MAX_LEVELS_PER_MESSAGE;
const INITIAL_ROWS = 256;

export class BookRows {
  action: BookAction = "update";
  /** The market that a partial is the whole book of, also with no row; null where it names none. */
  partialOf: BitmexMarket | null = null;
  count = 0;
  readonly markets: BitmexMarket[] = [];
  ids = new Float64Array(INITIAL_ROWS);
  isBid = new Uint8Array(INITIAL_ROWS);
  /** 0 where the row has no price. */
  ticks = new Float64Array(INITIAL_ROWS);
  /** -1 where the row has no size. */
  lots = new Float64Array(INITIAL_ROWS);
  /** Epoch ms; 0 where the row has no time. */
  times = new Float64Array(INITIAL_ROWS);

  begin(action: BookAction): void {
    this.action = action;
    this.partialOf = null;
    this.count = 0;
  }

  /** The place of one more row, its columns empty but for the market; -1 at the bound. */
  add(market: BitmexMarket): number {
    const row = this.count;
    if (row === this.ids.length && !this.grow()) return -1;
    this.count = row + 1;
    this.markets[row] = market;
    this.ticks[row] = 0;
    this.lots[row] = -1;
    this.times[row] = 0;
    return row;
  }

  private grow(): boolean {
    const length = Math.min(this.ids.length * 2, MAX_ROWS_PER_MESSAGE);
    if (length === this.ids.length) return false;
    this.ids = longer(this.ids, length);
    this.ticks = longer(this.ticks, length);
    this.lots = longer(this.lots, length);
    this.times = longer(this.times, length);
    const isBid = new Uint8Array(length);
    isBid.set(this.isBid);
    this.isBid = isBid;
    return true;
  }
}

function longer(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(length);
  copy.set(column);
  return copy;
}
