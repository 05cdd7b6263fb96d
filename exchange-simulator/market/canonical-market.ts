/**
 * One market as it truly is, whatever venue it is shown through: the book in whole ticks and lots, numbered level changes, numbered trades.
 *
 * It takes the records of `core/wire/market-events.ts` in the order of their time, and says what each of them changed: that is what the protocols
 * speak of. What a record says twice changes nothing: a level set to the size it has, a removal of what isn't there.
 *
 * - A snapshot replaces the book; told as the changes that lead to it.
 * - Quotes are the book's own top. A recorded quote counts only where the tape holds no book: it is then a book of one level a side.
 * - A trade without a side gets one from the book: at or above the mid it was bought (Lee and Ready 1991 without their tick test; the side of the
 *   last trade at the mid itself).
 * - A gap is silence: nothing is made up for it.
 */

import { OrderBook } from "../../core/book/order-book.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { Side, TakerSide } from "../../core/units/side.ts";
import type { BookRecord, EventLevel, MarketRecord, QuoteRecord, TradeRecord } from "../../core/wire/market-events.ts";

export interface MarketDescription {
  /** The simulator's own name of it; each venue may call it otherwise. */
  readonly name: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export interface LevelChange {
  readonly side: Side;
  readonly priceTicks: number;
  readonly sizeLots: number;
  /** 0 where there was no level. */
  readonly previousLots: number;
}

/** What a record changed. `time` is the venue's clock where the tape knows it, else when it was received. */
export type Applied =
  | { readonly kind: "book"; readonly time: number; readonly changes: readonly LevelChange[]; readonly isSnapshot: boolean }
  | { readonly kind: "top"; readonly time: number; readonly bid: EventLevel | null; readonly ask: EventLevel | null }
  | AppliedTrade;

export interface AppliedTrade {
  readonly kind: "trade";
  readonly time: number;
  readonly tradeId: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerSide: TakerSide;
}

export class CanonicalMarket implements MarketDescription {
  readonly name: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
  readonly book = new OrderBook();
  private updates = 0;
  private trades = 0;
  private time = 0;
  private hasBooks = false;
  private top: { bid: EventLevel | null; ask: EventLevel | null } = { bid: null, ask: null };
  private lastTrade: AppliedTrade | null = null;

  constructor({ name, tick, lot }: MarketDescription) {
    this.name = name;
    this.tick = tick;
    this.lot = lot;
  }

  /** How many level changes there have been, from the tape's own number on where it has one. */
  get updateId(): number {
    return this.updates;
  }

  get tradeId(): number {
    return this.trades;
  }

  /** Of the last record, by the venue's clock. */
  get venueTime(): number {
    return this.time;
  }

  get trade(): AppliedTrade | null {
    return this.lastTrade;
  }

  get best(): { readonly bid: EventLevel | null; readonly ask: EventLevel | null } {
    return this.top;
  }

  /** @param hear told of each change, the change of the top last, when the book is whole. */
  apply(record: MarketRecord, hear: (applied: Applied) => void): void {
    // Bars say nothing of a book; klines are made from the trades that are told.
    if (record.kind === "gap" || record.kind === "bar") return;
    this.time = Math.max(this.time, record.venueTime ?? record.receivedAt);
    switch (record.kind) {
      case "trade":
        this.applyTrade(record, hear);
        return;
      case "quote":
        if (!this.hasBooks) this.applyQuote(record, hear);
        return;
      default:
        this.hasBooks = true;
        this.applyBook(record, hear);
    }
  }

