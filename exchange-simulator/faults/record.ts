/** The simulator's own record of what it broke, one entry a fault done. A ledger of gaps is compared with it. */

import type { Channel, Frame } from "../venue.ts";
import type { FaultName } from "./fault.ts";

/** What of one symbol and channel a client didn't get, or didn't get as the venue said it. */
export interface Lost {
  readonly symbol: string | null;
  readonly channel: Channel;
  frames: number;
  /** The venue's first and last number among them; null where it numbers nothing. */
  first: number | null;
  last: number | null;
}

export interface FaultEntry {
  readonly number: number;
  /** Simulated clock, epoch ms. */
  readonly at: number;
  /** When it is over, where it lasts. */
  until: number | null;
  readonly fault: FaultName;
  /** Number of the order. */
  readonly order: number;
  readonly venue: string;
  readonly symbol: string | null;
  readonly channel: Channel | null;
  /** Number of the connection; null where it is the venue's or a request's. */
  readonly connection: number | null;
  /** Which frame of its symbol and channel on its connection was hit first, from 1; null where none was. */
  readonly frame: number | null;
  /** By symbol and channel; empty where everything came, be it late, twice or beside something false. */
  readonly lost: Lost[];
  detail: string;
}

/** Entries kept: some days of a fault a second. What is older goes, and `dropped` says how many. */
const KEPT = 200_000;

export class FaultRecord {
  private entries: FaultEntry[] = [];
  private count = 0;
  private taken = 0;

  get dropped(): number {
    return this.count - this.taken - this.entries.length;
  }

  get all(): readonly FaultEntry[] {
    return this.entries;
  }

  add(entry: Omit<FaultEntry, "number">): FaultEntry {
    const kept = { number: ++this.count, ...entry };
    this.entries.push(kept);
    if (this.entries.length > KEPT + KEPT / 10) this.entries = this.entries.slice(-KEPT);
    return kept;
  }

  /** Takes what was over by then out of the record, so that one of many days needs no memory. */
  takeBefore(time: number): readonly FaultEntry[] {
    const isOver = ({ at, until }: FaultEntry) => Math.max(at, until ?? at) < time;
    const over = this.entries.filter(isOver);
    this.entries = this.entries.filter((entry) => !isOver(entry));
    this.taken += over.length;
    return over;
  }

  /** One JSON object a line. */
  toNdjson(): string {
    return this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  }
}

/** Adds a frame to what is lost. */
export function lose(lost: Lost[], { symbol, channel, first, last }: Frame): void {
  const known = lost.find((one) => one.symbol === symbol && one.channel === channel);
  if (known === undefined) {
    lost.push({ symbol, channel, frames: 1, first, last });
    return;
  }
  known.frames++;
  if (first !== null) known.first = Math.min(first, known.first ?? first);
  if (last !== null) known.last = Math.max(last, known.last ?? last);
}
