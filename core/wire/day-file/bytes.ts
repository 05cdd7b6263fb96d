/**
 * Bytes written and read for day files: growing on the way out, bounded on the way in.
 *
 * Whole numbers are little-endian base-128 (LEB128), up to 2^53. Reading never passes the end: what is not there throws `CorruptBlock`,
 * which is this room's own and is caught at its door (decode-block.ts), so that nobody outside meets an exception.
 */

/** Thrown by readers inside this room alone: the bytes are not what an encoder wrote. */
export class CorruptBlock extends Error {}

export function refuse(reason: string): never {
  throw new CorruptBlock(reason);
}

export class ByteWriter {
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  integer(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Length, then the bytes. */
  sized(bytes: Uint8Array): void {
    this.integer(bytes.length);
    this.bytes(bytes);
  }

  /** A copy of what has been written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  byte(): number {
    return this.#bytes[this.#position++] ?? refuse("it ends early");
  }

  /** @param most the largest value that makes sense here: checked before anybody allocates by it. */
  integer(most: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= most ? value : refuse(`a number of ${value} where ${most} is the most`);
      scale *= 0x80;
    }
    return refuse("a number of more than eight bytes");
  }

  bytes(length: number): Uint8Array {
    if (length > this.remaining) refuse("it ends early");
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  sized(): Uint8Array {
    return this.bytes(this.integer(this.remaining));
  }
}
