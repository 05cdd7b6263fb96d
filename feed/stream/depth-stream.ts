/**
 * One market's best levels as a stream: a snapshot, then what has changed in them at each turn. Shared by all clients that want the same.
 *
 * It holds what its clients hold, and compares that with the book: however many messages came in between, a level appears once with its
 * present size, and a message is never larger than two snapshots. The clients' book is at each turn exactly the book's best levels: a level
 * that better ones have pushed out goes with size 0, one that has moved up comes with its size.
 *
 * `sequence` counts this stream's messages by one, and each change names the one before: a client proves by itself that it has missed none.
 */

import type { Ladder } from "../../core/book/ladder.ts";
import { type Side, sideSign } from "../../core/units/side.ts";
import type { MarketTracker } from "../market-tracker.ts";

export interface Advance {
  readonly kind: "snapshot" | "change";
  readonly text: string;
}

/** [capacity] levels of one side, best first. */
interface Levels {
  ticks: Float64Array;
  lots: Float64Array;
  count: number;
}

export class DepthStream {
  readonly levels: number;
  readonly intervalMs: number;
  private sequence = 0;
  private isWhole = false;
  private unbrokenSince: number | null = null;
  private window = "";
  private snapshotText: string | null = null;
  /** Of the last message: what a snapshot taken later must carry too. */
  private times = "";
  private readonly sides: Record<Side, { held: Levels; next: Levels }>;

  constructor(levels: number, intervalMs: number) {
    this.levels = levels;
    this.intervalMs = intervalMs;
    this.sides = {
      bid: { held: emptyLevels(levels), next: emptyLevels(levels) },
      ask: { held: emptyLevels(levels), next: emptyLevels(levels) },
    };
  }

  /** The book was lost, or replaced: what comes next is a snapshot. */
  break(): void {
    this.isWhole = false;
    this.snapshotText = null;
  }

  /** Nothing was sent of the book as it stands. */
  get isBroken(): boolean {
    return !this.isWhole;
  }

  /** What to send so that the clients hold the book as it is now; null when they do, or there is no book. */
  advance(market: MarketTracker): Advance | null {
    if (market.state !== "live") {
      this.break();
      return null;
    }
    const window = windowText(market);
    if (market.unbrokenSince !== this.unbrokenSince || window !== this.window) this.break();
    this.unbrokenSince = market.unbrokenSince;
    this.window = window;
    const bids = this.take(market, "bid");
    const asks = this.take(market, "ask");
    if (this.isWhole && bids === "" && asks === "") return null;
    this.sequence++;
    this.snapshotText = null;
    this.times = `"lastSequence":${market.lastSequence},"marketTime":${market.marketTime},"receivedAt":${market.lastBookAt}`;
    if (this.isWhole) {
      const head = `{"kind":"depth","market":${JSON.stringify(market.market)},"previous":${this.sequence - 1},"sequence":${this.sequence}`;
      return { kind: "change", text: `${head},${this.times},"bids":[${bids}],"asks":[${asks}]}` };
    }
    this.isWhole = true;
    return { kind: "snapshot", text: this.snapshot(market.market) };
  }

  /** What the clients hold, as of the last message; only while not broken. */
  snapshot(market: string): string {
    if (this.snapshotText === null) {
      const { bid, ask } = this.sides;
      const head = `{"kind":"snapshot","market":${JSON.stringify(market)},"sequence":${this.sequence},${this.times},"completeTo":${this.window}`;
      this.snapshotText = `${head},"bids":[${levelsText(bid.held)}],"asks":[${levelsText(ask.held)}]}`;
    }
    return this.snapshotText;
  }

  /** Takes a side's best levels, as far as all of them are known (as feed/views.ts does). @returns how they differ from those held. */
  private take({ book }: MarketTracker, side: Side): string {
    const pair = this.sides[side];
    const { held, next } = pair;
    next.count = book.copyTop(side, next.ticks, next.lots);
    const sign = sideSign(side);
    const end = book.side(side).completeToTicks;
    while (end !== null && next.count > 1 && sign * (next.ticks[next.count - 1] as number) < sign * end) next.count--;
    pair.held = next;
    pair.next = held;
    return differences(held, next, sign);
  }
}

/** Both are best first: one walk along them. */
function differences(from: Levels, to: Levels, sign: 1 | -1): string {
  const changed: string[] = [];
  let old = 0;
  let now = 0;
  while (old < from.count || now < to.count) {
    const oldKey = old < from.count ? sign * (from.ticks[old] as number) : Number.NEGATIVE_INFINITY;
    const nowKey = now < to.count ? sign * (to.ticks[now] as number) : Number.NEGATIVE_INFINITY;
    if (oldKey > nowKey) {
      changed.push(`[${from.ticks[old]},0]`);
      old++;
      continue;
    }
    if (nowKey > oldKey || from.lots[old] !== to.lots[now]) changed.push(`[${to.ticks[now]},${to.lots[now]}]`);
    if (nowKey === oldKey) old++;
    now++;
  }
  return changed.join(",");
}

function levelsText({ ticks, lots, count }: Levels): string {
  return Array.from({ length: count }, (_, depth) => `[${ticks[depth]},${lots[depth]}]`).join(",");
}

/** Prices down to which every level is known, as of the book; null for the whole side. */
function windowText({ book }: MarketTracker): string {
  const to = ({ completeToTicks }: Ladder): string => String(completeToTicks);
  return `{"bidTicks":${to(book.bids)},"askTicks":${to(book.asks)}}`;
}

function emptyLevels(capacity: number): Levels {
  return { ticks: new Float64Array(capacity), lots: new Float64Array(capacity), count: 0 };
}
