/**
 * The websocket side of the simulator: connections, what each is subscribed to, and the fan-out of messages.
 *
 * Binance spot's rules (web-socket-streams.md, read 2026-11-21): `/stream` wraps messages as {"stream","data"}, `/ws` sends them bare; streams are
 * named in the URL or by SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS; at most 1024 streams a connection and 5 messages from it a second. A stream
 * that nobody speaks may be subscribed to, as there. A connection that doesn't read is cut when its queue passes a bound.
 */

import { WebSocket } from "ws";
import { combinedText } from "./frame-text.ts";

const STREAMS_PER_CONNECTION = 1_024;
const MESSAGES_PER_SECOND = 5;
/** With more than this unsent, a source that can wait waits. */
const CONGESTED_BYTES = 1_048_576;
/** With more than this unsent, a connection is cut: it has stopped reading. */
const CUT_BYTES = 64 * CONGESTED_BYTES;
const DRAIN_POLL_MS = 2;
const DRAIN_PATIENCE_MS = 60_000;
const PING_EVERY_MS = 20_000;
const PONG_PATIENCE_MS = 60_000;

interface Connection {
  readonly socket: WebSocket;
  readonly isCombined: boolean;
  readonly streams: Set<string>;
  pongAt: number;
  second: number;
  messagesInSecond: number;
}

export class Hub {
  private readonly connections = new Set<Connection>();
  private readonly subscribers = new Map<string, Set<Connection>>();
  private readonly waitingForStreams: (() => void)[] = [];
  private readonly pinger: NodeJS.Timeout;
  private sent = 0;
  /** Wall-clock ms of the last change to what anybody is subscribed to. */
  private subscribedAt = 0;

