/** Any of the wire recordings as frames with receive times, whichever of the two line forms it is in. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type RecordedLine, readNanosecondLines } from "./recordings.ts";

/** What was received, in order; what the client of the recording sent is left out. */
export function readRecordedTape(file: string): RecordedLine[] {
  return file.endsWith(".ndjson.gz") ? readNanosecondLines(file) : readSecondLines(file);
}

/** Lines `<receive seconds>: <frame>`, and others that are no frames. */
function readSecondLines(file: string): RecordedLine[] {
  const lines: RecordedLine[] = [];
  for (const line of gunzipSync(readFileSync(file)).toString("utf8").split("\n")) {
    const head = /^(\d+\.\d+): /.exec(line);
    if (head !== null) lines.push({ receivedAt: Math.floor(Number(head[1]) * 1_000), text: line.slice(head[0].length) });
  }
  return lines;
}
