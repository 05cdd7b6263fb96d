/** A market's events read from Node, as they are played: some at a time. */

import { decodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import type { RecordSource } from "../../exchange-simulator/market/record-source.ts";
import type { EventLines, StretchFacts } from "../training/edge-day-contract.ts";
import { fromNode } from "./edge-day-scores.ts";

/** Of the stretch that was begun in Node. */
export async function servedEvents({ market, tick, lot, startTime }: StretchFacts): Promise<RecordSource> {
  let records: readonly MarketRecord[] = [];
  let at = 0;
  let isAtEnd = false;
  const source: RecordSource = {
    market: { name: market, tick, lot },
    startTime,
    endTime: null,
    peek: () => records[at] ?? (isAtEnd ? null : "starved"),
    shift: () => {
      if (at < records.length) at++;
    },
    fill: async () => {
      if (at < records.length || isAtEnd) return;
      const { lines } = await fromNode<EventLines>("events", null);
      isAtEnd = lines.length === 0;
      at = 0;
      records = lines.map((line) => {
        const record = decodeMarketRecord(line, { tick, lot });
        if ("malformed" in record) throw new Error(record.malformed);
        return record;
      });
    },
    close: async () => {},
  };
  await source.fill();
  return source;
}
