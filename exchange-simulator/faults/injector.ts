/**
 * Breaks things on order: stands between each venue's sessions and their clients, and before each request.
 *
 * An order waits for its occasion: a frame that it may hit, a connection, a request, a time. Each fault that is done is in `record`, with what was lost.
 * The same seed, orders and frames give the same faults. A frame is hit by one fault at most, and what a fault holds back (reorder, delay) is
 * given out by `settle`, so that a world at rest owes nothing.
 *
 * - `delay` holds the connection, since a TCP stream keeps its order: everything behind the frame waits too.
 * - `silence` takes the frames that it covers while pings, pongs, heartbeats and answers go on.
 * - `stale-snapshot` answers the next request for the book with an old one (Binance), or tells an old snapshot once more (others).
 */

import { Random } from "../../core/math/random.ts";
import type { Link } from "../link.ts";
import type { Channel, Clock, Frame, KeptBook, RestAnswer, RestRequest } from "../venue.ts";
import type { Stall } from "../world.ts";
import { corrupted, truncated } from "./damage.ts";
import { type FaultOrder, isConnectionFault, isRefusal, mayHit, statusOf } from "./fault.ts";
import { type FaultEntry, FaultRecord, lose } from "./record.ts";
import { Timers } from "./timers.ts";

export interface InjectorSetup {
  readonly clock: Clock;
  readonly stalls: ReadonlyMap<string, Stall>;
  /** An integer in [0, 2^53). */
  readonly seed: number;
  readonly orders?: readonly FaultOrder[];
  /** Orders to come, in the order of their times; taken as the clock comes to them. */
  readonly schedule?: Iterator<FaultOrder & { readonly at: number }>;
  /** Age at which each connection is closed as after 24 h; never unless told. */
  readonly lifetimeMs?: number;
}

interface Pending {
  readonly number: number;
  readonly order: FaultOrder;
  readonly random: Random;
  seen: number;
  done: number;
  /** Until when it goes on, once begun: silence, refusals. */
  until: number | null;
  entry: FaultEntry | null;
}

/** What a link holds back. */
interface Held {
  /** Frames behind a delay; null while there is none. */
  queue: Frame[] | null;
  /** A frame that is to come behind the next one of its kind. */
  late: Frame | null;
}

const KEEP_BOOKS_EVERY_MS = 10_000;
const DELAY_MS = 1_000;
const SILENCE_MS = 10_000;
const REFUSAL_RETRY_S = 1;
const SLOW_REST_MS = 3_000;
const SKEW_MS = 1_500;
const NOTICE_MS = 10_000;
/** Frames that a delay may hold: past it they go out, the memory being what ends first. */
const LONGEST_QUEUE = 100_000;

export class FaultInjector {
  readonly record = new FaultRecord();
  private readonly clock: Clock;
  private readonly stalls: ReadonlyMap<string, Stall>;
  private readonly seed: number;
  private readonly random: Random;
  private readonly timers = new Timers();
  private readonly schedule: Iterator<FaultOrder & { readonly at: number }> | null;
  private readonly lifetimeMs: number | null;
  private readonly held = new Map<Link, Held>();
  /** Two generations of each book, by `venue symbol`: the older one is 10 to 20 s old. */
  private readonly books = new Map<string, { older: KeptBook; newer: KeptBook }>();
  private pending: Pending[] = [];
  private orderCount = 0;

  constructor({ clock, stalls, seed, orders = [], schedule, lifetimeMs }: InjectorSetup) {
    this.clock = clock;
    this.stalls = stalls;
    this.seed = seed;
    this.random = new Random(seed);
    this.schedule = schedule ?? null;
    this.lifetimeMs = lifetimeMs ?? null;
    for (const order of orders) this.add(order);
    this.takeScheduled();
    this.keepBooks();
  }

  get nextTick(): number {
    return this.timers.next;
  }

  /** Orders that wait or go on. */
  get orders(): readonly { readonly number: number; readonly order: FaultOrder; readonly done: number; readonly until: number | null }[] {
    return this.pending.map(({ number, order, done, until }) => ({ number, order, done, until }));
  }

