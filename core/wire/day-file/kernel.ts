/**
 * A block encoded by the kernel (kernels/day-file/), WebAssembly that does to bytes in its own memory what encodeBlock does, and gives the same bytes.
 *
 * Templates are learned here, by learn.ts: that is rare. An instance is used by one block at a time; its memory keeps the size of the largest.
 */

import { writeParts } from "./block-codec.ts";
import { ByteWriter } from "./bytes.ts";
import { learnTemplate } from "./learn.ts";
import type { Part } from "./template.ts";

/** What an instance of the kernel exports; kernels/day-file/block.ts says what each does. */
export interface DayFileKernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  begin(textBytes: number): number;
  takeLines(): number;
  waitingFrom(): number;
  waitingTo(): number;
  templateRoom(bytes: number): number;
  learn(bytes: number): number;
  leaveRaw(): void;
  finish(): number;
  blockAt(): number;
}

/** @param text as of encodeBlock. */
export function encodeBlockBy(kernel: DayFileKernel, text: Uint8Array): Uint8Array {
  const at = kernel.begin(text.length);
  new Uint8Array(kernel.memory.buffer, at, text.length).set(text);
  let known: readonly Part[] | null = null;
  while (kernel.takeLines() !== 0) {
    const learned = learnTemplate(text, kernel.waitingFrom(), kernel.waitingTo(), known);
    if (learned === null) {
      kernel.leaveRaw();
      continue;
    }
    const told = new ByteWriter();
    writeParts(told, learned.parts);
    const source = told.finish();
    const room = kernel.templateRoom(source.length);
    new Uint8Array(kernel.memory.buffer, room, source.length).set(source);
    if (kernel.learn(source.length) === 0) continue;
    known = learned.lists.at(-1)?.elements.parts ?? known;
  }
  const length = kernel.finish();
  return new Uint8Array(kernel.memory.buffer, kernel.blockAt(), length).slice();
}
