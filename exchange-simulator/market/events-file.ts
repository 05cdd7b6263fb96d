/**
 * A market from a file of market events (`core/wire/market-events.ts`), plain or gzip, read as it is played: a bounded number of records is held.
 *
 * The file's order is kept, and it must be the order of receive times, or nearly: what recorders wrote from several streams steps back by some hundred ms, and
 * is played as received with what stands before it. Before a gap's end the source has nothing to say, as the venue had.
 */

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface, type Interface } from "node:readline";
import { createGunzip } from "node:zlib";
import { decodeEventsHeader, decodeMarketRecord, type EventsHeader, type MarketRecord } from "../../core/wire/market-events.ts";
import type { RecordSource } from "./record-source.ts";

/** What a user can put right about a file: it is told in a sentence. */
export class EventsFileError extends Error {}

/** Records read ahead: a second or two of a busy market. */
const READ_AHEAD = 4_096;
/** A larger step back is no recorder's jitter: another file's records, or no order at all. */
const LARGEST_STEP_BACK_MS = 10_000;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/**
 * Opens the file and reads its header.
 * @param name what the simulator calls the market; the header's market unless told.
 */
export async function openEventsFile(path: string, name?: string): Promise<RecordSource & { readonly header: EventsHeader }> {
  const lines = await linesOf(path);
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  const header = decodeEventsHeader(first.done === true ? "" : first.value);
  if ("malformed" in header) throw new EventsFileError(`${path}: ${header.malformed}`);
  const ahead = new ReadAhead(path, header, iterator);
  await ahead.fill();
  return {
    header,
    market: { name: name ?? symbolOf(header.market), tick: header.tick, lot: header.lot },
    startTime: ahead.firstTime,
    endTime: null,
    peek: () => ahead.peek(),
    shift: () => ahead.shift(),
    fill: () => ahead.fill(),
    close: async () => lines.close(),
  };
}

class ReadAhead {
  private readonly path: string;
  private readonly header: EventsHeader;
  private readonly lines: AsyncIterator<string>;
  private records: MarketRecord[] = [];
  private at = 0;
  private line = 1;
  private isAtEnd = false;
  private lastTime = Number.NEGATIVE_INFINITY;

  constructor(path: string, header: EventsHeader, lines: AsyncIterator<string>) {
    this.path = path;
    this.header = header;
    this.lines = lines;
  }

  get firstTime(): number {
    return this.records[0]?.receivedAt ?? 0;
  }

  peek(): MarketRecord | "starved" | null {
    return this.records[this.at] ?? (this.isAtEnd ? null : "starved");
  }

  shift(): void {
    if (this.at < this.records.length) this.at++;
  }

  async fill(): Promise<void> {
    if (this.at < this.records.length || this.isAtEnd) return;
    this.records = [];
    this.at = 0;
    while (this.records.length < READ_AHEAD) {
      const next = await this.lines.next();
      if (next.done === true) {
        this.isAtEnd = true;
        return;
      }
      this.line++;
      if (next.value !== "") this.records.push(this.read(next.value));
    }
  }

  private read(line: string): MarketRecord {
    const record = decodeMarketRecord(line, this.header);
    if ("malformed" in record) throw new EventsFileError(`${this.path}, line ${this.line}: ${record.malformed}`);
    if (record.receivedAt >= this.lastTime) {
      this.lastTime = record.receivedAt;
      return record;
    }
    const stepMs = this.lastTime - record.receivedAt;
    if (stepMs > LARGEST_STEP_BACK_MS)
      throw new EventsFileError(`${this.path}, line ${this.line}: received ${stepMs} ms before the line above it`);
    return { ...record, receivedAt: this.lastTime };
  }
}

async function linesOf(path: string): Promise<Interface> {
  const head = Buffer.alloc(2);
  try {
    const file = await open(path);
    await file.read(head, 0, 2, 0);
    await file.close();
  } catch (error) {
    throw new EventsFileError(`${path} can't be read`, { cause: error });
  }
  const raw = createReadStream(path);
  const isGzip = head[0] === GZIP_MAGIC[0] && head[1] === GZIP_MAGIC[1];
  return createInterface({ input: isGzip ? raw.pipe(createGunzip()) : raw, crlfDelay: Number.POSITIVE_INFINITY });
}

/** `standx:BTC-USD` is `BTC-USD`. */
function symbolOf(market: string): string {
  return market.slice(market.indexOf(":") + 1);
}