  /** @returns the order's number. */
  add(order: FaultOrder): number {
    const number = ++this.orderCount;
    const pending: Pending = { number, order, random: new Random(this.seed + number), seen: 0, done: 0, until: null, entry: null };
    this.pending.push(pending);
    if (order.fault === "clock-skew" || isConnectionFault(order.fault)) {
      this.timers.at(Math.max(this.clock.now, order.at ?? 0), () => this.come(pending));
    }
    if (order.withinMs !== undefined) {
      this.timers.at((order.at ?? this.clock.now) + order.withinMs, () => {
        if (pending.until === null) this.remove(pending);
      });
    }
    this.timers.runUntil(this.clock.now);
    return number;
  }

  /** Forgets every order; what goes on ends. */
  clear(): void {
    for (const { order, entry } of this.pending) {
      if (entry !== null && entry.until !== null && entry.until > this.clock.now) entry.until = this.clock.now;
      if (order.fault === "clock-skew") for (const { venue } of this.stalls.values()) venue.skewMs = 0;
    }
    this.pending = [];
  }

  tick(): void {
    this.timers.runUntil(this.clock.now);
  }

  /** A client has come. */
  greet(link: Link): void {
    if (this.lifetimeMs !== null) {
      this.timers.at(this.clock.now + this.lifetimeMs, () => {
        if (link.isOpen) this.close24h(link, { number: 0, order: { fault: "close-24h" } });
      });
    }
    for (const pending of [...this.pending]) if (isConnectionFault(pending.order.fault)) this.come(pending);
  }

  /** A frame on its way. */
  pass(link: Link, frame: Frame): void {
    if (this.silences(link, frame)) return;
    const venue = link.stall.venue.venue;
    for (const pending of this.pending) {
      if (!mayHit(pending.order, venue, frame) || !this.isDue(pending)) continue;
      if (this.hit(pending, link, frame)) return;
    }
    this.emit(link, frame);
  }

  /** Gives out what is held back. */
  settle(): void {
    for (const link of [...this.held.keys()]) this.release(link);
  }

  forget(link: Link): void {
    this.held.delete(link);
  }

  refusalOf(
    stall: Stall,
    request: RestRequest,
    target: "rest" | "websocket",
  ): { readonly answer: RestAnswer; readonly delayMs: number } | null {
    for (const pending of this.pending) {
      const { order } = pending;
      if (!isRefusal(order.fault) || !isOf(order.target, target)) continue;
      if (!asks(order, stall, request) || !this.goesOn(pending)) continue;
      const status = statusOf(order.fault);
      const left = pending.until === null ? REFUSAL_RETRY_S : Math.max(1, Math.ceil((pending.until - this.clock.now) / 1_000));
      const headers = status === 451 ? {} : { "retry-after": String(left) };
      this.note(pending, stall, { detail: `${request.method} ${request.path} was answered ${status}`, until: pending.until });
      return { answer: { status, body: stall.protocol.refusalBody(status), headers }, delayMs: 0 };
    }
    return null;
  }

  restDelayMs(stall: Stall, request: RestRequest): number {
    const pending = this.pending.find(({ order }) => order.fault === "slow-rest" && asks(order, stall, request));
    if (pending === undefined || !this.goesOn(pending)) return 0;
    const delayMs = pending.order.byMs ?? SLOW_REST_MS;
    this.note(pending, stall, { detail: `${request.path} was answered ${delayMs} ms late`, until: pending.until });
    return delayMs;
  }

  /** The old book that a snapshot request is answered with; null for the present one. */
  keptBookFor(stall: Stall, request: RestRequest): KeptBook | null {
    const symbol = stall.venue.bookAskedBy(request);
    if (symbol === null) return null;
    const isMeant = ({ order }: Pending) =>
      order.fault === "stale-snapshot" && isOf(order.venue, stall.venue.venue) && isOf(order.symbol, symbol);
    const pending = this.pending.find((candidate) => isMeant(candidate) && this.isDue(candidate));
    const book = this.books.get(`${stall.venue.venue} ${symbol}`)?.older;
    if (pending === undefined || book === undefined) return null;
    this.complete(pending);
    const detail = `the snapshot was ${this.clock.now - book.time} ms old, at ${book.sequence}`;
    this.note(pending, stall, { detail, symbol, channel: "snapshot" });
    return book;
  }

