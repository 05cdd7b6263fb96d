/** What a decoder answered, copied out of its buffers into the plain values that the naive readers give. */

import type { LevelBatch, MarketEvent } from "../../core/market/event.ts";
import type { Decoded, LossNotice } from "../../exchanges/contract.ts";
import type { Level, Reading, Said } from "./naive-values.ts";

/** More events than any frame here can hold: a decoder that never ends fails instead of hanging. */
const MOST_EVENTS = 100_000;

/** @param isNumbered whether the numbers of books are the venue's own; a decoder's own count is no part of the reading. */
export function readingOf(decoded: Decoded, isNumbered: boolean): Reading {
  switch (decoded.kind) {
    case "event":
      return { kind: "events", said: [saidOf(decoded.event, isNumbered)] };
    case "events": {
      const said: Said[] = [];
      for (let event = decoded.next(); event !== null; event = decoded.next()) {
        said.push(saidOf(event, isNumbered));
        if (said.length > MOST_EVENTS) throw new Error("events without an end");
      }
      return { kind: "events", said };
    }
    case "control":
      return { kind: "control", control: decoded.control };
    default:
      return { kind: decoded.kind };
  }
}

export function saidOf(event: MarketEvent | LossNotice, isNumbered: boolean): Said {
  switch (event.kind) {
    case "depth": {
      const { symbol, venueTime, firstSequence, lastSequence, previousSequence, levels } = event;
      const numbers = { first: isNumbered ? firstSequence : null, last: isNumbered ? lastSequence : null, previous: previousSequence };
      return { kind: "depth", symbol, venueTime, ...numbers, ...levelsOf(levels) };
    }
    case "snapshot": {
      const { symbol, venueTime, lastSequence, levels } = event;
      return { kind: "snapshot", symbol, venueTime, last: isNumbered ? lastSequence : null, ...levelsOf(levels) };
    }
    case "trade": {
      const { symbol, venueTime, tradeId, priceTicks, sizeLots, takerSide } = event;
      return { kind: "trade", symbol, venueTime, tradeId, ticks: priceTicks, lots: sizeLots, takerSide };
    }
    case "quote": {
      const { symbol, venueTime, sequence, bidTicks, bidLots, askTicks, askLots } = event;
      return { kind: "quote", symbol, venueTime, sequence, bid: [bidTicks, bidLots], ask: [askTicks, askLots] };
    }
    case "top-levels": {
      const { symbol, venueTime, depth, levels } = event;
      return { kind: "top-levels", symbol, venueTime, depth, ...levelsOf(levels) };
    }
    case "kline": {
      const { symbol, venueTime, openTime, closeTime, openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, trades } =
        event;
      const prices = [openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots];
      return { kind: "kline", symbol, numbers: [venueTime, openTime, closeTime, ...prices, trades], isClosed: event.isClosed };
    }
    case "instrument": {
      const { symbol, venueState, hasOtherGrids } = event;
      return { kind: "instrument", symbol, venueState, hasOtherGrids };
    }
    case "loss":
      return { kind: "loss", symbol: event.symbol, channel: event.channel };
  }
}

function levelsOf({ bidCount, askCount, priceTicks, sizeLots }: LevelBatch): { bids: Level[]; asks: Level[] } {
  const slice = (from: number, count: number) =>
    Array.from({ length: count }, (_, at): Level => [priceTicks[from + at] as number, sizeLots[from + at] as number]);
  return { bids: slice(0, bidCount), asks: slice(bidCount, askCount) };
}

/** Both readings as texts that are equal when they say the same. A trade's id that the decoder had to make up is left out of both. */
export function comparable(decoded: Reading, naive: Reading): readonly [decoded: string, naive: string] {
  if (decoded.kind !== "events" || naive.kind !== "events") return [textOf(decoded), textOf(naive)];
  const madeUp = naive.said.map((said) => said.kind === "trade" && said.tradeId === null);
  if (!madeUp.includes(true)) return [textOf(decoded), textOf(naive)];
  const said = decoded.said.map((each, at) => (madeUp[at] && each.kind === "trade" ? { ...each, tradeId: null } : each));
  return [textOf({ kind: "events", said }), textOf(naive)];
}

/** Keys in one order, whatever order the objects were made in. */
function textOf(reading: Reading): string {
  if (reading.kind !== "events") return JSON.stringify(reading);
  return reading.said.map(saidText).join("\n");
}

function saidText(said: Said): string {
  switch (said.kind) {
    case "depth":
      return `depth ${said.symbol} at ${said.venueTime} ${said.first}-${said.last} after ${said.previous} bids ${said.bids.join(" ")} asks ${said.asks.join(" ")}`;
    case "snapshot":
      return `snapshot ${said.symbol} at ${said.venueTime} ${said.last} bids ${said.bids.join(" ")} asks ${said.asks.join(" ")}`;
    case "trade":
      return `trade ${said.symbol} at ${said.venueTime} ${said.tradeId}: ${said.ticks} x ${said.lots} ${said.takerSide}`;
    case "quote":
      return `quote ${said.symbol} at ${said.venueTime} ${said.sequence}: ${said.bid} ${said.ask}`;
    case "top-levels":
      return `best ${said.depth} of ${said.symbol} at ${said.venueTime} bids ${said.bids.join(" ")} asks ${said.asks.join(" ")}`;
    case "kline":
      return `kline ${said.symbol} ${said.numbers} ${said.isClosed}`;
    case "instrument":
      return `instrument ${said.symbol} ${said.venueState} ${said.hasOtherGrids}`;
    case "loss":
      return `loss ${said.symbol} ${said.channel}`;
  }
}
