/**
 * Reads a day file as its bytes come, and proves it: each block by its own hash, the row of them by the chain, the whole by the trailer.
 *
 * A block's text is given out only after its hash has been found right. The first fault ends the reading: what comes after a broken chain has no
 * known place. Nothing here throws for what a file holds.
 */

import { decodeBlock } from "./block-codec.ts";
import {
  BLOCK_TAG,
  type BlockFacts,
  type BlockPlace,
  type DayFileFault,
  type DayFileName,
  type Digest,
  decodeBlockHead,
  decodeEnd,
  decodeHeader,
  decodeTrailerBody,
  END_BYTES,
  fault,
  HASH_BYTES,
  hex,
  isSame,
  LONGEST_BLOCK_HEAD,
  MOST_BLOCKS,
  TRAILER_TAG,
  type Trailer,
} from "./format.ts";
import { factsOf } from "./writer.ts";

export type DayFilePart =
  | ({ readonly kind: "header" } & DayFileName)
  /** `text`: whole lines, each with its line feed (but for a day that did not end with one). */
  | { readonly kind: "block"; readonly text: Uint8Array; readonly facts: BlockFacts }
  | { readonly kind: "trailer"; readonly trailer: Trailer }
  | { readonly kind: "fault"; readonly fault: DayFileFault };

export type Bytes = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface VerifiedDayFile extends DayFileName {
  readonly isWhole: true;
  readonly blocks: number;
  readonly lines: number;
  readonly textBytes: number;
  /** Names the content: 64 hex digits. */
  readonly head: string;
}

const NO_TEXT = new Uint8Array(0);
/** A trailer is at most this long: 40 bytes for each of the blocks. */
const LONGEST_TRAILER = MOST_BLOCKS * 40;

/** @returns header, blocks and trailer in their order, or up to the fault that ended it. */
export async function* readDayFile(bytes: Bytes, digest: Digest): AsyncGenerator<DayFilePart> {
  yield* readParts(bytes, digest, openBlock);
}

async function* readParts(bytes: Bytes, digest: Digest, open: OpenBlock): AsyncGenerator<DayFilePart> {
  const input = new Input(bytes);
  const header = await readHeader(input);
  if ("kind" in header) return yield { kind: "fault", fault: header };
  yield { kind: "header", ...header.name };
  let previous = await digest(header.bytes);
  let offset = header.bytes.length;
  const places: BlockPlace[] = [];
  for (;;) {
    const tag = (await input.peek(1))[0];
    const number = places.length;
    if (tag === TRAILER_TAG) return yield await readTrailer(input, { previous, places, digest });
    if (tag !== BLOCK_TAG || number >= MOST_BLOCKS) return yield { kind: "fault", fault: notABlock(tag, number) };
    const block = await readNextBlock(input, { previous, number, digest, open });
    if ("kind" in block) return yield { kind: "fault", fault: block };
    yield { kind: "block", text: block.text, facts: block.facts };
    places.push({ offset, bytes: block.bytes, ...block.facts });
    offset += block.bytes;
    previous = block.hash;
  }
}

/** @param expected the market and day that the file should be of. */
export async function verifyDayFile(
  bytes: Bytes,
  digest: Digest,
  expected: Partial<DayFileName> = {},
): Promise<VerifiedDayFile | { readonly isWhole: false; readonly fault: DayFileFault }> {
  return judge(readParts(bytes, digest, openBlock), expected);
}

/**
 * Every hash of the file and the chain of them, without decoding what the blocks hold: for bytes that were decoded when they were written.
 */
export async function proveChain(
  bytes: Bytes,
  digest: Digest,
  expected: Partial<DayFileName> = {},
): Promise<VerifiedDayFile | { readonly isWhole: false; readonly fault: DayFileFault }> {
  return judge(readParts(bytes, digest, sealedBlock), expected);
}

