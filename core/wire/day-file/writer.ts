/**
 * Writes a day file as its tapes come, minute by minute: what is finished is handed out at once, so that memory holds one block.
 *
 * The same text in the same order gives the same file, however it is cut into pushes. The text is any bytes; that it is lines with receive times
 * is only what makes it small.
 */

import { decodeBlock, encodeBlock, MOST_BLOCK_BYTES } from "./block-codec.ts";
import { ByteWriter } from "./bytes.ts";
import {
  type BlockFacts,
  type BlockPlace,
  type DayFileName,
  type Digest,
  encodeBlockBody,
  encodeEnd,
  encodeHeader,
  encodeTrailerBody,
  fromHex,
  hex,
  isSame,
  type Trailer,
} from "./format.ts";
import { type DayFileKernel, encodeBlockBy } from "./kernel.ts";

export interface DayFileOptions extends DayFileName {
  readonly digest: Digest;
  /** Text of one block. Larger ones are smaller by a few percent in all, and take that much more memory to read. */
  readonly blockBytes?: number;
  /** `decoded`: each block is decoded again before it is handed out, and has to be its text. For who deletes the text afterwards. */
  readonly proof?: "none" | "decoded";
  /** Encodes blocks to the same bytes, several times as fast. */
  readonly kernel?: DayFileKernel;
  /** To go on where another writer of the same file stood. */
  readonly from?: DayFileState;
}

/** Where a writer stands between two pushes. JSON holds all but the text that waits for its block. */
export interface DayFileState {
  /** Hash of what has been written last, 64 hex digits; null before the header. */
  readonly head: string | null;
  readonly offset: number;
  readonly blocks: readonly BlockPlace[];
  readonly waiting: Uint8Array;
}

/** Some ten minutes of a busy market: tables weigh 2 % of a block, and reading one takes some 50 MB. */
const BLOCK_BYTES = 8 * 1024 * 1024;
const LINE_FEED = 10;
const ZERO = 48;

export class DayFileWriter {
  readonly #name: DayFileName;
  readonly #digest: Digest;
  readonly #blockBytes: number;
  readonly #proof: "none" | "decoded";
  readonly #kernel: DayFileKernel | null;
  #waiting = new Uint8Array(1 << 16);
  #waitingBytes = 0;
  /** Hash of what has been written last; null before the header. */
  #head: Uint8Array | null = null;
  #offset = 0;
  readonly #blocks: BlockPlace[] = [];

  constructor({ market, day, digest, blockBytes = BLOCK_BYTES, proof = "none", kernel, from }: DayFileOptions) {
    this.#name = { market, day };
    this.#digest = digest;
    this.#blockBytes = Math.max(1, Math.min(blockBytes, MOST_BLOCK_BYTES));
    this.#proof = proof;
    this.#kernel = kernel ?? null;
    if (from === undefined) return;
    this.#head = from.head === null ? null : fromHex(from.head);
    this.#offset = from.offset;
    this.#blocks.push(...from.blocks);
    this.#keep(from.waiting);
  }

