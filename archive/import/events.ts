/** Our own events files (core/wire/market-events.ts), read again: checked line by line, joined, or put on other grids. */

import { basename } from "node:path";
import { formatSteps } from "../../core/units/decimal.ts";
import type { EventsHeader, MarketRecord } from "../../core/wire/market-events.ts";
import { readEventsFile, readEventsHeader } from "../events-file.ts";
import type { ForeignItem, ForeignRecord, Importer } from "./foreign.ts";
import { joined } from "./rows.ts";

export const events: Importer = {
  format: "events",
  what: "edgebook's own event lines (.events.ndjson), as import writes and export gives them",
  fileName: /\.ndjson(\.gz)?$/,
  async open(files) {
    const headers = new Map<string, EventsHeader>();
    const parts: { path: string; header: EventsHeader }[] = [];
    for (const { path } of files) {
      const header = await readEventsHeader(path);
      headers.set(header.market, headers.get(header.market) ?? header);
      parts.push({ path, header });
    }
    return {
      name: files.map(({ path }) => basename(path)).join(" + "),
      headers,
      items: (onBytes) => joined(parts.map(({ path, header }) => readItems(path, header, onBytes))),
    };
  },
};

async function* readItems(file: string, header: EventsHeader, onBytes: (bytes: number) => void): AsyncGenerator<ForeignItem[]> {
  for await (const block of readEventsFile(file, header, onBytes)) {
    yield block.map(
      (item): ForeignItem =>
        "refused" in item ? item : { market: header.market, record: asText(item.record, header), file, line: item.line },
    );
  }
}

/** A record of ours as the decimals that it stands for. */
export function asText(record: MarketRecord, { tick, lot }: Pick<EventsHeader, "tick" | "lot">): ForeignRecord {
  const price = (ticks: number): string => formatSteps(ticks, tick);
  const size = (lots: number): string => formatSteps(lots, lot);
  switch (record.kind) {
    case "snapshot":
    case "depth": {
      const level = ([ticks, lots]: readonly [number, number]): readonly [string, string] => [price(ticks), size(lots)];
      return { ...record, bids: record.bids.map(level), asks: record.asks.map(level) };
    }
    case "trade": {
      const { priceTicks, sizeLots, ...rest } = record;
      return { ...rest, price: price(priceTicks), size: size(sizeLots) };
    }
    case "quote": {
      const level = (side: readonly [number, number | null] | null): readonly [string, string | null] | null =>
        side && [price(side[0]), side[1] === null ? null : size(side[1])];
      return { ...record, bid: level(record.bid), ask: level(record.ask) };
    }
    case "bar": {
      const { openTicks, highTicks, lowTicks, closeTicks, volumeLots, takerBuyLots, ...rest } = record;
      const prices = { open: price(openTicks), high: price(highTicks), low: price(lowTicks), close: price(closeTicks) };
      return { ...rest, ...prices, volume: size(volumeLots), takerBuyVolume: takerBuyLots === null ? null : size(takerBuyLots) };
    }
    case "gap":
      return record;
  }
}
