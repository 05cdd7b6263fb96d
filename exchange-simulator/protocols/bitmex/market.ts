/**
 * One market as BitMEX tells it: the tables that a client may subscribe to, their rows of now, and the messages of each change.
 *
 * orderBookL2_25 is throttled to one look each 100 ms; a partial of it shows what was told last, so that the updates behind it fit. orderBook10 tells
 * all ten levels of both sides at each change of them. Trades of one taker come in one message. Of the instrument
 * what has moved is told, once a second.
 */

import type { Side } from "../../../core/units/side.ts";
import { MS_PER_MINUTE } from "../../../core/units/time.ts";
import type { EventLevel } from "../../../core/wire/market-events.ts";
import { crossingBid, levelsOf } from "../../book-copy.ts";
import type { Applied, AppliedTrade, LevelChange } from "../../market/canonical-market.ts";
import { MinuteBars } from "../../minute-bars.ts";
import { isoMillis } from "../../times.ts";
import type { Channel, KeptBook, Listing } from "../../venue.ts";
import { BookTable } from "./book-table.ts";
import { BitmexRows, type BookRow, type TickDirection } from "./rows.ts";

export const TABLES = ["orderBookL2", "orderBookL2_25", "orderBook10", "quote", "trade", "instrument", "tradeBin1m"] as const;
export type Table = (typeof TABLES)[number];
export type Action = "partial" | "insert" | "update" | "delete";

export const CHANNEL_OF: Readonly<Record<Table, Channel>> = {
  orderBookL2: "depth",
  orderBookL2_25: "depth",
  orderBook10: "best-levels",
  quote: "quote",
  trade: "trade",
  instrument: "instrument",
  tradeBin1m: "kline",
};

/** A change of one table of one symbol. */
export interface TableChange {
  readonly table: Table;
  readonly action: Action;
  readonly symbol: string;
  /** The rows as text, without the outer brackets. */
  readonly rows: string;
  /** Trade numbers in it; null for other tables. */
  readonly first: number | null;
  readonly last: number | null;
}

export interface TableListener {
  wants(table: Table, symbol: string): boolean;
  hear(change: TableChange): void;
  stamp(time: number): number;
}

const WINDOW_LEVELS = 25;
const SHALLOW_LEVELS = 10;

export interface BitmexMarketSetup {
  readonly listing: Listing;
  readonly index: number;
  readonly isOldForm: boolean;
  /** A snapshot amid the tape is told as a partial once more, instead of the changes that lead to it. */
  readonly tellsSnapshots: boolean;
  readonly listener: TableListener;
}

export class BitmexMarket {
  readonly listing: Listing;
  readonly rows: BitmexRows;
  private readonly table: BookTable;
  private readonly listener: TableListener;
  private readonly tellsSnapshots: boolean;
  private readonly bars = new MinuteBars();
  private readonly window: Readonly<Record<Side, Map<number, number>>> = { bid: new Map(), ask: new Map() };
  private shallow = "";
  private untold: { trade: AppliedTrade; direction: TickDirection }[] = [];
  private lastTrade: { trade: AppliedTrade; direction: TickDirection } | null = null;
  private toldInstrument: Readonly<Record<string, unknown>> = {};

  constructor({ listing, index, isOldForm, tellsSnapshots, listener }: BitmexMarketSetup) {
    this.listing = listing;
    this.listener = listener;
    this.tellsSnapshots = tellsSnapshots;
    this.rows = new BitmexRows(listing, isOldForm);
    this.table = new BookTable(isOldForm, index);
  }

  hear(applied: Applied): void {
    if (applied.kind !== "trade" || this.untold[0]?.trade.time !== applied.time) this.tellTrades();
    switch (applied.kind) {
      case "book":
        this.hearBook(applied);
        return;
      case "top":
        this.tell("quote", "insert", () => this.rows.quote(applied.bid, applied.ask, this.listener.stamp(applied.time)));
        return;
      case "trade":
        this.hearTrade(applied);
    }
  }

  /** The throttled looks: the window, the ten levels. */
  look(): void {
    this.tellTrades();
    if (this.listener.wants("orderBookL2_25", this.listing.symbol)) this.tellWindow();
    else this.forgetWindow();
  }

