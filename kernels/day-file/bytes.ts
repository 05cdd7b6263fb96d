/** Bytes on the way out, as core's bytes.ts writes them. */

import { enlarge, take } from "./memory";

@unmanaged
export class ByteWriter {
  at: usize;
  length: usize;
  room: usize;

  byte(value: i32): void {
    this.makeRoom(1);
    store<u8>(this.at + this.length++, u8(value));
  }

  /** LEB128. */
  integer(value: u64): void {
    this.makeRoom(10);
    let rest = value;
    for (; rest >= 0x80; rest >>= 7) store<u8>(this.at + this.length++, u8(rest) | 0x80);
    store<u8>(this.at + this.length++, u8(rest));
  }

  bytes(from: usize, length: usize): void {
    this.makeRoom(length);
    memory.copy(this.at + this.length, from, length);
    this.length += length;
  }

  /** Length, then the bytes. */
  sized(from: usize, length: usize): void {
    this.integer(length);
    this.bytes(from, length);
  }

  private makeRoom(more: usize): void {
    if (this.length + more <= this.room) return;
    const wanted = max(this.room * 2, this.length + more);
    this.at = enlarge(this.at, this.length, wanted);
    this.room = wanted;
  }
}

export function newByteWriter(room: usize): ByteWriter {
  const writer = changetype<ByteWriter>(take(offsetof<ByteWriter>()));
  writer.at = take(room);
  writer.length = 0;
  writer.room = room;
  return writer;
}
