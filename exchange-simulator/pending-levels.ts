/** The prices that changed since a batch began: each is told once, with the size that it has when the batch ends. */

import type { OrderBook } from "../core/book/order-book.ts";
import type { Side } from "../core/units/side.ts";
import type { EventLevel } from "../core/wire/market-events.ts";
import type { LevelChange } from "./market/canonical-market.ts";

export class PendingLevels {
  private readonly changed: Readonly<Record<Side, Set<number>>> = { bid: new Set(), ask: new Set() };

  get isEmpty(): boolean {
    return this.changed.bid.size === 0 && this.changed.ask.size === 0;
  }

  add(changes: readonly LevelChange[]): void {
    for (const { side, priceTicks } of changes) this.changed[side].add(priceTicks);
  }

  clear(): void {
    this.changed.bid.clear();
    this.changed.ask.clear();
  }

  /** Best first; 0 where the level is gone. */
  levels(book: OrderBook, side: Side): EventLevel[] {
    const better = side === "bid" ? -1 : 1;
    const prices = [...this.changed[side]].sort((left, right) => better * (left - right));
    return prices.map((priceTicks) => [priceTicks, book.side(side).lotsAtPrice(priceTicks)]);
  }
}
