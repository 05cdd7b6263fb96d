/**
 * Day files in R2: put together from the steps in which they were made, proved by reading them back, and read in ranges.
 *
 * A step is an object of its own, written where none is: `head` (JSON of where the work stands, and the text that still waits for its block), then
 * the bytes of the file that came out of it. Steps with the same sources are the same bytes, whoever writes them.
 */

import type { DayFileName, Trailer } from "../../core/wire/day-file/format.ts";
import { proveChain, readBlockAt, readTrailerOf, type VerifiedDayFile } from "../../core/wire/day-file/reader.ts";
import { type DayFileState, factsOf } from "../../core/wire/day-file/writer.ts";
import { sha256 } from "./days.ts";

/** Where the work on a day file stands. */
export interface WorkState {
  /** How many of the sources have been read. */
  readonly next: number;
  readonly writer: DayFileState;
  /** Billed operations so far, of all steps. */
  readonly classA: number;
  readonly classB: number;
  /** Of the whole file, once it is finished. */
  readonly finished: { readonly head: string; readonly lines: number; readonly textBytes: number; readonly bytes: number } | null;
}

export interface Step {
  readonly key: string;
  /** Bytes of the object before those of the file. */
  readonly headBytes: number;
  readonly fileBytes: number;
}

/** Parts of an upload are of one size but the last (https://developers.cloudflare.com/r2/objects/multipart-objects/, read 2026-11-27), of 5 MiB at least. */
const PART_BYTES = 8 * 1024 * 1024;
const LENGTH_BYTES = 4;
const LINE_FEED = 10;

/** @returns whether it was written: another run may have been first, with the same step or a longer one. */
export async function putStep(bucket: R2Bucket, key: string, { state, file }: { state: WorkState; file: Uint8Array }): Promise<boolean> {
  const { waiting, ...writer } = state.writer;
  const json = new TextEncoder().encode(JSON.stringify({ ...state, writer }));
  const headBytes = LENGTH_BYTES + json.byteLength + waiting.byteLength;
  const body = new Uint8Array(headBytes + file.byteLength);
  new DataView(body.buffer).setUint32(0, json.byteLength);
  body.set(json, LENGTH_BYTES);
  body.set(waiting, LENGTH_BYTES + json.byteLength);
  body.set(file, headBytes);
  const object = await bucket.put(key, body, {
    onlyIf: { etagDoesNotMatch: "*" },
    sha256: await sha256(body),
    customMetadata: { headBytes: String(headBytes) },
  });
  return object !== null;
}

export function stepOf(object: R2Object): Step {
  const headBytes = Number(object.customMetadata?.headBytes);
  if (!(headBytes >= LENGTH_BYTES && headBytes <= object.size)) throw new Error(`the step ${object.key} doesn't say where its file begins`);
  return { key: object.key, headBytes, fileBytes: object.size - headBytes };
}

export async function readState(bucket: R2Bucket, { key, headBytes }: Step): Promise<WorkState> {
  const head = await readRange(bucket, key, { offset: 0, length: headBytes });
  const length = new DataView(head.buffer).getUint32(0);
  const state = JSON.parse(new TextDecoder().decode(head.subarray(LENGTH_BYTES, LENGTH_BYTES + length))) as WorkState;
  return { ...state, writer: { ...state.writer, waiting: head.slice(LENGTH_BYTES + length) } };
}

export async function readRange(bucket: R2Bucket, key: string, range: { offset: number; length: number }): Promise<Uint8Array> {
  const object = await bucket.get(key, { range });
  if (object === null) throw new Error(`${key} is gone`);
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (bytes.byteLength !== range.length)
    throw new Error(`${key} gave ${bytes.byteLength} of ${range.length} bytes from ${range.offset} on`);
  return bytes;
}

