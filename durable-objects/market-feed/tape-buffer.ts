/**
 * What has been received since the last flush, by symbol, waiting to be compressed and stored.
 *
 * Bounded, by a room that all feeds of the object share: when storage doesn't take it, records past the bound are dropped and told by their symbol, never
 * the process with them.
 */

import { gzipSync } from "node:zlib";
import { encodeFrame, encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { Room } from "../../feed/room.ts";

/** Characters held before a flush is due whatever the time, so that memory and one compression stay small. */
const FLUSH_AT_CHARACTERS = 4_000_000;
/** Characters held at most by an object, while storage refuses: 32 MB of one-byte text, a quarter of its memory. */
const MAX_CHARACTERS = 32_000_000;
/** Level 6 takes some 15 ms per MB and saves a fifth over level 1; at 0.3 MB/s that is half a percent of a core. */
const GZIP_LEVEL = 6;

/** One symbol's records of one flush: a gzip member. */
export interface TapePart {
  readonly symbol: string;
  readonly gzip: Uint8Array;
}

/** Records of one symbol that were dropped: how many, and the receive time of the first. */
export interface DroppedRecords {
  readonly count: number;
  readonly from: number;
}

/** For the tape of all feeds of an object. */
export function createTapeRoom(): Room {
  return new Room(MAX_CHARACTERS);
}

export class TapeBuffer {
  private readonly room: Room;
  private readonly lines = new Map<string, string[]>();
  private readonly droppedOf = new Map<string, DroppedRecords>();
  private held = 0;

  constructor(room: Room) {
    this.room = room;
  }

  /** By symbol, since the last flush. */
  get dropped(): ReadonlyMap<string, DroppedRecords> {
    return this.droppedOf;
  }

  /** Whether a flush is due whatever the time: of a feed that holds much, and of every one while all together do. */
  get isFull(): boolean {
    return this.held >= FLUSH_AT_CHARACTERS || this.room.taken >= this.room.size / 2;
  }

  frame(symbol: string, receivedAt: number, text: string): void {
    this.push(symbol, receivedAt, encodeFrame(receivedAt, text));
  }

  record(symbol: string, record: TapeRecord): void {
    this.push(symbol, record.receivedAt, encodeTapeRecord(record));
  }

  /** Compresses all that is held. The buffer is emptied by `clear`, once it is stored. */
  parts(): TapePart[] {
    return [...this.lines].map(([symbol, lines]) => ({ symbol, gzip: gzipSync(lines.join(""), { level: GZIP_LEVEL }) }));
  }

  clear(): void {
    this.lines.clear();
    this.droppedOf.clear();
    this.room.give(this.held);
    this.held = 0;
  }

  private push(symbol: string, receivedAt: number, line: string): void {
    if (!this.room.take(line.length)) {
      const { count, from } = this.droppedOf.get(symbol) ?? { count: 0, from: receivedAt };
      this.droppedOf.set(symbol, { count: count + 1, from });
      return;
    }
    this.held += line.length;
    const lines = this.lines.get(symbol);
    if (lines === undefined) this.lines.set(symbol, [line]);
    else lines.push(line);
  }
}
