/**
 * Reads the lines of a text file, gzip or not, one after another members included, or of a day file, without ever holding more than a block of it.
 * Lines end at a line feed alone: JSON may hold every other character that some readers take for an end of line.
 */

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { ArchiveError } from "../../archive/archive-error.ts";
import { dayFileText, isDayFile } from "../../archive/day-file.ts";
import { CommandError } from "../command-error.ts";

/** Bytes read at a time: decompressed, some thousand frames. */
const BLOCK_BYTES = 1 << 18;
/** A line of more characters than this is no record of ours: the longest snapshot has some half a million. */
const LONGEST_LINE = 64_000_000;

/** Blocks of whole lines. Throws CommandError when the file can't be read, is cut off, or is no gzip. */
export async function* readLines(path: string, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<string[]> {
  const file = createReadStream(path, { highWaterMark: BLOCK_BYTES });
  file.on("data", (block) => onBytes(block.length));
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const block of isDayFile(path) ? dayFileText(file, path) : path.endsWith(".gz") ? pipeThrough(file) : file) {
      const text = rest + decoder.decode(block as Buffer, { stream: true });
      const lines = text.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw new CommandError(`${path} has a line of more than ${LONGEST_LINE} characters: it is no tape`);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof ArchiveError) throw new CommandError(error.message);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} can't be read to its end (${reason}): copy it again, or leave it out`);
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}

function pipeThrough(file: ReturnType<typeof createReadStream>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: BLOCK_BYTES });
  // A pipe doesn't carry errors on.
  file.on("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}
