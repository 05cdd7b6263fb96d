/** Losses prevented: a market whose opening book is told as news, or numbered from zero, because another market changed in the same millisecond. */

import { expect, it } from "vitest";
import type { BookRecord } from "../../core/wire/market-events.ts";
import { RecordQueue } from "../../exchange-simulator/market/record-queue.ts";
import { sourceOf } from "../../exchange-simulator/market/record-source.ts";
import { findProtocol } from "../../exchange-simulator/protocols/registry.ts";
import { World } from "../../exchange-simulator/world.ts";

const AT = 1_767_225_600_000;

function book(kind: BookRecord["kind"], receivedAt: number, sequence: number): BookRecord {
  return { kind, receivedAt, venueTime: receivedAt, sequence, bids: [[100, 5]], asks: [[101, 5]] };
}

function source(name: string, records: readonly BookRecord[]) {
  const grid = { decimals: 0, mantissa: 1 };
  return sourceOf({ name, tick: grid, lot: grid }, { startTime: AT }, records);
}

it("gives out all snapshots of a moment before what changes in it, then each source's records in their order", () => {
  const queue = new RecordQueue(
    [
      source("AAA-USD", [book("snapshot", AT, 1), book("depth", AT, 2), book("depth", AT + 1, 3)]),
      source("BBB-USD", [book("snapshot", AT, 7)]),
    ],
    0,
  );
  const taken: unknown[] = [];
  for (let next = queue.take(); next !== null; next = queue.take()) taken.push([next.index, next.record.kind, next.record.receivedAt - AT]);
  expect(taken).toEqual([
    [0, "snapshot", 0],
    [1, "snapshot", 0],
    [0, "depth", 0],
    [0, "depth", 1],
  ]);
});

it("lets every market begin with its opening book, unheard, where one of them changes at once", () => {
  const protocol = findProtocol("binance-spot");
  if (protocol === null) throw new Error("binance-spot is spoken");
  const world = new World({
    sources: [source("AAA-USD", [book("snapshot", AT, 1_000), book("depth", AT, 1_001)]), source("BBB-USD", [book("snapshot", AT, 2_000)])],
    venues: [
      {
        protocol,
        listings: [
          ["AAAUSD", "AAA-USD"],
          ["BBBUSD", "BBB-USD"],
        ],
      },
    ],
  });
  expect(world.truth("binance-spot", "BBBUSD")).toMatchObject({ bids: [["100", "5"]], asks: [["101", "5"]] });
  expect(world.markets.get("BBB-USD")?.updateId).toBe(2_000);
});
