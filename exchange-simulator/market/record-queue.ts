/**
 * Several sources as one, in the order of their records' times. At the same time snapshots come first, so that all markets whose books begin then have
 * begun before one of them changes; otherwise in the order in which the sources were given.
 */

import type { MarketRecord } from "../../core/wire/market-events.ts";
import type { RecordSource } from "./record-source.ts";

interface Entry {
  readonly index: number;
  readonly source: RecordSource;
  time: number;
  /** 0 for a snapshot, 1 for anything else. */
  rank: number;
}

/** A binary heap of the sources by the time of their next record. */
export class RecordQueue {
  private readonly heap: Entry[] = [];
  private starved: Entry[] = [];
  /** What all times are moved by. */
  private shiftMs: number;

  constructor(sources: readonly RecordSource[], shiftMs: number) {
    this.shiftMs = shiftMs;
    sources.forEach((source, index) => {
      this.place({ index, source, time: 0, rank: 0 });
    });
  }

  /** Time of the next record; null when there are no more. Not to be asked while a source is starved. */
  get nextTime(): number | null {
    const first = this.heap[0];
    return first === undefined ? null : first.time + this.shiftMs;
  }

  /** Moves what is to come to a later time. */
  postpone(byMs: number): void {
    this.shiftMs += byMs;
  }

  /** The next record without taking it. */
  get next(): MarketRecord | null {
    const record = this.heap[0]?.source.peek() ?? null;
    return record === "starved" ? null : record;
  }

  /** Sources whose next record isn't here yet: nothing may be taken before they are filled. */
  get isStarved(): boolean {
    return this.starved.length > 0;
  }

  /** Brings the records that are missing. */
  async fill(): Promise<void> {
    const { starved } = this;
    this.starved = [];
    await Promise.all(starved.map(({ source }) => source.fill()));
    for (const entry of starved) this.place(entry);
  }

  take(): { readonly index: number; readonly record: MarketRecord } | null {
    const first = this.heap[0];
    if (first === undefined) return null;
    const record = first.source.peek();
    this.removeFirst();
    if (record === null || record === "starved") return null;
    first.source.shift();
    this.place(first);
    return { index: first.index, record: this.shiftMs === 0 ? record : moved(record, this.shiftMs) };
  }

  private place(entry: Entry): void {
    const next = entry.source.peek();
    if (next === "starved") this.starved.push(entry);
    else if (next !== null) {
      entry.time = next.receivedAt;
      entry.rank = next.kind === "snapshot" ? 0 : 1;
      this.heap.push(entry);
      this.rise(this.heap.length - 1);
    }
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.sink(0);
  }

  private rise(at: number): void {
    for (let child = at; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private sink(at: number): void {
    for (let parent = at; ; ) {
      const left = 2 * parent + 1;
      let least = parent;
      if (left < this.heap.length && this.isBefore(left, least)) least = left;
      if (left + 1 < this.heap.length && this.isBefore(left + 1, least)) least = left + 1;
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private isBefore(left: number, right: number): boolean {
    const a = this.heap[left];
    const b = this.heap[right];
    if (a === undefined || b === undefined) return false;
    if (a.time !== b.time) return a.time < b.time;
    return a.rank < b.rank || (a.rank === b.rank && a.index < b.index);
  }

  private swap(left: number, right: number): void {
    const a = this.heap[left];
    const b = this.heap[right];
    if (a === undefined || b === undefined) return;
    this.heap[left] = b;
    this.heap[right] = a;
  }
}

function moved(record: MarketRecord, byMs: number): MarketRecord {
  const receivedAt = record.receivedAt + byMs;
  if (record.kind === "gap") return { ...record, receivedAt, from: record.from + byMs, to: record.to === null ? null : record.to + byMs };
  return { ...record, receivedAt, venueTime: record.venueTime === null ? null : record.venueTime + byMs };
}
