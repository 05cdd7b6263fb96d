/**
 * Protocol Buffers wire format, writing side: the little of it that ONNX files use
 * (https://protobuf.dev/programming-guides/encoding/). Fields are written in the order of the calls, so the same calls give the same bytes.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
const LONGEST_VARINT = 10;
const INITIAL_BYTES = 256;
/** Below it, bits can be shifted without big integers. */
const SMALL = 2 ** 31;

const encoder = new TextEncoder();

export class ProtobufWriter {
  private bytes = new Uint8Array(INITIAL_BYTES);
  private length = 0;

  /** An int32, int64 or enum field. Negative numbers take ten bytes, as the format says. */
  integer(field: number, value: number | bigint): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`field ${field}: ${value} is not an integer`);
    this.tag(field, VARINT);
    if (typeof value === "number" && value >= 0 && value < SMALL) this.smallVarint(value);
    else this.varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): void {
    this.tag(field, FIXED_32);
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.length, value, true);
    this.length += 4;
  }

  text(field: number, value: string): void {
    this.blob(field, encoder.encode(value));
  }

  blob(field: number, value: Uint8Array): void {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(BigInt(value.length));
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  /** A nested message, written by `write`. */
  message(field: number, write: (nested: ProtobufWriter) => void): void {
    const nested = new ProtobufWriter();
    write(nested);
    this.blob(field, nested.finish());
  }

  /** @returns a copy of what has been written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private tag(field: number, wireType: number): void {
    this.smallVarint(field * 8 + wireType);
  }

  /** As `varint`, without big integers: a tree ensemble has millions of small ones. */
  private smallVarint(value: number): void {
    this.reserve(LONGEST_VARINT);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  private varint(value: bigint): void {
    this.reserve(LONGEST_VARINT);
    let rest = value;
    while (rest >= 0x80n) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
