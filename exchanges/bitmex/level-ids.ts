/**
 * What one market's messages refer back to: which level has which price. Rows are keyed by side and id
 * (https://www.bitmex.com/app/wsAPI, read 2026-11-27), and the venue says that an id means nothing else ("now arbitrary and will no longer
 * be translatable to a price level", https://blog.bitmex.com/site_announcement/potentially-breaking-api-update-to-id-generation-on-websocket-orderbook-feeds,
 * read 2026-11-27): a price is looked up here, never computed from an id.
 *
 * Invariant: on each side ids and prices are one to one. What would break that shows that a message was lost, and is said so.
 */

import { MAX_LEVELS_PER_MESSAGE } from "../decoding/event-buffers.ts";
import { NumberTable } from "./number-table.ts";
import { TickSet } from "./tick-set.ts";

export class LevelIds {
  /** Messages since the partial, which is number 0; null before it. */
  count: number | null = null;
  private readonly bids = new SideIds();
  private readonly asks = new SideIds();

  get isStarted(): boolean {
    return this.count !== null;
  }

  forget(): void {
    this.count = null;
    this.bids.clear();
    this.asks.clear();
  }

  /** A partial begins: what was there is gone. */
  start(): void {
    this.forget();
    this.count = 0;
  }

  side(isBid: boolean): SideIds {
    return isBid ? this.bids : this.asks;
  }

  /** As JSON: the count, and for each side id, ticks, id, ticks … */
  toText(time: number): string | null {
    if (this.count === null) return null;
    return JSON.stringify({ count: this.count, time, bids: this.bids.toList(), asks: this.asks.toList() });
  }

  /** Takes what `toText` gave. @returns its time; null, and nothing is changed, when the text is something else. */
  take(text: string): number | null {
    const memory = readMemory(text);
    if (memory === null) return null;
    const bids = new SideIds();
    const asks = new SideIds();
    if (!bids.take(memory.bids) || !asks.take(memory.asks)) return null;
    this.forget();
    this.bids.take(memory.bids);
    this.asks.take(memory.asks);
    this.count = memory.count;
    return memory.time;
  }
}

export class SideIds {
  private readonly ticksById = new NumberTable();
  private readonly ticks = new TickSet();

  /** 0 when the id is not there. */
  ticksOf(id: number): number {
    return this.ticksById.get(id);
  }

  /** @returns false, and nothing is changed, when the id or the price is there already, or the side is full. */
  add(id: number, ticks: number): boolean {
    if (this.ticksById.size === MAX_LEVELS_PER_MESSAGE || !this.ticks.add(ticks)) return false;
    if (this.ticksById.add(id, ticks)) return true;
    this.ticks.remove(ticks);
    return false;
  }

  remove(id: number, ticks: number): void {
    this.ticksById.remove(id);
    this.ticks.remove(ticks);
  }

  clear(): void {
    this.ticksById.clear();
    this.ticks.clear();
  }

  /** By id: equal sides give equal lists. */
  toList(): number[] {
    const list = this.ticksById.toList();
    const ids = list.filter((_, at) => at % 2 === 0).toSorted((left, right) => left - right);
    return ids.flatMap((id) => [id, this.ticksOf(id)]);
  }

  /** @returns whether the list was one of ids and prices, each once. */
  take(list: readonly unknown[]): boolean {
    for (let at = 0; at < list.length; at += 2) {
      const id = list[at];
      const ticks = list[at + 1];
      if (!isCount(id) || !isCount(ticks) || ticks === 0 || !this.add(id, ticks)) return false;
    }
    return true;
  }
}

/** A checkpoint's text is whatever lies in storage: bounded before it is read, and checked field by field. */
const MAX_MEMORY_CHARACTERS = 4 * 1024 * 1024;

interface Memory {
  readonly count: number;
  readonly time: number;
  readonly bids: readonly unknown[];
  readonly asks: readonly unknown[];
}

function readMemory(text: string): Memory | null {
  if (text.length > MAX_MEMORY_CHARACTERS) return null;
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof root !== "object" || root === null) return null;
  const { count, time, bids, asks } = root as Partial<Record<keyof Memory, unknown>>;
  if (!isCount(count) || !isCount(time) || !Array.isArray(bids) || !Array.isArray(asks)) return null;
  return { count, time, bids, asks };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
