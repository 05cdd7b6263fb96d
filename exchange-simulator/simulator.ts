/**
 * The exchange simulator: a server that speaks Binance spot from a recording or from generated markets.
 *
 * Websocket `/stream?streams=a/b` and `/ws/<stream>`; REST `/api/v3/{ping,time,depth,klines,exchangeInfo}` with the weight of the running minute in
 * `x-mbx-used-weight-1m`, and 429 with Retry-After above the venue's 6,000. Two paths of its own: `/simulator/status`, and
 * `/simulator/close?code=1012`, which cuts every socket (1006, the default, without a closing handshake). It listens on the local machine unless told.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { MS_PER_MINUTE, minuteOf } from "../core/units/time.ts";
import { type GenerativeOptions, GenerativeSource } from "./generative-source.ts";
import { Hub } from "./hub.ts";
import { openRecording, type RecordedOptions } from "./recorded-source.ts";
import { answerRest, type RestAnswer, venueError } from "./rest.ts";
import type { MarketSource } from "./source.ts";

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
  readonly source: MarketSource;
  status(): Readonly<Record<string, unknown>>;
  /** Closes every socket; the server stays. @returns how many there were. */
  cut(code?: number): number;
  /** Resolves when the source has nothing more to tell. Rejects when a recording can't be read to its end. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

const WEIGHT_PER_MINUTE = 6_000;
const LARGEST_CLIENT_MESSAGE = 65_536;
const STREAMS_PER_CONNECTION = 1_024;

/** Resolves when it listens. Throws RecordingError when a recording can't be replayed. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const source =
    options.source.kind === "recorded" ? await openRecording(options.source, options.onSurvey) : new GenerativeSource(options.source);
  const hub = new Hub();
  const status = () => ({ connections: hub.connectionCount, framesSent: hub.framesSent, ...source.status() });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_CLIENT_MESSAGE, perMessageDeflate: false });
  const weights = new UsedWeight();
  const server = createServer((request, response) => {
    const url = readUrl(request);
    if (url === null) send(response, { status: 400, body: venueError(-1000, "Malformed URL."), weight: 0 });
    else if (url.pathname.startsWith("/simulator/")) sendJson(response, control(url, hub, status));
    else answer({ request, response, url, source, weights });
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

/** The request weight used in the running minute of the wall clock. */
class UsedWeight {
  private minute = 0;
  private used = 0;

  /** @returns the weight used, this request's with it. */
  add(weight: number): number {
    const minute = minuteOf(Date.now());
    if (minute !== this.minute) this.used = 0;
    this.minute = minute;
    this.used += weight;
    return this.used;
  }
}

interface RestExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly source: MarketSource;
  readonly weights: UsedWeight;
}

function answer({ request, response, url, source, weights }: RestExchange): void {
  const found = request.method === "GET" ? answerRest(source, url) : null;
  const asked = found ?? { status: 404, body: "<html><body><h2>404 Not found</h2></body></html>", weight: 1 };
  const used = weights.add(asked.weight);
  response.setHeader("x-mbx-used-weight", String(used));
  response.setHeader("x-mbx-used-weight-1m", String(used));
  if (used > WEIGHT_PER_MINUTE) {
    const seconds = Math.ceil((minuteOf(Date.now()) + MS_PER_MINUTE - Date.now()) / 1_000);
    const body = venueError(-1003, `Too much request weight used; current limit is ${WEIGHT_PER_MINUTE} request weight per 1 MINUTE.`);
    send(response, { status: 429, body, weight: 0, headers: { "retry-after": String(Math.max(1, seconds)) } });
    return;
  }
  const { depthOf } = asked;
  if (depthOf !== undefined) response.on("finish", () => source.depthDelivered(depthOf));
  send(response, asked);
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
