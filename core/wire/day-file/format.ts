/**
 * The day file: everything received of one market on one UTC day, in blocks that are chained by their hashes.
 *
 * ```
 * header   "edgeday" version   market   day
 * block    'B'  SHA-256 of what stands before (header, or block)  lines textBytes firstReceivedAt lastReceivedAt  payload   SHA-256 of this block
 * …
 * trailer  'T'  SHA-256 of the last block (the chain's head)  totals, and each block's place   SHA-256 of the trailer   its length (4 bytes)  "edgeend"
 * ```
 * A block's hash covers the hash before it, so that the head names the whole file: a byte that is flipped breaks its block's hash, a block that is
 * removed, added or moved breaks the chain, an end that is cut off is missed. Who wants to know that nobody wrote the file anew keeps the head elsewhere.
 * Numbers are LEB128. Each block can be decoded alone.
 */

import { MOST_BLOCK_BYTES } from "./block-codec.ts";
import { ByteReader, ByteWriter, CorruptBlock, refuse } from "./bytes.ts";

/** SHA-256 of the platform: node:crypto or crypto.subtle. */
export type Digest = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface DayFileName {
  /** `venue:SYMBOL` */
  readonly market: string;
  /** UTC, `yyyy-mm-dd` */
  readonly day: string;
}

/** What a block holds; receive times are the least and the greatest (a tape's may step back), null where no line has one. */
export interface BlockFacts {
  readonly lines: number;
  readonly textBytes: number;
  readonly firstReceivedAt: number | null;
  readonly lastReceivedAt: number | null;
}

/** A block's place in its file, so that a range of it can be fetched. */
export interface BlockPlace extends BlockFacts {
  readonly offset: number;
  readonly bytes: number;
}

export interface Trailer {
  /** Of the last block: names the file's whole content. */
  readonly head: Uint8Array;
  readonly lines: number;
  readonly textBytes: number;
  readonly blocks: readonly BlockPlace[];
}

/** What is wrong with a file. `block`: the number of the block, from 0, where there is one to name. */
export interface DayFileFault {
  readonly kind:
    | "not-a-day-file"
    | "unknown-version"
    | "other-market"
    | "cut"
    | "block-damaged"
    | "chain-broken"
    | "trailer-damaged"
    | "undecodable";
  readonly block: number | null;
  readonly detail: string;
}

export const HASH_BYTES = 32;
export const BLOCK_TAG = 0x42;
export const TRAILER_TAG = 0x54;
const MAGIC = "edgeday";
const END_MAGIC = "edgeend";
const VERSION = 1;
const LONGEST_NAME = 200;
/** A payload may be larger than its text, when nothing fits anything: by its tables at most. */
const MOST_PAYLOAD = MOST_BLOCK_BYTES * 2;
/** 2^53 ms; a receive time has 15 digits at most. */
const LATEST = Number.MAX_SAFE_INTEGER;
/** Blocks of a file: at 8 MB of text each, 8 TB a day. */
export const MOST_BLOCKS = 1 << 20;
/** Tag, hash, five numbers of at most eight bytes. */
export const LONGEST_BLOCK_HEAD = 1 + HASH_BYTES + 5 * 8;
/** The trailer's length and the closing mark. */
export const END_BYTES = 4 + END_MAGIC.length;

