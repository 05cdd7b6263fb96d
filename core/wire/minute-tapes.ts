/**
 * Many markets' tapes of one minute in one object: their gzip members one after the other, in order of symbol, and a directory that says whose are
 * how long. The object store bills by the write, not by the byte: one object for each market and minute would be the whole bill.
 *
 * The directory is text, `BTCUSDT:1234 ETHUSDT:99`, kept beside the object as metadata: a listing then tells where each market lies, without
 * a read. A market's bytes are a range of the object; whoever wants one market reads no other.
 */

export interface SymbolTape {
  readonly symbol: string;
  /** gzip members. */
  readonly bytes: Uint8Array;
}

/** Where one market's members lie in an object. */
export interface TapeRange {
  readonly offset: number;
  /** How many bytes. */
  readonly bytes: number;
}

/** The same, with the object's key. */
export interface TapePlace extends TapeRange {
  readonly key: string;
}

/** Held whole in the memory of the cron Worker (128 MB), beside a second copy while it is laid out; an RPC answer may hold 32 MiB. */
const MAX_OBJECT_BYTES = 16_000_000;
/** R2 keeps 8,192 bytes of metadata for an object (https://developers.cloudflare.com/r2/platform/limits/, read 2026-11-27). */
const MAX_DIRECTORY_CHARACTERS = 6_000;
/** Of a symbol's entry: the colon, the space, ten digits. */
const ENTRY_CHARACTERS = 12;

/** In order of symbol, so that the same tapes are the same object. No symbol twice. */
export function layOut(tapes: readonly SymbolTape[]): { directory: string; body: Uint8Array } {
  const sorted = tapes.toSorted((a, b) => compareText(a.symbol, b.symbol));
  const body = new Uint8Array(sorted.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  let offset = 0;
  for (const { bytes } of sorted) {
    body.set(bytes, offset);
    offset += bytes.byteLength;
  }
  return { directory: sorted.map(({ symbol, bytes }) => `${symbol}:${bytes.byteLength}`).join(" "), body };
}

/** @returns the ranges by symbol; null when the text is no directory, or not of an object so long. */
export function parseDirectory(text: string, objectBytes: number): Map<string, TapeRange> | null {
  const ranges = new Map<string, TapeRange>();
  let offset = 0;
  for (const entry of text.split(" ")) {
    const match = /^([A-Za-z0-9_.-]{1,40}):(\d{1,12})$/.exec(entry);
    if (match?.[1] === undefined || ranges.has(match[1])) return null;
    const bytes = Number(match[2]);
    ranges.set(match[1], { offset, bytes });
    offset += bytes;
  }
  return offset === objectBytes ? ranges : null;
}

/**
 * Which tapes of a minute go into one object together: as many as its size and its directory allow, in order of symbol. One that is larger
 * than an object should be goes alone.
 */
export function groupTapes(listed: readonly { readonly symbol: string; readonly bytes: number }[]): string[][] {
  const groups: string[][] = [];
  let bytes = 0;
  let characters = 0;
  for (const tape of listed.toSorted((a, b) => compareText(a.symbol, b.symbol))) {
    const last = groups.at(-1);
    const entry = tape.symbol.length + ENTRY_CHARACTERS;
    const hasRoom = bytes + tape.bytes <= MAX_OBJECT_BYTES && characters + entry <= MAX_DIRECTORY_CHARACTERS;
    if (last !== undefined && hasRoom) {
      last.push(tape.symbol);
      bytes += tape.bytes;
      characters += entry;
    } else {
      groups.push([tape.symbol]);
      bytes = tape.bytes;
      characters = entry;
    }
  }
  return groups;
}

/**
 * What of `given` an object that holds `stored` of the same market does not hold: nothing when it holds all of it, what stands before and
 * behind when it holds a part, everything when the two are different.
 */
export function withoutStored(given: Uint8Array, stored: Uint8Array): Uint8Array {
  if (given.byteLength === 0 || indexOfBytes(stored, given) >= 0) return given.subarray(0, 0);
  const at = indexOfBytes(given, stored);
  if (at < 0 || stored.byteLength === 0) return given;
  const left = new Uint8Array(given.byteLength - stored.byteLength);
  left.set(given.subarray(0, at));
  left.set(given.subarray(at + stored.byteLength), at);
  return left;
}

/** Where `part` begins in `whole`; -1 when it isn't there. */
function indexOfBytes(whole: Uint8Array, part: Uint8Array): number {
  const first = part[0];
  if (first === undefined) return 0;
  const last = whole.length - part.length;
  for (let at = whole.indexOf(first); at >= 0 && at <= last; at = whole.indexOf(first, at + 1)) {
    if (part.every((byte, index) => whole[at + index] === byte)) return at;
  }
  return -1;
}

/** By code unit: the same everywhere, which a locale is not. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
