/** Reads what level-writer.ts wrote: the same steps, in the same order. */

import type { Amounts } from "./amounts.ts";
import { type ByteReader, refuse } from "./bytes.ts";
import { IntegerReader, previousContext, unzigzag } from "./integers.ts";
import {
  AGE_OCTAVES,
  ageContext,
  BACK,
  BY_STEPS,
  COUNT_OCTAVES,
  countContext,
  FALLING,
  KINDS,
  LEFT_CLASSES,
  LESS,
  type LevelColumns,
  MORE,
  MORE_AGAIN,
  MOST_ZEROS,
  NEW,
  ORDERS,
  REMOVED,
  RISING,
  SAME,
  STATES,
  STEP_CONTEXTS,
  ZEROS,
} from "./level-model.ts";
import { GROUPS, type MirroredBook, TRAIL, TRAILS_A_GROUP } from "./mirrored-book.ts";
import { SymbolReader } from "./symbols.ts";

export class LevelReader {
  readonly #book: MirroredBook;
  readonly #amounts: Amounts;
  #group = 0;
  readonly #orders: SymbolReader;
  readonly #counts: IntegerReader;
  readonly #ages: IntegerReader;
  readonly #steps: IntegerReader;
  readonly #kinds: SymbolReader;
  readonly #ranks: IntegerReader;
  readonly #agains: IntegerReader;
  readonly #zeros: SymbolReader;
  readonly #values: IntegerReader;
  #slots = new Int32Array(64);
  #isKnown = new Uint8Array(64);
  #order = RISING;
  readonly #ordersOf = new Uint8Array(GROUPS).fill(RISING);
  readonly #firstKeys = new Float64Array(GROUPS);
  #kind = REMOVED;

  constructor(reader: ByteReader, book: MirroredBook, amounts: Amounts) {
    this.#book = book;
    this.#amounts = amounts;
    this.#orders = new SymbolReader(reader, GROUPS * ORDERS);
    this.#counts = new IntegerReader(reader, TRAILS_A_GROUP * COUNT_OCTAVES);
    this.#ages = new IntegerReader(reader, TRAILS_A_GROUP * AGE_OCTAVES * LEFT_CLASSES);
    this.#steps = new IntegerReader(reader, 2 * STEP_CONTEXTS);
    this.#kinds = new SymbolReader(reader, STATES * 2 * KINDS);
    this.#ranks = new IntegerReader(reader, STATES * 2);
    this.#agains = new IntegerReader(reader, STATES * 2);
    this.#zeros = new SymbolReader(reader, STATES);
    this.#values = new IntegerReader(reader, MOST_ZEROS + 1);
  }

  row({ keys, values, group }: LevelColumns, from: number, to: number): void {
    this.#group = Math.min(group, GROUPS - 1);
    this.#order = this.#orders.next(this.#group * ORDERS + (this.#ordersOf[this.#group] as number));
    if (this.#order >= ORDERS) refuse("an unknown order of keys");
    this.#ordersOf[this.#group] = this.#order;
    const known = this.#order === BY_STEPS ? 0 : this.#trailKeys(keys, from, to);
    this.#stepKeys(keys, from + known, to);
    if (this.#order !== BY_STEPS) keys.subarray(from, to).sort();
    if (this.#order === FALLING) keys.subarray(from, to).reverse();
    this.#findSlots(keys, from, to);
    for (let index = from; index < to; index++) {
      const key = keys[index] as number;
      const slot = this.#order === BY_STEPS ? this.#book.slotOf(key) : (this.#slots[index - from] as number);
      const value = values === null ? 0 : this.#value(slot, this.#isKnown[index - from] as number);
      if (values !== null) values[index] = value;
      this.#book.set(slot, key, value, this.#group);
    }
  }

  /** As the writer does: all of a row's before any of them is set. */
  #findSlots(keys: Float64Array, from: number, to: number): void {
    const count = to - from;
    if (count > this.#slots.length) {
      this.#slots = new Int32Array(count * 2);
      this.#isKnown = new Uint8Array(count * 2);
    }
    for (let index = 0; index < count; index++) {
      const slot = this.#order === BY_STEPS ? -1 : this.#book.slotOf(keys[from + index] as number);
      this.#slots[index] = slot;
      this.#isKnown[index] = this.#book.trailOf(slot, this.#group) < 0 ? 0 : 1;
    }
  }

  /** Puts the keys that stand on trails first. @returns how many there are. */
  #trailKeys(keys: Float64Array, from: number, to: number): number {
    const count = to - from;
    const removed = this.#counts.next(countContext(count));
    if (removed > count) refuse("more keys of a trail than keys");
    const set = this.#counts.next(COUNT_OCTAVES + countContext(count - removed));
    if (removed + set > count) refuse("more keys of a trail than keys");
    let at = from;
    for (let trail = 0; trail < TRAILS_A_GROUP; trail++) {
      const many = trail === 0 ? removed : set;
      let last = -1;
      for (let index = 0; index < many; index++) {
        last += 1 + this.#ages.next(trail * AGE_OCTAVES * LEFT_CLASSES + ageContext(last + 1, many - index));
        if (last >= TRAIL) refuse("a key beyond the trail");
        keys[at++] = this.#book.keyAt(this.#group, trail, last);
      }
    }
    return removed + set;
  }

  #stepKeys(keys: Float64Array, from: number, to: number): void {
    let last = this.#firstKeys[this.#group] as number;
    let context = this.#order === BY_STEPS ? 0 : STEP_CONTEXTS;
    const stepContext = context + 1;
    for (let index = from; index < to; index++) {
      const step = this.#steps.next(context);
      if (index === from || this.#order === BY_STEPS) last += unzigzag(step);
      else last += this.#order === RISING ? step + 1 : -step - 1;
      keys[index] = last;
      if (index === from) this.#firstKeys[this.#group] = last;
      context = stepContext + previousContext(this.#steps.symbol);
    }
  }

  #value(slot: number, isKnown: number): number {
    const state = this.#book.stateOf(slot);
    const last = this.#book.lastOf(slot);
    const context = state * 2 + isKnown;
    const kind = this.#kinds.next(context * KINDS + this.#kind);
    if (kind >= KINDS) refuse("an unknown kind of level change");
    this.#kind = kind;
    const value = this.#valueOf(kind, last, { slot, state, context });
    const amount = value > last ? value - last : last - value;
    if (kind === MORE || kind === LESS || amount === 0) return value;
    if (this.#amounts.rankOf(amount) < 0) this.#amounts.note(amount);
    return value;
  }

  #valueOf(kind: number, last: number, { slot, state, context }: { slot: number; state: number; context: number }): number {
    if (kind === REMOVED) return 0;
    if (kind === SAME) return last;
    if (kind === BACK) return this.#book.beforeOf(slot);
    if (kind === NEW) {
      const zeros = this.#zeros.next(state);
      return this.#values.next(zeros <= MOST_ZEROS ? zeros : refuse("too many zeros")) * (ZEROS[zeros] as number);
    }
    if (kind === MORE || kind === LESS) {
      const amount = this.#amounts.listed[this.#ranks.next(context)] ?? refuse("an amount that is not listed");
      return kind === MORE ? last + amount : last - amount;
    }
    const amount = this.#amounts.amountAt(this.#agains.next(context));
    return kind === MORE_AGAIN ? last + amount : last - amount;
  }
}
