/**
 * A day in several parts: what came late has a file of its own (decision 0018), and belongs between the lines of the others. Read together they are one
 * tape in order of receive time; of equal times the earlier part's line is first, and within a part nothing changes its place.
 */

import { basename, dirname } from "node:path";
import { dayFileText, fileBytes, isDayFile } from "./day-file.ts";

const PART = /^(\d{4}-\d{2}-\d{2})\.\d{2}\.[0-9a-f]{12}\.day$/;
/** Lines handed on at once. */
const LINES_OF_BLOCK = 2_000;

/** @param paths in their order. @returns parts of one day that stand one after the other together, everything else alone. */
export function groupParts(paths: readonly string[]): string[][] {
  const groups: string[][] = [];
  let before: string | null = null;
  for (const path of paths) {
    const day: string | null = isDayFile(path) ? (PART.exec(basename(path))?.[1] ?? null) : null;
    const name: string | null = day === null ? null : `${dirname(path)}/${day}`;
    if (name !== null && name === before) groups.at(-1)?.push(path);
    else groups.push([path]);
    before = name;
  }
  return groups;
}

/** Lines of the parts as one tape. Throws ArchiveError at the first fault of any of them. */
export async function* partsLines(paths: readonly string[], onBytes: (bytes: number) => void = () => {}): AsyncGenerator<string[]> {
  yield* mergedLines(paths.map((path) => dayFileText(fileBytes(path, onBytes), path)));
}

/** @param parts texts in blocks of whole lines. */
export async function* mergedLines(parts: readonly AsyncIterable<Uint8Array>[]): AsyncGenerator<string[]> {
  const open: OpenPart[] = [];
  for (const part of parts) {
    const opened = new OpenPart(part);
    if (await opened.fill()) open.push(opened);
  }
  let block: string[] = [];
  while (open.length > 0) {
    const first = open.reduce((least, part) => (part.time < least.time ? part : least));
    block.push(first.take());
    if (!(await first.fill())) open.splice(open.indexOf(first), 1);
    if (block.length < LINES_OF_BLOCK) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}

/** One part, at its next line. */
class OpenPart {
  /** The greatest receive time up to that line: a part whose times step back stays in its own order. */
  time = 0;
  private readonly blocks: AsyncIterator<Uint8Array>;
  private lines: string[] = [];
  private next = 0;

  constructor(text: AsyncIterable<Uint8Array>) {
    this.blocks = text[Symbol.asyncIterator]();
  }

  /** @returns whether there is a line. */
  async fill(): Promise<boolean> {
    while (this.next >= this.lines.length) {
      const block = await this.blocks.next();
      if (block.done === true) return false;
      this.lines = new TextDecoder().decode(block.value).split("\n");
      if (this.lines.at(-1) === "") this.lines.pop();
      this.next = 0;
    }
    const receivedAt = Number.parseInt(this.lines[this.next] ?? "", 10);
    if (receivedAt > this.time) this.time = receivedAt;
    return true;
  }

  take(): string {
    return this.lines[this.next++] ?? "";
  }
}