  constructor() {
    this.pinger = setInterval(() => this.ping(), PING_EVERY_MS);
    this.pinger.unref();
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  get framesSent(): number {
    return this.sent;
  }

  get lastSubscribedAt(): number {
    return this.subscribedAt;
  }

  /** Takes over an accepted socket. @param streams those named in its URL. */
  add(socket: WebSocket, isCombined: boolean, streams: readonly string[]): void {
    const connection: Connection = { socket, isCombined, streams: new Set(), pongAt: Date.now(), second: 0, messagesInSecond: 0 };
    this.connections.add(connection);
    socket.on("message", (payload, isBinary) => this.receive(connection, isBinary ? "" : payload.toString()));
    socket.on("pong", () => {
      connection.pongAt = Date.now();
    });
    socket.on("close", () => this.remove(connection));
    socket.on("error", () => socket.terminate());
    if (streams.length > 0) this.subscribe(connection, streams);
  }

  hasSubscriber(stream: string): boolean {
    return this.subscribers.has(stream);
  }

  hasSubscriberOf(isWanted: (stream: string) => boolean): boolean {
    for (const stream of this.subscribers.keys()) if (isWanted(stream)) return true;
    return false;
  }

  /** @param whole the combined text where the caller has it already. */
  publish(stream: string, data: string, whole?: string): void {
    const connections = this.subscribers.get(stream);
    if (connections === undefined) return;
    let combined = whole;
    for (const connection of connections) {
      if (connection.socket.readyState !== WebSocket.OPEN) continue;
      if (connection.isCombined) combined ??= combinedText(stream, data);
      connection.socket.send(connection.isCombined ? (combined ?? data) : data);
      this.sent++;
      if (connection.socket.bufferedAmount > CUT_BYTES) connection.socket.terminate();
    }
  }

  get isCongested(): boolean {
    for (const { socket } of this.connections) if (socket.bufferedAmount > CONGESTED_BYTES) return true;
    return false;
  }

  /** Resolves when every connection has read what was sent; whoever doesn't within a minute is cut. */
  async drained(): Promise<void> {
    const deadline = Date.now() + DRAIN_PATIENCE_MS;
    while (this.isCongested) {
      if (Date.now() > deadline) {
        for (const { socket } of this.connections) if (socket.bufferedAmount > CONGESTED_BYTES) socket.terminate();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  /** Resolves when some connection is subscribed to a stream. */
  async subscribed(): Promise<void> {
    if (this.subscribers.size > 0) return;
    await new Promise<void>((resolve) => this.waitingForStreams.push(resolve));
  }

  /** Closes every connection with a websocket code; 1006, which can't be sent, drops them without a closing handshake. */
  closeAll(code: number, reason: string): number {
    const count = this.connections.size;
    for (const connection of [...this.connections]) {
      // What is closing hears nothing any more, also while its closing handshake lasts.
      this.remove(connection);
      if (code === 1006) connection.socket.terminate();
      else connection.socket.close(code, reason);
    }
    return count;
  }

  /** Drops everything, and lets whoever waits for a subscriber go. */
  stop(): void {
    clearInterval(this.pinger);
    this.closeAll(1006, "");
    for (const go of this.waitingForStreams.splice(0)) go();
  }

  private receive(connection: Connection, text: string): void {
    if (connection.socket.readyState !== WebSocket.OPEN) return;
    if (this.isTooFast(connection)) {
      connection.socket.close(1008, "Too many requests");
      return;
    }
    connection.socket.send(this.answer(connection, text));
  }

  private isTooFast(connection: Connection): boolean {
    const second = Math.floor(Date.now() / 1_000);
    connection.messagesInSecond = second === connection.second ? connection.messagesInSecond + 1 : 1;
    connection.second = second;
    return connection.messagesInSecond > MESSAGES_PER_SECOND;
  }

  private answer(connection: Connection, text: string): string {
    const request = parseRequest(text);
    if ("code" in request) return JSON.stringify({ error: request });
    const { method, params, id } = request;
    const refuse = (code: number, msg: string) => JSON.stringify({ error: { code, msg }, id });
    switch (method) {
      case "LIST_SUBSCRIPTIONS":
        return JSON.stringify({ result: [...connection.streams], id });
      case "SUBSCRIBE":
        if (params === null) return refuse(2, "Invalid request: params must be an array of stream names");
        if (connection.streams.size + params.length > STREAMS_PER_CONNECTION) return refuse(2, "Invalid request: too many streams");
        this.subscribe(connection, params);
        return JSON.stringify({ result: null, id });
      case "UNSUBSCRIBE":
        if (params === null) return refuse(2, "Invalid request: params must be an array of stream names");
        for (const stream of params) this.unsubscribe(connection, stream);
        return JSON.stringify({ result: null, id });
      default:
        return refuse(2, `Invalid request: unknown variant \`${method}\``);
    }
  }

  private subscribe(connection: Connection, streams: readonly string[]): void {
    for (const stream of streams) {
      connection.streams.add(stream);
      const connections = this.subscribers.get(stream);
      if (connections === undefined) this.subscribers.set(stream, new Set([connection]));
      else connections.add(connection);
    }
    this.subscribedAt = Date.now();
    for (const go of this.waitingForStreams.splice(0)) go();
  }

  private unsubscribe(connection: Connection, stream: string): void {
    connection.streams.delete(stream);
    const connections = this.subscribers.get(stream);
    connections?.delete(connection);
    if (connections?.size === 0) this.subscribers.delete(stream);
  }

  private remove(connection: Connection): void {
    this.connections.delete(connection);
    for (const stream of [...connection.streams]) this.unsubscribe(connection, stream);
  }

  private ping(): void {
    const oldest = Date.now() - PONG_PATIENCE_MS;
    for (const { socket, pongAt } of this.connections) {
      if (pongAt < oldest) socket.terminate();
      else socket.ping();
    }
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
  const isList = Array.isArray(params) && params.every((stream): stream is string => typeof stream === "string" && stream.length <= 100);
  return { method: value.method, params: isList ? params : null, id: "id" in value ? value.id : null };
}
