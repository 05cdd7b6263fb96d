/** A client of the simulator as a feed would be one: real sockets, real HTTP. */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { WebSocket } from "ws";

export interface Client {
  readonly socket: WebSocket;
  /** Every text received, in order. */
  readonly frames: string[];
  /** Resolves with the first frame, of those received or to come, that satisfies the claim. */
  until(isIt: (frame: string, index: number) => boolean): Promise<string>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
}

export async function connect(port: number, path: string): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const frames: string[] = [];
  const waiting: { isIt: (frame: string, index: number) => boolean; resolve: (frame: string) => void }[] = [];
  socket.on("message", (payload) => {
    const frame = payload.toString();
    const index = frames.push(frame) - 1;
    for (let at = waiting.length - 1; at >= 0; at--) {
      if (waiting[at]?.isIt(frame, index) === true) waiting.splice(at, 1)[0]?.resolve(frame);
    }
  });
  const closed = new Promise<number>((resolve) => socket.on("close", (code) => resolve(code)));
  await once(socket, "open");
  const until = (isIt: (frame: string, index: number) => boolean) => {
    const found = frames.find(isIt);
    return found === undefined ? new Promise<string>((resolve) => waiting.push({ isIt, resolve })) : Promise.resolve(found);
  };
  return { socket, frames, until, closed };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export async function get(port: number, path: string, method = "GET"): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export interface Diff {
  readonly s: string;
  readonly E: number;
  readonly U: number;
  readonly u: number;
  readonly b: readonly (readonly [string, string])[];
  readonly a: readonly (readonly [string, string])[];
}

export interface Snapshot {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

/** A book kept by the venue's rule, in the plainest way: a map from price text to size text for each side. */
export class NaiveBook {
  lastId: number;
  applied = 0;
  private readonly sides: readonly [Map<string, string>, Map<string, string>];

  constructor(snapshot: Snapshot) {
    this.lastId = snapshot.lastUpdateId;
    this.sides = [new Map(snapshot.bids), new Map(snapshot.asks)];
  }

  /** Throws at a break of the sequence. */
  apply(diff: Diff): void {
    if (diff.u <= this.lastId) return;
    if (diff.U > this.lastId + 1 || (this.applied > 0 && diff.U !== this.lastId + 1)) {
      throw new Error(`a hole: the book is at ${this.lastId}, the diff is ${diff.U} to ${diff.u}`);
    }
    for (const [side, levels] of [
      [this.sides[0], diff.b],
      [this.sides[1], diff.a],
    ] as const) {
      for (const [price, size] of levels) {
        if (Number(size) === 0) side.delete(price);
        else side.set(price, size);
      }
    }
    this.lastId = diff.u;
    this.applied++;
  }

  /** In the form of a depth answer, best first. */
  get snapshot(): Snapshot {
    const sorted = (side: Map<string, string>, sign: number) =>
      [...side].sort((left, right) => sign * (Number(left[0]) - Number(right[0])));
    return { lastUpdateId: this.lastId, bids: sorted(this.sides[0], -1), asks: sorted(this.sides[1], 1) };
  }
}

export function dataOf<T>(frame: string): T {
  return (JSON.parse(frame) as { data: T }).data;
}

export function streamOf(frame: string): string {
  return (JSON.parse(frame) as { stream: string }).stream;
}

/** Recorded data lies beside the repository, and only where it was put. */
export const WIRE_DATA = new URL("../../../shared/data/wire/", import.meta.url).pathname;
export const hasWireData = existsSync(WIRE_DATA);
export const BTCUSDT_FILE = `${WIRE_DATA}binance-spot-btcusdt-20240808.ndjson.gz`;
export const THIN_FILE = `${WIRE_DATA}binance-spot-thin-2021-10-12.ws.txt.gz`;