  private emit(link: Link, frame: Frame): void {
    const held = this.held.get(link);
    if (held?.queue) {
      held.queue.push(frame);
      if (held.queue.length > LONGEST_QUEUE) this.release(link);
      return;
    }
    link.wire.deliver(frame.text);
    const late = held?.late;
    if (held === undefined || !late || late === frame || late.symbol !== frame.symbol || late.channel !== frame.channel) return;
    held.late = null;
    this.emit(link, late);
  }

  private release(link: Link): void {
    const held = this.held.get(link);
    this.held.delete(link);
    for (const frame of held?.queue ?? []) this.emit(link, frame);
    if (held?.late) link.wire.deliver(held.late.text);
  }

  /** Takes the frame when a silence covers it. */
  private silences(link: Link, frame: Frame): boolean {
    for (const pending of this.pending) {
      const { order, until, entry } = pending;
      if (order.fault !== "silence" || until === null || entry === null) continue;
      if (this.clock.now >= until) {
        this.remove(pending);
        continue;
      }
      if (entry.connection !== link.id || !mayHit(order, link.stall.venue.venue, frame)) continue;
      lose(entry.lost, frame);
      return true;
    }
    return false;
  }

  /** Whether an order's time has come, at an occasion for it. */
  private isDue(pending: Pending): boolean {
    const { order } = pending;
    if (pending.until !== null || this.clock.now < (order.at ?? 0)) return false;
    pending.seen++;
    if (pending.seen <= (order.afterFrames ?? 0)) return false;
    return order.probability === undefined || pending.random.uniform() < order.probability;
  }

  /** As `isDue`, of what may last: begins it, or says whether it goes on. */
  private goesOn(pending: Pending): boolean {
    const { order } = pending;
    if (pending.until !== null) {
      if (this.clock.now < pending.until) return true;
      this.remove(pending);
      return false;
    }
    if (!this.isDue(pending)) return false;
    if (order.durationMs === undefined) this.complete(pending);
    else pending.until = Math.max(order.at ?? this.clock.now, 0) + order.durationMs;
    if (pending.until !== null && pending.until <= this.clock.now) {
      this.remove(pending);
      return false;
    }
    return true;
  }

  /** @returns whether the frame has been dealt with. */
  private hit(pending: Pending, link: Link, frame: Frame): boolean {
    const { order } = pending;
    switch (order.fault) {
      case "drop":
        return this.done(pending, link, frame, { isLost: true, detail: "dropped" });
      case "duplicate":
        this.emit(link, frame);
        this.emit(link, frame);
        return this.done(pending, link, frame, { isLost: false, detail: "told twice" });
      case "corrupt": {
        const { text, at } = corrupted(frame.text, this.random);
        this.emit(link, { ...frame, text });
        return this.done(pending, link, frame, { isLost: true, detail: `characters ${at.join(", ")} flipped` });
      }
      case "truncate": {
        const text = truncated(frame.text, this.random);
        this.emit(link, { ...frame, text });
        return this.done(pending, link, frame, { isLost: true, detail: `cut to ${text.length} of ${frame.text.length} characters` });
      }
      case "reorder":
        return this.reorder(pending, link, frame);
      case "delay":
        return this.delay(pending, link, frame);
      case "silence":
        return this.silence(pending, link, frame);
      case "crossed-book":
        return this.replace(pending, link, frame, link.session?.crossedFrames(frame) ?? null);
      case "id-map":
        return this.replace(pending, link, frame, followedBy(frame, link.session?.orphanFrames(frame.symbol ?? "") ?? null));
      case "stale-snapshot":
        return this.repeatSnapshot(pending, link, frame);
      default:
        return false;
    }
  }

