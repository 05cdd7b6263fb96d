/**
 * What a decoder of the Exchange feed remembers of each market, since its messages carry no number of the book: how many there have been
 * since the snapshot, and which trades were seen and quoted.
 *
 * Trades: ids count up by one, so the feed sees a hole among those that came (tradeIds "consecutive"). What it can't see is a loss with no
 * trade after it; the heartbeat names the last trade each second and shows it. A heartbeat and a match come on two channels and may cross, so a
 * trade counts as lost when the next heartbeat, a second later, still finds it missing.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Decoded } from "../contract.ts";
import { isObject, parseJson } from "../decoding/json-fields.ts";
import type { CoinbaseMarket } from "./messages.ts";

export interface ExchangeMarket extends CoinbaseMarket {
  /** Messages of the book since its snapshot, which is 0. */
  changes: number;
  hasSnapshot: boolean;
  /** The largest id that was seen, or that is known to be lost; null before the first. */
  lastTradeId: number | null;
  /** What the last heartbeat said; null before the first. */
  heartbeatTradeId: number | null;
  /** The trade that the last ticker was of; null before the first. */
  tickerTradeId: number | null;
}

export function exchangeMarkets(instruments: readonly Instrument[]): ReadonlyMap<string, ExchangeMarket> {
  return new Map(
    instruments.map(({ symbol, tick, lot }) => [
      symbol,
      { symbol, tick, lot, changes: 0, hasSnapshot: false, lastTradeId: null, heartbeatTradeId: null, tickerTradeId: null },
    ]),
  );
}

/** Another connection: its snapshot and its last match come anew. */
export function forget(market: ExchangeMarket): void {
  market.changes = 0;
  market.hasSnapshot = false;
  market.lastTradeId = null;
  market.heartbeatTradeId = null;
  market.tickerTradeId = null;
}

export function sawTrade(market: ExchangeMarket, tradeId: number): void {
  if (market.lastTradeId === null || tradeId > market.lastTradeId) market.lastTradeId = tradeId;
}

/**
 * A ticker comes with each trade and says the top right behind it. The first one after subscribing is of the trade before, however long ago:
 * of ten recorded, seven were of a top that was gone; all that came with later trades were of the present one. An id below the last is a first one
 * again: were it held to be old, one absurd id would silence the only check that this book has.
 * @returns whether the ticker is of a trade since.
 */
export function sawTicker(market: ExchangeMarket, tradeId: number): boolean {
  const { tickerTradeId } = market;
  market.tickerTradeId = tradeId;
  return tickerTradeId !== null && tradeId > tickerTradeId;
}

/** What such a ticker is answered with. */
export const OLD_TICKER: Decoded = { kind: "ignored", reason: "the quote of a trade before the subscription" };

/** An id that lies farther below the last one than any crossing of two channels explains: the last one was absurd, or the venue counts anew. */
const LARGEST_STEP_BACK = 1_000_000;

/** @returns the ids that are lost for certain; null when none are. */
export function sawHeartbeat(market: ExchangeMarket, tradeId: number): { from: number; to: number } | null {
  const { lastTradeId, heartbeatTradeId } = market;
  market.heartbeatTradeId = tradeId;
  // Nothing was seen yet: what came before the subscription was never ours.
  if (lastTradeId === null || tradeId < lastTradeId - LARGEST_STEP_BACK) {
    market.lastTradeId = tradeId;
    return null;
  }
  if (heartbeatTradeId === null || heartbeatTradeId <= lastTradeId) return null;
  market.lastTradeId = heartbeatTradeId;
  return { from: lastTradeId + 1, to: heartbeatTradeId };
}

/** For a checkpoint; null before there is a book. */
export function memoryOf({ hasSnapshot, changes, lastTradeId, heartbeatTradeId, tickerTradeId }: ExchangeMarket): string | null {
  return hasSnapshot ? JSON.stringify({ changes, lastTradeId, heartbeatTradeId, tickerTradeId }) : null;
}

/** @returns whether the text could be read; nothing is taken of one that can't. */
export function recallInto(market: ExchangeMarket, memory: string): boolean {
  const read = memory.length <= MAX_MEMORY_CHARACTERS ? parseJson(memory) : undefined;
  if (!isObject(read)) return false;
  const { changes, lastTradeId, heartbeatTradeId, tickerTradeId } = read;
  if (!isCount(changes) || ![lastTradeId, heartbeatTradeId, tickerTradeId].every(isCountOrNull)) return false;
  Object.assign(market, { changes, lastTradeId, heartbeatTradeId, tickerTradeId, hasSnapshot: true });
  return true;
}

/** Four numbers of 16 digits and their names take less. */
const MAX_MEMORY_CHARACTERS = 200;

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || isCount(value);
}
