/**
 * Binance spot alone, in one call: a recording told verbatim, or generated markets (which `venue-server.ts` serves).
 *
 * Of a recording: websocket `/stream?streams=a/b` and `/ws/<stream>`, the REST requests of `protocols/binance/rest.ts`, and two paths of its own:
 * `/simulator/status`, and `/simulator/close?code=1012`, which cuts every socket (1006, the default, without a closing handshake). It listens on
 * the local machine unless told.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { PresetName } from "../core/simulation/presets.ts";
import { Hub, WALL_CLOCK } from "./hub.ts";
import { SPOT } from "./protocols/binance/product.ts";
import { BinanceRest, venueError } from "./protocols/binance/rest.ts";
import { openRecording, type RecordedOptions } from "./recorded-source.ts";
import { buildWorld, generatedNames } from "./simulated-venues.ts";
import type { MarketSource } from "./source.ts";
import type { RestAnswer } from "./venue.ts";
import { startVenues } from "./venue-server.ts";

export interface GenerativeOptions {
  readonly kind: "generative";
  readonly markets: number;
  /** "both" takes turns, large-tick first. */
  readonly preset: PresetName | "both";
  /** Of the first market; the next ones take the numbers after it. */
  readonly seed: number;
  readonly speed: number;
  /** Length of a depth batch. */
  readonly intervalMs: number;
  /** Epoch ms of the first message; now unless told. */
  readonly startTime?: number;
  /** Simulated time after which nothing more is told; without end unless told. */
  readonly seconds?: number;
}

export interface SimulatorOptions {
  readonly source: RecordedOptions | GenerativeOptions;
  /** A free one is taken when absent or 0. */
  readonly port?: number;
  readonly host?: string;
  /** Told how many messages of a recording have been surveyed, before the simulator listens. */
  readonly onSurvey?: (messages: number) => void;
}

export interface Simulator {
  readonly port: number;
  readonly source: Pick<MarketSource, "markets" | "gridsAre">;
  status(): Readonly<Record<string, unknown>>;
  /** Closes every socket; the server stays. @returns how many there were. */
  cut(code?: number): number;
  /** Resolves when the source has nothing more to tell. Rejects when a recording can't be read to its end. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

const LARGEST_CLIENT_MESSAGE = 65_536;
const STREAMS_PER_CONNECTION = 1_024;

/** Resolves when it listens. Throws RecordingError when a recording can't be replayed. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { source, ...server } = options;
  return source.kind === "recorded" ? await startReplay(source, server) : await startGenerated(source, server);
}

async function startGenerated(source: GenerativeOptions, options: Omit<SimulatorOptions, "source">): Promise<Simulator> {
  const { markets, preset, seed, speed, intervalMs, seconds } = source;
  if (!Number.isInteger(markets) || markets < 1 || markets > 1_000) throw new RangeError(`${markets} markets: 1 to 1,000 can be had`);
  const startTime = source.startTime ?? Date.now();
  const names = generatedNames(markets, preset);
  const generated = { names, preset, seed, startTime, ...(seconds === undefined ? {} : { seconds }) };
  const world = await buildWorld({ venues: [SPOT.venue], generated, intervalMs });
  const server = await startVenues(world, { ...options, speed, status: () => ({ source: "generative", seed, intervalMs }) });
  const grids = [...world.markets].map(([symbol, { tick, lot }]) => [symbol, { symbol, tick, lot }] as const);
  return { ...server, source: { gridsAre: "declared", markets: new Map(grids) } };
}

async function startReplay(recording: RecordedOptions, options: Omit<SimulatorOptions, "source">): Promise<Simulator> {
  const source = await openRecording(recording, options.onSurvey);
  const hub = new Hub();
  const status = () => ({ connections: hub.connectionCount, framesSent: hub.framesSent, ...source.status() });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_CLIENT_MESSAGE, perMessageDeflate: false });
  const rest = new BinanceRest(SPOT, source, WALL_CLOCK);
  const server = createServer((request, response) => {
    const url = readUrl(request);
    if (url === null) send(response, { status: 400, body: venueError(-1000, "Malformed URL.") });
    else if (url.pathname.startsWith("/simulator/")) sendJson(response, control(url, hub, status));
    else answer({ request, response, url, source, rest });
  });
  server.on("upgrade", (request, socket, head) => upgrade({ request, socket, head, sockets, hub }));
  const port = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const finished = source.run(hub);
  // Whoever cares about the end awaits `finished`; a failure there must not end the process before.
  finished.catch(() => {});
  return {
    port,
    source,
    status,
    cut: (code = 1006) => hub.closeAll(code, "closed on request"),
    finished,
    close: async () => {
      source.stop();
      hub.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await finished.catch(() => {});
    },
  };
}

interface RestExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly source: MarketSource;
  readonly rest: BinanceRest;
}

function answer({ request, response, url, source, rest }: RestExchange): void {
  const asked = { method: request.method ?? "GET", path: url.pathname, query: url.searchParams };
  const found = rest.answer(asked, null);
  const symbol = found.status === 200 ? rest.bookAskedBy(asked) : null;
  if (symbol !== null) response.on("finish", () => source.depthDelivered(symbol));
  send(response, found);
}

function control(url: URL, hub: Hub, status: () => Readonly<Record<string, unknown>>): { status: number; value: unknown } {
  if (url.pathname === "/simulator/status") return { status: 200, value: status() };
  if (url.pathname !== "/simulator/close") return { status: 404, value: { error: "status and close are what there is" } };
  const code = Number(url.searchParams.get("code") ?? "1006");
  const isSendable = code === 1000 || (code >= 1001 && code <= 1014 && code !== 1004 && code !== 1005) || (code >= 3000 && code <= 4999);
  if (!Number.isInteger(code) || !isSendable) return { status: 400, value: { error: "not a close code that an endpoint may use" } };
  return { status: 200, value: { closed: hub.closeAll(code, "closed on request") } };
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly sockets: WebSocketServer;
  readonly hub: Hub;
}

function upgrade({ request, socket, head, sockets, hub }: Upgrade): void {
  const url = readUrl(request);
  const path = url?.pathname ?? "";
  const isCombined = path === "/stream";
  const isBare = path === "/ws" || path.startsWith("/ws/");
  const names = (isCombined ? (url?.searchParams.get("streams") ?? "") : path.slice("/ws/".length)).split("/");
  const streams = names.map(decodeName).filter((name) => name !== "");
  const refusal = !isCombined && !isBare ? "404 Not Found" : streams.length > STREAMS_PER_CONNECTION ? "400 Bad Request" : null;
  if (refusal !== null) {
    socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (accepted) => hub.add(accepted, isCombined, streams));
}

/** `@` may come escaped. A name that can't be unescaped stays as it is: nobody speaks it. */
function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function readUrl(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? "/", "http://simulator");
}

function send(response: ServerResponse, { status, body, headers }: RestAnswer): void {
  const type = body.startsWith("<") ? "text/html" : "application/json;charset=UTF-8";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body);
}

function sendJson(response: ServerResponse, { status, value }: { status: number; value: unknown }): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
