/**
 * The books of a feed as a plain reader of the venue's rules keeps them: Maps, one rule each, no bounds. What the reducer shows as live must be this.
 *
 * It is told what was received, and when the reducer has given a book up: giving up is always allowed, showing a wrong book never is. Rules:
 * - numbered books (Binance): a snapshot, then messages that continue it; what came since the break is kept for the snapshot;
 * - a numbered connection (Advanced Trade): a hole in the numbers ends all books, a number of the past is of the past unless it is the third of a count;
 * - nothing numbered (BitMEX, Exchange): a message that can't be read, or that refers to what is not there, ends the book.
 * A crossed book is no book anywhere.
 */

import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import type { DepthSaid, Level, Reading, SnapshotSaid } from "./naive-values.ts";

export interface NaiveBook {
  isLive: boolean;
  readonly bids: Map<number, number>;
  readonly asks: Map<number, number>;
  /** The number that it stands at. */
  last: number;
  /** A message has been applied on top of the snapshot; null when the snapshot was joined with kept ones, of which the reducer may have had fewer. */
  hasJoined: boolean | null;
  /** Messages since the break. */
  kept: readonly DepthSaid[];
  /** What the last snapshot was joined with. */
  joined: readonly DepthSaid[];
}

/** How a frame that can't be read was put down: to which market, which channel; null for any. */
export interface Attribution {
  readonly symbol: string | null;
  readonly channel: string | null;
  readonly reason: string;
}

export class NaiveFeed {
  readonly books: ReadonlyMap<string, NaiveBook>;
  private readonly continuity: ExchangeAdapter["continuity"];
  private readonly isFutures: boolean;
  private connectionLast: number | null = null;
  /** The last numbers of the past, while nothing else comes. */
  private olds: readonly number[] = [];

  /** Whether a book is the one that the reducer shows. */
  private readonly isShown: (symbol: string, book: NaiveBook) => boolean;

  constructor(adapter: ExchangeAdapter, symbols: readonly string[], isShown: (symbol: string, book: NaiveBook) => boolean) {
    this.isShown = isShown;
    this.continuity = adapter.continuity;
    this.isFutures = adapter.venue !== "binance-spot";
    this.books = new Map(symbols.map((symbol) => [symbol, newBook()]));
  }

  /** A frame was received, and read as `reading`. @param sequence its number on the connection. */
  frame(reading: Reading, sequence: number | null, attribution: Attribution | null): void {
    const isOfThePast = this.continuity === "connection" && this.isOfThePast(sequence);
    if (reading.kind === "malformed" && this.continuity !== "book") this.unreadable(attribution);
    if (reading.kind !== "events" || isOfThePast) return;
    for (const said of reading.said) {
      const book = this.books.get(said.symbol);
      if (book === undefined) continue;
      if (said.kind === "depth") this.take(book, said);
      else if (said.kind === "snapshot") begin(book, said);
      else if (said.kind === "loss" && said.channel === "depth") book.isLive = false;
    }
  }

  /**
   * The answer to a request, joined with what was kept. The reducer may have kept less: it gives up at a message for reasons of its own, and what
   * it keeps begins there or behind it.
   */
  answer(said: SnapshotSaid): void {
    const book = this.books.get(said.symbol);
    if (book === undefined || book.isLive) return;
    const { kept } = book;
    for (let from = 0; from <= kept.length; from++) {
      const isJoined = this.join(book, said, kept.slice(from));
      if (isJoined && book.isLive && this.isShown(said.symbol, book)) break;
    }
    if (!book.isLive) book.kept = kept;
    book.joined = kept;
  }

  /** The reducer has given a market up. @param reading the frame at which it did; null when it was at an answer. */
  gaveUp(symbol: string, reading: Reading | null): void {
    const book = this.books.get(symbol);
    if (book?.isLive !== true) return;
    book.isLive = false;
    const said = reading?.kind === "events" ? reading.said : [];
    book.kept = reading === null ? book.joined : said.filter((each): each is DepthSaid => each.kind === "depth" && each.symbol === symbol);
  }

