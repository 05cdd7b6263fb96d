/**
 * LOBSTER's reconstruction of NASDAQ's books, a message file and an order book file a day, neither with a line of names:
 * https://lobsterdata.com/info/DataStructure.php, read 2026-11-27.
 *
 * 1. Line n of the order book file is the book behind message n, of the best L levels a side. The first is a snapshot, each later one the changes to
 *    it: a level that has left the L is removed, since nothing says how it goes on out there. `bookLevels` of the header is L.
 * 2. Messages of type 4 and 5 (hidden) are trades; their direction is the resting order's. They come before the book that they leave.
 * 3. A cross (6) is refused by name: it has no taker. Its book is taken.
 * 4. A halt (7) is a gap from price -1 to price 1, trading; what is quoted in between (price 0) changes the book, and no more.
 * 5. There is one time, of the exchange: receivedAt is the same (lobster-days.ts). From one day's file to the next there is a gap.
 *
 * A line of either file that can't be read, or whose time goes back, is a gap up to the next.
 */

import { basename } from "node:path";
import { ArchiveError } from "../archive-error.ts";
import { firstLineOf } from "../line-reader.ts";
import type { ForeignItem, ForeignRecord, Importer, TextLevel } from "./foreign.ts";
import { LOBSTER_FILE, type LobsterDay, lobsterDays } from "./lobster-days.ts";
import { dollars, type LobsterBook, type LobsterLevel, lobsterBook, lobsterMessage } from "./lobster-lines.ts";
import { pairedLines } from "./paired-lines.ts";
import { joined } from "./rows.ts";

/** LOBSTER gives up to 200. */
const MAX_LEVELS = 1_000;

export const lobster: Importer = {
  format: "lobster",
  what: "LOBSTER: TICKER_date_from_to_message_L.csv and the _orderbook_ beside it",
  fileName: LOBSTER_FILE,
  async open(files, options) {
    const days = lobsterDays(files, options);
    let levels = 0;
    const widths = new Map<LobsterDay, number>();
    for (const day of days) {
      const width = levelsOf(await firstLineOf(day.books), day.books);
      widths.set(day, width);
      levels = Math.max(levels, width);
    }
    return {
      name: `${days.map(({ messages, books }) => `${basename(messages)} + ${basename(books)}`).join(" + ")}; receivedAt is the exchange's time`,
      bookLevels: levels,
      items(onBytes) {
        const ends = new Map<string, number>();
        return joined(days.map((day) => new DayReader(day, { levels: widths.get(day) as number, ends }).read(onBytes)));
      },
    };
  },
};

function levelsOf(firstLine: string, path: string): number {
  const levels = firstLine.split(",").length / 4;
  if (!Number.isInteger(levels) || levels > MAX_LEVELS || lobsterBook(firstLine, levels) === null)
    throw new ArchiveError(`${path} line 1: no ask price, ask size, bid price, bid size of some levels: ${firstLine.slice(0, 60)}`);
  return levels;
}

interface DayParts {
  readonly levels: number;
  /** When the last message of a market's days so far came. */
  readonly ends: Map<string, number>;
}

class DayReader {
  private readonly day: LobsterDay;
  private readonly levels: number;
  private readonly ends: Map<string, number>;
  /** The book as last given out; null: the next is a snapshot. */
  private book: LobsterBook | null = null;
  private bookLine = "";
  private firstAt: number | null = null;
  private lastAt = 0;
  private haltedAt: number | null = null;

  constructor(day: LobsterDay, { levels, ends }: DayParts) {
    this.day = day;
    this.levels = levels;
    this.ends = ends;
  }

  async *read(onBytes: (bytes: number) => void): AsyncGenerator<ForeignItem[]> {
    const { messages, books } = this.day;
    for await (const { pairs, firstLine } of pairedLines([messages, books], onBytes)) {
      const items: ForeignItem[] = [];
      for (const [index, [message, book]] of pairs.entries()) this.take(items, { message, book, line: firstLine + index });
      yield items;
    }
    if (this.firstAt !== null) this.ends.set(this.day.market, this.lastAt);
    if (this.haltedAt !== null) yield [this.halt(this.haltedAt, null, 0)];
  }