  /** Of which another writer goes on: the file is the same as if one had written it. `waiting` is a copy. */
  state(): DayFileState {
    const waiting = this.#waiting.slice(0, this.#waitingBytes);
    return { head: this.#head === null ? null : hex(this.#head), offset: this.#offset, blocks: [...this.#blocks], waiting };
  }

  /** @returns the bytes that the file goes on with: none while a block fills. */
  async push(text: Uint8Array): Promise<Uint8Array> {
    const out = new ByteWriter();
    for (let from = 0; from < text.length; ) {
      const taken = Math.min(text.length - from, MOST_BLOCK_BYTES - this.#waitingBytes);
      this.#keep(text.subarray(from, from + taken));
      from += taken;
      for (let cut = this.#cut(); cut > 0; cut = this.#cut()) await this.#block(out, cut);
    }
    return out.finish();
  }

  /** The last block and the trailer. Nothing may be pushed after. */
  async finish(): Promise<{ readonly bytes: Uint8Array; readonly trailer: Trailer }> {
    const out = new ByteWriter();
    if (this.#waitingBytes > 0) await this.#block(out, this.#waitingBytes);
    const head = await this.#begin(out);
    const trailer: Trailer = { head, lines: sum(this.#blocks, "lines"), textBytes: sum(this.#blocks, "textBytes"), blocks: this.#blocks };
    const body = encodeTrailerBody(trailer);
    out.bytes(body);
    const hash = await this.#digest(body);
    out.bytes(hash);
    out.bytes(encodeEnd(body.length + hash.length));
    return { bytes: out.finish(), trailer };
  }

  #keep(text: Uint8Array): void {
    const needed = this.#waitingBytes + text.length;
    if (needed > this.#waiting.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(this.#waiting.length * 2, MOST_BLOCK_BYTES)));
      larger.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = larger;
    }
    this.#waiting.set(text, this.#waitingBytes);
    this.#waitingBytes = needed;
  }

  /** Where the next block ends: behind the first line feed at or after its size, or anywhere when a line is longer than can be held. 0: not yet. */
  #cut(): number {
    if (this.#waitingBytes < this.#blockBytes) return 0;
    const feed = this.#waiting.subarray(0, this.#waitingBytes).indexOf(LINE_FEED, this.#blockBytes - 1);
    if (feed >= 0) return feed + 1;
    return this.#waitingBytes === MOST_BLOCK_BYTES ? MOST_BLOCK_BYTES : 0;
  }

  async #block(out: ByteWriter, length: number): Promise<void> {
    const previous = await this.#begin(out);
    const text = this.#waiting.subarray(0, length);
    const facts = factsOf(text);
    const payload = this.#kernel === null ? encodeBlock(text) : encodeBlockBy(this.#kernel, text);
    if (this.#proof === "decoded") prove(payload, text);
    const body = encodeBlockBody(previous, facts, payload);
    const hash = await this.#digest(body);
    out.bytes(body);
    out.bytes(hash);
    this.#blocks.push({ offset: this.#offset, bytes: body.length + hash.length, ...facts });
    this.#offset += body.length + hash.length;
    this.#head = hash;
    this.#waiting.copyWithin(0, length, this.#waitingBytes);
    this.#waitingBytes -= length;
  }

  /** Writes the header, once. @returns the hash of what stands before. */
  async #begin(out: ByteWriter): Promise<Uint8Array> {
    if (this.#head !== null) return this.#head;
    const header = encodeHeader(this.#name);
    out.bytes(header);
    this.#offset = header.length;
    this.#head = await this.#digest(header);
    return this.#head;
  }
}

/** Lines and receive times of a block's text. What follows the last line feed is a line too. */
export function factsOf(text: Uint8Array): BlockFacts {
  let lines = 0;
  let first: number | null = null;
  let last: number | null = null;
  for (let from = 0; from < text.length; lines++) {
    const receivedAt = receivedAtOf(text, from);
    if (receivedAt !== null) {
      if (first === null || receivedAt < first) first = receivedAt;
      if (last === null || receivedAt > last) last = receivedAt;
    }
    const feed = text.indexOf(LINE_FEED, from);
    from = feed < 0 ? text.length : feed + 1;
  }
  return { lines, textBytes: text.length, firstReceivedAt: first, lastReceivedAt: last };
}

/** @throws when a block is not its text: a bug of the codec's, found before anybody relies on it. */
function prove(payload: Uint8Array, text: Uint8Array): void {
  const decoded = decodeBlock(payload, text.length);
  if ("malformed" in decoded) throw new Error(`a block of ${text.length} bytes can't be decoded again: ${decoded.malformed}`);
  if (!isSame(decoded, text)) throw new Error(`a block of ${text.length} bytes comes out as another text`);
}

/** At most 15 digits, which a double holds, and a space. */
function receivedAtOf(text: Uint8Array, from: number): number | null {
  let value = 0;
  let at = from;
  for (; at < from + 15; at++) {
    const digit = (text[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at > from && text[at] === 0x20 ? value : null;
}

function sum(blocks: readonly BlockPlace[], what: "lines" | "textBytes"): number {
  return blocks.reduce((total, block) => total + block[what], 0);
}