async function judge(
  parts: AsyncIterable<DayFilePart>,
  expected: Partial<DayFileName>,
): Promise<VerifiedDayFile | { readonly isWhole: false; readonly fault: DayFileFault }> {
  let name: DayFileName = { market: "", day: "" };
  for await (const part of parts) {
    if (part.kind === "fault") return { isWhole: false, fault: part.fault };
    if (part.kind === "header") {
      name = { market: part.market, day: part.day };
      if ((expected.market ?? name.market) !== name.market || (expected.day ?? name.day) !== name.day)
        return { isWhole: false, fault: fault("other-market", null, `it is of ${name.market} on ${name.day}`) };
    }
    if (part.kind === "trailer") {
      const { lines, textBytes, blocks, head } = part.trailer;
      return { isWhole: true, market: name.market, day: name.day, blocks: blocks.length, lines, textBytes, head: hex(head) };
    }
  }
  return { isWhole: false, fault: fault("cut", null, "it ends without a trailer") };
}

/** The index, from the file's last bytes: to fetch single blocks. @returns how many bytes of the end are needed, when `tail` has too few. */
export async function readTrailerOf(tail: Uint8Array, digest: Digest): Promise<Trailer | DayFileFault | { readonly needed: number }> {
  const length = decodeEnd(tail.subarray(Math.max(0, tail.length - END_BYTES)));
  if (length === null || length <= HASH_BYTES || length > LONGEST_TRAILER) return fault("cut", null, "it does not end as a day file");
  const needed = length + END_BYTES;
  if (tail.length < needed) return { needed };
  const body = tail.subarray(tail.length - needed, tail.length - END_BYTES - HASH_BYTES);
  const isRight = isSame(await digest(body), tail.subarray(tail.length - END_BYTES - HASH_BYTES, tail.length - END_BYTES));
  return (isRight ? decodeTrailerBody(body) : null) ?? fault("trailer-damaged", null, "its hash is another");
}

/** One block alone, as the index placed it. @returns its text, or what is wrong with it. */
export async function readBlockAt(block: Uint8Array, number: number, digest: Digest): Promise<Uint8Array | DayFileFault> {
  const opened = await openBlock(block, number, digest);
  return "kind" in opened ? opened : opened.text;
}

interface OpenedBlock {
  readonly text: Uint8Array;
  readonly facts: BlockFacts;
  readonly previous: Uint8Array;
  readonly hash: Uint8Array;
  readonly bytes: number;
}

type OpenBlock = (block: Uint8Array, number: number, digest: Digest) => Promise<OpenedBlock | DayFileFault>;

/** As its hash and its head tell; nothing is decoded. */
async function sealedBlock(block: Uint8Array, number: number, digest: Digest): Promise<OpenedBlock | DayFileFault> {
  const head = decodeBlockHead(block);
  if (head === null || head.bodyLength + HASH_BYTES !== block.length) return fault("block-damaged", number, "its head can't be read");
  const hash = await digest(block.subarray(0, head.bodyLength));
  if (!isSame(hash, block.subarray(head.bodyLength))) return fault("block-damaged", number, "its hash is another");
  return { text: NO_TEXT, facts: head.facts, previous: head.previous, hash, bytes: block.length };
}

async function openBlock(block: Uint8Array, number: number, digest: Digest): Promise<OpenedBlock | DayFileFault> {
  const sealed = await sealedBlock(block, number, digest);
  const head = decodeBlockHead(block);
  if ("kind" in sealed || head === null) return "kind" in sealed ? sealed : fault("block-damaged", number, "its head can't be read");
  const text = decodeBlock(block.subarray(head.payloadFrom, head.bodyLength), head.facts.textBytes);
  if ("malformed" in text) return fault("undecodable", number, text.malformed);
  const facts = factsOf(text);
  if (!isSameFacts(facts, head.facts)) return fault("undecodable", number, "its head tells of other lines than it holds");
  return { ...sealed, text };
}

async function readHeader(input: Input): Promise<{ name: DayFileName; bytes: Uint8Array } | DayFileFault> {
  for (let wanted = 64; ; wanted *= 2) {
    const bytes = await input.peek(wanted);
    const header = decodeHeader(bytes);
    if (header === null && bytes.length === wanted) continue;
    if (header === null) return fault("cut", null, "it ends within its header");
    return "kind" in header ? header : { name: header.name, bytes: await input.take(header.length) };
  }
}