  private applyBook(record: BookRecord, hear: (applied: Applied) => void): void {
    const isSnapshot = record.kind === "snapshot";
    const changes = isSnapshot ? [...this.missingFrom("bid", record.bids), ...this.missingFrom("ask", record.asks)] : [];
    for (const [priceTicks, sizeLots] of record.bids) this.set(changes, "bid", [priceTicks, sizeLots]);
    for (const [priceTicks, sizeLots] of record.asks) this.set(changes, "ask", [priceTicks, sizeLots]);
    // The first number is where the market's own count starts; a venue's sequence may also count what is not told here.
    const counted = this.updates + changes.length;
    this.updates = record.sequence === null ? counted : Math.max(counted, record.sequence);
    if (changes.length === 0 && !isSnapshot) return;
    hear({ kind: "book", time: this.time, changes, isSnapshot });
    this.tellTop(hear);
  }

  private applyQuote(record: QuoteRecord, hear: (applied: Applied) => void): void {
    const bid = withSize(record.bid);
    const ask = withSize(record.ask);
    const changes = [...this.missingFrom("bid", bid === null ? [] : [bid]), ...this.missingFrom("ask", ask === null ? [] : [ask])];
    if (bid !== null) this.set(changes, "bid", bid);
    if (ask !== null) this.set(changes, "ask", ask);
    this.updates += changes.length;
    if (changes.length === 0) return;
    hear({ kind: "book", time: this.time, changes, isSnapshot: false });
    this.tellTop(hear);
  }

  private applyTrade(record: TradeRecord, hear: (applied: Applied) => void): void {
    const named = record.tradeId === null ? Number.NaN : Number(record.tradeId);
    this.trades = Number.isSafeInteger(named) && named > this.trades ? named : this.trades + 1;
    const { priceTicks, sizeLots } = record;
    const takerSide = record.takerSide ?? this.sideOf(priceTicks);
    this.lastTrade = { kind: "trade", time: this.time, tradeId: this.trades, priceTicks, sizeLots, takerSide };
    hear(this.lastTrade);
  }

  private sideOf(priceTicks: number): TakerSide {
    const mid = this.book.midTicks;
    if (mid === null || mid === priceTicks) return this.lastTrade?.takerSide ?? "buy";
    return priceTicks > mid ? "buy" : "sell";
  }

  private missingFrom(side: Side, levels: readonly EventLevel[]): LevelChange[] {
    const kept = new Set(levels.map(([priceTicks]) => priceTicks));
    const ladder = this.book.side(side);
    const gone: LevelChange[] = [];
    for (let depth = 0; depth < ladder.levelCount; depth++) {
      const priceTicks = ladder.ticksAt(depth);
      if (!kept.has(priceTicks)) gone.push({ side, priceTicks, sizeLots: 0, previousLots: ladder.lotsAt(depth) });
    }
    for (const { priceTicks } of gone) ladder.set(priceTicks, 0);
    return gone;
  }

  private set(changes: LevelChange[], side: Side, [priceTicks, sizeLots]: EventLevel): void {
    const ladder = this.book.side(side);
    const previousLots = ladder.lotsAtPrice(priceTicks);
    if (previousLots === sizeLots) return;
    ladder.set(priceTicks, sizeLots);
    changes.push({ side, priceTicks, sizeLots, previousLots });
  }

  private tellTop(hear: (applied: Applied) => void): void {
    const bid = bestOf(this.book, "bid");
    const ask = bestOf(this.book, "ask");
    if (isSame(bid, this.top.bid) && isSame(ask, this.top.ask)) return;
    this.top = { bid, ask };
    hear({ kind: "top", time: this.time, bid, ask });
  }
}

/** A tape of quotes may say no sizes, and no protocol can leave one out: it is shown as one lot. */
function withSize(quoted: QuoteRecord["bid"]): EventLevel | null {
  return quoted && [quoted[0], quoted[1] ?? 1];
}

function bestOf(book: OrderBook, side: Side): EventLevel | null {
  const ladder = book.side(side);
  return ladder.levelCount === 0 ? null : [ladder.ticksAt(0), ladder.lotsAt(0)];
}

function isSame(left: EventLevel | null, right: EventLevel | null): boolean {
  if (left === null || right === null) return left === right;
  return left[0] === right[0] && left[1] === right[1];
}
