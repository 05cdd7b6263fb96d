/** BitMEX: its markets, its clients, its clock's work, and the instruments by REST. */

import { MS_PER_MINUTE, MS_PER_SECOND, minuteOf } from "../../../core/units/time.ts";
import { copyOf } from "../../book-copy.ts";
import type { Applied } from "../../market/canonical-market.ts";
import { nextMultiple } from "../../times.ts";
import { Topics } from "../../topics.ts";
import type { Clock, Connection, KeptBook, Listing, Protocol, RestAnswer, RestRequest, Venue, VenueSetup } from "../../venue.ts";
import { BitmexMarket, type Table, type TableChange } from "./market.ts";
import { BitmexSession } from "./session.ts";

const VENUE = "bitmex";
const LOOK_EVERY_MS = 100;
/** Connections an hour, and requests a minute without a key: www.bitmex.com/app/restAPI#Limits, read 2026-11-27. */
const CONNECTIONS_PER_HOUR = 720;
const REQUESTS_PER_MINUTE = 30;
const MS_PER_HOUR = 3_600_000;

export interface BitmexSetup extends VenueSetup {
  /** A snapshot amid the tape is told as a partial; otherwise as the changes that lead to it. */
  readonly tellsSnapshots?: boolean;
}

export const bitmex: Protocol = {
  venue: VENUE,
  hasRestBook: false,
  create: (setup: BitmexSetup) => new BitmexVenue(setup),
  closingNotice: () => ({ frame: null, code: 1001, reason: "going away" }),
  refusalBody: (status) =>
    JSON.stringify({
      error: {
        message: status === 451 ? "Unavailable For Legal Reasons" : "Rate limit exceeded, retry in 1 seconds.",
        name: status === 451 ? "HTTPError" : "RateLimitError",
      },
    }),
};

export class BitmexVenue implements Venue {
  readonly venue = VENUE;
  readonly clock: Clock;
  readonly listings: ReadonlyMap<string, Listing>;
  readonly topics = new Topics<BitmexSession>();
  readonly isOldForm: boolean;
  skewMs = 0;
  private readonly markets: ReadonlyMap<string, BitmexMarket>;
  private nextLook: number;
  private hour = 0;
  private connections = 0;
  private minute = 0;
  private requests = 0;

  constructor({ listings, clock, form, tellsSnapshots = false }: BitmexSetup) {
    this.clock = clock;
    this.isOldForm = form === "2021";
    this.listings = new Map(listings.map((listing) => [listing.symbol, listing]));
    const { isOldForm } = this;
    const listener = {
      wants: (table: Table, symbol: string) => this.topics.has(`${table}:${symbol}`) || this.topics.has(table),
      hear: (change: TableChange) => this.publish(change),
      stamp: (time: number) => this.stamp(time),
    };
    this.markets = new Map(
      listings.map((listing, index) => [listing.symbol, new BitmexMarket({ listing, index, isOldForm, tellsSnapshots, listener })]),
    );
    this.nextLook = nextMultiple(clock.now, LOOK_EVERY_MS);
  }

  get hasSubscribers(): boolean {
    return this.topics.size > 0;
  }

  get nextTick(): number {
    return this.nextLook;
  }

  market(symbol: string): BitmexMarket | null {
    return this.markets.get(symbol) ?? null;
  }

  stamp(time: number): number {
    return Math.floor(time) + this.skewMs;
  }

  accept({ path, query }: Pick<RestRequest, "path" | "query">, connection: Connection): BitmexSession | RestAnswer {
    if (path !== "/realtime") return { status: 404, body: "" };
    const hour = Math.floor(this.clock.now / MS_PER_HOUR);
    if (hour !== this.hour) this.connections = 0;
    this.hour = hour;
    if (this.connections >= CONNECTIONS_PER_HOUR) return { status: 429, body: "", headers: { "retry-after": "60" } };
    this.connections++;
    const session = new BitmexSession(this, connection);
    session.welcome(CONNECTIONS_PER_HOUR - this.connections);
    const topics = (query.get("subscribe") ?? "").split(",").filter((topic) => topic !== "");
    if (topics.length > 0) session.subscribe(topics, { op: "subscribe", args: topics });
    return session;
  }

  hear(listing: Listing, applied: Applied): void {
    this.markets.get(listing.symbol)?.hear(applied);
  }

  tick(): void {
    const { now } = this.clock;
    if (now < this.nextLook) return;
    this.nextLook = nextMultiple(now, LOOK_EVERY_MS);
    for (const market of this.markets.values()) {
      market.look();
      if (now % MS_PER_SECOND === 0) market.passSecond(now);
    }
  }

  settle(): void {
    for (const market of this.markets.values()) market.settle();
  }

  /** The rows of a table, of one symbol or of all. */
  partialRows(table: Table, symbol: string | null, kept: KeptBook | null): string {
    const asked = symbol === null ? [...this.markets.values()] : [this.markets.get(symbol)];
    const rows = asked.map((market) => market?.partialRows(table, kept) ?? "");
    return rows.filter((text) => text !== "").join(",");
  }

  rest({ method, path, query }: RestRequest): RestAnswer {
    const minute = minuteOf(this.clock.now);
    if (minute !== this.minute) this.requests = 0;
    this.minute = minute;
    this.requests++;
    const reset = Math.ceil((minute + MS_PER_MINUTE) / MS_PER_SECOND);
    const headers = {
      "x-ratelimit-limit": String(REQUESTS_PER_MINUTE),
      "x-ratelimit-remaining": String(Math.max(0, REQUESTS_PER_MINUTE - this.requests)),
      "x-ratelimit-reset": String(reset),
    };
    if (this.requests > REQUESTS_PER_MINUTE) {
      const wait = Math.max(1, Math.ceil((minute + MS_PER_MINUTE - this.clock.now) / MS_PER_SECOND));
      return { status: 429, body: bitmex.refusalBody(429), headers: { ...headers, "retry-after": String(wait) } };
    }
    return { ...this.find({ method, path, query }), headers };
  }

  bookAskedBy(): null {
    return null;
  }

  copyBook(symbol: string): KeptBook | null {
    const listing = this.listings.get(symbol);
    return listing === undefined ? null : copyOf(listing.market);
  }

  sequenceOf(): null {
    return null;
  }

  private find({ method, path, query }: RestRequest): RestAnswer {
    const now = this.stamp(this.clock.now);
    const isActive = path === "/api/v1/instrument/active";
    if (method !== "GET" || (path !== "/api/v1/instrument" && !isActive)) {
      return { status: 404, body: JSON.stringify({ error: { message: "Not Found", name: "HTTPError" } }) };
    }
    const symbol = isActive ? null : query.get("symbol");
    const markets = symbol === null ? [...this.markets.values()] : [this.markets.get(symbol)];
    return { status: 200, body: JSON.stringify(markets.flatMap((market) => (market === undefined ? [] : [market.rows.instrument(now)]))) };
  }

  private publish(change: TableChange): void {
    for (const session of this.topics.of(`${change.table}:${change.symbol}`)) session.hear(change);
    for (const session of this.topics.of(change.table)) session.hear(change);
  }
}