  private done(pending: Pending, link: Link, frame: Frame, { isLost, detail }: { isLost: boolean; detail: string }): true {
    this.complete(pending);
    const entry = this.noteFrame(pending, link, { frame, detail });
    if (isLost) lose(entry.lost, frame);
    return true;
  }

  private reorder(pending: Pending, link: Link, frame: Frame): boolean {
    const held = this.heldOf(link);
    if (held.late !== null || held.queue !== null) return false;
    held.late = frame;
    return this.done(pending, link, frame, { isLost: false, detail: "told behind the next frame of its symbol and channel" });
  }

  private delay(pending: Pending, link: Link, frame: Frame): boolean {
    const held = this.heldOf(link);
    if (held.queue !== null) return false;
    const byMs = pending.order.byMs ?? DELAY_MS;
    held.queue = [frame];
    this.complete(pending);
    const entry = this.noteFrame(pending, link, { frame, detail: `the connection was held for ${byMs} ms`, until: this.clock.now + byMs });
    const { queue } = held;
    this.timers.at(this.clock.now + byMs, () => {
      entry.detail = `the connection was held for ${byMs} ms, with ${queue.length} frames`;
      if (this.held.get(link)?.queue === queue) this.release(link);
    });
    return true;
  }

  private silence(pending: Pending, link: Link, frame: Frame): boolean {
    const until = this.clock.now + (pending.order.durationMs ?? SILENCE_MS);
    pending.until = until;
    pending.done++;
    const { symbol, channel } = pending.order;
    const covered = { symbol: symbol ?? null, channel: channel ?? null };
    pending.entry = this.noteFrame(pending, link, { frame, detail: "nothing was told", until, ...covered });
    lose(pending.entry.lost, frame);
    this.timers.at(until, () => this.remove(pending));
    return true;
  }

  private replace(pending: Pending, link: Link, frame: Frame, frames: readonly Frame[] | null): boolean {
    if (frames === null) return false;
    for (const told of frames) this.emit(link, told);
    const detail =
      pending.order.fault === "id-map" ? "an update of an id that no row has came behind" : "a bid above the best ask came with it";
    return this.done(pending, link, frame, { isLost: false, detail });
  }

  /** Where books come by REST the order waits for a request. */
  private repeatSnapshot(pending: Pending, link: Link, frame: Frame): boolean {
    const { venue } = link.stall.venue;
    const book = frame.symbol === null ? undefined : this.books.get(`${venue} ${frame.symbol}`)?.older;
    if (link.stall.protocol.hasRestBook || book === undefined || frame.symbol === null) return false;
    const frames = link.session?.snapshotFrames(frame.symbol, book) ?? null;
    if (frames === null) return false;
    for (const told of [frame, ...frames]) this.emit(link, told);
    return this.done(pending, link, frame, { isLost: false, detail: `a snapshot ${this.clock.now - book.time} ms old was told` });
  }

  /** The time of a fault that needs no frame. */
  private come(pending: Pending): void {
    const { order } = pending;
    if (!this.pending.includes(pending) || this.clock.now < (order.at ?? 0)) return;
    const stalls = [...this.stalls.values()].filter(({ venue }) => isOf(order.venue, venue.venue));
    if (order.fault === "clock-skew") {
      for (const stall of stalls) this.skew(pending, stall);
      return;
    }
    for (const link of stalls.flatMap(({ links }) => [...links])) {
      if (!this.pending.includes(pending)) return;
      if (!this.isDue(pending)) continue;
      this.complete(pending);
      this.cut(pending, link);
    }
  }

  private cut(pending: Pending, link: Link): void {
    const { fault } = pending.order;
    if (fault === "close-24h") {
      this.close24h(link, pending);
      return;
    }
    this.note(pending, link.stall, { detail: fault === "tcp-reset" ? "reset" : "ended without a closing handshake", connection: link.id });
    if (fault === "tcp-reset") link.reset();
    else link.terminate();
  }

