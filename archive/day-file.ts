/** Day files (core/wire/day-file/) on a disk: what they say they are of, and their text, each block proved before it is given out. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { type DayFileFault, type DayFileName, decodeHeader } from "../core/wire/day-file/format.ts";
import { readDayFile } from "../core/wire/day-file/reader.ts";
import { ArchiveError } from "./archive-error.ts";

/** A header is at most some 420 bytes. */
const HEADER_BYTES = 1_024;
const PIECE_BYTES = 1 << 20;

export function isDayFile(path: string): boolean {
  return path.endsWith(".day");
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** The market and the day. Throws ArchiveError when the file doesn't begin as a day file. */
export async function dayFileName(path: string): Promise<DayFileName> {
  const file = await open(path).catch((error: unknown) => {
    throw new ArchiveError(`${path} can't be opened (${error instanceof Error ? error.message : String(error)})`);
  });
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = decodeHeader(buffer.subarray(0, bytesRead));
    if (header === null) throw new ArchiveError(`${path} is cut within its header`);
    if ("kind" in header) throw new ArchiveError(`${path}: ${faultText(header)}`);
    return header.name;
  } finally {
    await file.close();
  }
}

/** Blocks of text, in order. Throws ArchiveError at the first fault; what came before it was whole. */
export async function* dayFileText(bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  for await (const part of readDayFile(bytes, sha256)) {
    if (part.kind === "fault") throw new ArchiveError(`${path}: ${faultText(part.fault)}`);
    if (part.kind === "block") yield part.text;
  }
}

/** @param onBytes told of each piece read from the disk. */
export async function* fileBytes(path: string, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    onBytes((piece as Buffer).length);
    yield piece as Buffer;
  }
}

/** "block-damaged at block 3: its hash is another" */
export function faultText({ kind, block, detail }: DayFileFault): string {
  return `${kind}${block === null ? "" : ` at block ${block}`}: ${detail}`;
}
