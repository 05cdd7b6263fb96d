/**
 * One client of BitMEX: `?subscribe=` in the URL, `{"op":"subscribe","args":[…]}`, `unsubscribe`, the texts `ping` and `help`.
 *
 * www.bitmex.com/app/wsAPI (read 2026-11-27). A topic is `table`, `table:symbol` or, since 2026, `table:symbol:pool`; here a market has one pool,
 * Primary, and the others are asked for in vain. A symbol that isn't there has a partial without rows. The first
 * message is the welcome. Of one request at most 20 topics are taken, what is beyond is refused with 429: the venue's burst.
 */

import type { Connection, Frame, KeptBook, Session } from "../../venue.ts";
import { CHANNEL_OF, TABLES, type Table, type TableChange } from "./market.ts";
import { partialHead } from "./table-schema.ts";
import type { BitmexVenue } from "./venue.ts";

const TOPICS_PER_REQUEST = 20;
const LONGEST_TOPIC = 60;
const DOCS = "https://www.bitmex.com/app/wsAPI";

export class BitmexSession implements Session {
  private readonly venue: BitmexVenue;
  private readonly connection: Connection;
  private readonly topics = new Set<string>();

  constructor(venue: BitmexVenue, connection: Connection) {
    this.venue = venue;
    this.connection = connection;
  }

  welcome(remaining: number): void {
    const timestamp = new Date(this.venue.stamp(this.venue.clock.now)).toISOString();
    const version = this.venue.isOldForm ? "2021-07-14T01:26:29.000Z" : "2.0.0";
    const heartbeat = this.venue.isOldForm ? {} : { heartbeatEnabled: false };
    this.control({ info: "Welcome to the BitMEX Realtime API.", version, timestamp, docs: DOCS, ...heartbeat, limit: { remaining } });
  }

  subscribe(topics: readonly string[], request: unknown): void {
    for (const [index, asked] of topics.entries()) {
      const { topic, pool } = withoutPool(asked);
      const refusal = index >= TOPICS_PER_REQUEST ? TOO_MANY : this.refusalOf(topic);
      if (refusal !== null) {
        this.control({ ...refusal, request });
        continue;
      }
      this.topics.add(topic);
      this.venue.topics.add(topic, this);
      this.control({ success: true, subscribe: topic, ...pool, request });
      this.connection.send(this.partial(topic, null));
    }
  }

  hear(change: TableChange): void {
    const { table, action, rows, symbol, first, last } = change;
    const isPartial = action === "partial";
    const head = isPartial ? partialHead(table, symbol, this.venue.isOldForm) : `"table":"${table}","action":"${action}",`;
    const channel = isPartial ? "snapshot" : CHANNEL_OF[table];
    this.connection.send({ text: `{${head}"data":[${rows}]}`, channel, symbol, first, last });
  }

  receive(text: string): void {
    if (text === "ping") {
      this.connection.send({ text: "pong", channel: "heartbeat", symbol: null, first: null, last: null });
      return;
    }
    if (text === "help") {
      this.control({ info: `See ${DOCS} for more information.` });
      return;
    }
    const request = parseRequest(text);
    if (request === null) {
      this.control({ status: 400, error: UNRECOGNIZED, meta: {}, request: {} });
      return;
    }
    if (request.op === "subscribe") {
      this.subscribe(request.args, request.asked);
      return;
    }
    for (const topic of request.args) this.leave(topic, request.asked);
  }

  closed(): void {
    for (const topic of this.topics) this.venue.topics.remove(topic, this);
  }

  snapshotFrames(symbol: string, book: KeptBook): readonly Frame[] | null {
    const topic = this.bookTopic(symbol);
    return topic === null ? null : [this.partial(topic, book)];
  }

  crossedFrames(frame: Frame): readonly Frame[] | null {
    const row =
      frame.channel === "depth" && frame.symbol !== null ? this.venue.market(frame.symbol)?.crossingRow(this.venue.clock.now) : null;
    return row === null || row === undefined ? null : this.behind(frame, "insert", row);
  }