  passSecond(now: number): void {
    const time = this.listener.stamp(now);
    const prices = this.rows.instrumentPrices();
    const moved = Object.entries(prices).filter(([name, price]) => price !== this.toldInstrument[name]);
    if (moved.length > 0) {
      this.toldInstrument = prices;
      const { symbol } = this.listing;
      this.tell("instrument", "update", () => JSON.stringify({ symbol, ...Object.fromEntries(moved), timestamp: isoMillis(time) }));
    }
    if (now % MS_PER_MINUTE !== 0) return;
    if (this.bars.closeUntil(now) !== null) this.tell("tradeBin1m", "insert", () => this.barRow());
  }

  settle(): void {
    this.look();
  }

  /** What a table holds now, as its partial has it. */
  partialRows(table: Table, kept: KeptBook | null = null): string {
    const { market } = this.listing;
    const now = this.listener.stamp(kept?.time ?? market.venueTime);
    const levels = (side: Side, limit?: number): readonly EventLevel[] => {
      const shown = kept === null ? levelsOf(market.book, side, limit) : side === "bid" ? kept.bids : kept.asks;
      return limit === undefined ? shown : shown.slice(0, limit);
    };
    switch (table) {
      case "orderBookL2":
        return this.bookRows(levels("bid"), levels("ask"), now);
      case "orderBookL2_25":
        if (kept !== null) return this.bookRows(levels("bid", WINDOW_LEVELS), levels("ask", WINDOW_LEVELS), now);
        if (this.window.bid.size === 0 && this.window.ask.size === 0) this.moveWindow();
        return this.bookRows(sorted(this.window.bid, "bid"), sorted(this.window.ask, "ask"), now);
      case "orderBook10":
        return this.rows.book10(levels("bid", SHALLOW_LEVELS), levels("ask", SHALLOW_LEVELS), now);
      case "quote":
        return market.best.bid === null && market.best.ask === null ? "" : this.rows.quote(market.best.bid, market.best.ask, now);
      case "trade":
        return this.lastTrade === null ? "" : this.tradeRow(this.lastTrade);
      case "instrument":
        return JSON.stringify(this.rows.instrument(now));
      case "tradeBin1m":
        return this.barRow();
    }
  }

  /** A new row above the best ask, on no id that the venue knows; null without both sides. */
  crossingRow(time: number): string | null {
    const level = crossingBid(this.listing.market);
    if (level === null) return null;
    return this.rows.book("insert", { id: this.table.unusedId(), side: "bid", level }, this.listener.stamp(time));
  }

  /** An update of a row that was never there, at a price where there is a level: the map from ids to levels is broken. Null without a bid. */
  orphanRow(time: number): string | null {
    const [best] = levelsOf(this.listing.market.book, "bid", 1);
    if (best === undefined) return null;
    return this.rows.book("update", { id: this.table.unusedId(), side: "bid", level: best }, this.listener.stamp(time));
  }

  private hearBook({ changes, isSnapshot, time }: Extract<Applied, { kind: "book" }>): void {
    const told = this.table.change(changes);
    if (isSnapshot && this.tellsSnapshots) this.tell("orderBookL2", "partial", () => this.partialRows("orderBookL2"));
    else {
      const stamp = this.listener.stamp(time);
      for (const { action, rows } of told) {
        this.tell("orderBookL2", action, () => rows.map((row) => this.rows.book(action, row, stamp)).join(","));
      }
    }
    if (this.listener.wants("orderBook10", this.listing.symbol)) this.tellShallow(changes, time);
  }

  private tellShallow(_changes: readonly LevelChange[], time: number): void {
    const { book } = this.listing.market;
    const bids = levelsOf(book, "bid", SHALLOW_LEVELS);
    const asks = levelsOf(book, "ask", SHALLOW_LEVELS);
    const shallow = `${bids}/${asks}`;
    if (shallow === this.shallow) return;
    this.shallow = shallow;
    this.tell("orderBook10", "update", () => this.rows.book10(bids, asks, this.listener.stamp(time)));
  }