interface Chain {
  readonly previous: Uint8Array;
  readonly digest: Digest;
}

async function readNextBlock(
  input: Input,
  { previous, number, digest, open }: Chain & { number: number; open: OpenBlock },
): Promise<OpenedBlock | DayFileFault> {
  const beginning = await input.peek(LONGEST_BLOCK_HEAD);
  const head = decodeBlockHead(beginning);
  if (head === null)
    return beginning.length < LONGEST_BLOCK_HEAD
      ? fault("cut", number, "it ends within a block")
      : fault("block-damaged", number, "its head can't be read");
  const length = head.bodyLength + HASH_BYTES;
  const block = await input.take(length);
  if (block.length < length) return fault("cut", number, "it ends within a block");
  const opened = await open(block, number, digest);
  if ("kind" in opened || isSame(opened.previous, previous)) return opened;
  return fault("chain-broken", number, "it does not follow what stands before it");
}

async function readTrailer(input: Input, { previous, places, digest }: Chain & { places: readonly BlockPlace[] }): Promise<DayFilePart> {
  const tail = await input.peek(LONGEST_TRAILER + END_BYTES);
  const trailer = await readTrailerOf(tail, digest);
  const wrong = (kind: DayFileFault["kind"], detail: string): DayFilePart => ({ kind: "fault", fault: fault(kind, null, detail) });
  if ("needed" in trailer) return wrong("cut", "it ends within its trailer");
  if ("kind" in trailer) return { kind: "fault", fault: trailer };
  const length = decodeEnd(tail.subarray(tail.length - END_BYTES)) ?? 0;
  if (length + END_BYTES !== tail.length) return wrong("trailer-damaged", "something stands beside it");
  if (!isSame(trailer.head, previous)) return wrong("chain-broken", "the last block is not the one that the trailer names");
  const isListed = trailer.blocks.length === places.length && places.every((place, at) => isSamePlace(place, trailer.blocks[at]));
  const lines = places.reduce((total, place) => total + place.lines, 0);
  const textBytes = places.reduce((total, place) => total + place.textBytes, 0);
  if (!isListed || lines !== trailer.lines || textBytes !== trailer.textBytes)
    return wrong("trailer-damaged", "it tells of other blocks than there are");
  return { kind: "trailer", trailer };
}

function notABlock(tag: number | undefined, number: number): DayFileFault {
  if (tag === undefined) return fault("cut", number, "it ends without a trailer");
  return fault("block-damaged", number, tag === BLOCK_TAG ? "more blocks than a file has" : "neither a block nor a trailer begins here");
}

function isSameFacts(a: BlockFacts, b: BlockFacts): boolean {
  return (
    a.lines === b.lines && a.textBytes === b.textBytes && a.firstReceivedAt === b.firstReceivedAt && a.lastReceivedAt === b.lastReceivedAt
  );
}

function isSamePlace(a: BlockPlace, b: BlockPlace | undefined): boolean {
  return b !== undefined && isSameFacts(a, b) && a.offset === b.offset && a.bytes === b.bytes;
}

/** Bytes in any pieces, asked for by length; fewer come only at the end. */
class Input {
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #waiting: Uint8Array = new Uint8Array(0);
  #isOver = false;

  constructor(bytes: Bytes) {
    this.#pieces = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
  }

  async peek(length: number): Promise<Uint8Array> {
    if (this.#waiting.length < length && !this.#isOver) await this.#fill(length);
    return this.#waiting.subarray(0, length);
  }

  async take(length: number): Promise<Uint8Array> {
    const taken = await this.peek(length);
    this.#waiting = this.#waiting.subarray(taken.length);
    return taken;
  }

  async #fill(length: number): Promise<void> {
    const pieces = [this.#waiting];
    let total = this.#waiting.length;
    while (total < length) {
      const next = await this.#pieces.next();
      if (next.done === true) {
        this.#isOver = true;
        break;
      }
      pieces.push(next.value);
      total += next.value.length;
    }
    this.#waiting = new Uint8Array(total);
    let at = 0;
    for (const piece of pieces) {
      this.#waiting.set(piece, at);
      at += piece.length;
    }
  }
}