  private close24h(link: Link, pending: Pick<Pending, "number" | "order">): void {
    const { protocol, venue } = link.stall;
    const notice = protocol.closingNotice(this.clock.now + venue.skewMs);
    const frame = pending.order.isAnnounced === false ? null : notice.frame;
    const detail = frame === null ? "closed without a notice" : "closed with a notice before";
    const afterMs = frame === null ? 0 : (pending.order.byMs ?? NOTICE_MS);
    this.note(pending, link.stall, { detail, connection: link.id, until: this.clock.now + afterMs });
    if (frame === null) {
      link.close(notice.code, notice.reason);
      return;
    }
    this.emit(link, { text: frame, channel: "control", symbol: null, first: null, last: null });
    this.timers.at(this.clock.now + afterMs, () => {
      if (link.isOpen) link.close(notice.code, notice.reason);
    });
  }

  private skew(pending: Pending, stall: Stall): void {
    const { byMs = SKEW_MS, durationMs } = pending.order;
    const until = durationMs === undefined ? null : this.clock.now + durationMs;
    stall.venue.skewMs = byMs;
    pending.done++;
    pending.until = until ?? Number.POSITIVE_INFINITY;
    pending.entry = this.note(pending, stall, { detail: `the venue's clock was ahead by ${byMs} ms`, until });
    if (until === null) return;
    this.timers.at(until, () => {
      stall.venue.skewMs = 0;
      this.remove(pending);
    });
  }

  /** Counts one more time, and takes the order away when that was the last. */
  private complete(pending: Pending): void {
    pending.done++;
    const times = pending.order.times ?? 1;
    if (times > 0 && pending.done >= times) this.remove(pending);
  }

  private remove(pending: Pending): void {
    this.pending = this.pending.filter((other) => other !== pending);
  }

  private noteFrame(
    pending: Pending,
    link: Link,
    { frame, ...more }: { frame: Frame; detail: string; until?: number | null; symbol?: string | null; channel?: Channel | null },
  ): FaultEntry {
    const { symbol, channel } = frame;
    const count = link.counts.get(`${symbol ?? ""} ${channel}`) ?? null;
    return this.note(pending, link.stall, { symbol, channel, frame: count, connection: link.id, ...more });
  }

  private note(
    pending: Pick<Pending, "number" | "order">,
    stall: Stall,
    fields: Partial<Pick<FaultEntry, "until" | "symbol" | "channel" | "connection" | "frame">> & { detail: string },
  ): FaultEntry {
    const { until = null, symbol = null, channel = null, connection = null, frame = null, detail } = fields;
    const { fault } = pending.order;
    const of = { fault, order: pending.number, venue: stall.venue.venue, symbol, channel, connection, frame };
    return this.record.add({ at: this.clock.now, until, ...of, lost: [], detail });
  }

  private heldOf(link: Link): Held {
    const known = this.held.get(link);
    if (known !== undefined) return known;
    const held: Held = { queue: null, late: null };
    this.held.set(link, held);
    return held;
  }

  private takeScheduled(): void {
    const next = this.schedule?.next();
    if (next === undefined || next.done === true) return;
    const order = next.value;
    this.timers.at(order.at, () => {
      this.add(order);
      this.takeScheduled();
    });
  }

  private keepBooks(): void {
    for (const [name, { venue }] of this.stalls) {
      for (const symbol of venue.listings.keys()) {
        const key = `${name} ${symbol}`;
        const newer = venue.copyBook(symbol);
        if (newer !== null) this.books.set(key, { older: this.books.get(key)?.newer ?? newer, newer });
      }
    }
    this.timers.at(this.clock.now + KEEP_BOOKS_EVERY_MS, () => this.keepBooks());
  }
}

function followedBy(frame: Frame, frames: readonly Frame[] | null): readonly Frame[] | null {
  return frames === null || frames.length === 0 ? null : [frame, ...frames];
}

function asks(order: FaultOrder, stall: Stall, { query }: RestRequest): boolean {
  return isOf(order.venue, stall.venue.venue) && (order.symbol === undefined || query.get("symbol") === order.symbol);
}

function isOf(wanted: string | undefined, name: string): boolean {
  return wanted === undefined || wanted === name;
}
