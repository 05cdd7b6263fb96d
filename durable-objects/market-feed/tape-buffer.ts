/**
 * What has been received since the last flush, by symbol, waiting to be compressed and stored.
 *
 * Bounded: when storage doesn't take it, records past the bound are dropped and counted, never the process with them.
 */

import { gzipSync } from "node:zlib";
import { encodeFrame, encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";

/** Characters held before a flush is due whatever the time, so that memory and one compression stay small. */
export const FLUSH_AT_CHARACTERS = 4_000_000;
/** Characters held at most, while storage refuses: 32 MB of one-byte text, a quarter of the object's memory. */
const MAX_CHARACTERS = 32_000_000;
/** Level 6 takes some 15 ms per MB and saves a fifth over level 1; at 0.3 MB/s that is half a percent of a core. */
const GZIP_LEVEL = 6;

/** One symbol's records of one flush: a gzip member. */
export interface TapePart {
  readonly symbol: string;
  readonly gzip: Uint8Array;
}

export class TapeBuffer {
  /** Records dropped since the last flush. */
  dropped = 0;
  private readonly lines = new Map<string, string[]>();
  private held = 0;

  get heldCharacters(): number {
    return this.held;
  }

  frame(symbol: string, receivedAt: number, text: string): void {
    this.push(symbol, encodeFrame(receivedAt, text));
  }

  record(symbol: string, record: TapeRecord): void {
    this.push(symbol, encodeTapeRecord(record));
  }

  /** Compresses all that is held. The buffer is emptied by `clear`, once it is stored. */
  parts(): TapePart[] {
    return [...this.lines].map(([symbol, lines]) => ({ symbol, gzip: gzipSync(lines.join(""), { level: GZIP_LEVEL }) }));
  }

  clear(): void {
    this.lines.clear();
    this.held = 0;
    this.dropped = 0;
  }

  private push(symbol: string, line: string): void {
    if (this.held + line.length > MAX_CHARACTERS) {
      this.dropped++;
      return;
    }
    this.held += line.length;
    const lines = this.lines.get(symbol);
    if (lines === undefined) this.lines.set(symbol, [line]);
    else lines.push(line);
  }
}
