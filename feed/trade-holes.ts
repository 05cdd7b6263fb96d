/**
 * Holes among the ids of a market's trades. On one connection a hole is a loss, noted at once. While a second one is open, the two race each other: a
 * trade that one has left behind may still come on the other, and what is missing when only one is left is lost.
 */

import type { ChannelWatch } from "./channel-watch.ts";

/** Holes held while two connections are open; of more the oldest is taken for a loss. */
const KEPT_HOLES = 64;

interface Hole {
  readonly first: number;
  readonly last: number;
  missing: number;
  readonly from: number;
  readonly to: number;
}

export class TradeHoles {
  private readonly trades: ChannelWatch;
  private hasTwoConnections = false;
  private held: Hole[] = [];

  constructor(trades: ChannelWatch) {
    this.trades = trades;
  }

  /** Trades come on a second connection too. */
  opened(): void {
    this.hasTwoConnections = true;
  }

  /** On one alone again, or on none. */
  closed(): void {
    this.hasTwoConnections = false;
    for (const hole of this.held) this.note(hole);
    this.held = [];
  }

  /** A new trade has come, with `missing` ids between it and the largest before it. Called before the channel hears of it. */
  add(id: number, missing: number, at: number): void {
    const filled = this.held.find(({ first, last }) => id >= first && id <= last);
    if (filled !== undefined) filled.missing--;
    if (missing === 0) return;
    const hole = { first: id - missing, last: id - 1, missing, from: this.trades.spokeAt ?? at, to: at };
    if (!this.hasTwoConnections) {
      this.note(hole);
      return;
    }
    this.held.push(hole);
    const oldest = this.held.length > KEPT_HOLES ? this.held.shift() : undefined;
    if (oldest !== undefined) this.note(oldest);
  }

  private note({ last, missing, from, to }: Hole): void {
    if (missing > 0)
      this.trades.gaps.note({ from, to, reason: "lost-trades", detail: `${missing} trade(s) before ${last + 1} never came` });
  }
}
