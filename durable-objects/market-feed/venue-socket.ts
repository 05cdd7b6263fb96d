/**
 * One outgoing websocket to a venue: dialled, listened to, and reported down exactly once.
 *
 * Platform surprises met here: a Worker dials by fetch with an Upgrade header; listeners go on before accept(); an oversized frame raises
 * `error` without `close`, a server's close raises both, a reset raises `close` alone, so all of them lead to one idempotent `down`.
 * Pings are answered by the runtime and can't be seen: silence is judged by whoever owns the socket.
 */

import { MS_PER_DAY } from "../../core/units/time.ts";

export interface SocketListener {
  text(text: string): void;
  binary(bytes: ArrayBuffer): void;
  /** Called once, whatever happened. */
  down(reason: string): void;
}

export type DialResult =
  | { ok: true; socket: VenueSocket }
  /** `isBlocked`: the venue refuses this address (451, 403). */
  | { ok: false; isBlocked: boolean; retryAfterMs: number; detail: string };

const DIAL_TIMEOUT_MS = 10_000;
const BLOCKED_STATUSES = [403, 451];
const DEFAULT_RATE_LIMIT_WAIT_MS = 60_000;
/** The longest ban that a venue's document speaks of (Binance: three days); beyond it the header is a mistake. */
const LONGEST_WAIT_MS = 3 * MS_PER_DAY;

export class VenueSocket {
  private readonly socket: WebSocket;
  private readonly listener: SocketListener;
  private isDown = false;

  constructor(socket: WebSocket, listener: SocketListener) {
    this.socket = socket;
    this.listener = listener;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => this.onMessage(event));
    socket.addEventListener("close", (event) => this.down(`closed by the venue with ${event.code} ${event.reason}`.trim()));
    socket.addEventListener("error", (event) => this.down(`socket error: ${event.message}`));
    socket.accept();
  }

  send(text: string): void {
    if (!this.isDown) this.socket.send(text);
  }

  /** Closes it from our side. The listener hears of it like of any other end. */
  close(reason: string): void {
    this.down(reason);
    try {
      this.socket.close(1000, reason.slice(0, 120));
    } catch {
      // It was already gone: closing was all we wanted.
    }
  }

  private onMessage(event: MessageEvent): void {
    if (this.isDown) return;
    if (typeof event.data === "string") this.listener.text(event.data);
    else if (event.data instanceof ArrayBuffer) this.listener.binary(event.data);
  }

  private down(reason: string): void {
    if (this.isDown) return;
    this.isDown = true;
    this.listener.down(reason);
  }
}

/** @param url ws:// or wss:// address. Never throws: a venue that can't be reached is a result. */
export async function dial(url: string, listener: SocketListener): Promise<DialResult> {
  // A signal outlives the handshake: AbortSignal.timeout would cut the open socket (1006) when its time comes.
  const dialling = new AbortController();
  const timer = setTimeout(() => dialling.abort(new Error(`no answer within ${DIAL_TIMEOUT_MS / 1_000} s`)), DIAL_TIMEOUT_MS);
  try {
    const response = await fetch(url.replace(/^ws/, "http"), { headers: { Upgrade: "websocket" }, signal: dialling.signal });
    if (response.webSocket) return { ok: true, socket: new VenueSocket(response.webSocket, listener) };
    await response.body?.cancel();
    return {
      ok: false,
      isBlocked: BLOCKED_STATUSES.includes(response.status),
      retryAfterMs: retryAfterMs(response),
      detail: `the venue answered ${response.status} instead of a websocket`,
    };
  } catch (error) {
    return {
      ok: false,
      isBlocked: false,
      retryAfterMs: 0,
      detail: `could not connect: ${error instanceof Error ? error.message : String(error)}`,
    };
  } finally {
    clearTimeout(timer);
  }
}

/** What a venue asks us to wait: its Retry-After, in seconds or as a date, a minute for a bare 429 or 418, else nothing. */
export function retryAfterMs(response: Response): number {
  const told = response.headers.get("Retry-After") ?? "";
  const wait = /^\d+(\.\d+)?$/.test(told) ? Number(told) * 1_000 : Date.parse(told) - Date.now();
  if (Number.isFinite(wait) && wait > 0) return Math.min(wait, LONGEST_WAIT_MS);
  return response.status === 429 || response.status === 418 ? DEFAULT_RATE_LIMIT_WAIT_MS : 0;
}