  orphanFrames(symbol: string): readonly Frame[] | null {
    const row = this.bookTopic(symbol) === null ? null : this.venue.market(symbol)?.orphanRow(this.venue.clock.now);
    if (row === null || row === undefined) return null;
    return [{ text: `{"table":"orderBookL2","action":"update","data":[${row}]}`, channel: "depth", symbol, first: null, last: null }];
  }

  private behind(frame: Frame, action: string, row: string): readonly Frame[] | null {
    const table = /^\{"table":"(orderBookL2(?:_25)?)"/.exec(frame.text)?.[1];
    return table === undefined ? null : [frame, { ...frame, text: `{"table":"${table}","action":"${action}","data":[${row}]}` }];
  }

  private bookTopic(symbol: string): string | null {
    return [`orderBookL2:${symbol}`, "orderBookL2"].find((topic) => this.topics.has(topic)) ?? null;
  }

  private partial(topic: string, kept: KeptBook | null): Frame {
    const { table, symbol } = topicOf(topic);
    const rows = this.venue.partialRows(table, symbol, kept);
    const text = `{${partialHead(table, symbol, this.venue.isOldForm)}"data":[${rows}]}`;
    const channel = table.startsWith("orderBook") ? "snapshot" : CHANNEL_OF[table];
    return { text, channel, symbol, first: null, last: null };
  }

  private refusalOf(topic: string): Refusal | null {
    const { table } = topicOf(topic);
    if (topic.length > LONGEST_TOPIC || !TABLES.includes(table)) {
      return { status: 400, error: `Unknown table: ${String(table).slice(0, LONGEST_TOPIC)}`, meta: {} };
    }
    return this.topics.has(topic) ? { status: 400, error: `You are already subscribed to this topic: ${topic}`, meta: {} } : null;
  }

  private leave(asked: string, request: unknown): void {
    const { topic, pool } = withoutPool(asked);
    if (!this.topics.delete(topic)) {
      this.control({
        status: 400,
        error: `You are not subscribed to this topic: ${topic.slice(0, LONGEST_TOPIC)}`,
        meta: {},
        request,
      });
      return;
    }
    this.venue.topics.remove(topic, this);
    this.control({ success: true, unsubscribe: topic, ...pool, request });
  }

  private control(message: Readonly<Record<string, unknown>>): void {
    this.connection.send({ text: JSON.stringify(message), channel: "control", symbol: null, first: null, last: null });
  }
}

/** A pool that isn't there is left in the topic, as part of a symbol that nobody knows. */
function withoutPool(asked: string): { topic: string; pool: { pool?: string } } {
  const match = /^(.*):(Primary|Aggregated)$/.exec(asked);
  return match?.[1] === undefined || match[2] === undefined ? { topic: asked, pool: {} } : { topic: match[1], pool: { pool: match[2] } };
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

const TOO_MANY: Refusal = { status: 429, error: "Rate limit exceeded, retry in 1 seconds.", meta: { retryAfter: 1 } };
const UNRECOGNIZED = `Unrecognized request. See the docs or send 'help' for more details. Please see the documentation at ${DOCS}.`;

function topicOf(topic: string): { table: Table; symbol: string | null } {
  const colon = topic.indexOf(":");
  const table = (colon < 0 ? topic : topic.slice(0, colon)) as Table;
  return { table, symbol: colon < 0 ? null : topic.slice(colon + 1) };
}

interface Request {
  readonly op: "subscribe" | "unsubscribe";
  readonly args: readonly string[];
  /** As it is given back. */
  readonly asked: { readonly op: string; readonly args: unknown };
}

function parseRequest(text: string): Request | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { op, args } = value as Record<string, unknown>;
  if (op !== "subscribe" && op !== "unsubscribe") return null;
  const topics = typeof args === "string" ? [args] : args;
  if (!Array.isArray(topics) || topics.length > 1_000 || !topics.every((topic): topic is string => typeof topic === "string")) return null;
  return { op, args: topics, asked: { op, args } };
}
