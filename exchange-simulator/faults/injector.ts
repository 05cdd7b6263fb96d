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
import { type FaultOrder, isConnectionFault, isRefusal, mayHit, statusOf, unreachable } from "./fault.ts";
import { HeldFrames } from "./held-frames.ts";
import { KEEP_BOOKS_EVERY_MS, KeptBooks } from "./kept-books.ts";
import { type Pending, PendingOrders } from "./pending-orders.ts";
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

const DELAY_MS = 1_000;
const SILENCE_MS = 10_000;
const REFUSAL_RETRY_S = 1;
const SLOW_REST_MS = 3_000;
const SKEW_MS = 1_500;
const NOTICE_MS = 10_000;

export class FaultInjector {
  readonly record = new FaultRecord();
  private readonly clock: Clock;
  private readonly stalls: ReadonlyMap<string, Stall>;
  private readonly waiting: PendingOrders;
  private readonly random: Random;
  private readonly timers = new Timers();
  private readonly schedule: Iterator<FaultOrder & { readonly at: number }> | null;
  private readonly lifetimeMs: number | null;
  private readonly held = new HeldFrames();
  private readonly books: KeptBooks;

  constructor({ clock, stalls, seed, orders = [], schedule, lifetimeMs }: InjectorSetup) {
    this.clock = clock;
    this.stalls = stalls;
    this.books = new KeptBooks(stalls);
    this.waiting = new PendingOrders(clock, seed);
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
    return this.waiting.list.map(({ number, order, done, until }) => ({ number, order, done, until }));
  }

  /** @returns why an order could never find its occasion in this world; null when it may. */
  refusalOfOrder(order: FaultOrder): string | null {
    return unreachable(order, new Map([...this.stalls].map(([name, { venue }]) => [name, [...venue.listings.keys()]])));
  }

  /** @returns the order's number. */
  add(order: FaultOrder): number {
    const pending = this.waiting.add(order);
    if (order.fault === "clock-skew" || isConnectionFault(order.fault)) {
      this.timers.at(Math.max(this.clock.now, order.at ?? 0), () => this.come(pending));
    }
    if (order.withinMs !== undefined) {
      this.timers.at((order.at ?? this.clock.now) + order.withinMs, () => {
        if (pending.until === null) this.waiting.remove(pending);
      });
    }
    this.timers.runUntil(this.clock.now);
    return pending.number;
  }

  /** Forgets every order; what goes on ends. */
  clear(): void {
    for (const { order, entry } of this.waiting.list) {
      if (entry !== null && entry.until !== null && entry.until > this.clock.now) entry.until = this.clock.now;
      if (order.fault === "clock-skew") for (const { venue } of this.stalls.values()) venue.skewMs = 0;
    }
    this.waiting.clear();
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
    for (const pending of [...this.waiting.list]) if (isConnectionFault(pending.order.fault)) this.come(pending);
  }

  /** A frame on its way. */
  pass(link: Link, frame: Frame): void {
    if (this.silences(link, frame)) return;
    const venue = link.stall.venue.venue;
    for (const pending of this.waiting.list) {
      if (!mayHit(pending.order, venue, frame) || !this.waiting.isDue(pending)) continue;
      if (this.hit(pending, link, frame)) return;
    }
    this.held.emit(link, frame);
  }

  /** Gives out what is held back. */
  settle(): void {
    this.held.settle();
  }

  forget(link: Link): void {
    this.held.forget(link);
  }

  refusalOf(
    stall: Stall,
    request: RestRequest,
    target: "rest" | "websocket",
  ): { readonly answer: RestAnswer; readonly delayMs: number } | null {
    for (const pending of this.waiting.list) {
      const { order } = pending;
      if (!isRefusal(order.fault) || !isOf(order.target, target)) continue;
      if (!asks(order, stall, request) || !this.waiting.goesOn(pending)) continue;
      const status = statusOf(order.fault);
      const left = pending.until === null ? REFUSAL_RETRY_S : Math.max(1, Math.ceil((pending.until - this.clock.now) / 1_000));
      const headers = status === 451 ? {} : { "retry-after": String(left) };
      this.note(pending, stall, { detail: `${request.method} ${request.path} was answered ${status}`, until: pending.until });
      return { answer: { status, body: stall.protocol.refusalBody(status), headers }, delayMs: 0 };
    }
    return null;
  }

  restDelayMs(stall: Stall, request: RestRequest): number {
    const pending = this.waiting.list.find(({ order }) => order.fault === "slow-rest" && asks(order, stall, request));
    if (pending === undefined || !this.waiting.goesOn(pending)) return 0;
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
    const pending = this.waiting.list.find((candidate) => isMeant(candidate) && this.waiting.isDue(candidate));
    const book = this.books.older(stall.venue.venue, symbol);
    if (pending === undefined || book === null) return null;
    this.waiting.complete(pending);
    const detail = `the snapshot was ${this.clock.now - book.time} ms old, at ${book.sequence}`;
    this.note(pending, stall, { detail, symbol, channel: "snapshot" });
    return book;
  }

