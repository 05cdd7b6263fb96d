/**
 * The rows of orderBookL2: one id a price level, kept for as long as the venue lives, and what a change of the book does to the rows.
 *
 * - A level that gives place to one of the other side at its price is told as an update with the new side.
 * - Where a book is locked, one price has a row on each side: the second one has an id of its own.
 * - Removals are told first, then changes, then new rows: no client that follows crosses its book between two messages.
 * - Today's ids say nothing of the price. In the form "2021" they count down from 8,800,000,000 with the price, as XBTUSD's did.
 */

import type { OrderBook } from "../../../core/book/order-book.ts";
import type { Side } from "../../../core/units/side.ts";
import type { LevelChange } from "../../market/canonical-market.ts";
import type { BookAction, BookRow } from "./rows.ts";

const OLD_FORM_TOP = 8_800_000_000;
/** Today's ids begin here: as many digits as the venue's. */
const FIRST_ID = 79_000_000_000;
/** Ids step by 1 to this, so that they don't even count the levels. */
const LARGEST_STEP = 7;

export interface RowChange {
  readonly action: BookAction;
  readonly rows: readonly BookRow[];
}

export class BookTable {
  private readonly isOldForm: boolean;
  /** The id that a price always had; prices seen in the venue's life, a few hundred thousand at most. */
  private readonly idsOfPrices = new Map<number, number>();
  /** Second ids, of the prices that were once locked. */
  private readonly lockedIds = new Map<number, number>();
  private readonly live: Readonly<Record<Side, Map<number, number>>> = { bid: new Map(), ask: new Map() };
  private nextId: number;

  constructor(isOldForm: boolean, index: number) {
    this.isOldForm = isOldForm;
    this.nextId = FIRST_ID + index * 100_000_000;
  }

  /** Takes what changed, in the order told: removals, changes, new rows. */
  change(changes: readonly LevelChange[]): RowChange[] {
    const removed = new Map<number, BookRow>();
    const updated: BookRow[] = [];
    const inserted: BookRow[] = [];
    for (const { side, priceTicks, sizeLots, previousLots } of changes) {
      if (sizeLots !== 0 || previousLots === 0) continue;
      const id = this.take(side, priceTicks);
      if (id !== null) removed.set(id, { id, side, level: [priceTicks, 0] });
    }
    for (const { side, priceTicks, sizeLots } of changes) {
      if (sizeLots === 0) continue;
      const held = this.live[side].get(priceTicks);
      const id = held ?? this.give(side, priceTicks);
      const row: BookRow = { id, side, level: [priceTicks, sizeLots] };
      if (held !== undefined || removed.delete(id)) updated.push(row);
      else inserted.push(row);
    }
    const told: RowChange[] = [
      { action: "delete", rows: [...removed.values()] },
      { action: "update", rows: updated },
      { action: "insert", rows: inserted },
    ];
    return told.filter(({ rows }) => rows.length > 0);
  }

  /** All rows of a book, highest price first, as a partial has them. */
  rowsOf(bids: readonly (readonly [number, number])[], asks: readonly (readonly [number, number])[]): BookRow[] {
    const row = (side: Side) => (level: readonly [number, number]) => ({ id: this.idOf(side, level[0]), side, level });
    return [...asks.map(row("ask")).reverse(), ...bids.map(row("bid"))];
  }

  /** The row of a level; of one that isn't there, the row that it would have. */
  rowAt(side: Side, priceTicks: number, book: OrderBook): BookRow {
    return { id: this.idOf(side, priceTicks), side, level: [priceTicks, book.side(side).lotsAtPrice(priceTicks)] };
  }

  /** An id that no row has or will have. */
  unusedId(): number {
    return this.isOldForm ? OLD_FORM_TOP + this.nextStep() : this.draw();
  }

  private take(side: Side, priceTicks: number): number | null {
    const id = this.live[side].get(priceTicks);
    this.live[side].delete(priceTicks);
    return id ?? null;
  }

  private give(side: Side, priceTicks: number): number {
    const usual = this.usualId(priceTicks);
    const other = side === "bid" ? "ask" : "bid";
    const id = this.live[other].get(priceTicks) === usual ? this.lockedId(priceTicks) : usual;
    this.live[side].set(priceTicks, id);
    return id;
  }

  private idOf(side: Side, priceTicks: number): number {
    return this.live[side].get(priceTicks) ?? this.usualId(priceTicks);
  }

  private usualId(priceTicks: number): number {
    return this.isOldForm ? OLD_FORM_TOP - priceTicks : this.remembered(this.idsOfPrices, priceTicks);
  }

  private lockedId(priceTicks: number): number {
    return this.remembered(this.lockedIds, priceTicks);
  }

  private remembered(ids: Map<number, number>, priceTicks: number): number {
    const known = ids.get(priceTicks);
    if (known !== undefined) return known;
    const id = this.draw();
    ids.set(priceTicks, id);
    return id;
  }

  private draw(): number {
    this.nextId += this.nextStep();
    return this.nextId;
  }

  private nextStep(): number {
    return 1 + ((Math.imul(this.nextId | 0, 0x9e3779b1) >>> 8) % LARGEST_STEP);
  }
}
