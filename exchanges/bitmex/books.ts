/**
 * The books of one connection, as far as later messages refer back to them: takes the rows of one orderBookL2 message and says what they change.
 *
 * The venue's rules (https://www.bitmex.com/app/wsAPI, read 2026-11-27), numbered here and at their branches:
 * 1. Whatever comes before a market's partial is dropped. The partial replaces all, and may be empty.
 * 2. insert: a level that was not there. 3. update: another size, and perhaps another side. 4. delete: the level goes.
 * A row that does not fit what is held (an id or a price that is there already, one that is not, another price) shows that a message was
 * lost: the market is forgotten until its next partial, and a LossNotice says so. The other markets of the message are not touched.
 *
 * Messages of 2021 have no time: their events carry the time that the connection named last, in a quote, a trade or
 * its welcome. It is that old at most: a second, as recorded. Where it has named none (a tape begun in its midst), it is 0.
 */

import type { MarketEvent } from "../../core/market/event.ts";
import type { Decoded, LossNotice } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import type { BookRows } from "./book-rows.ts";
import { LevelIds } from "./level-ids.ts";
import type { BitmexMarket } from "./markets.ts";

/** One market's ids, and what the message at hand does to it. */
interface Book {
  readonly market: BitmexMarket;
  readonly ids: LevelIds;
  /** The latest time of the message's rows; 0 where they have none. */
  time: number;
  /** The number of the last message that spoke of it. */
  message: number;
  /** Why it was lost to this message; null when it was not. */
  lost: string | null;
  /** Whether the message is of use: false before the partial. */
  isStarted: boolean;
}

export class Books {
  /** The time that this connection named last; 0 before there is one. */
  time = 0;
  private readonly buffers: EventBuffers;
  private readonly rows: BookRows;
  /** By the market's place. */
  private readonly books: readonly Book[];
  /** Price of the level that a row leaves on the other side; 0 for none. */
  private leftTicks = new Float64Array(0);
  /** The books of this message, in the order in which it names them: the first `named`. */
  private readonly spokenOf: Book[] = [];
  private named = 0;
  private next = 0;
  private messages = 0;
  private readonly loss: LossNotice = { kind: "loss", symbol: "", channel: "depth", reason: "unknown-level", detail: "" };
  private readonly several: Decoded = { kind: "events", next: () => this.nextEvent() };

  constructor(buffers: EventBuffers, rows: BookRows, markets: Iterable<BitmexMarket>) {
    this.buffers = buffers;
    this.rows = rows;
    const books: Book[] = [];
    for (const market of markets) books[market.place] = newBook(market);
    this.books = books;
  }

  /** Another connection begins. */
  reset(): void {
    this.time = 0;
    for (const { ids } of this.books) ids.forget();
  }

  idsOf(market: BitmexMarket): LevelIds | null {
    return this.books[market.place]?.ids ?? null;
  }

  /** A message of this market, or of any when null, could not be read: it counts, so that the next one shows the hole. */
  missed(market: BitmexMarket | null): void {
    for (const { market: each, ids } of this.books) {
      if ((market === null || each === market) && ids.count !== null) ids.count++;
    }
  }

  /** Takes the message in `rows`. */
  take(): Decoded {
    const { rows } = this;
    this.messages++;
    this.named = 0;
    this.next = 0;
    if (this.leftTicks.length < rows.ids.length) this.leftTicks = new Float64Array(rows.ids.length);
    if (rows.action === "partial" && rows.partialOf !== null) this.speakOf(rows.partialOf);
    for (let row = 0; row < rows.count; row++) this.takeRow(row);
    return this.answer();
  }

  private takeRow(row: number): void {
    const { rows } = this;
    const book = this.speakOf(rows.markets[row] as BitmexMarket);
    if (!book.isStarted || book.lost !== null) return;
    book.time = Math.max(book.time, rows.times[row] as number);
    this.leftTicks[row] = 0;
    book.lost = this.change(book.ids, row);
  }

  /** The book of a market that this message speaks of; at its first row the message is counted, or begins the book. */
  private speakOf(market: BitmexMarket): Book {
    const book = this.books[market.place] as Book;
    if (book.message === this.messages) return book;
    book.message = this.messages;
    book.lost = null;
    book.time = 0;
    if (this.rows.action === "partial") book.ids.start();
    else if (book.ids.count !== null) book.ids.count++;
    book.isStarted = book.ids.isStarted;
    this.spokenOf[this.named++] = book;
    return book;
  }

