/**
 * The websockets of a recording: connections, and the fan-out of recorded messages by stream. What a client may say and ask is
 * `protocols/binance/session.ts`. A connection that doesn't read is cut when its queue passes a bound.
 */

import { WebSocket } from "ws";
import { SPOT } from "./protocols/binance/product.ts";
import { type BinanceBooks, BinanceSession } from "./protocols/binance/session.ts";
import { Topics } from "./topics.ts";
import type { Clock } from "./venue.ts";

/** With more than this unsent, a source that can wait waits. */
const CONGESTED_BYTES = 1_048_576;
/** With more than this unsent, a connection is cut: it has stopped reading. */
const CUT_BYTES = 64 * CONGESTED_BYTES;
const DRAIN_POLL_MS = 2;
const DRAIN_PATIENCE_MS = 60_000;
const PING_EVERY_MS = 20_000;
const PONG_PATIENCE_MS = 60_000;

/** Of recorded messages the wall clock is the one by which a client talks too fast. */
export const WALL_CLOCK: Clock = {
  get now() {
    return Date.now();
  },
};

interface Connection {
  readonly socket: WebSocket;
  readonly session: BinanceSession;
  pongAt: number;
}

export class Hub {
  private readonly connections = new Set<Connection>();
  private readonly topics = new Topics<BinanceSession>(() => this.noteSubscription());
  private readonly books: BinanceBooks = { product: SPOT, clock: WALL_CLOCK, topics: this.topics, crossingBid: () => null };
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
    const to = { send: ({ text }: { text: string }) => this.send(socket, text), close: socket.close.bind(socket) };
    const connection: Connection = { socket, session: new BinanceSession(this.books, to, { isCombined }), pongAt: Date.now() };
    this.connections.add(connection);
    socket.on("message", (payload, isBinary) => {
      if (socket.readyState === WebSocket.OPEN) connection.session.receive(isBinary ? "" : payload.toString());
    });
    socket.on("pong", () => {
      connection.pongAt = Date.now();
    });
    socket.on("close", () => this.remove(connection));
    socket.on("error", () => socket.terminate());
    connection.session.subscribe(streams);
  }

  hasSubscriber(stream: string): boolean {
    return this.topics.has(stream);
  }

  hasSubscriberOf(isWanted: (stream: string) => boolean): boolean {
    for (const stream of this.topics.names) if (isWanted(stream)) return true;
    return false;
  }

  /** @param whole the combined text where the caller has it already. */
  publish(stream: string, data: string, whole?: string): void {
    const message = { stream, data, channel: "control", symbol: null, first: null, last: null } as const;
    for (const session of this.topics.of(stream)) session.hear(whole === undefined ? message : { ...message, whole });
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
    if (this.topics.size > 0) return;
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

  private send(socket: WebSocket, text: string): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(text);
    this.sent++;
    if (socket.bufferedAmount > CUT_BYTES) socket.terminate();
  }

  private noteSubscription(): void {
    this.subscribedAt = Date.now();
    for (const go of this.waitingForStreams.splice(0)) go();
  }

  private remove(connection: Connection): void {
    this.connections.delete(connection);
    connection.session.closed();
  }

  private ping(): void {
    const oldest = Date.now() - PONG_PATIENCE_MS;
    for (const { socket, pongAt } of this.connections) {
      if (pongAt < oldest) socket.terminate();
      else socket.ping();
    }
  }
}
