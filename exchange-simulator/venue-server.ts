/**
 * The world as servers: every venue on one port, under its name as a path (`/bitmex/realtime`), the first of them without it too.
 *
 * Its own paths, for tests and people: `/simulator/status`, `/simulator/close?code=`, `/simulator/pause`, `/simulator/resume`,
 * `/truth/<venue>/<symbol>`, and `/faults` (GET, POST, DELETE), `/faults/record`. It listens on the local machine unless told.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseFaultOrders } from "./faults/fault.ts";
import type { FaultInjector } from "./faults/injector.ts";
import { Player } from "./player.ts";
import { Sockets } from "./sockets.ts";
import type { RestAnswer, RestRequest } from "./venue.ts";
import type { World } from "./world.ts";

export interface VenueServerOptions {
  /** 1 is real time, N is N times as fast, 0 is as fast as the sockets take it. */
  readonly speed: number;
  /** A free one is taken when absent or 0. */
  readonly port?: number;
  readonly host?: string;
  /** Stands still until `resume`. */
  readonly isPaused?: boolean;
  /** More of `status`. */
  readonly status?: () => Readonly<Record<string, unknown>>;
}

export interface VenueServer {
  readonly port: number;
  readonly world: World;
  status(): Readonly<Record<string, unknown>>;
  pause(): void;
  resume(): void;
  /** Closes every socket; the server stays. @returns how many there were. */
  cut(code?: number): number;
  /** Resolves when the sources have nothing more to tell. Rejects when one can't be read to its end. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

const LARGEST_CONTROL_BODY = 1_048_576;

/** Resolves when it listens. */
export async function startVenues(world: World, options: VenueServerOptions): Promise<VenueServer> {
  const sockets = new Sockets(() => world.hasSubscribers);
  const player = new Player(world, options.speed, sockets);
  if (options.isPaused === true) player.pause();
  const cut = (code: number) => {
    const links = world.links;
    for (const link of links) {
      if (code === 1006) link.terminate();
      else link.close(code, "closed on request");
    }
    return links.length;
  };
  const status = () => ({
    connections: sockets.count,
    framesSent: sockets.framesSent,
    simulatedMs: world.clock.now - world.startTime,
    time: world.clock.now,
    speed: options.speed,
    isPaused: player.isPaused,
    done: player.isDone,
    ...options.status?.(),
  });
  const own = { status, cut, player, world };
  const server = createServer((request, response) => void answer(request, response, own));
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const aim = aimOf(world, request);
    if (aim === null) socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    else sockets.accept({ request, socket, head }, (wire) => world.connect(aim.venue, aim, wire));
  });
  const port = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const finished = player.run();
  // Whoever cares about the end awaits `finished`; a failure there must not end the process before.
  finished.catch(() => {});
  return {
    port,
    world,
    status,
    pause: () => player.pause(),
    resume: () => player.resume(),
    cut: (code = 1006) => cut(code),
    finished,
    close: async () => {
      player.stop();
      sockets.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await finished.catch(() => {});
      await world.close();
    },
  };
}

interface Own {
  readonly status: () => Readonly<Record<string, unknown>>;
  readonly cut: (code: number) => number;
  readonly player: Player;
  readonly world: World;
}

async function answer(request: IncomingMessage, response: ServerResponse, own: Own): Promise<void> {
  const url = URL.parse(request.url ?? "/", "http://simulator");
  if (url === null) return send(response, { status: 400, body: JSON.stringify({ code: -1000, msg: "Malformed URL." }) });
  const asked: RestRequest = { method: request.method ?? "GET", path: url.pathname, query: url.searchParams };
  const { injector } = own.world;
  const isOfFaults = injector !== null && (asked.path === "/faults" || asked.path === "/faults/record");
  const controlled = isOfFaults ? faultsAnswer(asked, injector, await bodyOf(request)) : ownAnswer(asked, own);
  if (controlled !== null) return send(response, controlled);
  const aim = aimOf(own.world, request);
  if (aim === null) return send(response, { status: 404, body: JSON.stringify({ error: "no such venue" }) });
  const { answer: found, delayMs } = own.world.rest(aim.venue, { ...asked, path: aim.path });
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
  send(response, found);
}

function ownAnswer({ path, query }: RestRequest, { status, cut, player, world }: Own): RestAnswer | null {
  switch (path) {
    case "/simulator/status":
      return json(200, status());
    case "/simulator/close":
      return closeAnswer(query.get("code") ?? "1006", cut);
    case "/simulator/pause":
      player.pause();
      return json(200, { isPaused: true, time: world.clock.now });
    case "/simulator/resume":
      player.resume();
      return json(200, { isPaused: false, time: world.clock.now });
    default:
      return path.startsWith("/truth/") ? truthAnswer(path, world) : null;
  }
}

function closeAnswer(text: string, cut: (code: number) => number): RestAnswer {
  const code = Number(text);
  const isSendable = code === 1000 || (code >= 1001 && code <= 1014 && code !== 1004 && code !== 1005) || (code >= 3000 && code <= 4999);
  if (!Number.isInteger(code) || !isSendable) return json(400, { error: "not a close code that an endpoint may use" });
  return json(200, { closed: cut(code) });
}

function truthAnswer(path: string, world: World): RestAnswer {
  const [, , venue = "", symbol = ""] = path.split("/");
  const truth = world.truth(venue, decoded(symbol));
  return truth === null ? json(404, { error: "no such venue or symbol" }) : json(200, truth);
}

function faultsAnswer({ method, path }: RestRequest, injector: FaultInjector, body: string): RestAnswer {
  if (path === "/faults/record") {
    const headers = { "content-type": "application/x-ndjson", "x-simulator-dropped": String(injector.record.dropped) };
    return { status: 200, body: injector.record.toNdjson(), headers };
  }
  if (method === "DELETE") {
    injector.clear();
    return json(200, { orders: [] });
  }
  if (method !== "POST") return json(200, { orders: injector.orders });
  const orders = parseFaultOrders(body);
  if ("malformed" in orders) return json(400, { error: orders.malformed });
  const refusal = orders.map((order) => injector.refusalOfOrder(order)).find((reason) => reason !== null);
  if (refusal !== undefined) return json(400, { error: refusal });
  return json(200, { numbers: orders.map((order) => injector.add(order)) });
}

interface Aim extends RestRequest {
  readonly venue: string;
}

/** `/bitmex/realtime` is BitMEX's `/realtime`; a path that names no venue is the first one's. */
function aimOf(world: World, request: IncomingMessage): Aim | null {
  const url = URL.parse(request.url ?? "/", "http://simulator");
  if (url === null) return null;
  const method = request.method ?? "GET";
  const [, head = ""] = url.pathname.split("/");
  if (world.stalls.has(head)) return { venue: head, method, path: url.pathname.slice(head.length + 1) || "/", query: url.searchParams };
  const [first] = world.stalls.keys();
  return first === undefined ? null : { venue: first, method, path: url.pathname, query: url.searchParams };
}

function json(status: number, value: unknown): RestAnswer {
  return { status, body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, body, headers }: RestAnswer): void {
  const type = body.startsWith("<") ? "text/html" : "application/json;charset=UTF-8";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body);
}

/** What is longer than any order is cut off: it can't be read then, and is refused as that. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  try {
    for await (const chunk of request) {
      body += String(chunk);
      if (body.length > LARGEST_CONTROL_BODY) return body;
    }
  } catch {
    return "";
  }
  return body;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
