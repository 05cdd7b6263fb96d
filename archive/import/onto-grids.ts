/**
 * Decimals of a foreign record onto the market's grids, exactly or not at all. A snapshot's levels are put best first and its empty ones left
 * out, since formats differ in both and the events' text form promises them.
 */

import { type DecimalGrid, parseSteps } from "../../core/units/decimal.ts";
import type { GridFinder } from "../../core/units/grid-finder.ts";
import type { EventLevel, MarketRecord, QuoteLevel } from "../../core/wire/market-events.ts";
import type { ForeignBook, ForeignRecord, TextLevel } from "./foreign.ts";

export interface Grids {
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

/** Shows every price and size of a record to the finders. */
export function seeNumbers(record: ForeignRecord, { tick, lot }: { tick: GridFinder; lot: GridFinder }): void {
  const seeLevel = (level: readonly [string, string | null] | null): void => {
    if (level === null) return;
    tick.see(level[0]);
    if (level[1] !== null) lot.see(level[1]);
  };
  switch (record.kind) {
    case "snapshot":
    case "depth":
      for (const level of record.bids) seeLevel(level);
      for (const level of record.asks) seeLevel(level);
      break;
    case "trade":
      seeLevel([record.price, record.size]);
      break;
    case "quote":
      seeLevel(record.bid);
      seeLevel(record.ask);
      break;
    case "bar":
      for (const price of [record.open, record.high, record.low, record.close]) tick.see(price);
      lot.see(record.volume);
      if (record.takerBuyVolume !== null) lot.see(record.takerBuyVolume);
      break;
    case "gap":
      break;
  }
}

/** @returns the record in ticks and lots, or why it can't be one. */
export function onGrids(record: ForeignRecord, grids: Grids): MarketRecord | { refused: string } {
  switch (record.kind) {
    case "snapshot":
    case "depth":
      return bookOnGrids(record, grids);
    case "trade": {
      const { price, size, ...rest } = record;
      const priceTicks = steps(price, grids.tick);
      const sizeLots = steps(size, grids.lot);
      if (priceTicks === null || sizeLots === null) return offGrid(`${price} × ${size}`);
      if (sizeLots === 0) return { refused: "a trade of size 0" };
      return { kind: rest.kind, ...timesOf(rest), tradeId: rest.tradeId, priceTicks, sizeLots, takerSide: rest.takerSide };
    }
    case "quote": {
      const bid = quoteLevel(record.bid, grids);
      const ask = quoteLevel(record.ask, grids);
      if (bid === undefined || ask === undefined) return offGrid(`${record.bid?.join(" × ")}, ${record.ask?.join(" × ")}`);
      return { kind: record.kind, ...timesOf(record), sequence: record.sequence, bid, ask };
    }
    case "bar": {
      const [openTicks, highTicks, lowTicks, closeTicks] = [record.open, record.high, record.low, record.close].map((price) =>
        steps(price, grids.tick),
      );
      const volumeLots = steps(record.volume, grids.lot);
      const takerBuyLots = record.takerBuyVolume === null ? null : steps(record.takerBuyVolume, grids.lot);
      if (openTicks == null || highTicks == null || lowTicks == null || closeTicks == null || volumeLots === null)
        return offGrid(`${record.open}, ${record.high}, ${record.low}, ${record.close} × ${record.volume}`);
      if (takerBuyLots === null && record.takerBuyVolume !== null) return offGrid(record.takerBuyVolume);
      const { kind, openTime, closeTime, turnover, trades } = record;
      const prices = { openTicks, highTicks, lowTicks, closeTicks };
      return { kind, ...timesOf(record), openTime, closeTime, ...prices, volumeLots, turnover, takerBuyLots, trades };
    }
    case "gap":
      return record;
  }
}

function bookOnGrids(record: ForeignBook, grids: Grids): MarketRecord | { refused: string } {
  const bids = levelsOf(record.bids, grids);
  const asks = levelsOf(record.asks, grids);
  if (typeof bids === "string") return offGrid(bids);
  if (typeof asks === "string") return offGrid(asks);
  const { kind, sequence } = record;
  if (kind === "depth") return { kind, ...timesOf(record), sequence, bids, asks };
  const isHeld = ([, lots]: EventLevel): boolean => lots > 0;
  const sides = { bids: bids.filter(isHeld).sort(([a], [b]) => b - a), asks: asks.filter(isHeld).sort(([a], [b]) => a - b) };
  return { kind, ...timesOf(record), sequence, ...sides };
}

/** @returns the level that is off the grid, as text, when one is. */
function levelsOf(levels: readonly TextLevel[], { tick, lot }: Grids): EventLevel[] | string {
  const out: EventLevel[] = [];
  for (const [price, size] of levels) {
    const ticks = steps(price, tick);
    const lots = steps(size, lot);
    if (ticks === null || lots === null) return `${price} × ${size}`;
    out.push([ticks, lots]);
  }
  return out;
}

function quoteLevel(level: readonly [string, string | null] | null, { tick, lot }: Grids): QuoteLevel | null | undefined {
  if (level === null) return null;
  const ticks = steps(level[0], tick);
  const lots = level[1] === null ? null : steps(level[1], lot);
  return ticks === null || (lots === null && level[1] !== null) ? undefined : [ticks, lots];
}

function timesOf({ receivedAt, venueTime }: { receivedAt: number; venueTime: number | null }): {
  receivedAt: number;
  venueTime: number | null;
} {
  return { receivedAt, venueTime };
}

function steps(text: string, grid: DecimalGrid): number | null {
  return parseSteps(text, 0, text.length, grid);
}

function offGrid(what: string): { refused: string } {
  return { refused: `a price or size off the grid, or of more digits than 2^53 holds: ${what.slice(0, 60)}` };
}
