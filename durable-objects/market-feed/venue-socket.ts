/**
 * One outgoing websocket to a venue: dialled, listened to, and reported down exactly once.
 *
 * Platform surprises met here: a Worker dials by fetch with an Upgrade header; listeners go on before accept(); an oversized frame raises
 * `error` without `close`, a server's close raises both, a reset raises `close` alone, so all of them lead to one idempotent `down`.
 * Pings are answered by the runtime and can't be seen: silence is judged by whoever owns the socket.
 */

import type { VenueAnswer, Wire, WireListener } from "../../feed/session/session-port.ts";

const DIAL_TIMEOUT_MS = 10_000;
/** Of a binary frame, which no venue sends: what is kept of it. */
const MAX_BINARY_BYTES = 1_000_000;

class VenueSocket implements Wire {
  private readonly socket: WebSocket;
  private readonly listener: WireListener;
  private isDown = false;

  constructor(socket: WebSocket, listener: WireListener) {
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
    else if (event.data instanceof ArrayBuffer) this.listener.binary(toBase64(new Uint8Array(event.data)));
  }

  private down(reason: string): void {
    if (this.isDown) return;
    this.isDown = true;
    this.listener.down(reason);
  }
}

/** @param url ws:// or wss:// address. Never throws: a venue that can't be reached is told to the listener. */
export async function dial(url: string, listener: WireListener): Promise<void> {
  const answer = await upgraded(url);
  // Told of it in the same turn as it is accepted: no frame can come before.
  if (answer instanceof WebSocket) listener.opened(new VenueSocket(answer, listener));
  else listener.refused(answer);
}

async function upgraded(url: string): Promise<WebSocket | VenueAnswer> {
  // A signal outlives the handshake: AbortSignal.timeout would cut the open socket (1006) when its time comes.
  const dialling = new AbortController();
  const timer = setTimeout(() => dialling.abort(new Error(`no answer within ${DIAL_TIMEOUT_MS / 1_000} s`)), DIAL_TIMEOUT_MS);
  try {
    const response = await fetch(url.replace(/^ws/, "http"), { headers: { Upgrade: "websocket" }, signal: dialling.signal });
    if (response.webSocket) return response.webSocket;
    await response.body?.cancel();
    return { status: response.status, body: "", header: (name) => response.headers.get(name) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, MAX_BINARY_BYTES)) text += String.fromCharCode(byte);
  return btoa(text);
}