  /** @returns whether the snapshot was recent enough. */
  private join(book: NaiveBook, said: SnapshotSaid, kept: readonly DepthSaid[]): boolean {
    const [oldest] = kept;
    const last = said.last ?? 0;
    if (oldest !== undefined && last + (this.isFutures ? 0 : 1) < (oldest.first ?? 0)) return false;
    begin(book, said);
    if (!book.isLive) return true;
    book.kept = [];
    for (const message of kept) this.take(book, message);
    if (kept.length > 0) book.hasJoined = null;
    return true;
  }

  private isOfThePast(sequence: number | null): boolean {
    if (sequence === null) return false;
    const last = this.connectionLast;
    this.olds = last !== null && sequence <= last ? [...this.olds, sequence].slice(-3) : [];
    const [first = 0] = this.olds;
    const isNewCount = this.olds.length === 3 && this.olds.every((old, at) => old === first + at);
    if (this.olds.length > 0 && !isNewCount) return true;
    this.olds = [];
    this.connectionLast = sequence;
    if (last !== null && sequence !== last + 1) for (const book of this.books.values()) book.isLive = false;
    return false;
  }

  private unreadable(attribution: Attribution | null): void {
    const { symbol = null, channel = null } = attribution ?? {};
    if (channel !== null && channel !== "depth") return;
    for (const [name, book] of this.books) if (symbol === null || symbol === name) book.isLive = false;
  }

  private take(book: NaiveBook, said: DepthSaid): void {
    if (this.continuity !== "book") {
      if (book.isLive) apply(book, said);
      return;
    }
    if (!book.isLive) {
      book.kept = [...book.kept, said];
      return;
    }
    const verdict = this.isFutures ? this.judgeFutures(book, said) : judgeSpot(book, said);
    if (verdict === "pass") return;
    book.hasJoined = true;
    book.last = said.last ?? 0;
    if (verdict === "apply") apply(book, said);
    else book.isLive = false;
    if (!book.isLive) book.kept = [said];
  }

  private judgeFutures(book: NaiveBook, said: DepthSaid): Verdict {
    const { last, hasJoined } = book;
    if (hasJoined !== null) return hasJoined ? follows(said, last) : joins(said, last);
    const either = [follows(said, last), joins(said, last)];
    if (either[0] === either[1]) return either[0] ?? "break";
    if (either.includes("apply") && this.isShownAfter(book, said)) return "apply";
    return either.includes("pass") ? "pass" : "break";
  }

  private isShownAfter(book: NaiveBook, said: DepthSaid): boolean {
    const after = { ...book, bids: new Map(book.bids), asks: new Map(book.asks), last: said.last ?? 0 };
    apply(after, said);
    return after.isLive && this.isShown(said.symbol, after);
  }
}

type Verdict = "apply" | "pass" | "break";

function judgeSpot({ last }: NaiveBook, { first, last: end }: DepthSaid): Verdict {
  if (first === null || end === null) return "break";
  if (end <= last) return "pass";
  return first <= last + 1 ? "apply" : "break";
}

function joins({ first, last: end, previous }: DepthSaid, snapshot: number): Verdict {
  if (first === null || end === null) return "break";
  if (end < snapshot) return "pass";
  return (first <= snapshot && snapshot <= end) || previous === snapshot ? "apply" : "break";
}

function follows({ last: end, previous }: DepthSaid, last: number): Verdict {
  if (end === null || previous === null) return "break";
  if (previous <= last && end > last) return "apply";
  return end <= last ? "pass" : "break";
}

function newBook(): NaiveBook {
  return { isLive: false, bids: new Map(), asks: new Map(), last: 0, hasJoined: false, kept: [], joined: [] };
}

function begin(book: NaiveBook, said: SnapshotSaid): void {
  book.bids.clear();
  book.asks.clear();
  book.isLive = true;
  book.last = said.last ?? 0;
  book.hasJoined = false;
  apply(book, said);
}

function apply(book: NaiveBook, { bids, asks }: { bids: readonly Level[]; asks: readonly Level[] }): void {
  setAll(book.bids, bids);
  setAll(book.asks, asks);
  const bestBid = Math.max(...book.bids.keys());
  const bestAsk = Math.min(...book.asks.keys());
  if (bestBid > bestAsk) book.isLive = false;
}

function setAll(side: Map<number, number>, levels: readonly Level[]): void {
  for (const [ticks, lots] of levels) {
    if (lots === 0) side.delete(ticks);
    else side.set(ticks, lots);
  }
}
