/**
 * An exchange inside the Workers runtime, for tests: what production code dials at https://… is answered here (vitest.workerd.config.ts,
 * outboundService). It speaks Binance spot: exchangeInfo, depth snapshots, and a combined stream that sends what the test scripts.
 *
 * One object, since a socket may be used only by the object or request that holds it. The test steers it at https://control/.
 */

import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly EXCHANGE: DurableObjectNamespace;
}

const GRIDS = [
  { filterType: "PRICE_FILTER", tickSize: "0.01000000" },
  { filterType: "LOT_SIZE", stepSize: "0.00001000" },
];

export class FakeExchange extends DurableObject<Env> {
  private sockets: WebSocket[] = [];
  private snapshots: Record<string, string> = {};
  /** Status answered to everything while set: 451 for blocked, 503 for down. */
  private refusal: number | null = null;
  /** Snapshots asked for so far, answered or refused. */
  private asked = 0;
  /** While set, snapshots are made when they are asked for and answered when it is fulfilled. */
  private hold: Hold | null = null;
  /** While set, connections are opened when it is fulfilled. */
  private upgrades: Hold | null = null;

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.hostname === "control") return this.steer(url.pathname, request);
    if (url.pathname.endsWith("/depth")) this.asked++;
    if (this.refusal !== null) return new Response("refused", { status: this.refusal });
    if (request.headers.get("Upgrade") === "websocket") {
      if (this.upgrades !== null) this.upgrades.waiting++;
      await this.upgrades?.promise;
      return this.open();
    }
    if (url.pathname.endsWith("/exchangeInfo")) {
      const symbols: unknown = JSON.parse(url.searchParams.get("symbols") ?? "[]");
      const names = Array.isArray(symbols) ? symbols.map(String) : [];
      return Response.json({ symbols: names.map((symbol) => ({ symbol, filters: GRIDS })) });
    }
    const body = this.snapshots[url.searchParams.get("symbol") ?? ""];
    if (this.hold !== null) {
      this.hold.waiting++;
      await this.hold.promise;
    }
    return body === undefined ? new Response("no snapshot is scripted", { status: 404 }) : new Response(body);
  }

  private open(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    this.sockets.push(server);
    server.addEventListener("close", () => {
      this.sockets = this.sockets.filter((socket) => socket !== server);
    });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A socket whose other end has been killed throws: it is forgotten, and the others are served. */
  private toEach(act: (socket: WebSocket) => void): void {
    for (const socket of [...this.sockets]) {
      try {
        act(socket);
      } catch {
        this.sockets = this.sockets.filter((other) => other !== socket);
      }
    }
  }

  private async steer(path: string, request: Request): Promise<Response> {
    const body: unknown = await request.json();
    if (path === "/snapshots") this.snapshots = body as Record<string, string>;
    if (path === "/refusal") this.refusal = body as number | null;
    if (path === "/frames") for (const frame of body as string[]) this.toEach((socket) => socket.send(frame));
    if (path === "/close") this.toEach((socket) => socket.close(1001, "scripted"));
    if (path === "/hold") this.hold = renewed(this.hold, body === true);
    if (path === "/upgrades") this.upgrades = renewed(this.upgrades, body === true);
    const waiting = (this.hold?.waiting ?? 0) + (this.upgrades?.waiting ?? 0);
    return Response.json({ sockets: this.sockets.length, waiting, asked: this.asked });
  }
}

interface Hold {
  readonly promise: Promise<void>;
  readonly fulfil: () => void;
  waiting: number;
}

/** What waited goes on; what comes now waits anew, or doesn't. */
function renewed(before: Hold | null, isHeld: boolean): Hold | null {
  before?.fulfil();
  if (!isHeld) return null;
  let fulfil = (): void => {};
  const promise = new Promise<void>((done) => {
    fulfil = done;
  });
  return { promise, fulfil, waiting: 0 };
}

export default {
  fetch: (request, env) => env.EXCHANGE.getByName("the one").fetch(request),
} satisfies ExportedHandler<Env>;
