/**
 * Reads the lines of a text file, gzip (several members too), a day file, or neither, with their numbers, never holding more than a block of it.
 *
 * Lines end at a line feed; a carriage return before it is dropped. What can't be read on (a cut file, no gzip) is an ArchiveError that names
 * the file and the last line that was whole; all lines before it have been given out.
 */

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { ArchiveError } from "./archive-error.ts";
import { dayFileText, isDayFile } from "./day-file.ts";

export interface LineBlock {
  readonly lines: readonly string[];
  /** Number of the first of them, from 1. */
  readonly firstLine: number;
}

const BLOCK_BYTES = 1 << 18;
/** The longest line of any format here, a whole book as JSON, has some half a million characters. */
const LONGEST_LINE = 64_000_000;

/** @param onBytes told of each piece read from the disk: its bytes, compressed where the file is. */
export async function* readLines(path: string, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<LineBlock> {
  const file = createReadStream(path, { highWaterMark: BLOCK_BYTES });
  file.on("data", (block) => onBytes(block.length));
  const decoder = new TextDecoder();
  let rest = "";
  let nextLine = 1;
  try {
    for await (const block of isDayFile(path) ? dayFileText(file, path) : path.endsWith(".gz") ? gunzip(file) : file) {
      const lines = (rest + decoder.decode(block as Buffer, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE)
        throw new ArchiveError(`${path} line ${nextLine + lines.length}: longer than ${LONGEST_LINE} characters`);
      if (lines.length === 0) continue;
      yield { lines: lines.map(withoutReturn), firstLine: nextLine };
      nextLine += lines.length;
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArchiveError(`${path} can't be read beyond line ${nextLine - 1} (${reason}): copy it again, or leave it out`);
  }
  rest += decoder.decode();
  if (rest !== "") yield { lines: [withoutReturn(rest)], firstLine: nextLine };
}

/** The first line of a file, "" when it is empty. */
export async function firstLineOf(path: string): Promise<string> {
  for await (const { lines } of readLines(path)) return lines[0] ?? "";
  return "";
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function gunzip(file: ReturnType<typeof createReadStream>): AsyncIterable<Buffer> {
  const stream = createGunzip({ chunkSize: BLOCK_BYTES });
  // A pipe doesn't carry errors on.
  file.on("error", (error) => stream.destroy(error));
  return file.pipe(stream);
}
