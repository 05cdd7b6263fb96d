/**
 * Valid sessions of two markets on one connection, made up by seed, with the true books beside them: what a venue that makes no mistake would send.
 *
 * The books are plain Maps. A step is rendered when it is sent, since Advanced Trade numbers whatever a connection carries, and a book that is asked
 * for again takes a number too. BitMEX says one kind of change in a message, and names levels by ids: a level keeps its id while it is there.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Channel } from "../../exchanges/contract.ts";
import type { Draws } from "./draws.ts";

export interface TrueLevel {
  readonly ticks: number;
  readonly lots: number;
  readonly id: number;
}

/** A book as it truly is after a step; its levels in no order. */
export interface TrueBook {
  readonly bids: readonly TrueLevel[];
  readonly asks: readonly TrueLevel[];
  /** The book's own number, where the venue has one. */
  readonly last: number;
}

export type ChangeAction = "insert" | "update" | "delete";

export interface Change extends TrueLevel {
  readonly action: ChangeAction;
  readonly isBid: boolean;
  /** The level was on the other side before. */
  readonly hasCrossedOver: boolean;
}

/** What a connection counts while it is written to. */
export interface Wire {
  sequence: number;
  tradeId: number;
  /** Epoch ms by the venue's clock. */
  time: number;
}

export interface DepthToWrite {
  readonly instrument: Instrument;
  readonly changes: readonly Change[];
  readonly first: number;
  readonly last: number;
  readonly previous: number;
}

export interface TradeToWrite {
  readonly instrument: Instrument;
  readonly ticks: number;
  readonly lots: number;
  readonly isBuy: boolean;
}

export interface BookToWrite {
  readonly instrument: Instrument;
  readonly book: TrueBook;
}

/** Writes what one venue sends, in its own layout. */
export interface VenueWriter {
  /** Whether each message holds one kind of change. */
  readonly isOfOneAction: boolean;
  /** What a connection begins with, before the books. */
  opening(instruments: readonly Instrument[], wire: Wire): string[];
  depth(message: DepthToWrite, wire: Wire): string;
  trade(message: TradeToWrite, wire: Wire): string;
  quote(message: BookToWrite, wire: Wire): string;
  /** Its own list of the best levels, where it has one. */
  topLevels?(message: BookToWrite, wire: Wire): string;
  /** A frame, or the body of an answer. */
  snapshot(message: BookToWrite, wire: Wire): string;
  /** Of no market's state: a heartbeat, an acknowledgement, a table that is not kept. */
  other(instrument: Instrument, wire: Wire): string;
}

export interface Step {
  readonly channel: Channel | "other";
  readonly market: number;
  render(wire: Wire): string;
  /** The true books of all markets after it. */
  readonly books: readonly TrueBook[];
}

export interface Session {
  /** The true books before the first step. */
  readonly books: readonly TrueBook[];
  readonly steps: readonly Step[];
  /** Changes of each market, should more be needed. */
  readonly afterwards: readonly Step[];
}

export const SESSION_STEPS = 60;
const FEWEST_LEVELS = 3;
const MOST_LEVELS = 9;
const MOST_LOTS = 900;
const MOST_CHANGES = 4;

export function createSession(writer: VenueWriter, instruments: readonly Instrument[], draws: Draws): Session {
  const markets = instruments.map((instrument) => new TrueMarket(instrument, writer, draws));
  const next = (place: number, channel: Step["channel"]): Step => {
    const render = (markets[place] as TrueMarket).step(channel);
    return { channel, market: place, render, books: markets.map((each) => each.state()) };
  };
  const books = markets.map((market) => market.state());
  const steps = Array.from({ length: SESSION_STEPS }, (_, at) => next(draws.oneIn(4) ? 1 : 0, channelOf(draws, at)));
  const afterwards = [0, 1, 0, 1].map((place) => next(place, "depth"));
  return { books, steps, afterwards };
}

/** The last two are changes, so that a hole before them shows. */
function channelOf(draws: Draws, at: number): Step["channel"] {
  const roll = at >= SESSION_STEPS - 2 ? 0 : draws.below(20);
  if (roll < 13) return "depth";
  if (roll < 16) return "trades";
  return roll < 19 ? "quotes" : "other";
}

class TrueMarket {
  private readonly instrument: Instrument;
  private readonly writer: VenueWriter;
  private readonly draws: Draws;
  private readonly sides: Record<"bid" | "ask", Map<number, TrueLevel>> = { bid: new Map(), ask: new Map() };
  private last: number;
  private nextId: number;

