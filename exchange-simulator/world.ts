/**
 * The simulated world: markets, the venues that show them, their clients, one clock. No socket, no timer, no clock of its own: `advanceTo` moves it,
 * frames go to whatever was given to `connect`, requests are answered as values. The same setup and the same calls give the same frames.
 *
 * In the order of time; where times are equal, what the venues do by the clock comes before the record, so that a batch ends before it. How a stretch of
 * time is cut into calls changes nothing.
 */

import { formatSteps } from "../core/units/decimal.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import { levelsOf } from "./book-copy.ts";
import type { FaultInjector } from "./faults/injector.ts";
import { Link, type Wire } from "./link.ts";
import { CanonicalMarket } from "./market/canonical-market.ts";
import { RecordQueue } from "./market/record-queue.ts";
import type { RecordSource } from "./market/record-source.ts";
import type { Clock, Listing, Protocol, RestAnswer, RestRequest, Venue, VenueSetup } from "./venue.ts";

export interface VenueChoice {
  readonly protocol: Protocol;
  /** What the venue calls each market that it lists: [symbol, market's name]. */
  readonly listings: readonly (readonly [symbol: string, market: string])[];
  /** Settings of the protocol's own. */
  readonly settings?: Omit<VenueSetup, "listings" | "clock"> & Readonly<Record<string, unknown>>;
}

export interface WorldSetup {
  readonly sources: readonly RecordSource[];
  readonly venues: readonly VenueChoice[];
  /** All times of the sources are moved by it; 0 unless told. */
  readonly shiftMs?: number;
  /** Makes what comes between venues and clients; nothing does unless told. */
  readonly injector?: (world: World) => FaultInjector;
}

/** A venue among its listings and clients. */
export interface Stall {
  readonly protocol: Protocol;
  readonly venue: Venue;
  readonly links: Set<Link>;
}

/** The book of one symbol as it is. */
export interface Truth {
  readonly venue: string;
  readonly symbol: string;
  readonly market: string;
  readonly tick: string;
  readonly lot: string;
  /** The simulated clock, and the venue's time of the market's last record. */
  readonly time: number;
  readonly venueTime: number;
  /** Records applied to the market. */
  readonly records: number;
  /** The venue's last number that it told of the book; null where it has none. */
  readonly sequence: number | null;
  readonly tradeId: number;
  /** Frames of this symbol that the venue told its clients, by channel; before any fault, to clients that are still there. */
  readonly frames: Readonly<Record<string, number>>;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

export class World {
  readonly clock: Clock;
  readonly markets: ReadonlyMap<string, CanonicalMarket>;
  readonly stalls: ReadonlyMap<string, Stall>;
  readonly startTime: number;
  /** Up to here the clock goes on when there are no more records. */
  private endTime: number;
  private readonly queue: RecordQueue;
  private readonly sources: readonly RecordSource[];
  /** By the source's place: its market, and where that is listed. */
  private readonly listed: readonly { readonly market: CanonicalMarket; readonly at: readonly { venue: Venue; listing: Listing }[] }[];
  private readonly records = new Map<string, number>();
  /** What breaks things here; null where nothing does. */
  readonly injector: FaultInjector | null;
  private linkCount = 0;

  /** Sources must have been filled once. Lives through what lies before `startTime`, and the snapshots that stand at it, unheard. */
  constructor({ sources, venues, injector, shiftMs = 0 }: WorldSetup) {
    this.sources = sources;
    this.startTime = Math.min(...sources.map(({ startTime }) => startTime)) + shiftMs;
    this.clock = { now: Math.min(this.startTime, ...sources.map((source) => firstTimeOf(source) + shiftMs)) };
    this.endTime = Math.max(...sources.map((source) => (source.endTime ?? Number.NEGATIVE_INFINITY) + shiftMs));
    const markets = sources.map(({ market }) => new CanonicalMarket(market));
    this.markets = new Map(markets.map((market) => [market.name, market]));
    if (this.markets.size !== markets.length) throw new RangeError("two sources have a market of the same name");
    this.stalls = new Map(venues.map((choice) => [choice.protocol.venue, this.stallOf(choice)]));
    this.listed = markets.map((market) => ({ market, at: [...this.stalls.values()].flatMap(({ venue }) => listingsIn(venue, market)) }));
    this.queue = new RecordQueue(sources, shiftMs);
    this.injector = injector?.(this) ?? null;
    this.advanceTo(this.startTime);
    if (!this.takeSnapshots()) return;
    // Nobody has heard them: they are no part of the first batch.
    for (const { venue } of this.stalls.values()) venue.settle();
  }

  get hasSubscribers(): boolean {
    return [...this.stalls.values()].some(({ venue }) => venue.hasSubscribers);
  }

  get links(): readonly Link[] {
    return [...this.stalls.values()].flatMap(({ links }) => [...links]);
  }

  /**
   * Lives up to a time: all that is due by the clock until then, and all records before it.
   * @returns whether a source must be filled first, or all have ended.
   */
  advanceTo(until: number): "reached" | "starved" | "ended" {
    for (;;) {
      if (this.queue.isStarved) return "starved";
      const record = this.queue.nextTime ?? Number.POSITIVE_INFINITY;
      const tick = this.nextTick;
      if (record === Number.POSITIVE_INFINITY && Math.min(tick, until) > this.endTime) {
        this.clock.now = Math.max(this.clock.now, this.endTime);
        this.settle();
        return "ended";
      }
      if (tick <= record && tick <= until) this.tick(tick);
      else if (record < until) this.takeRecord();
      else {
        this.clock.now = Math.max(this.clock.now, until);
        return "reached";
      }
    }
  }

