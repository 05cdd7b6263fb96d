/**
 * One client of a Binance venue: what it is subscribed to, and what it may ask.
 *
 * `/stream` wraps messages as {"stream","data"}, `/ws` sends them bare; streams are named in the URL or by SUBSCRIBE, UNSUBSCRIBE,
 * LIST_SUBSCRIPTIONS; at most so many streams a connection and messages from it a second (web-socket-streams.md, read 2026-11-21). A stream that
 * nobody speaks may be subscribed to, as there.
 */

import { combinedText } from "../../frame-text.ts";
import type { Topics } from "../../topics.ts";
import type { Channel, Clock, Connection, Frame, KeptBook, Session } from "../../venue.ts";
import type { BinanceProduct } from "./product.ts";

/** What a session needs of its venue. */
export interface BinanceBooks {
  readonly product: BinanceProduct;
  readonly clock: Clock;
  readonly topics: Topics<BinanceSession>;
  /** A level that makes the symbol's book cross, as a message has it. */
  crossingBid(symbol: string): string | null;
}

/** A message of one stream, as it goes to every client of it. */
export interface StreamMessage {
  readonly stream: string;
  readonly data: string;
  /** The text of a combined stream, where there is one already. */
  readonly whole?: string;
  readonly channel: Channel;
  readonly symbol: string | null;
  readonly first: number | null;
  readonly last: number | null;
}

/** Longest id of a request that is given back: more is no id. */
const LONGEST_ID = 128;
const LONGEST_STREAM = 100;

export class BinanceSession implements Session {
  private readonly venue: BinanceBooks;
  private readonly connection: Connection;
  private readonly isCombined: boolean;
  /** The streams that its path has; null where it has all. */
  private readonly route: RegExp | null;
  private readonly streams = new Set<string>();
  private second = 0;
  private messagesInSecond = 0;

  constructor(venue: BinanceBooks, connection: Connection, path: { readonly isCombined: boolean; readonly route?: RegExp | null }) {
    this.venue = venue;
    this.connection = connection;
    this.isCombined = path.isCombined;
    this.route = path.route ?? null;
  }

  subscribe(streams: readonly string[]): void {
    for (const stream of streams) {
      this.streams.add(stream);
      this.venue.topics.add(stream, this);
    }
  }

  hear(message: StreamMessage): void {
    if (this.route === null || this.route.test(message.stream)) this.connection.send(this.frameOf(message));
  }

  receive(text: string): void {
    if (this.isTooFast()) {
      this.connection.close(1008, "Too many requests");
      return;
    }
    this.connection.send({ text: this.answer(text), channel: "control", symbol: null, first: null, last: null });
  }

  closed(): void {
    for (const stream of [...this.streams]) this.unsubscribe(stream);
  }

  /** Binance's snapshots come by REST alone. */
  snapshotFrames(_symbol: string, _book: KeptBook): null {
    return null;
  }

  /** The false bid comes last of the bids: a removal of the same price in the message would undo it. */
  crossedFrames(frame: Frame): readonly Frame[] | null {
    const bid = frame.channel === "depth" && frame.symbol !== null ? this.venue.crossingBid(frame.symbol) : null;
    if (bid === null) return null;
    const withBid = (_: string, bids: string) => `"b":[${bids}${bids === "" ? "" : ","}${bid}],"a":`;
    return [{ ...frame, text: frame.text.replace(/"b":\[(.*?)\],"a":/, withBid) }];
  }

  orphanFrames(): null {
    return null;
  }

  private frameOf({ stream, data, whole, channel, symbol, first, last }: StreamMessage): Frame {
    return { text: this.isCombined ? (whole ?? combinedText(stream, data)) : data, channel, symbol, first, last };
  }

  private isTooFast(): boolean {
    const second = Math.floor(this.venue.clock.now / 1_000);
    this.messagesInSecond = second === this.second ? this.messagesInSecond + 1 : 1;
    this.second = second;
    return this.messagesInSecond > this.venue.product.messagesPerSecond;
  }

  private answer(text: string): string {
    const request = parseRequest(text);
    if ("code" in request) return JSON.stringify({ error: request });
    const { method, params, id } = request;
    const refuse = (code: number, msg: string) => JSON.stringify({ error: { code, msg }, id });
    switch (method) {
      case "LIST_SUBSCRIPTIONS":
        return JSON.stringify({ result: [...this.streams], id });
      case "SUBSCRIBE":
        if (params === null) return refuse(2, "Invalid request: params must be an array of stream names");
        if (this.streams.size + params.length > this.venue.product.streamsPerConnection) {
          return refuse(2, "Invalid request: too many streams");
        }
        this.subscribe(params);
        return JSON.stringify({ result: null, id });
      case "UNSUBSCRIBE":
        if (params === null) return refuse(2, "Invalid request: params must be an array of stream names");
        for (const stream of params) this.unsubscribe(stream);
        return JSON.stringify({ result: null, id });
      default:
        return refuse(2, `Invalid request: unknown variant \`${method.slice(0, LONGEST_STREAM)}\``);
    }
  }

  private unsubscribe(stream: string): void {
    this.streams.delete(stream);
    this.venue.topics.remove(stream, this);
  }
}

type Request = { method: string; params: string[] | null; id: unknown };

function parseRequest(text: string): Request | { code: number; msg: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { code: 3, msg: "Invalid JSON: expected value" };
  }
  if (typeof value !== "object" || value === null || !("method" in value) || typeof value.method !== "string") {
    return { code: 2, msg: "Invalid request: missing field `method`" };
  }
  const params: unknown = "params" in value ? value.params : null;
  const isList =
    Array.isArray(params) && params.every((stream): stream is string => typeof stream === "string" && stream.length <= LONGEST_STREAM);
  return { method: value.method, params: isList ? params : null, id: "id" in value ? idOf(value.id) : null };
}

function idOf(id: unknown): string | number | null {
  if (typeof id === "number") return id;
  return typeof id === "string" && id.length <= LONGEST_ID ? id : null;
}