  private take(items: ForeignItem[], { message: text, book: bookText, line }: { message: string; book: string; line: number }): void {
    const { market, messages, midnight } = this.day;
    const message = lobsterMessage(text);
    const at = message === null ? 0 : midnight + message.ofDayMs;
    if (message === null || at < this.lastAt) {
      const refused = message === null ? `no message of LOBSTER: ${text.slice(0, 60)}` : "a time before that of the message before";
      this.lose(items, { refused, line });
      return;
    }
    this.begin(items, at);
    this.lastAt = at;
    if (message.kind === "trade") {
      const { price, size, takerSide } = message;
      const record = { kind: "trade", ...timesOf(at), tradeId: null, price: dollars(price), size: String(size), takerSide } as const;
      items.push({ market, record, file: messages, line });
    }
    if (message.kind === "cross") items.push({ refused: "a cross, which nobody took", file: messages, line, isOfNoBook: true });
    this.takeBook(items, { text: bookText, at, line });
    if (message.kind === "halt") this.takeHalt(items, { state: message.state, at, line });
  }

  /** Whatever stood there, the book isn't known up to the next. */
  private lose(items: ForeignItem[], { refused, line }: { refused: string; line: number }): void {
    items.push({ refused, file: this.day.books, line });
    this.book = null;
  }

  /** The first message of a day: what lies between it and the day before is not known. */
  private begin(items: ForeignItem[], at: number): void {
    if (this.firstAt !== null) return;
    this.firstAt = at;
    const from = this.ends.get(this.day.market);
    if (from === undefined) return;
    const { market, messages } = this.day;
    const record = { kind: "gap", receivedAt: at, from, to: at, reason: "no-file", detail: "between the files of two days" } as const;
    items.push({ market, record, file: messages, line: 1 });
  }

  private takeBook(items: ForeignItem[], { text, at, line }: { text: string; at: number; line: number }): void {
    if (this.book !== null && text === this.bookLine) return;
    const { market, books: file } = this.day;
    const book = lobsterBook(text, this.levels);
    if (book === null) {
      this.lose(items, { refused: `no book of ${this.levels} levels: ${text.slice(0, 60)}`, line });
      return;
    }
    const record = this.book === null ? wholeBook(book, at) : changes(this.book, book, at);
    this.book = book;
    this.bookLine = text;
    items.push({ market, record, file, line });
  }

  private takeHalt(items: ForeignItem[], { state, at, line }: { state: "halted" | "quoting" | "trading"; at: number; line: number }): void {
    // A file may begin within a halt.
    if (state !== "trading") this.haltedAt ??= state === "halted" ? at : this.firstAt;
    else {
      items.push(this.halt(this.haltedAt ?? this.firstAt ?? at, at, line));
      this.haltedAt = null;
    }
  }

  private halt(from: number, to: number | null, line: number): ForeignItem {
    const { market, messages: file } = this.day;
    const record = { kind: "gap", receivedAt: to ?? this.lastAt, from, to, reason: "halt", detail: "trading was halted" } as const;
    return { market, record, file, line };
  }
}

function wholeBook({ bids, asks }: LobsterBook, at: number): ForeignRecord {
  return { kind: "snapshot", ...timesOf(at), sequence: null, bids: bids.map(asText), asks: asks.map(asText) };
}

function changes(before: LobsterBook, after: LobsterBook, at: number): ForeignRecord {
  const bids = sideChanges(before.bids, after.bids);
  const asks = sideChanges(before.asks, after.asks);
  return { kind: "depth", ...timesOf(at), sequence: null, bids, asks };
}

/** First what is gone, then what is new or of another size. */
function sideChanges(before: readonly LobsterLevel[], after: readonly LobsterLevel[]): TextLevel[] {
  const sizes = new Map(before);
  const changed = after.filter(([price, size]) => sizes.get(price) !== size);
  for (const [price] of after) sizes.delete(price);
  return [...[...sizes.keys()].map((price): LobsterLevel => [price, 0]), ...changed].map(asText);
}

function asText([price, size]: LobsterLevel): TextLevel {
  return [dollars(price), String(size)];
}

function timesOf(at: number): { receivedAt: number; venueTime: number } {
  return { receivedAt: at, venueTime: at };
}
