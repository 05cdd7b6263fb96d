/**
 * The levels in which two books of one market differ, and have differed in the same way at every look: what one of them has lost stays, while what merely
 * comes sooner on one connection, or cut into other messages, is another level the next moment. The first look compares all levels, each later one those that
 * still differ.
 */

import type { OrderBook } from "../core/book/order-book.ts";
import type { Side } from "../core/units/side.ts";

export class LastingDifference {
  /** Ticks of a bid, minus the ticks of an ask: the lots in one book and in the other; null before the first look. */
  private levels: Map<number, readonly [number, number]> | null = null;

  get isThere(): boolean {
    return this.levels !== null && this.levels.size > 0;
  }

  look(one: OrderBook, other: OrderBook): void {
    if (this.levels === null) {
      this.levels = differencesOf(one, other);
      return;
    }
    for (const [level, [here, there]] of this.levels) {
      const side = level > 0 ? "bid" : "ask";
      const ticks = Math.abs(level);
      if (one.side(side).lotsAtPrice(ticks) !== here || other.side(side).lotsAtPrice(ticks) !== there) this.levels.delete(level);
    }
  }
}

function differencesOf(one: OrderBook, other: OrderBook): Map<number, readonly [number, number]> {
  const found = new Map<number, readonly [number, number]>();
  for (const side of ["bid", "ask"] as const) {
    compare(side, { one, other }, found);
    compare(side, { one: other, other: one }, found, "turned");
  }
  return found;
}

/** Adds the levels of `one` that `other` has otherwise. */
function compare(
  side: Side,
  { one, other }: { readonly one: OrderBook; readonly other: OrderBook },
  found: Map<number, readonly [number, number]>,
  order: "as-given" | "turned" = "as-given",
): void {
  const [ladder, opposite] = [one.side(side), other.side(side)];
  for (let depth = 0; depth < ladder.levelCount; depth++) {
    const ticks = ladder.ticksAt(depth);
    const [here, there] = [ladder.lotsAt(depth), opposite.lotsAtPrice(ticks)];
    if (here !== there) found.set(side === "bid" ? ticks : -ticks, order === "as-given" ? [here, there] : [there, here]);
  }
}
