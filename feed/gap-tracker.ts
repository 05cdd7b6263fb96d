/**
 * The gaps of one market: at most one open at a time, each with a stable id, all changes kept until the ledger has them.
 *
 * Trouble during a gap prolongs it: the first reason stands, the retries are counted in its detail.
 */

import { MS_PER_DAY } from "../core/units/time.ts";
import type { Channel } from "../exchanges/contract.ts";
import type { GapReason, GapRecord } from "./contract.ts";

/** Starts of gaps remembered for the count of a day; a market with more is beyond counting. */
const KEPT_STARTS = 1_000;
/** Of those, the ones that are written down with each flush. */
const KEPT_FOR_SUCCESSOR = 100;
/** Ids whose repetition is told: two gaps of one beginning come within a moment of each other. */
const KEPT_IDS = 100;
/** Changes kept for a ledger that doesn't ask: closed gaps only, oldest let go first. */
const KEPT_CHANGES = 5_000;

/** What ends a gap. */
const ACTION_OF_CHANNEL: Readonly<Record<GapRecord["channel"], GapRecord["action"]>> = {
  connection: "reconnected",
  depth: "resynced",
  trades: "resubscribed",
  quotes: "resubscribed",
  tape: "dropped",
};

export class GapTracker {
  /** Hears of each change as it is made; null while nobody wants to. */
  listener: ((gap: GapRecord) => void) | null = null;
  private readonly market: string;
  private readonly channel: Channel;
  private open: GapRecord | null = null;
  private retries = 0;
  private starts: number[] = [];
  /** How many gaps have had an id, by what it begins with; oldest first. */
  private readonly ids = new Map<string, number>();
  private changes: GapRecord[] = [];

  constructor(market: string, channel: Channel = "depth") {
    this.market = market;
    this.channel = channel;
  }

  get current(): GapRecord | null {
    return this.open;
  }

  /** A gap begins at `from`, or the one that is open goes on. */
  begin(from: number, reason: GapReason, detail: string): void {
    if (this.open !== null) {
      this.retries++;
      return;
    }
    this.retries = 0;
    const channel = reason === "connection-down" ? "connection" : this.channel;
    const id = this.nextId(channel, from, reason);
    this.open = { id, market: this.market, channel, from, to: null, reason, detail, action: "pending" };
    this.starts.push(from);
    if (this.starts.length > KEPT_STARTS) this.starts.shift();
    this.record(this.open);
  }

  /** The book is whole again from `to` on. */
  end(to: number): void {
    if (this.open === null) return;
    const { channel, detail } = this.open;
    const retried = this.retries === 0 ? detail : `${detail}; ${this.retries} further trouble(s) before it was whole`;
    this.record({ ...this.open, to, detail: retried, action: ACTION_OF_CHANNEL[channel] });
    this.open = null;
  }

  /** Something is known to be lost, and nothing can be done about it: a gap that is over as it is found. */
  note({ from, to, reason, detail }: { from: number; to: number; reason: GapReason; detail: string }): void {
    const id = this.nextId(this.channel, from, reason);
    this.starts.push(from);
    if (this.starts.length > KEPT_STARTS) this.starts.shift();
    this.record({ id, market: this.market, channel: this.channel, from, to, reason, detail, action: "noted" });
  }

  /** A gap that was open when the process died goes on under its own id. */
  resume(gap: GapRecord): void {
    this.open = gap;
    this.ids.set(gap.id, 1);
    this.retries = 0;
  }

  /** Starts of the last gaps, for a process that comes after this one; and what an earlier one kept of them. */
  get recentStarts(): readonly number[] {
    return this.starts.slice(-KEPT_FOR_SUCCESSOR);
  }

  remember(starts: readonly number[]): void {
    this.starts = [...starts, ...this.starts].slice(-KEPT_STARTS);
  }

  countSince(from: number): number {
    return this.starts.reduce((count, start) => (start >= from ? count + 1 : count), 0);
  }

  /** Gaps that began in the 24 hours before `now`. */
  count24h(now: number): number {
    return this.countSince(now - MS_PER_DAY);
  }

  /** Takes the changes since the last call. */
  takeChanges(): GapRecord[] {
    const taken = this.changes;
    this.changes = [];
    return taken;
  }

  /**
   * Two gaps may begin in one millisecond for one reason: the second is numbered. A closed gap is final in the ledger, so under the first one's id it
   * would be lost. A replay finds the same gaps in the same order, and numbers them alike.
   */
  private nextId(channel: GapRecord["channel"], from: number, reason: GapReason): string {
    const id = `${this.market}/${channel}/${from}/${reason}`;
    const number = (this.ids.get(id) ?? 0) + 1;
    this.ids.delete(id);
    this.ids.set(id, number);
    const oldest = this.ids.keys().next().value;
    if (this.ids.size > KEPT_IDS && oldest !== undefined) this.ids.delete(oldest);
    return number === 1 ? id : `${id}/${number}`;
  }

  private record(gap: GapRecord): void {
    this.changes = this.changes.filter((earlier) => earlier.id !== gap.id);
    this.changes.push(gap);
    if (this.changes.length > KEPT_CHANGES) this.changes.shift();
    this.listener?.(gap);
  }
}
