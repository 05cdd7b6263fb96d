/** A digest of the block that a made-up tape becomes: the same in every engine, or a day compacted at the edge is another than one compacted here. */

import { ContentHash } from "../../core/math/hash.ts";
import { Random } from "../../core/math/random.ts";

export const DAY_FILE_DIGEST = "b1e4a8a8e5d0d9e3";

export function dayFileDigest(encodeBlock: (text: Uint8Array) => Uint8Array): string {
  const hash = new ContentHash();
  for (const byte of encodeBlock(madeUpTape())) hash.integer(byte);
  return hash.digest();
}

/** Depth, trades and quotes in the manner of two venues, and lines that fit nothing. ASCII alone. */
function madeUpTape(): Uint8Array {
  const random = new Random(11);
  const whole = (below: number) => Math.floor(random.uniform() * below);
  const lines: string[] = [];
  for (let at = 0; at < 3_000; at++) {
    const receivedAt = 1_767_571_200_000 + at * 97 + whole(50);
    const levels = Array.from({ length: whole(6) }, (_, place) => `["${61_800 + place}.${10 + whole(89)}","${whole(3)}.${whole(1_000)}"]`);
    if (at % 7 === 0)
      lines.push(`${receivedAt} f {"type":"match","size":"${whole(90)}.5","time":"2026-01-05T00:00:00.${100_000 + whole(800_000)}Z"}`);
    else if (at % 11 === 0) lines.push(`${receivedAt} c reason ${whole(5)}`);
    else lines.push(`${receivedAt} f {"E":${receivedAt - whole(9)},"U":${at * 5},"b":[${levels}],"a":[]}`);
  }
  const text = lines.join("\n");
  return Uint8Array.from({ length: text.length }, (_, place) => text.charCodeAt(place));
}