/** @throws when the market or the day is none: a bug of the caller's. */
export function encodeHeader({ market, day }: DayFileName): Uint8Array {
  if (!/^[\x21-\x7e]{1,200}$/.test(market)) throw new Error(`a day file of market ${JSON.stringify(market)}`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new Error(`a day file of day ${JSON.stringify(day)}`);
  const out = new ByteWriter();
  out.bytes(ascii(MAGIC));
  out.byte(VERSION);
  out.sized(ascii(market));
  out.sized(ascii(day));
  return out.finish();
}

/** @returns null while there are too few bytes to tell. */
export function decodeHeader(bytes: Uint8Array): { name: DayFileName; length: number } | DayFileFault | null {
  const known = Math.min(bytes.length, MAGIC.length);
  if (text(bytes.subarray(0, known)) !== MAGIC.slice(0, known)) return fault("not-a-day-file", null, "it does not begin as one");
  if (bytes.length <= MAGIC.length) return null;
  if (bytes[MAGIC.length] !== VERSION) return fault("unknown-version", null, `version ${bytes[MAGIC.length]}, not ${VERSION}`);
  const reader = new ByteReader(bytes.subarray(MAGIC.length + 1));
  const parts = read(() => [text(reader.bytes(reader.integer(LONGEST_NAME))), text(reader.bytes(reader.integer(LONGEST_NAME)))] as const);
  if (parts === null)
    return bytes.length < MAGIC.length + 1 + 2 * (LONGEST_NAME + 2) ? null : fault("not-a-day-file", null, "no market and day");
  return { name: { market: parts[0], day: parts[1] }, length: bytes.length - reader.remaining };
}

/** The block's bytes without its own hash. */
export function encodeBlockBody(previous: Uint8Array, facts: BlockFacts, payload: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  out.byte(BLOCK_TAG);
  out.bytes(previous);
  writeFacts(out, facts);
  out.sized(payload);
  return out.finish();
}

export interface BlockHead {
  readonly previous: Uint8Array;
  readonly facts: BlockFacts;
  /** Where the payload lies within the block, and the whole block's length with its hash. */
  readonly payloadFrom: number;
  readonly bodyLength: number;
}

/** @param bytes a block's beginning: LONGEST_BLOCK_HEAD bytes, or all there are. @returns null when it can't be read. */
export function decodeBlockHead(bytes: Uint8Array): BlockHead | null {
  return read(() => {
    const reader = new ByteReader(bytes);
    if (reader.byte() !== BLOCK_TAG) refuse("no block");
    const previous = reader.bytes(HASH_BYTES);
    const facts = readFacts(reader);
    const length = reader.integer(MOST_PAYLOAD);
    const payloadFrom = bytes.length - reader.remaining;
    return { previous, facts, payloadFrom, bodyLength: payloadFrom + length };
  });
}

/** The trailer's bytes without its hash and end. */
export function encodeTrailerBody({ head, lines, textBytes, blocks }: Trailer): Uint8Array {
  const out = new ByteWriter();
  out.byte(TRAILER_TAG);
  out.bytes(head);
  out.integer(lines);
  out.integer(textBytes);
  out.integer(blocks.length);
  out.integer(blocks[0]?.offset ?? 0);
  for (const place of blocks) {
    out.integer(place.bytes);
    writeFacts(out, place);
  }
  return out.finish();
}

export function decodeTrailerBody(bytes: Uint8Array): Trailer | null {
  return read(() => {
    const reader = new ByteReader(bytes);
    if (reader.byte() !== TRAILER_TAG) refuse("no trailer");
    const head = reader.bytes(HASH_BYTES);
    const lines = reader.integer(LATEST);
    const textBytes = reader.integer(LATEST);
    const count = reader.integer(Math.min(MOST_BLOCKS, reader.remaining));
    let offset = reader.integer(LATEST);
    const blocks: BlockPlace[] = [];
    for (let left = count; left > 0; left--) {
      const length = reader.integer(LATEST);
      blocks.push({ offset, bytes: length, ...readFacts(reader) });
      offset += length;
    }
    if (reader.remaining > 0) refuse("more bytes than a trailer has");
    return { head, lines, textBytes, blocks };
  });
}

/** What follows the trailer's hash: its length (body and hash), so that a reader may begin at the end of the file. */
export function encodeEnd(trailerLength: number): Uint8Array {
  const bytes = new Uint8Array(END_BYTES);
  new DataView(bytes.buffer).setUint32(0, trailerLength, true);
  bytes.set(ascii(END_MAGIC), 4);
  return bytes;
}

/** @param end the file's last END_BYTES. @returns how long the trailer before it is, hash included; null when it is no end. */
export function decodeEnd(end: Uint8Array): number | null {
  if (end.length !== END_BYTES || text(end.subarray(4)) !== END_MAGIC) return null;
  return new DataView(end.buffer, end.byteOffset, end.byteLength).getUint32(0, true);
}

export function fault(kind: DayFileFault["kind"], block: number | null, detail: string): DayFileFault {
  return { kind, block, detail };
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param text of `hex`. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
}

/** Receive times are told from 1 on; 0 is none. */
function writeFacts(out: ByteWriter, { lines, textBytes, firstReceivedAt, lastReceivedAt }: BlockFacts): void {
  out.integer(lines);
  out.integer(textBytes);
  out.integer(firstReceivedAt === null ? 0 : firstReceivedAt + 1);
  out.integer(lastReceivedAt === null ? 0 : lastReceivedAt + 1);
}

function readFacts(reader: ByteReader): BlockFacts {
  const lines = reader.integer(MOST_BLOCK_BYTES + 1);
  const textBytes = reader.integer(MOST_BLOCK_BYTES);
  const first = reader.integer(LATEST);
  const last = reader.integer(LATEST);
  return { lines, textBytes, firstReceivedAt: first === 0 ? null : first - 1, lastReceivedAt: last === 0 ? null : last - 1 };
}

function read<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof CorruptBlock) return null;
    throw error;
  }
}

function ascii(string: string): Uint8Array {
  return Uint8Array.from(string, (character) => character.charCodeAt(0));
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