  private tellWindow(): void {
    const time = this.listener.stamp(this.listing.market.venueTime);
    const told: Record<"delete" | "update" | "insert", BookRow[]> = { delete: [], update: [], insert: [] };
    const { book } = this.listing.market;
    for (const side of ["bid", "ask"] as const) {
      const present = new Map(levelsOf(book, side, WINDOW_LEVELS).map(([ticks, lots]) => [ticks, lots]));
      for (const priceTicks of this.window[side].keys()) {
        if (!present.has(priceTicks)) told.delete.push({ ...this.table.rowAt(side, priceTicks, book), level: [priceTicks, 0] });
      }
      for (const [priceTicks, lots] of present) {
        const before = this.window[side].get(priceTicks);
        if (before === lots) continue;
        told[before === undefined ? "insert" : "update"].push(this.table.rowAt(side, priceTicks, book));
      }
    }
    this.moveWindow();
    for (const action of ["delete", "update", "insert"] as const) {
      const rows = told[action];
      if (rows.length > 0) this.tell("orderBookL2_25", action, () => rows.map((row) => this.rows.book(action, row, time)).join(","));
    }
  }

  private moveWindow(): void {
    for (const side of ["bid", "ask"] as const) {
      this.window[side].clear();
      for (const [ticks, lots] of levelsOf(this.listing.market.book, side, WINDOW_LEVELS)) this.window[side].set(ticks, lots);
    }
  }

  private forgetWindow(): void {
    this.window.bid.clear();
    this.window.ask.clear();
  }

  private hearTrade(trade: AppliedTrade): void {
    this.bars.add(trade);
    const direction = directionAfter(this.lastTrade, trade);
    this.lastTrade = { trade, direction };
    this.untold.push(this.lastTrade);
  }

  private tellTrades(): void {
    const { untold } = this;
    if (untold.length === 0) return;
    this.untold = [];
    const ids = { first: untold[0]?.trade.tradeId ?? null, last: untold.at(-1)?.trade.tradeId ?? null };
    this.tell("trade", "insert", () => untold.map((told) => this.tradeRow(told)).join(","), ids);
  }

  private tradeRow({ trade, direction }: { trade: AppliedTrade; direction: TickDirection }): string {
    return this.rows.trade(trade, direction, this.listener.stamp(trade.time));
  }

  private bookRows(bids: readonly EventLevel[], asks: readonly EventLevel[], time: number): string {
    return this.table
      .rowsOf(bids, asks)
      .map((row) => this.rows.book("partial", row, time))
      .join(",");
  }

  /** The last closed minute; its timestamp is its end, its open the close before. */
  private barRow(): string {
    const bar = this.bars.all.filter(({ closeTime }) => closeTime < this.listing.market.venueTime).at(-1);
    if (bar === undefined) return "";
    const price = (ticks: number) => Number(this.rows.price(ticks));
    return JSON.stringify({
      timestamp: isoMillis(this.listener.stamp(bar.closeTime + 1)),
      symbol: this.listing.symbol,
      open: price(bar.openTicks),
      high: price(bar.highTicks),
      low: price(bar.lowTicks),
      close: price(bar.closeTicks),
      trades: bar.trades,
      volume: bar.lots,
      vwap: bar.lots === 0 ? null : (bar.tickLots / bar.lots) * price(1),
    });
  }

  private tell(table: Table, action: Action, rows: () => string, ids: { first: number | null; last: number | null } = NO_IDS): void {
    const { symbol } = this.listing;
    if (this.listener.wants(table, symbol)) this.listener.hear({ table, action, symbol, rows: rows(), ...ids });
  }
}

const NO_IDS = { first: null, last: null };

function directionAfter(last: { trade: AppliedTrade; direction: TickDirection } | null, trade: AppliedTrade): TickDirection {
  const moved = last === null ? 0 : Math.sign(trade.priceTicks - last.trade.priceTicks);
  if (moved !== 0) return moved > 0 ? "PlusTick" : "MinusTick";
  return last === null || last.direction === "PlusTick" || last.direction === "ZeroPlusTick" ? "ZeroPlusTick" : "ZeroMinusTick";
}

function sorted(levels: ReadonlyMap<number, number>, side: Side): EventLevel[] {
  const better = side === "bid" ? -1 : 1;
  return [...levels].sort(([left], [right]) => better * (left - right));
}
