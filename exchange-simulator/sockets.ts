/** The websockets of all venues: accepted, pinged, counted, cut when they stop reading. */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Link, Wire } from "./link.ts";
import type { Outlet } from "./player.ts";
import type { RestAnswer } from "./venue.ts";

const LARGEST_CLIENT_MESSAGE = 65_536;
/** With more than this unsent, a source that can wait waits. */
const CONGESTED_BYTES = 1_048_576;
/** With more than this unsent, a connection is cut: it has stopped reading. */
const CUT_BYTES = 64 * CONGESTED_BYTES;
const DRAIN_POLL_MS = 2;
const DRAIN_PATIENCE_MS = 60_000;
const PING_EVERY_MS = 20_000;
const PONG_PATIENCE_MS = 60_000;

interface Client {
  readonly socket: WebSocket;
  pongAt: number;
}

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export class Sockets implements Outlet {
  private readonly server = new WebSocketServer({ noServer: true, maxPayload: LARGEST_CLIENT_MESSAGE, perMessageDeflate: false });
  private readonly clients = new Set<Client>();
  private readonly waiting: (() => void)[] = [];
  private readonly hasSubscribers: () => boolean;
  private readonly pinger: NodeJS.Timeout;
  private sent = 0;

  constructor(hasSubscribers: () => boolean) {
    this.hasSubscribers = hasSubscribers;
    this.pinger = setInterval(() => this.ping(), PING_EVERY_MS);
    this.pinger.unref();
  }

  get count(): number {
    return this.clients.size;
  }

  get framesSent(): number {
    return this.sent;
  }

  get isCongested(): boolean {
    for (const { socket } of this.clients) if (socket.bufferedAmount > CONGESTED_BYTES) return true;
    return false;
  }

  async drained(): Promise<void> {
    const deadline = Date.now() + DRAIN_PATIENCE_MS;
    while (this.isCongested) {
      if (Date.now() > deadline) {
        for (const { socket } of this.clients) if (socket.bufferedAmount > CONGESTED_BYTES) socket.terminate();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  async subscribed(): Promise<void> {
    if (this.hasSubscribers()) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /**
   * Takes a socket, or refuses it as its upgrade's answer.
   * @param connect asked once the venue's answer is needed; the wire given to it holds what is delivered until the socket is open.
   */
  accept({ request, socket, head }: Upgrade, connect: (wire: Wire) => Link | RestAnswer): void {
    const wire = new SocketWire(socket, () => this.sent++);
    const link = connect(wire);
    if ("status" in link) {
      refuse(socket, link);
      return;
    }
    this.server.handleUpgrade(request, socket, head, (opened) => {
      this.add(opened, link);
      wire.open(opened);
      this.release();
    });
    socket.on("close", () => link.over());
  }

  stop(): void {
    clearInterval(this.pinger);
    for (const { socket } of this.clients) socket.terminate();
    this.clients.clear();
    for (const go of this.waiting.splice(0)) go();
  }

  private add(socket: WebSocket, link: Link): void {
    const client: Client = { socket, pongAt: Date.now() };
    this.clients.add(client);
    socket.on("message", (payload, isBinary) => {
      link.receive(isBinary ? "" : payload.toString());
      this.release();
    });
    socket.on("pong", () => {
      client.pongAt = Date.now();
    });
    socket.on("close", () => {
      this.clients.delete(client);
      link.over();
    });
    socket.on("error", () => socket.terminate());
  }

  private release(): void {
    if (this.waiting.length > 0 && this.hasSubscribers()) for (const go of this.waiting.splice(0)) go();
  }

  private ping(): void {
    const oldest = Date.now() - PONG_PATIENCE_MS;
    for (const { socket, pongAt } of this.clients) {
      if (pongAt < oldest) socket.terminate();
      else socket.ping();
    }
  }
}

/** The wire of one websocket. What is delivered before it is open waits. */
class SocketWire implements Wire {
  private readonly raw: Duplex;
  private readonly count: () => void;
  private socket: WebSocket | null = null;
  private early: ((socket: WebSocket) => void)[] = [];

  constructor(raw: Duplex, count: () => void) {
    this.raw = raw;
    this.count = count;
  }

  open(socket: WebSocket): void {
    this.socket = socket;
    for (const go of this.early.splice(0)) go(socket);
  }

  deliver(text: string): void {
    this.do((socket) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(text);
      this.count();
      if (socket.bufferedAmount > CUT_BYTES) socket.terminate();
    });
  }

  close(code: number, reason: string): void {
    this.do((socket) => (code === 1006 ? socket.terminate() : socket.close(code, reason)));
  }

  terminate(): void {
    this.do((socket) => socket.terminate());
  }

  reset(): void {
    const raw = this.raw as Socket;
    this.do(() => void raw.resetAndDestroy());
  }

  private do(what: (socket: WebSocket) => void): void {
    if (this.socket === null) this.early.push(what);
    else what(this.socket);
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  418: "I'm a teapot",
  429: "Too Many Requests",
  451: "Unavailable For Legal Reasons",
};

function refuse(socket: Duplex, { status, body, headers }: RestAnswer): void {
  const lines = [`HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}`, "Connection: close", `Content-Length: ${Buffer.byteLength(body)}`];
  const more = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  socket.end(`${[...lines, ...more].join("\r\n")}\r\n\r\n${body}`);
}