  /** Follows one row, and leaves its price and size in it. @returns why it can't be of this book; null when it is. */
  private change(ids: LevelIds, row: number): string | null {
    const { rows } = this;
    const id = rows.ids[row] as number;
    const isBid = rows.isBid[row] === 1;
    const side = ids.side(isBid);
    const named = rows.ticks[row] as number;
    if (rows.action === "partial" || rows.action === "insert") {
      return side.add(id, named) ? null : `${rows.action} of id ${id} at ${named} ticks: the id or the price is there already`;
    }
    let held = side.ticksOf(id);
    if (held === 0 && rows.action === "update") held = this.changeSide(ids, row);
    if (held === 0) return `${rows.action} of id ${id}, which is not there`;
    if (named !== 0 && named !== held) return `${rows.action} of id ${id} at ${named} ticks, which is at ${held}`;
    rows.ticks[row] = held;
    if (rows.action === "delete") {
      rows.lots[row] = 0;
      side.remove(id, held);
    }
    return null;
  }

  /** Moves a level that the row has on its other side. @returns its price; 0 when it is not there, or can't be here. */
  private changeSide(ids: LevelIds, row: number): number {
    const { rows } = this;
    const id = rows.ids[row] as number;
    const isBid = rows.isBid[row] === 1;
    const ticks = ids.side(!isBid).ticksOf(id);
    // Without a size nobody knows how much of it is on its new side.
    if (ticks === 0 || (rows.lots[row] as number) < 0 || !ids.side(isBid).add(id, ticks)) return 0;
    ids.side(!isBid).remove(id, ticks);
    this.leftTicks[row] = ticks;
    return ticks;
  }

  private answer(): Decoded {
    const { spokenOf, rows, named } = this;
    let used = 0;
    for (let at = 0; at < named; at++) {
      const book = spokenOf[at] as Book;
      if (book.lost !== null) book.ids.forget();
      if (book.isStarted) spokenOf[used++] = book;
    }
    this.named = used;
    if (used === 0)
      return { kind: "ignored", reason: named > 0 ? `${rows.action} before the partial` : `${rows.action} of no row of ours` };
    const only = spokenOf[0] as Book;
    if (used > 1 || only.lost !== null) return this.several;
    this.fill(only);
    return rows.action === "partial" ? this.buffers.snapshotDecoded : this.buffers.depthDecoded;
  }

  private nextEvent(): MarketEvent | LossNotice | null {
    if (this.next === this.named) return null;
    const book = this.spokenOf[this.next++] as Book;
    if (book.lost !== null) {
      this.loss.symbol = book.market.symbol;
      this.loss.detail = book.lost;
      return this.loss;
    }
    return this.fill(book);
  }

  /** Writes what the message does to one book: its bids, then its asks. */
  private fill(book: Book): MarketEvent {
    const { buffers, rows } = this;
    const { batch } = buffers.levels;
    if (book.time !== 0) this.time = book.time;
    batch.bidCount = this.fillSide(book, 1, 0);
    batch.askCount = this.fillSide(book, 0, batch.bidCount) - batch.bidCount;
    if (rows.action === "partial") {
      buffers.snapshot.symbol = book.market.symbol;
      buffers.snapshot.venueTime = this.time === 0 ? null : this.time;
      buffers.snapshot.lastSequence = 0;
      return buffers.snapshot;
    }
    const { depth } = buffers;
    depth.symbol = book.market.symbol;
    depth.venueTime = this.time;
    depth.firstSequence = book.ids.count ?? 0;
    depth.lastSequence = depth.firstSequence;
    return depth;
  }

  /** @returns the place behind the last level written. */
  private fillSide(book: Book, isBid: 0 | 1, first: number): number {
    const { rows, leftTicks } = this;
    const { market } = book;
    let at = first;
    for (let row = 0; row < rows.count; row++) {
      if (rows.markets[row] !== market) continue;
      if (rows.isBid[row] === isBid) {
        // A row without a size says nothing of it.
        if ((rows.lots[row] as number) >= 0) at = this.write(at, rows.ticks[row] as number, rows.lots[row] as number);
      } else if (leftTicks[row] !== 0) {
        at = this.write(at, leftTicks[row] as number, 0);
      }
    }
    return at;
  }

  private write(at: number, ticks: number, lots: number): number {
    const { levels } = this.buffers;
    if (at === levels.capacity) levels.grow();
    levels.batch.priceTicks[at] = ticks;
    levels.batch.sizeLots[at] = lots;
    return at + 1;
  }
}

function newBook(market: BitmexMarket): Book {
  return { market, ids: new LevelIds(), time: 0, message: 0, lost: null, isStarted: false };
}
