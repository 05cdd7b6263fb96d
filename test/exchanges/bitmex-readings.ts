/** BitMEX frames as a test wants them read: events copied out of their buffers, and the two readings side by side. */

import type { MarketEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { BookRows } from "../../exchanges/bitmex/book-rows.ts";
import { EventList } from "../../exchanges/bitmex/event-list.ts";
import { FrameParser, type Reading } from "../../exchanges/bitmex/frame-parser.ts";
import { FrameScanner } from "../../exchanges/bitmex/frame-scanner.ts";
import { marketsBySymbol } from "../../exchanges/bitmex/markets.ts";
import type { Decoded, LossNotice } from "../../exchanges/contract.ts";

/** Every event of a decoded frame, each copied before the next is asked for. Best levels lie in buffers that have room for more: that is cut off. */
export function eventsOf(decoded: Decoded): (MarketEvent | LossNotice)[] {
  if (decoded.kind === "event") return [copyOf(decoded.event)];
  if (decoded.kind !== "events") throw new Error(`no events: ${JSON.stringify(decoded)}`);
  const events: (MarketEvent | LossNotice)[] = [];
  for (let event = decoded.next(); event !== null; event = decoded.next()) events.push(copyOf(event));
  return events;
}

function copyOf(event: MarketEvent | LossNotice): MarketEvent | LossNotice {
  const copy = structuredClone(event);
  if (copy.kind !== "top-levels") return copy;
  const { levels } = copy;
  const held = levels.bidCount + levels.askCount;
  return { ...copy, levels: { ...levels, priceTicks: levels.priceTicks.slice(0, held), sizeLots: levels.sizeLots.slice(0, held) } };
}

/** Both readings of a frame, as values that can be kept and compared; the scanner's is null for what it leaves to the parser. */
export function readers(instruments: readonly Instrument[]) {
  const markets = marketsBySymbol(instruments);
  const forParser = { rows: new BookRows(), events: new EventList() };
  const forScanner = { rows: new BookRows(), events: new EventList() };
  const parser = new FrameParser(forParser, markets, () => 1);
  const scanner = new FrameScanner(forScanner, markets.values());
  const settle = (reading: Reading, { rows }: typeof forParser): unknown => {
    if (reading.kind === "events") return eventsOf(reading);
    if (reading.kind !== "book") return structuredClone(reading);
    const { action, count, partialOf, markets: rowMarkets, ids, isBid, ticks, lots, times } = rows;
    return [
      action,
      partialOf,
      ...Array.from({ length: count }, (_, at) => [rowMarkets[at]?.symbol, ids[at], isBid[at], ticks[at], lots[at], times[at]]),
    ];
  };
  return {
    scan: (frame: string) => {
      const reading = scanner.scan(frame);
      return reading === null ? null : settle(reading, forScanner);
    },
    parse: (frame: string) => settle(parser.parse(frame), forParser),
  };
}
