/** One cell of the matrix: a world with its fault, a feed in it, and what became of every book, moment by moment. */

import { featureSetV1 } from "../../core/features/registry.ts";
import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import { InProcessFeed } from "../../exchange-simulator/in-process-feed.ts";
import { SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import type { FaultRow } from "./fault-rows.ts";
import { heldContents, referenceOf, SAMPLE_MS } from "./reference.ts";
import { START, symbolsAt, worldOf } from "./shared-markets.ts";

/** What became of one market. */
export interface MarketOutcome {
  readonly symbol: string;
  /** At the end, with everything told. */
  readonly isLive: boolean;
  readonly isEqual: boolean;
  /** Samples at which the book was held to be live and was another than the venue's, as stretches. */
  readonly wrong: readonly { readonly from: number; readonly to: number }[];
  /** When it first stopped being live, after it first was; null when it never did. */
  readonly lostAt: number | null;
  /** All but the feed's start, in the order of their beginning. */
  readonly gaps: readonly GapRecord[];
}

export interface Cell {
  readonly venue: string;
  readonly row: FaultRow;
  readonly record: readonly FaultEntry[];
  /** The faulted one first. */
  readonly markets: readonly [MarketOutcome, ...MarketOutcome[]];
}

export function runCell(venue: string, row: FaultRow): Cell {
  const known = findAdapter(venue);
  if (known === null) throw new Error(`no adapter for ${venue}`);
  const symbols = symbolsAt(venue);
  const [faulted = ""] = symbols;
  const { lifetimeMs, succeededAtAgeMs, finerTicksAt } = row;
  const orders = row.orders(faulted, venue).map((order) => ({ venue, ...order }));
  const world = worldOf(venue, { seed: 5, orders, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) });
  const time = new SimulatedTime(world);
  const adapter = finerTicksAt === undefined ? known : withFinerTicks(known, () => time.now >= finerTicksAt);
  const own = {
    ...(succeededAtAgeMs === undefined ? {} : { succeededAtAgeMs }),
    ...(finerTicksAt === undefined ? {} : { instrumentsGoodForMs: finerTicksAt - START }),
  };
  const feed = new InProcessFeed({ time, adapter, symbols, featureSet: featureSetV1, uniform: () => 0.5, ...own });
  if (finerTicksAt !== undefined) time.at(finerTicksAt + 10, () => feed.look());
  const ledger = new Map<string, GapRecord>();
  const watched = symbols.map((symbol) => new Watched(venue, symbol));
  const endedAt = START + row.seconds * 1_000;
  for (let at = START; at <= endedAt; at += SAMPLE_MS) {
    if (at === endedAt) world.settle();
    time.advanceTo(at);
    feed.reducer.tick(at);
    for (const gap of feed.takeGapChanges()) ledger.set(gap.id, gap);
    for (const each of watched) each.look(feed, at);
  }
  const [first, ...others] = watched.map((each) => each.outcome(feed, ledger));
  if (first === undefined) throw new Error(`${venue} has no symbols`);
  return { venue, row, record: world.injector?.record.all ?? [], markets: [first, ...others] };
}

/** The same prices, on a grid of a tenth of the tick. */
function withFinerTicks(adapter: ExchangeAdapter, areFiner: () => boolean): ExchangeAdapter {
  return {
    ...adapter,
    decodeInstruments(body, symbols) {
      const decoded = adapter.decodeInstruments(body, symbols);
      if ("malformed" in decoded || !areFiner()) return decoded;
      const finer = ({ mantissa, decimals }: DecimalGrid) => ({ mantissa, decimals: decimals + 1 });
      return { instruments: decoded.instruments.map((instrument) => ({ ...instrument, tick: finer(instrument.tick) })) };
    },
  };
}

class Watched {
  private readonly venue: string;
  private readonly symbol: string;
  private readonly wrong: { from: number; to: number }[] = [];
  private wasLive = false;
  private lostAt: number | null = null;
  private last: { readonly live: boolean; readonly equal: boolean } = { live: false, equal: false };
  /** The book's text, written anew when the book has changed. */
  private held = "";
  private heldAt: number | null = null;

  constructor(venue: string, symbol: string) {
    this.venue = venue;
    this.symbol = symbol;
  }

  look(feed: InProcessFeed, time: number): void {
    const market = this.marketOf(feed);
    const live = isServed(market, time);
    if (market.lastBookAt !== this.heldAt) {
      this.heldAt = market.lastBookAt;
      this.held = heldContents(market);
    }
    const equal = this.held === referenceOf(this.venue).at(this.symbol, time);
    this.last = { live, equal };
    this.wasLive ||= live;
    if (this.wasLive && !live) this.lostAt ??= time;
    if (!live || equal) return;
    const stretch = this.wrong.at(-1);
    if (stretch !== undefined && stretch.to === time - SAMPLE_MS) stretch.to = time;
    else this.wrong.push({ from: time, to: time });
  }

  outcome(feed: InProcessFeed, ledger: ReadonlyMap<string, GapRecord>): MarketOutcome {
    const { symbol, wrong, lostAt } = this;
    const { market } = this.marketOf(feed);
    const gaps = [...ledger.values()].filter((gap) => gap.market === market && gap.reason !== "started");
    return { symbol, isLive: this.last.live, isEqual: this.last.equal, wrong, lostAt, gaps: gaps.toSorted((a, b) => a.from - b.from) };
  }

  private marketOf(feed: InProcessFeed): MarketTracker {
    const market = feed.reducer.markets.get(this.symbol);
    if (market === undefined) throw new Error(`the feed has no ${this.symbol}`);
    return market;
  }
}

/** Whether a user who asks now is given the book. */
function isServed(market: MarketTracker, now: number): boolean {
  return market.state === "live" && market.silenceMs(now) <= market.staleAfterMs();
}
