/**
 * Three generated markets, made once and shown by every world of the fault matrix: what differs between two worlds of a venue is the fault.
 */

import type { MarketRecord } from "../../core/wire/market-events.ts";
import { generativeMarket, generativeSource } from "../../exchange-simulator/market/generative-records.ts";
import { sourceOf } from "../../exchange-simulator/market/record-source.ts";
import { findProtocol } from "../../exchange-simulator/protocols/registry.ts";
import { type FaultWishes, injectorOf } from "../../exchange-simulator/simulated-venues.ts";
import { symbolAt } from "../../exchange-simulator/symbol-names.ts";
import { World } from "../../exchange-simulator/world.ts";

export const START = Date.UTC(2026, 10, 21, 12, 0, 0);
export const NAMES = ["BTC-USD", "ETH-USD", "SOL-USD"] as const;
/** The longest run, and what each market's records cover. */
export const LONGEST_SECONDS = 75;

/** By market, the records from START on, the book at START first. */
let markets: ReadonlyMap<string, readonly MarketRecord[]> | null = null;

function recordsOf(name: string): readonly MarketRecord[] {
  markets ??= new Map(NAMES.map((market, index) => [market, generate(market, index)]));
  return markets.get(name) ?? [];
}

/** The book at START stands for all that was before it. */
function generate(name: string, index: number): readonly MarketRecord[] {
  const preset = index % 2 === 0 ? "large-tick" : "small-tick";
  const source = generativeSource({ name, preset, seed: 61 + index, startTime: START, seconds: LONGEST_SECONDS });
  const bids = new Map<number, number>();
  const asks = new Map<number, number>();
  let sequence: number | null = null;
  const records: MarketRecord[] = [];
  for (let next = source.peek(); next !== null && next !== "starved"; next = source.peek()) {
    source.shift();
    if (next.receivedAt >= START) records.push(next);
    else if (next.kind === "snapshot" || next.kind === "depth") {
      for (const [price, size] of next.bids) bids.set(price, size);
      for (const [price, size] of next.asks) asks.set(price, size);
      ({ sequence } = next);
    }
  }
  const levels = (side: Map<number, number>, sign: number) =>
    [...side].filter(([, size]) => size > 0).sort(([left], [right]) => sign * (left - right));
  const book = { bids: levels(bids, -1), asks: levels(asks, 1) };
  return [{ kind: "snapshot", receivedAt: START, venueTime: START, sequence, ...book }, ...records];
}

export function symbolsAt(venue: string): readonly string[] {
  return NAMES.map((name) => symbolAt(venue, name));
}

export function worldOf(venue: string, faults: FaultWishes | null): World {
  const protocol = findProtocol(venue);
  if (protocol === null) throw new Error(`${venue} is not spoken by the simulator`);
  const sources = NAMES.map((name) => sourceOf(generativeMarket(name), { startTime: START, endTime: null }, recordsOf(name)));
  const venues = [{ protocol, listings: NAMES.map((name) => [symbolAt(venue, name), name] as const) }];
  return new World({ sources, venues, ...(faults === null ? {} : { injector: (world: World) => injectorOf(world, faults) }) });
}
