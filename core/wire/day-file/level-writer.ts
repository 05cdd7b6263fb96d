/** Writes one template's levels, row by row (levels.ts says how). */

import type { Amounts } from "./amounts.ts";
import type { ByteWriter } from "./bytes.ts";
import { IntegerWriter, previousContext, zigzag } from "./integers.ts";
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
  LESS_AGAIN,
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
} from "./level-model.ts";
import { GROUPS, type MirroredBook, TRAIL, TRAILS_A_GROUP, UNKNOWN } from "./mirrored-book.ts";
import { SymbolWriter } from "./symbols.ts";

export class LevelWriter {
  readonly #book: MirroredBook;
  readonly #amounts: Amounts;
  #group = 0;
  readonly #orders = new SymbolWriter(GROUPS * ORDERS);
  readonly #counts = new IntegerWriter(TRAILS_A_GROUP * COUNT_OCTAVES);
  readonly #ages = new IntegerWriter(TRAILS_A_GROUP * AGE_OCTAVES * LEFT_CLASSES);
  readonly #steps = new IntegerWriter(2 * STEP_CONTEXTS);
  readonly #kinds = new SymbolWriter(STATES * 2 * KINDS);
  readonly #ranks = new IntegerWriter(STATES * 2);
  readonly #agains = new IntegerWriter(STATES * 2);
  readonly #zeros = new SymbolWriter(STATES);
  readonly #values = new IntegerWriter(MOST_ZEROS + 1);
  #slots = new Int32Array(64);
  #isKnown = new Uint8Array(64);
  readonly #agesOf = [new Int32Array(TRAIL), new Int32Array(TRAIL)];
  #order = RISING;
  readonly #ordersOf = new Uint8Array(GROUPS).fill(RISING);
  readonly #firstKeys = new Float64Array(GROUPS);
  #kind = REMOVED;

  constructor(book: MirroredBook, amounts: Amounts) {
    this.#book = book;
    this.#amounts = amounts;
  }

  row({ keys, values, group }: LevelColumns, from: number, to: number): void {
    this.#group = Math.min(group, GROUPS - 1);
    const count = to - from;
    if (count > this.#slots.length) {
      this.#slots = new Int32Array(count * 2);
      this.#isKnown = new Uint8Array(count * 2);
    }
    const order = orderOf(keys, from, to);
    this.#orders.put(this.#group * ORDERS + (this.#ordersOf[this.#group] as number), order);
    this.#order = order;
    this.#ordersOf[this.#group] = order;
    this.#keys(keys, from, to);
    for (let index = 0; index < count; index++) {
      const key = keys[from + index] as number;
      const value = values === null ? 0 : (values[from + index] as number);
      const slot = order === BY_STEPS ? this.#book.slotOf(key) : (this.#slots[index] as number);
      if (values !== null) this.#value(slot, value, this.#isKnown[index] as number);
      this.#book.set(slot, key, value, this.#group);
    }
  }

  finish(out: ByteWriter): void {
    this.#orders.finish(out);
    this.#counts.finish(out);
    this.#ages.finish(out);
    this.#steps.finish(out);
    this.#kinds.finish(out);
    this.#ranks.finish(out);
    this.#agains.finish(out);
    this.#zeros.finish(out);
    this.#values.finish(out);
  }