  /** Moves the calendar on without the markets living through it, by whole minutes so that every grid keeps its phase. */
  skipMinutes(minutes: number): void {
    this.queue.postpone(minutes * MS_PER_MINUTE);
    this.clock.now += minutes * MS_PER_MINUTE;
    this.endTime += minutes * MS_PER_MINUTE;
  }

  /** Brings the records that `advanceTo` was starved of. */
  async fill(): Promise<void> {
    await this.queue.fill();
  }

  /** Tells everything that waits for a batch's end or a fault's: behind it, clients that lost nothing have the truth. */
  settle(): void {
    for (const { venue } of this.stalls.values()) venue.settle();
    this.injector?.settle();
  }

  /** A client comes. @returns its link, or the answer that refuses it. */
  connect(venue: string, request: Pick<RestRequest, "path" | "query">, wire: Wire): Link | RestAnswer {
    const stall = this.stalls.get(venue);
    if (stall === undefined) return { status: 404, body: "" };
    const refusal = this.injector?.refusalOf(stall, { ...request, method: "GET" }, "websocket") ?? null;
    if (refusal !== null) return refusal.answer;
    const link = new Link({ id: ++this.linkCount, stall, wire, openedAt: this.clock.now, injector: this.injector });
    const session = stall.venue.accept(request, link);
    if ("status" in session) return session;
    link.begin(session);
    return link;
  }

  /** @returns the answer, and how long a fault keeps it back, in ms of the client's time. */
  rest(venue: string, request: RestRequest): { readonly answer: RestAnswer; readonly delayMs: number } {
    const stall = this.stalls.get(venue);
    if (stall === undefined) return { answer: { status: 404, body: "" }, delayMs: 0 };
    const refusal = this.injector?.refusalOf(stall, request, "rest") ?? null;
    if (refusal !== null) return refusal;
    const delayMs = this.injector?.restDelayMs(stall, request) ?? 0;
    const kept = this.injector?.keptBookFor(stall, request) ?? null;
    return { answer: stall.venue.rest(request, kept), delayMs };
  }

  truth(venueName: string, symbol: string): Truth | null {
    const stall = this.stalls.get(venueName);
    const listing = stall?.venue.listings.get(symbol);
    if (stall === undefined || listing === undefined) return null;
    const { market } = listing;
    const side = (name: "bid" | "ask") =>
      levelsOf(market.book, name).map(([ticks, lots]) => [formatSteps(ticks, market.tick), formatSteps(lots, market.lot)] as const);
    return {
      venue: venueName,
      symbol,
      market: market.name,
      tick: formatSteps(1, market.tick),
      lot: formatSteps(1, market.lot),
      time: this.clock.now,
      venueTime: market.venueTime,
      records: this.records.get(market.name) ?? 0,
      sequence: stall.venue.sequenceOf(symbol),
      tradeId: market.tradeId,
      frames: framesOf(stall, symbol),
      bids: side("bid"),
      asks: side("ask"),
    };
  }

  async close(): Promise<void> {
    for (const link of this.links) link.terminate();
    await Promise.all(this.sources.map((source) => source.close()));
  }

  private get nextTick(): number {
    let next = this.injector?.nextTick ?? Number.POSITIVE_INFINITY;
    for (const { venue } of this.stalls.values()) next = Math.min(next, venue.nextTick);
    return next;
  }

  private tick(time: number): void {
    this.clock.now = Math.max(this.clock.now, time);
    for (const { venue } of this.stalls.values()) if (venue.nextTick <= time) venue.tick();
    if (this.injector !== null && this.injector.nextTick <= time) this.injector.tick();
  }

  /** @returns whether there were any. */
  private takeSnapshots(): boolean {
    let count = 0;
    for (; this.queue.next?.kind === "snapshot" && this.queue.nextTime === this.startTime; count++) this.takeRecord();
    return count > 0;
  }

  private takeRecord(): void {
    const taken = this.queue.take();
    const listed = taken === null ? undefined : this.listed[taken.index];
    if (taken === null || listed === undefined) return;
    const { market, at } = listed;
    this.clock.now = Math.max(this.clock.now, taken.record.receivedAt);
    this.records.set(market.name, (this.records.get(market.name) ?? 0) + 1);
    market.apply(taken.record, (applied) => {
      for (const { venue, listing } of at) venue.hear(listing, applied);
    });
  }

  private stallOf({ protocol, listings, settings }: VenueChoice): Stall {
    const found = listings.map(([symbol, name]): Listing => {
      const market = this.markets.get(name);
      if (market === undefined) throw new RangeError(`${protocol.venue} lists ${symbol} as ${name}, which is no market here`);
      return { symbol, market };
    });
    if (new Set(found.map(({ symbol }) => symbol)).size !== found.length) throw new RangeError(`${protocol.venue} lists a symbol twice`);
    return { protocol, venue: protocol.create({ ...settings, listings: found, clock: this.clock }), links: new Set() };
  }
}

function firstTimeOf(source: RecordSource): number {
  const first = source.peek();
  return first === null || first === "starved" ? source.startTime : first.receivedAt;
}

function listingsIn(venue: Venue, market: CanonicalMarket): { venue: Venue; listing: Listing }[] {
  return [...venue.listings.values()].filter((listing) => listing.market === market).map((listing) => ({ venue, listing }));
}

function framesOf(stall: Stall, symbol: string): Readonly<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const link of stall.links) {
    for (const [key, count] of link.counts) {
      const [of, channel] = key.split(" ");
      if (of === symbol && channel !== undefined) counted[channel] = (counted[channel] ?? 0) + count;
    }
  }
  return counted;
}