/** The steps' bytes as one object. An upload that is broken off is let go by the store after a week. */
export async function assemble(
  bucket: R2Bucket,
  { key, steps, name }: { key: string; steps: readonly Step[]; name: DayFileName },
): Promise<void> {
  const upload = await bucket.createMultipartUpload(key, {
    httpMetadata: { contentType: "application/octet-stream" },
    customMetadata: { market: name.market, day: name.day },
  });
  try {
    const parts: R2UploadedPart[] = [];
    const part = new Uint8Array(PART_BYTES);
    let filled = 0;
    const flush = async (): Promise<void> => {
      parts.push(await upload.uploadPart(parts.length + 1, part.slice(0, filled)));
      filled = 0;
    };
    for (const { key: from, headBytes, fileBytes } of steps) {
      for (let done = 0; done < fileBytes; ) {
        const length = Math.min(PART_BYTES - filled, fileBytes - done);
        part.set(await readRange(bucket, from, { offset: headBytes + done, length }), filled);
        filled += length;
        done += length;
        if (filled === PART_BYTES) await flush();
      }
    }
    if (filled > 0) await flush();
    await upload.complete(parts);
  } catch (error) {
    await upload.abort().catch(() => {});
    throw error;
  }
}

/** Reads the stored file back, all of it. @throws when it is not whole, or not the one that was written. */
export async function proveStored(
  bucket: R2Bucket,
  key: string,
  expected: DayFileName & { head: string; bytes: number },
): Promise<VerifiedDayFile> {
  const object = await bucket.get(key);
  if (object === null) throw new Error(`the day file ${key} was written and is gone`);
  const proof = await proveChain(chunksOf(object.body), sha256, expected);
  if (!proof.isWhole) throw new Error(`the day file ${key} comes back ${proof.fault.kind}: ${proof.fault.detail}`);
  if (proof.head !== expected.head || object.size !== expected.bytes)
    throw new Error(
      `the day file ${key} comes back with the head ${proof.head} and ${object.size} bytes, not ${expected.head} and ${expected.bytes}`,
    );
  return proof;
}

/** The end of a file that surely holds the trailer of a thousand blocks: 4 GB of text. Longer ones are read again. */
const TAIL_BYTES = 48 * 1024;

/**
 * The lines of a file that were received in `[from, to)`, block by block. Reads the file's end, and the blocks that have any.
 * @throws when the file is not whole there: our own cron proved it, so it was changed since.
 */
export async function readDayRange(
  bucket: R2Bucket,
  file: { key: string; bytes: number },
  range: { from: number; to: number },
): Promise<Uint8Array<ArrayBuffer>[]> {
  const { blocks } = await readTrailer(bucket, file);
  const texts: Uint8Array<ArrayBuffer>[] = [];
  for (const [number, { offset, bytes, firstReceivedAt, lastReceivedAt }] of blocks.entries()) {
    if (firstReceivedAt === null || lastReceivedAt === null || firstReceivedAt >= range.to || lastReceivedAt < range.from) continue;
    const text = await readBlockAt(await readRange(bucket, file.key, { offset, length: bytes }), number, sha256);
    if ("kind" in text) throw new Error(`the day file ${file.key} is ${text.kind} at block ${text.block}: ${text.detail}`);
    const lines = linesWithin(text, range);
    if (lines.byteLength > 0) texts.push(lines);
  }
  return texts;
}

async function readTrailer(bucket: R2Bucket, { key, bytes }: { key: string; bytes: number }): Promise<Trailer> {
  let length = Math.min(bytes, TAIL_BYTES);
  for (;;) {
    const trailer = await readTrailerOf(await readRange(bucket, key, { offset: bytes - length, length }), sha256);
    if ("kind" in trailer) throw new Error(`the day file ${key} is ${trailer.kind}: ${trailer.detail}`);
    if (!("needed" in trailer)) return trailer;
    if (trailer.needed > bytes) throw new Error(`the day file ${key} is shorter than its trailer`);
    length = trailer.needed;
  }
}

function linesWithin(text: Uint8Array, { from, to }: { from: number; to: number }): Uint8Array<ArrayBuffer> {
  const kept = new Uint8Array(text.byteLength);
  let length = 0;
  for (let start = 0; start < text.byteLength; ) {
    const feed = text.indexOf(LINE_FEED, start);
    const end = feed < 0 ? text.byteLength : feed + 1;
    const line = text.subarray(start, end);
    const { firstReceivedAt } = factsOf(line);
    if (firstReceivedAt !== null && firstReceivedAt >= from && firstReceivedAt < to) {
      kept.set(line, length);
      length += line.byteLength;
    }
    start = end;
  }
  return kept.slice(0, length);
}

export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