  #keys(keys: Float64Array, from: number, to: number): void {
    const isOrdered = this.#order !== BY_STEPS;
    const book = this.#book;
    const found = [0, 0];
    let last = this.#firstKeys[this.#group] as number;
    let context = isOrdered ? STEP_CONTEXTS : 0;
    const stepContext = context + 1;
    for (let index = from; index < to; index++) {
      const key = keys[index] as number;
      const slot = isOrdered ? book.slotOf(key) : -1;
      const trail = isOrdered ? book.trailOf(slot, this.#group) : -1;
      this.#slots[index - from] = slot;
      this.#isKnown[index - from] = trail < 0 ? 0 : 1;
      if (trail >= 0) {
        const many = found[trail] as number;
        (this.#agesOf[trail] as Int32Array)[many] = book.ageOf(slot);
        found[trail] = many + 1;
        continue;
      }
      const isFirst = context < stepContext;
      // Of ordered keys all steps but the first go one way.
      const step = isFirst || !isOrdered ? zigzag(key - last) : Math.abs(key - last) - 1;
      const symbol = this.#steps.put(context, step);
      if (isFirst) this.#firstKeys[this.#group] = key;
      last = key;
      context = stepContext + previousContext(symbol);
    }
    if (isOrdered) this.#trails(to - from, found[0] as number, found[1] as number);
  }

  #trails(count: number, removed: number, set: number): void {
    this.#counts.put(countContext(count), removed);
    this.#counts.put(COUNT_OCTAVES + countContext(count - removed), set);
    for (let trail = 0; trail < TRAILS_A_GROUP; trail++) {
      const many = trail === 0 ? removed : set;
      const ages = this.#agesOf[trail] as Int32Array;
      sortFirst(ages, many);
      let last = -1;
      for (let index = 0; index < many; index++) {
        const age = ages[index] as number;
        this.#ages.put(trail * AGE_OCTAVES * LEFT_CLASSES + ageContext(last + 1, many - index), age - last - 1);
        last = age;
      }
    }
  }

  #value(slot: number, value: number, isKnown: number): void {
    const state = this.#book.stateOf(slot);
    const last = this.#book.lastOf(slot);
    const amount = value > last ? value - last : last - value;
    const rank = amount === 0 ? -1 : this.#amounts.rankOf(amount);
    const age = amount === 0 || rank >= 0 || value === 0 ? -1 : this.#amounts.ageOf(amount);
    const isBack = state !== UNKNOWN && value === this.#book.beforeOf(slot);
    let kind = NEW;
    if (value === 0) kind = REMOVED;
    else if (amount === 0) kind = SAME;
    else if (isBack) kind = BACK;
    else if (rank >= 0) kind = value > last ? MORE : LESS;
    else if (age >= 0) kind = value > last ? MORE_AGAIN : LESS_AGAIN;
    const context = state * 2 + isKnown;
    this.#kinds.put(context * KINDS + this.#kind, kind);
    this.#kind = kind;
    if (kind === MORE || kind === LESS) this.#ranks.put(context, rank);
    else if (kind === MORE_AGAIN || kind === LESS_AGAIN) this.#agains.put(context, age);
    else if (kind === NEW) this.#new(state, value);
    if (amount !== 0 && rank < 0) this.#amounts.note(amount);
  }

  #new(state: number, value: number): void {
    let zeros = 0;
    let rest = value;
    while (zeros < MOST_ZEROS && rest % 10 === 0) {
      rest /= 10;
      zeros++;
    }
    this.#zeros.put(state, zeros);
    this.#values.put(zeros, rest);
  }
}

function orderOf(keys: Float64Array, from: number, to: number): number {
  if (to - from < 2) return RISING;
  const order = (keys[from + 1] as number) > (keys[from] as number) ? RISING : FALLING;
  for (let index = from + 1; index < to; index++) {
    const step = (keys[index] as number) - (keys[index - 1] as number);
    if (order === RISING ? step <= 0 : step >= 0) return BY_STEPS;
  }
  return order;
}

/** Sorts the first numbers of an array, ascending: few ones by insertion, since calling the engine's sort costs more than that. */
function sortFirst(numbers: Int32Array, count: number): void {
  if (count > 48) {
    numbers.subarray(0, count).sort();
    return;
  }
  for (let index = 1; index < count; index++) {
    const number = numbers[index] as number;
    let at = index - 1;
    for (; at >= 0 && (numbers[at] as number) > number; at--) numbers[at + 1] = numbers[at] as number;
    numbers[at + 1] = number;
  }
}
