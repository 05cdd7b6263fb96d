/**
 * What is said on a client's socket: docs/api.md shows it, decision 0014 says why it is so.
 *
 * A client says one JSON object at a time; a frame to it is a JSON array of objects, as many as the turn has brought. Prices and sizes are whole numbers of ticks and lots; `subscription`, the first message of a market,
 * holds the grids. A level is [priceTicks, sizeLots]. Texts are built here by hand, once for all who get them: only integers, and strings
 * that went through JSON.stringify, stand in them.
 */

import { formatSteps } from "../../core/units/decimal.ts";
import type { GapRecord, MarketStatus } from "../contract.ts";
import type { MarketTracker } from "../market-tracker.ts";

export const CHANNELS = ["quote", "trades", "depth", "gaps"] as const;
export type Channel = (typeof CHANNELS)[number];

/** Levels a side that a depth stream may hold. A few, so that clients share streams: each costs a comparison of its levels at each turn. */
export const STREAM_LEVELS = [20, 100, 500] as const;
export const DEFAULT_STREAM_LEVELS = 20;
/** Between two messages of a market's depth or quote. The shortest is the pace of the fan-out, and of Binance's own depth stream. */
export const INTERVALS_MS = [100, 500, 1_000, 5_000] as const;
export const TURN_MS = 100;
/** Markets of one socket: what it is subscribed to must fit the 16,384 bytes that a hibernating socket remembers, at up to 81 characters a name. */
export const MAX_MARKETS = 50;

export interface Subscription {
  readonly market: string;
  readonly channels: readonly Channel[];
  readonly levels: number;
  readonly intervalMs: number;
}

export interface TradeLine {
  readonly tradeId: number;
  readonly venueTime: number;
  readonly receivedAt: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerSide: string;
}

export function welcomeText(feed: string, now: number, markets: readonly string[]): string {
  return JSON.stringify({ kind: "welcome", feed, now, markets });
}

/** The grids, and what this client gets of the market. */
export function subscriptionText(subscription: Subscription, { instrument }: MarketTracker): string {
  const { market, channels, levels, intervalMs } = subscription;
  const { tick, lot } = instrument;
  return JSON.stringify({
    kind: "subscription",
    market,
    channels,
    levels,
    intervalMs,
    tick: formatSteps(1, tick),
    lot: formatSteps(1, lot),
  });
}

export function unsubscribedText(market: string): string {
  return JSON.stringify({ kind: "unsubscribed", market });
}

export function stateText(market: string, state: MarketStatus["state"], detail: string | null): string {
  return JSON.stringify({ kind: "state", market, state, detail });
}

export function gapText(gap: GapRecord): string {
  return JSON.stringify({ kind: "gap", market: gap.market, gap });
}

export function tradeText(trade: TradeLine): string {
  const { tradeId, venueTime, receivedAt, priceTicks, sizeLots, takerSide } = trade;
  return `{"tradeId":${tradeId},"venueTime":${venueTime},"receivedAt":${receivedAt},"priceTicks":${priceTicks},"sizeLots":${sizeLots},"takerSide":"${takerSide}"}`;
}

/** @param missed trades of this turn that are not among them. */
export function tradesText(market: string, trades: readonly string[], missed: number): string {
  return `{"kind":"trades","market":${JSON.stringify(market)},"missed":${missed},"trades":[${trades.join(",")}]}`;
}

/** Nothing but this is sent until the client has caught up. */
export function laggingText(outstandingBytes: number): string {
  return JSON.stringify({ kind: "lagging", outstandingBytes });
}

/** What was not sent meanwhile; null where the process that counted is gone. What a new subscription gets follows for each market. */
export function resumedText(after: "lag" | "restart", missedTrades: number | null): string {
  return JSON.stringify({ kind: "resumed", after, missedTrades });
}

export function pingText(id: string): string {
  return JSON.stringify({ kind: "ping", id });
}

export function errorText(detail: string): string {
  return JSON.stringify({ kind: "error", detail });
}
