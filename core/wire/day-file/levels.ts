/**
 * Level lists: keys (prices, or a venue's level ids) and what each is set to.
 *
 * A row's keys that were touched lately are told by how far back they stand on the trail of touched keys (mirrored-book.ts), ordered by that; the
 * others by steps from one to the next. Since venues send levels in order of price, the two kinds fall into place by sorting; a row that is not
 * in order is told by steps alone. A value is told by what it does to its level: removes it, leaves it, sets it back to what it was before, or
 * changes it by an amount (amounts.ts). The book only predicts: whatever it holds, what was written is what is read.
 */

import { AmountCounter, Amounts, MOST_LISTED } from "./amounts.ts";
import { type ByteReader, type ByteWriter, refuse } from "./bytes.ts";
import {
  IntegerReader,
  IntegerWriter,
  PREVIOUS_CONTEXTS,
  previousContext,
  readIntegers,
  unzigzag,
  writeIntegers,
  zigzag,
} from "./integers.ts";
import { GROUPS, MirroredBook, TRAIL, TRAILS_A_GROUP, UNKNOWN } from "./mirrored-book.ts";
import { SymbolReader, SymbolWriter } from "./symbols.ts";

/** The levels of one list over all its rows. `values` null: keys alone, and each removes its level. */
export interface LevelColumns {
  readonly keys: Float64Array;
  readonly values: Float64Array | null;
  readonly count: number;
  /** Lists of one group share trails: the first lists of all messages, the second ones, … */
  readonly group: number;
  /** Lists of one template share tables: what moves bids moves asks. */
  readonly template: number;
}

/** In which order lists are walked: the list's number, and how many levels it has there. */
export interface LevelRun {
  readonly list: number;
  readonly count: number;
}

export function writeLevels(out: ByteWriter, lists: readonly LevelColumns[], runs: readonly LevelRun[]): void {
  const listed = countAmounts(lists, runs).mostFrequent();
  out.integer(listed.length);
  const steps = listed.map((amount, rank) => zigzag(amount - (listed[rank - 1] ?? 0)));
  writeIntegers(out, steps, steps.length);
  const book = new MirroredBook();
  const amounts = new Amounts(listed);
  const writers = Array.from({ length: templatesOf(lists) }, () => new LevelWriter(book, amounts));
  walk(lists, runs, (columns, from, to) => (writers[columns.template] as LevelWriter).row(columns, from, to));
  for (const writer of writers) writer.finish(out);
}

/** Fills the columns, whose arrays have their full length already. */
export function readLevels(reader: ByteReader, lists: readonly LevelColumns[], runs: readonly LevelRun[]): void {
  const listed = readIntegers(reader, reader.integer(MOST_LISTED));
  for (let rank = 0; rank < listed.length; rank++)
    listed[rank] = unzigzag(listed[rank] as number) + (rank > 0 ? (listed[rank - 1] as number) : 0);
  const book = new MirroredBook();
  const amounts = new Amounts([...listed]);
  const readers = Array.from({ length: templatesOf(lists) }, () => new LevelReader(reader, book, amounts));
  walk(lists, runs, (columns, from, to) => (readers[columns.template] as LevelReader).row(columns, from, to));
}

type Visit = (columns: LevelColumns, from: number, to: number) => void;

function templatesOf(lists: readonly LevelColumns[]): number {
  let templates = 0;
  for (const { template } of lists) templates = Math.max(templates, template + 1);
  return templates;
}

function walk(lists: readonly LevelColumns[], runs: readonly LevelRun[], visit: Visit): void {
  const next = new Uint32Array(lists.length);
  for (let index = 0; index < runs.length; index++) {
    const { list, count } = runs[index] as LevelRun;
    const from = next[list] as number;
    next[list] = from + count;
    visit(lists[list] as LevelColumns, from, from + count);
  }
}

/** Levels on which amounts are counted: what is frequent shows in a part. */
const COUNTED = 40_000;

function countAmounts(lists: readonly LevelColumns[], runs: readonly LevelRun[]): AmountCounter {
  const book = new MirroredBook();
  const counter = new AmountCounter();
  let left = COUNTED;
  walk(lists, runs, ({ keys, values }, from, to) => {
    for (let index = from; index < to && left > 0; index++, left--) {
      const slot = book.slotOf(keys[index] as number);
      const value = values === null ? 0 : (values[index] as number);
      const last = book.lastOf(slot);
      if (value !== 0 && value !== last && value !== book.beforeOf(slot)) counter.count(Math.abs(value - last));
      book.set(slot, keys[index] as number, value, 0);
    }
  });
  return counter;
}

/** How a row's keys are told. */
const BY_STEPS = 0;
const RISING = 1;
const FALLING = 2;
const ORDERS = 3;
/** What a value does. */
const REMOVED = 0;
const SAME = 1;
const BACK = 2;
const MORE = 3;
const LESS = 4;
const MORE_AGAIN = 5;
const LESS_AGAIN = 6;
const NEW = 7;
const KINDS = 8;
const STATES = 3;
/** Trailing zeros that a new value is told without: most hand-typed sizes have some. */
const MOST_ZEROS = 3;
const ZEROS = [1, 10, 100, 1000] as const;
/** Contexts of how far the next key of a trail is: octaves of how far back we are, times whether more are left than one. */
const AGE_OCTAVES = 11;
const LEFT_CLASSES = 4;
/** Contexts of how many keys stand on a trail: octaves of how many there may be. */
const COUNT_OCTAVES = 8;
const STEP_CONTEXTS = 1 + PREVIOUS_CONTEXTS;

function ageContext(age: number, left: number): number {
  const octave = 32 - Math.clz32(age);
  return (octave < AGE_OCTAVES ? octave : AGE_OCTAVES - 1) * LEFT_CLASSES + (left < 3 ? left - 1 : left < 8 ? 2 : 3);
}

function countContext(most: number): number {
  const octave = 32 - Math.clz32(most);
  return octave < COUNT_OCTAVES ? octave : COUNT_OCTAVES - 1;
}

class LevelWriter {
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
    const amountSlot = amount === 0 ? -1 : this.#amounts.slotOf(amount);
    const isListed = amountSlot >= 0 && amountSlot < this.#amounts.listed.length;
    const age = amount === 0 || isListed ? -1 : this.#amounts.ageOf(amountSlot);
    const isBack = state !== UNKNOWN && value === this.#book.beforeOf(slot);
    let kind = NEW;
    if (value === 0) kind = REMOVED;
    else if (amount === 0) kind = SAME;
    else if (isBack) kind = BACK;
    else if (isListed) kind = value > last ? MORE : LESS;
    else if (age >= 0) kind = value > last ? MORE_AGAIN : LESS_AGAIN;
    const context = state * 2 + isKnown;
    this.#kinds.put(context * KINDS + this.#kind, kind);
    this.#kind = kind;
    if (kind === MORE || kind === LESS) this.#ranks.put(context, amountSlot);
    else if (kind === MORE_AGAIN || kind === LESS_AGAIN) this.#agains.put(context, age);
    else if (kind === NEW) this.#new(state, value);
    if (amount !== 0 && !isListed) this.#amounts.note(amountSlot, amount);
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

class LevelReader {
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
    const amountSlot = this.#amounts.slotOf(amount);
    if (amountSlot < 0 || amountSlot >= this.#amounts.listed.length) this.#amounts.note(amountSlot, amount);
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
