/** Two text files whose lines of one number belong together, read side by side: never more than a block of each is held. */

import { ArchiveError } from "../archive-error.ts";
import { readLines } from "../line-reader.ts";

export interface LinePairs {
  readonly pairs: readonly (readonly [left: string, right: string])[];
  /** Number of the first of them, from 1. */
  readonly firstLine: number;
}

/** Lines of the same number together. Throws ArchiveError, behind all pairs, where one file has more. */
export async function* pairedLines(
  [leftPath, rightPath]: readonly [string, string],
  onBytes: (bytes: number) => void,
): AsyncGenerator<LinePairs> {
  const [left, right] = [new LineQueue(leftPath, onBytes), new LineQueue(rightPath, onBytes)];
  for (let firstLine = 1; ; ) {
    const [ofLeft, ofRight] = [await left.fill(), await right.fill()];
    const count = Math.min(ofLeft, ofRight);
    if (count === 0) {
      if (ofLeft !== ofRight)
        throw new ArchiveError(`${ofLeft === 0 ? leftPath : rightPath} ends at line ${firstLine - 1}, and the file beside it goes on`);
      return;
    }
    const [leftLines, rightLines] = [left.take(count), right.take(count)];
    yield { pairs: leftLines.map((line, index) => [line, rightLines[index] as string]), firstLine };
    firstLine += count;
  }
}

/** Lines read and not yet taken: at most a block. */
class LineQueue {
  private readonly blocks: AsyncIterator<{ readonly lines: readonly string[] }>;
  private lines: readonly string[] = [];

  constructor(path: string, onBytes: (bytes: number) => void) {
    this.blocks = readLines(path, onBytes);
  }

  /** @returns how many lines there are; 0 at the end. */
  async fill(): Promise<number> {
    while (this.lines.length === 0) {
      const next = await this.blocks.next();
      if (next.done === true) return 0;
      this.lines = next.value.lines;
    }
    return this.lines.length;
  }

  take(count: number): readonly string[] {
    const taken = this.lines.slice(0, count);
    this.lines = this.lines.slice(count);
    return taken;
  }
}