  /** Takes the frame when a silence covers it. */
  private silences(link: Link, frame: Frame): boolean {
    for (const pending of this.waiting.list) {
      const { order, until, entry } = pending;
      if (order.fault !== "silence" || until === null || entry === null) continue;
      if (this.clock.now >= until) {
        this.waiting.remove(pending);
        continue;
      }
      if (entry.connection !== link.id || !mayHit(order, link.stall.venue.venue, frame)) continue;
      lose(entry.lost, frame);
      return true;
    }
    return false;
  }

  /** @returns whether the frame has been dealt with. */
  private hit(pending: Pending, link: Link, frame: Frame): boolean {
    const { order } = pending;
    switch (order.fault) {
      case "drop":
        return this.done(pending, link, frame, { isLost: true, detail: "dropped" });
      case "duplicate":
        this.held.emit(link, frame);
        this.held.emit(link, frame);
        return this.done(pending, link, frame, { isLost: false, detail: "told twice" });
      case "corrupt": {
        const { text, at } = corrupted(frame.text, this.random);
        this.held.emit(link, { ...frame, text });
        return this.done(pending, link, frame, { isLost: true, detail: `characters ${at.join(", ")} flipped` });
      }
      case "truncate": {
        const text = truncated(frame.text, this.random);
        this.held.emit(link, { ...frame, text });
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
    this.waiting.complete(pending);
    const entry = this.noteFrame(pending, link, { frame, detail });
    if (isLost) lose(entry.lost, frame);
    return true;
  }

  private reorder(pending: Pending, link: Link, frame: Frame): boolean {
    if (!this.held.postpone(link, frame)) return false;
    return this.done(pending, link, frame, { isLost: false, detail: "told behind the next frame of its symbol and channel" });
  }

  private delay(pending: Pending, link: Link, frame: Frame): boolean {
    const release = this.held.stop(link, frame);
    if (release === null) return false;
    const byMs = pending.order.byMs ?? DELAY_MS;
    const until = this.clock.now + byMs;
    this.waiting.complete(pending);
    const entry = this.noteFrame(pending, link, { frame, detail: `the connection was held for ${byMs} ms`, until });
    this.timers.at(until, () => {
      entry.detail = `the connection was held for ${byMs} ms, with ${release()} frames`;
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
    this.timers.at(until, () => this.waiting.remove(pending));
    return true;
  }

  private replace(pending: Pending, link: Link, frame: Frame, frames: readonly Frame[] | null): boolean {
    if (frames === null) return false;
    for (const told of frames) this.held.emit(link, told);
    const detail =
      pending.order.fault === "id-map" ? "an update of an id that no row has came behind" : "a bid above the best ask came with it";
    return this.done(pending, link, frame, { isLost: false, detail });
  }

  /** Where books come by REST the order waits for a request. */
  private repeatSnapshot(pending: Pending, link: Link, frame: Frame): boolean {
    const { venue } = link.stall.venue;
    const book = frame.symbol === null ? null : this.books.older(venue, frame.symbol);
    if (link.stall.protocol.hasRestBook || book === null || frame.symbol === null) return false;
    const frames = link.session?.snapshotFrames(frame.symbol, book) ?? null;
    if (frames === null) return false;
    for (const told of [frame, ...frames]) this.held.emit(link, told);
    return this.done(pending, link, frame, { isLost: false, detail: `a snapshot ${this.clock.now - book.time} ms old was told` });
  }

  /** The time of a fault that needs no frame. */
  private come(pending: Pending): void {
    const { order } = pending;
    if (!this.waiting.list.includes(pending) || this.clock.now < (order.at ?? 0)) return;
    const stalls = [...this.stalls.values()].filter(({ venue }) => isOf(order.venue, venue.venue));
    if (order.fault === "clock-skew") {
      for (const stall of stalls) this.skew(pending, stall);
      return;
    }
    for (const link of stalls.flatMap(({ links }) => [...links])) {
      if (!this.waiting.list.includes(pending)) return;
      if (!this.waiting.isDue(pending)) continue;
      this.waiting.complete(pending);
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
    this.held.emit(link, { text: frame, channel: "control", symbol: null, first: null, last: null });
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
      this.waiting.remove(pending);
      stall.venue.skewMs = this.skewOf(stall);
    });
  }

  /** Of the skews that go on, the one that came last. */
  private skewOf({ venue }: Stall): number {
    const goesOn = ({ order, until }: Pending) => order.fault === "clock-skew" && until !== null && isOf(order.venue, venue.venue);
    const last = this.waiting.list.filter(goesOn).at(-1);
    return last === undefined ? 0 : (last.order.byMs ?? SKEW_MS);
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
    this.books.keep();
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
