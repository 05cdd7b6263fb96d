/** Trades and quotes beside a market's book: which trades are new, what of either is lost, which of them is silent while the book goes on. */

import type { TradeEvent } from "../core/market/event.ts";
import type { Channel, ExchangeAdapter, LossNotice } from "../exchanges/contract.ts";
import { ChannelWatch } from "./channel-watch.ts";
import type { GapRecord } from "./contract.ts";
import { GapTracker } from "./gap-tracker.ts";
import { TradeHoles } from "./trade-holes.ts";
import { TradeIds } from "./trade-ids.ts";

export class SideChannels {
  readonly trades: ChannelWatch;
  readonly quotes: ChannelWatch;
  readonly tradeHoles: TradeHoles;
  private readonly tradeIds: TradeIds;

  /** @param staleAfterMs the shortest silence after which any channel of this venue counts as stale. */
  constructor(market: string, { tradeIds, staleAfterMs }: { tradeIds: ExchangeAdapter["tradeIds"]; staleAfterMs: number }) {
    this.trades = new ChannelWatch(new GapTracker(market, "trades"), staleAfterMs);
    this.quotes = new ChannelWatch(new GapTracker(market, "quotes"), staleAfterMs);
    this.tradeHoles = new TradeHoles(this.trades);
    this.tradeIds = new TradeIds(tradeIds);
  }

  /** A connection begins: it may send again what the last one has. */
  connectionOpened(at: number): void {
    this.interrupted(at);
    this.tradeIds.clear();
  }

  interrupted(at: number): void {
    this.trades.interrupted(at);
    this.quotes.interrupted(at);
  }

  /** @returns whether this trade hasn't been seen before. */
  takeTrade({ tradeId }: TradeEvent, receivedAt: number): boolean {
    const { isNew, missing } = this.tradeIds.add(tradeId);
    if (!isNew) return false;
    this.tradeHoles.add(tradeId, missing, receivedAt);
    this.trades.heard(receivedAt);
    return true;
  }

  /** @returns whether the loss was of one of these channels. */
  takeLoss({ channel, reason, detail }: LossNotice, receivedAt: number): boolean {
    if (channel === "trades") this.trades.lost(receivedAt, "lost-trades", detail);
    else if (channel === "quotes") this.quotes.lost(receivedAt, reason, detail);
    return channel !== "depth";
  }

  /** @param bookAt when the book last changed: after that all of the market is silent. */
  judge(at: number, bookAt: number): void {
    const goneOnUntil = Math.min(at, bookAt);
    this.trades.judge(goneOnUntil);
    this.quotes.judge(goneOnUntil);
  }

  /** Takes those that have been judged silent, and are to be subscribed to anew. */
  takeSilent(): Channel[] {
    const silent: Channel[] = [];
    if (this.trades.takeDue()) silent.push("trades");
    if (this.quotes.takeDue()) silent.push("quotes");
    return silent;
  }

  /** Where the gaps of a channel are kept; null for the book's. */
  gapsOf(channel: GapRecord["channel"]): GapTracker | null {
    if (channel === "trades") return this.trades.gaps;
    return channel === "quotes" ? this.quotes.gaps : null;
  }

  takeGapChanges(): GapRecord[] {
    return [...this.trades.gaps.takeChanges(), ...this.quotes.gaps.takeChanges()];
  }
}
