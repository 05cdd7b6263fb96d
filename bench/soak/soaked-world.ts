/**
 * What a soak runs: twenty symbols of seven generated markets over three venues, each venue followed by a feed of ours in simulated time, and faults of every
 * kind at times that the seed gives. The world and its feeds are one process without sockets; the same options give the same run, byte for byte.
 */

import { featureSetV1 } from "../../core/features/registry.ts";
import { Random } from "../../core/math/random.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { FaultOrder } from "../../exchange-simulator/faults/fault.ts";
import type { FaultInjector } from "../../exchange-simulator/faults/injector.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import { faultSchedule } from "../../exchange-simulator/faults/schedule.ts";
import { InProcessFeed } from "../../exchange-simulator/in-process-feed.ts";
import { SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import { buildWorld } from "../../exchange-simulator/simulated-venues.ts";
import { symbolAt } from "../../exchange-simulator/symbol-names.ts";
import type { World } from "../../exchange-simulator/world.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";

export const SOAK_START = Date.UTC(2026, 0, 5, 12);
const MARKETS = ["BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "ADA-USD", "LTC-USD", "DOT-USD"];
/** Of the seven, how many each venue lists: twenty in all. */
const LISTED: Readonly<Record<string, number>> = { "binance-spot": 7, "coinbase-advanced": 7, bitmex: 6 };
/** Between two looks at the schedule of faults. */
const STEP_MS = 100;

export interface SoakOptions {
  readonly seed: number;
  /** Faults a simulated minute, over all venues. */
  readonly ratePerMinute: number;
  readonly minutes: number;
}

export class SoakedWorld {
  readonly world: World;
  readonly feeds: readonly InProcessFeed[];
  private readonly time: SimulatedTime;
  private readonly injector: FaultInjector;
  private readonly schedule: Iterator<FaultOrder & { readonly at: number }>;
  private scheduled: (FaultOrder & { readonly at: number }) | null;
  private ledger = new Map<string, GapRecord>();

  private constructor(world: World, injector: FaultInjector, { seed, ratePerMinute }: SoakOptions) {
    this.world = world;
    this.time = new SimulatedTime(world);
    this.injector = injector;
    const venues = [...world.stalls.values()].map(({ venue, protocol }) => ({
      venue: venue.venue,
      symbols: [...venue.listings.keys()],
      hasRestBook: protocol.hasRestBook,
    }));
    this.schedule = faultSchedule({ seed, ratePerMinute, startTime: SOAK_START, venues });
    this.scheduled = this.nextOrder();
    this.feeds = venues.map(({ venue, symbols }, index) => {
      const adapter = findAdapter(venue);
      if (adapter === null) throw new Error(`no adapter speaks ${venue}`);
      const random = new Random(seed + index);
      return new InProcessFeed({ time: this.time, adapter, symbols, featureSet: featureSetV1, uniform: () => random.uniform() });
    });
  }

  static async build(options: SoakOptions): Promise<SoakedWorld> {
    const generated = { names: MARKETS, preset: "both", seed: options.seed, startTime: SOAK_START } as const;
    const listings = Object.entries(LISTED).flatMap(([venue, count]) =>
      MARKETS.slice(0, count).map((market) => `${venue}:${symbolAt(venue, market)}=${market}`),
    );
    const world = await buildWorld({ venues: Object.keys(LISTED), generated, listings, faults: { seed: options.seed } });
    if (world.injector === null) throw new Error("a world without an injector");
    return new SoakedWorld(world, world.injector, options);
  }

  /** Lives up to a time. @param faults `calm`: none that is not under way begins. */
  liveUntil(until: number, faults: "calm" | "faulty"): void {
    for (let time = Math.floor(this.world.clock.now); time < until; ) {
      time = Math.min(until, time + STEP_MS);
      while (faults === "faulty" && this.scheduled !== null && this.scheduled.at <= time) {
        this.injector.add(this.scheduled);
        this.scheduled = this.nextOrder();
      }
      this.time.advanceTo(time);
    }
  }

  /** What goes on ends, and what waits is forgotten. */
  endFaults(): void {
    this.injector.clear();
  }

  /** Tells what is held back: a feed that lost nothing then holds the truth. */
  settle(): void {
    this.world.settle();
  }

  /** Takes the simulator's record of what is over since a while: a silence, or a connection held, may still go on. */
  takeRecord(before: number): readonly FaultEntry[] {
    return this.injector.record.takeBefore(before);
  }

  /** Takes the gaps that have ended, as the ledger has them at last. */
  takeEndedGaps(): readonly GapRecord[] {
    for (const feed of this.feeds) {
      for (const gap of feed.takeGapChanges()) this.ledger.set(gap.id, gap);
      feed.reducer.takeClosedMinutes();
    }
    const ended = [...this.ledger.values()].filter(({ to }) => to !== null);
    for (const { id } of ended) this.ledger.delete(id);
    return ended;
  }

  get openGaps(): readonly GapRecord[] {
    return [...this.ledger.values()];
  }

  private nextOrder(): (FaultOrder & { readonly at: number }) | null {
    const next = this.schedule.next();
    return next.done === true ? null : next.value;
  }
}

/** What a book has lost may go unseen for so long, where nothing is numbered: until then the record stays in memory. */
export const SETTLED_AFTER_MS = 30 * MS_PER_MINUTE;
