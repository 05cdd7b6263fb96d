/** What the tests of both Coinbase decoders need: decoded values in a comparable form, and edits of frames. */

import fc from "fast-check";
import type { MarketEvent } from "../../core/market/event.ts";
import type { Decoded, LossNotice } from "../../exchanges/contract.ts";

/** A decoded value without the unused room of its buffers, comparable and kept. */
export function settled(decoded: Decoded): unknown {
  if (decoded.kind === "event") return settledEvent(decoded.event);
  if (decoded.kind !== "events") return structuredClone(decoded);
  const events: unknown[] = [];
  for (let event = decoded.next(); event !== null; event = decoded.next()) events.push(settledEvent(event));
  return events;
}

function settledEvent(event: MarketEvent | LossNotice): unknown {
  if (!("levels" in event)) return { ...event };
  const { levels, ...rest } = event;
  const { bidCount, askCount, priceTicks, sizeLots } = levels;
  const count = bidCount + askCount;
  return { ...rest, bidCount, askCount, ticks: [...priceTicks.slice(0, count)], lots: [...sizeLots.slice(0, count)] };
}

export function reasonOf(decoded: Decoded): string {
  return decoded.kind === "malformed" ? decoded.reason : `not malformed: ${decoded.kind}`;
}

const edit = fc.record({
  kind: fc.constantFrom("insert", "delete", "replace", "repeat", "truncate", "number"),
  // In millionths: doubles drawn at random are nearly all close to zero, and would edit the frame's head alone.
  at: fc.integer({ min: 0, max: 999_999 }),
  length: fc.integer({ min: 1, max: 30 }),
  text: fc.oneof(
    fc.constantFrom("0", "9", ".", '"', ",", "[", "]", "}", "-", "e", " ", "\\", "\n", "é", "00", '"buy"', '"time":1,', "0.000001"),
    fc.string({ minLength: 1, maxLength: 2 }),
  ),
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

/** One of the frames, with a character put in, taken out or replaced, a piece repeated, or its end cut off; up to three times. */
export function editedFrames(frames: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...frames), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([frame, edits]) => edits.reduce(mutate, frame));
}

function mutate(frame: string, { kind, at, length, text }: Edit): string {
  const place = Math.floor((at * frame.length) / 1_000_000);
  if (kind === "truncate") return frame.slice(0, place);
  if (kind === "repeat") return frame.slice(0, place) + frame.slice(place, place + length).repeat(2) + frame.slice(place + length);
  // A digit replaced by one to three digits keeps most frames well-formed: these reach deep into both readers.
  if (kind === "number") return frame.slice(0, place) + frame.slice(place).replace(/\d/, String(length * 7));
  return frame.slice(0, place) + (kind === "delete" ? "" : text) + frame.slice(kind === "insert" ? place : place + 1);
}
