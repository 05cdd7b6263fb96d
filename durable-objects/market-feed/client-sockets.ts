/**
 * The clients' websockets of a feed, accepted by the hibernation API: they outlive the object's process, with what they are subscribed to.
 *
 * A shell: sockets, clock, timer and random ids for the fan-out (feed/stream/). Platform surprises met here: a server's socket has no
 * bufferedAmount, and what a client doesn't read is queued without end, so the fan-out bounds it by answers; close() lets go of nothing
 * that is queued, and the socket is there until its peer has gone, so closing ones count among the sockets; send() throws after close().
 */

import type { MarketTracker } from "../../feed/market-tracker.ts";
import type { Client, ClientPort } from "../../feed/stream/client.ts";
import { FanOut } from "../../feed/stream/fan-out.ts";
import { CHANNELS, type Channel, INTERVALS_MS, STREAM_LEVELS, type Subscription, TURN_MS } from "../../feed/stream/protocol.ts";
import { errorSentence, readStreamQuery } from "../../feed/stream/requests.ts";
import { logFault } from "./log-fault.ts";

/** Sockets of one object, closing ones among them: times what each may have outstanding (128 kB), a quarter of the object's 128 MB. */
export const MAX_SOCKETS = 256;
/** Reasons of a close are at most 123 bytes (RFC 6455). */
const MAX_REASON = 120;

/** A subscription as a hibernating socket remembers it: market, places of its channels, levels, interval. */
type Kept = readonly [string, readonly number[], number, number];

export class ClientSockets {
  private readonly ctx: DurableObjectState;
  private readonly feed: string;
  private readonly fanOut: FanOut;
  private readonly clients = new Map<WebSocket, Client>();
  private isTurning = false;

  constructor(ctx: DurableObjectState, feed: string, markets: readonly string[]) {
    this.ctx = ctx;
    this.feed = feed;
    this.fanOut = new FanOut({ feed, markets, nonce: () => crypto.randomUUID(), onNews: () => this.wake() });
    for (const socket of ctx.getWebSockets(feed)) this.restore(socket);
  }

  /** The feed's books begin, or begin anew. */
  attach(trackers: Iterable<MarketTracker>): void {
    this.fanOut.attach(trackers);
    this.wake();
  }

  /** @returns the client's end of a new socket, or why there is none. */
  accept(request: Request): Response {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return refused(426, "upgrade", "A websocket is opened here.");
    const subscriptions = readStreamQuery(Object.fromEntries(new URL(request.url).searchParams), this.fanOut.markets);
    if ("errors" in subscriptions) return refused(400, "malformed", errorSentence(subscriptions));
    if (this.ctx.getWebSockets().length >= MAX_SOCKETS)
      return refused(503, "full", `The feed object serves ${MAX_SOCKETS} sockets, and has as many.`);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [this.feed]);
    this.clients.set(server, this.fanOut.join(this.port(server), subscriptions, Date.now()));
    this.wake();
    return new Response(null, { status: 101, webSocket: client });
  }

  message(socket: WebSocket, data: string | ArrayBuffer): void {
    const client = this.clients.get(socket);
    if (client === undefined) return;
    try {
      this.fanOut.message(client, data, Date.now());
      this.wake();
    } catch (error) {
      logFault("a client's message failed", error);
    }
  }

  /** @param code that it closed with; null where it broke. */
  gone(socket: WebSocket, code: number | null): void {
    this.forget(socket);
    // 1005 and 1006 stand for the absence of a code, and can't be sent.
    if (code !== null) close(socket, code === 1005 || code === 1006 ? 1000 : code, "");
  }

  private restore(socket: WebSocket): void {
    const subscriptions = keptSubscriptions(socket.deserializeAttachment());
    if (socket.readyState !== WebSocket.OPEN || subscriptions === null) return;
    this.clients.set(socket, this.fanOut.rejoin(this.port(socket), subscriptions, Date.now()));
    this.wake();
  }

  private forget(socket: WebSocket): void {
    const client = this.clients.get(socket);
    if (client === undefined) return;
    this.clients.delete(socket);
    this.fanOut.leave(client);
  }

  private port(socket: WebSocket): ClientPort {
    return {
      send: (text) => {
        try {
          socket.send(text);
        } catch {
          // Its end has not been reported yet: what is sent until then is lost with it.
          this.forget(socket);
        }
      },
      close: (code, reason) => {
        this.forget(socket);
        close(socket, code, reason);
      },
      remember: (subscriptions) => socket.serializeAttachment(subscriptions.map(toKept)),
    };
  }

  /** Turns go on from here; also called by the object's alarm, since dead peers are to be found while the venue is away. */
  wake(): void {
    if (this.isTurning || this.clients.size === 0) return;
    this.isTurning = true;
    setTimeout(() => this.turn(), TURN_MS);
  }

  /** While the venue is away no timer runs: the object may then be evicted, and its sockets hibernate. */
  private turn(): void {
    this.isTurning = false;
    let wanted: ReturnType<FanOut["turn"]> = "going-on";
    try {
      wanted = this.fanOut.turn(Date.now());
    } catch (error) {
      logFault("a turn of the streams failed", error);
    }
    if (wanted === "going-on") this.wake();
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason.slice(0, MAX_REASON));
  } catch {
    // It was already closed, or the code is one that may not be sent: nothing is left to do.
  }
}

/** For the public Worker, which makes a problem of it. */
function refused(status: 400 | 426 | 503, reason: string, detail: string): Response {
  return Response.json({ reason, detail }, { status });
}

function toKept({ market, channels, levels, intervalMs }: Subscription): Kept {
  return [market, channels.map((channel) => CHANNELS.indexOf(channel)), levels, intervalMs];
}

/** @returns null for what no version of this code has written. */
function keptSubscriptions(value: unknown): readonly Subscription[] | null {
  if (!Array.isArray(value)) return null;
  const subscriptions: Subscription[] = [];
  for (const [market, places, levels, intervalMs] of value as Kept[]) {
    const channels = places.flatMap((place): Channel[] => CHANNELS.slice(place, place + 1));
    const isKnown = STREAM_LEVELS.some((each) => each === levels) && INTERVALS_MS.some((each) => each === intervalMs);
    if (isKnown) subscriptions.push({ market, channels, levels, intervalMs });
  }
  return subscriptions;
}