  constructor(instrument: Instrument, writer: VenueWriter, draws: Draws) {
    this.instrument = instrument;
    this.writer = writer;
    this.draws = draws;
    this.last = draws.between(100, 2_000_000_000);
    this.nextId = 10_000_000_000 + draws.below(2_000_000_000);
    const middle = draws.between(1_000, 60_000);
    for (let at = 1; at <= 5; at++) {
      this.put("bid", middle - at * draws.between(1, 2) - at);
      this.put("ask", middle + at * draws.between(1, 2) + at);
    }
  }

  state(): TrueBook {
    return { bids: [...this.sides.bid.values()], asks: [...this.sides.ask.values()], last: this.last };
  }

  step(channel: Step["channel"]): Step["render"] {
    const { writer, instrument, draws } = this;
    if (channel === "depth") return this.change();
    if (channel === "other") return (wire) => writer.other(instrument, wire);
    if (channel === "quotes") {
      const book = this.state();
      if (writer.topLevels !== undefined && draws.oneIn(2)) return (wire) => writer.topLevels?.({ instrument, book }, wire) ?? "";
      return (wire) => writer.quote({ instrument, book }, wire);
    }
    const isBuy = draws.oneIn(2);
    const trade = { instrument, ticks: this.best(isBuy ? "ask" : "bid"), lots: draws.between(1, MOST_LOTS), isBuy };
    return (wire) => writer.trade(trade, wire);
  }

  private change(): Step["render"] {
    const { writer, instrument, draws } = this;
    const previous = this.last;
    const first = previous + 1;
    this.last = first + draws.below(4);
    const changes: Change[] = [];
    const count = draws.between(1, MOST_CHANGES);
    for (let tries = 0; changes.length < count && tries < 12; tries++) {
      const change = this.nextChange(writer.isOfOneAction ? (changes[0]?.action ?? null) : null);
      if (change !== null) changes.push(change);
    }
    const message = { instrument, changes, first, last: this.last, previous };
    return (wire) => writer.depth(message, wire);
  }

  /** Makes one change that leaves a book, of one action alone where that is named. */
  private nextChange(only: ChangeAction | null): Change | null {
    const { draws } = this;
    const side = draws.oneIn(2) ? "bid" : "ask";
    const levels = this.sides[side];
    const roll = draws.below(10);
    const action = only ?? (roll < 5 ? "update" : roll < 8 ? "insert" : "delete");
    const isBid = side === "bid";
    if (action === "insert") {
      if (levels.size >= MOST_LEVELS) return null;
      // Up to, not onto, the other side.
      const reach = draws.between(1, 12);
      const ticks = isBid ? this.best("ask") - reach : this.best("bid") + reach;
      if (levels.has(ticks)) return null;
      return { action, isBid, hasCrossedOver: false, ...this.put(side, ticks) };
    }
    if (action === "delete") {
      if (levels.size <= FEWEST_LEVELS) return null;
      const level = draws.pick([...levels.values()]);
      levels.delete(level.ticks);
      return { action, isBid, hasCrossedOver: false, ...level };
    }
    return this.writer.isOfOneAction && draws.oneIn(8) ? this.crossOver(side) : this.update(side);
  }

  private update(side: "bid" | "ask"): Change {
    const { draws } = this;
    const level = draws.pick([...this.sides[side].values()]);
    const changed = { ...level, lots: draws.between(1, MOST_LOTS) };
    this.sides[side].set(level.ticks, changed);
    return { action: "update", isBid: side === "bid", hasCrossedOver: false, ...changed };
  }

  /** The best of the other side is taken, and what is left of the order that took it stands in its place. */
  private crossOver(side: "bid" | "ask"): Change | null {
    const other = side === "bid" ? "ask" : "bid";
    if (this.sides[other].size <= FEWEST_LEVELS) return null;
    const level = this.sides[other].get(this.best(other)) as TrueLevel;
    this.sides[other].delete(level.ticks);
    const moved = { ...level, lots: this.draws.between(1, MOST_LOTS) };
    this.sides[side].set(level.ticks, moved);
    return { action: "update", isBid: side === "bid", hasCrossedOver: true, ...moved };
  }

  private put(side: "bid" | "ask", ticks: number): TrueLevel {
    const level = { ticks, lots: this.draws.between(1, MOST_LOTS), id: this.nextId++ };
    this.sides[side].set(ticks, level);
    return level;
  }

  private best(side: "bid" | "ask"): number {
    const prices = [...this.sides[side].keys()];
    return side === "bid" ? Math.max(...prices) : Math.min(...prices);
  }
}

/** The best level of a side. */
export function bestOf(levels: readonly TrueLevel[], side: "bid" | "ask"): TrueLevel {
  const sign = side === "bid" ? 1 : -1;
  return levels.reduce((best, level) => (level.ticks * sign > best.ticks * sign ? level : best));
}
