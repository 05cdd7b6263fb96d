/**
 * What both sides of the codec remember while they walk a block's levels: a book that predicts, and never decides.
 *
 * For each key (price, or a venue's level id): its last two values, and where it stands in the trail of keys touched lately. There are two trails
 * a group of lists, keys that were removed last and keys that were set, since the two come back at different paces.
 */

import { NumberMap } from "./number-map.ts";

/** What is known of a key. */
export const UNKNOWN = 0;
export const EMPTY = 1;
export const HELD = 2;
/** Steps that a trail goes back: more finds keys again that a plain step from the neighbour tells as cheaply. */
export const TRAIL = 1024;
/** Lists beyond the fourth of one message share the last group's trails. */
export const GROUPS = 4;
export const TRAILS_A_GROUP = 2;
/** Fields of one key, side by side: half a cache line. */
const STRIDE = 4;
const LAST = 0;
const BEFORE = 1;
const TRAIL_ID = 2;
const PLACE = 3;

export class MirroredBook {
  readonly #map = new NumberMap();
  #fields = new Float64Array(STRIDE * 1024);
  readonly #trails = new Float64Array(GROUPS * TRAILS_A_GROUP * TRAIL);
  readonly #ends = new Float64Array(GROUPS * TRAILS_A_GROUP);

  /** @returns the key's slot, -1 when it can't be remembered. */
  slotOf(key: number): number {
    const slot = this.#map.slotOf(key);
    if ((slot + 1) * STRIDE > this.#fields.length) this.#grow();
    return slot;
  }

  stateOf(slot: number): number {
    // A place of 0 is a key that has never been set: places count from 1.
    if (slot < 0 || this.#fields[slot * STRIDE + PLACE] === 0) return UNKNOWN;
    return this.#fields[slot * STRIDE + LAST] === 0 ? EMPTY : HELD;
  }

  lastOf(slot: number): number {
    return slot < 0 ? 0 : (this.#fields[slot * STRIDE + LAST] as number);
  }

  beforeOf(slot: number): number {
    return slot < 0 ? 0 : (this.#fields[slot * STRIDE + BEFORE] as number);
  }

  /** The trail of the group that the key stands on, 0 or 1; -1 when it stands on none or too far back. */
  trailOf(slot: number, group: number): number {
    if (slot < 0) return -1;
    const trail = (this.#fields[slot * STRIDE + TRAIL_ID] as number) - group * TRAILS_A_GROUP;
    if (trail !== 0 && trail !== 1) return -1;
    const place = this.#fields[slot * STRIDE + PLACE] as number;
    return place > 0 && (this.#ends[group * TRAILS_A_GROUP + trail] as number) - place < TRAIL ? trail : -1;
  }

  /** How many keys were put onto the key's trail after it. */
  ageOf(slot: number): number {
    const trail = this.#fields[slot * STRIDE + TRAIL_ID] as number;
    return (this.#ends[trail] as number) - (this.#fields[slot * STRIDE + PLACE] as number);
  }

  /** The key that stands so far back on a trail; 0 beyond its beginning. */
  keyAt(group: number, trail: number, age: number): number {
    const id = group * TRAILS_A_GROUP + trail;
    return this.#trails[id * TRAIL + (((this.#ends[id] as number) - age - 1) & (TRAIL - 1))] ?? 0;
  }

  set(slot: number, key: number, value: number, group: number): void {
    const id = group * TRAILS_A_GROUP + (value === 0 ? 0 : 1);
    const end = this.#ends[id] as number;
    this.#trails[id * TRAIL + (end & (TRAIL - 1))] = key;
    this.#ends[id] = end + 1;
    if (slot < 0) return;
    const at = slot * STRIDE;
    this.#fields[at + BEFORE] = this.#fields[at + LAST] as number;
    this.#fields[at + LAST] = value;
    this.#fields[at + TRAIL_ID] = id;
    this.#fields[at + PLACE] = end + 1;
  }

  #grow(): void {
    const fields = new Float64Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
  }
}
