/**
 * Recorded wire files: one line a message, `<receive time, ns> <json>`, as a logger beside a venue's combined stream writes them. The REST
 * snapshot stands among the messages, as the bare body that the venue answered. Nothing says that the connection was opened or which grids
 * the symbol has: both are made up from the content, see instrument-inference.ts.
 */

import type { TapeRecord } from "../../core/wire/tape.ts";
import type { SourceRecord } from "./market-source.ts";

const NANOSECONDS_PER_MS_DIGITS = 6;
/** A body with a last update id and no envelope or event type: the answer to a snapshot request. */
const SNAPSHOT_START = /^\{"lastUpdateId":\d/;

/**
 * @param symbol whose snapshot the bare bodies are: a file of this kind holds one.
 * @returns the record of a line, or why it is none.
 */
export function decodeWireLine(line: string, symbol: string): SourceRecord {
  const head = /^(\d{16,20}) /.exec(line);
  const nanoseconds = head?.[1];
  if (head === null || nanoseconds === undefined) return { malformed: `not "<nanoseconds> <json>": ${line.slice(0, 60)}` };
  const receivedAt = Number(nanoseconds.slice(0, -NANOSECONDS_PER_MS_DIGITS));
  const text = line.slice(head[0].length);
  if (SNAPSHOT_START.test(text)) return { kind: "snapshot", receivedAt, symbol, body: text };
  return { kind: "frame", receivedAt, text };
}

/** The opening that such a file leaves out. */
export function openingBefore(record: TapeRecord): TapeRecord {
  return { kind: "open", receivedAt: record.receivedAt, connection: "1" };
}

/** The JSON that a line carries. */
export function wirePayload(line: string): string {
  return line.slice(line.indexOf(" ") + 1);
}
