/** Files of market events (core/wire/market-events.ts): a header line, then a record a line. */

import { decodeEventsHeader, decodeMarketRecord, type EventsHeader, type MarketRecord } from "../core/wire/market-events.ts";
import { ArchiveError } from "./archive-error.ts";
import { firstLineOf, readLines } from "./line-reader.ts";

export interface ReadRecord {
  readonly record: MarketRecord;
  readonly line: number;
}

export interface RefusedLine {
  readonly refused: string;
  readonly file: string;
  readonly line: number;
}

export function eventsFileName(market: string): string {
  return `${fileStem(market)}.events.ndjson.gz`;
}

/** "binance-spot:BTCUSDT" as part of a file name: "binance-spot.BTCUSDT". */
export function fileStem(market: string): string {
  return market.replace(":", ".");
}

/** Whether a file says of itself that it is one. */
export async function isEventsFile(path: string): Promise<boolean> {
  return (await firstLineOf(path)).includes('"format":"edgebook-events"');
}

/** Throws ArchiveError when the first line is no header of ours. */
export async function readEventsHeader(path: string): Promise<EventsHeader> {
  const header = decodeEventsHeader(await firstLineOf(path));
  if ("malformed" in header) throw new ArchiveError(`${path} line 1: ${header.malformed}`);
  return header;
}

/** Blocks of records in the file's order; a line that is none comes as a refusal with its reason. */
export async function* readEventsFile(
  path: string,
  header: EventsHeader,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<(ReadRecord | RefusedLine)[]> {
  for await (const { lines, firstLine } of readLines(path, onBytes)) {
    const block: (ReadRecord | RefusedLine)[] = [];
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      if (line === 1 || text === "") continue;
      const record = decodeMarketRecord(text, header);
      block.push("malformed" in record ? { refused: record.malformed, file: path, line } : { record, line });
    }
    yield block;
  }
}
