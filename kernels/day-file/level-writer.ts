/**
 * Writes one template's levels, row by row, as core's level-writer.ts does: keys by trails or steps, values by what they do to their level.
 *
 * What the next level does is anybody's guess, and a processor that guesses wrongly waits longer than a level takes to write: so what is to be told is
 * found out first, for all keys of a row, without branches, and told after that, kind by kind.
 */

import { ByteWriter } from "./bytes";
import { IntegerWriter, newIntegerWriter, PREVIOUS_CONTEXTS, previousContext, zigzag } from "./integers";
import { Amounts, GROUPS, LevelBook, TRAIL, TRAILS_A_GROUP } from "./level-book";
import { take, takeZeros } from "./memory";
import { newSymbolWriter, noted, SymbolWriter } from "./symbols";

/** How a row's keys are told. In files. */
const BY_STEPS: i32 = 0;
const RISING: i32 = 1;
const FALLING: i32 = 2;
const ORDERS: i32 = 3;
/** What a value does. In files. */
const REMOVED: i32 = 0;
const SAME: i32 = 1;
const BACK: i32 = 2;
const MORE: i32 = 3;
const LESS: i32 = 4;
const MORE_AGAIN: i32 = 5;
const LESS_AGAIN: i32 = 6;
const NEW: i32 = 7;
const KINDS: i32 = 8;
/** What is known of a key, in contexts: nothing (0), that it is empty (1), or held (2). */
const STATES: i32 = 3;
const CONTEXT_BITS: i32 = 3;
const MOST_ZEROS: i32 = 3;
const AGE_OCTAVES: i32 = 11;
const LEFT_CLASSES: i32 = 4;
const COUNT_OCTAVES: i32 = 8;
const STEP_CONTEXTS: i32 = 1 + PREVIOUS_CONTEXTS;

/** The inverse of five modulo 2^64. */
const FIFTH: u64 = 0xcccccccccccccccd;
const MOST_FIFTHS: u64 = u64.MAX_VALUE / 5;
/** Ages that are sorted by counting for each how many are less. */
const FEW: i32 = 48;
/** A trail's keys, and as many as one look at vectors passes the last. */
const AGES_ROOM: i32 = TRAIL + 4;

/** The levels of one list over all its rows. */
@unmanaged
export class LevelColumns {
  keys: usize;
  /** 0: keys alone, and each removes its level. */
  values: usize;
  count: i32;
  group: i32;
  template: i32;
  /** How many of them have been walked. */
  walked: i32;

  // @ts-ignore: decorator
  @inline
  key(index: i32): i64 {
    return load<i64>(this.keys + (usize(index) << 3));
  }

  // @ts-ignore: decorator
  @inline
  value(index: i32): i64 {
    return this.values === 0 ? 0 : load<i64>(this.values + (usize(index) << 3));
  }
}

@unmanaged
export class LevelWriter {
  book: LevelBook;
  amounts: Amounts;
  orders: SymbolWriter;
  counts: IntegerWriter;
  ages: IntegerWriter;
  steps: IntegerWriter;
  kinds: SymbolWriter;
  ranks: IntegerWriter;
  agains: IntegerWriter;
  zeros: SymbolWriter;
  values: IntegerWriter;
  /** Keys of a row that there is room for. */
  room: i32;
  /** Of each of the row's keys, whether it stood on a trail: a byte each. */
  known: usize;
  /** The row's keys that stood on none; then its new values, with what was known of their keys. */
  rest: usize;
  states: usize;
  /** The row's ranks, and ages of amounts, above their contexts: 32 bits each. */
  ranked: usize;
  again: usize;
  /** Ages of the row's keys on the two trails, AGES_ROOM each; and room to sort few of them. */
  agesOf: usize;
  sortedAges: usize;
  group: i32;
  order: i32;
  kind: i32;
  /** Of each group: the order of its last row, and its last first key. */
  ordersOf: usize;
  firstKeys: usize;

  row(columns: LevelColumns, from: i32, to: i32, slots: usize): void {
    const group = min(columns.group, GROUPS - 1);
    this.group = group;
    if (to - from > this.room) this.makeRoom(to - from);
    const order = orderOf(columns.keys, from, to);
    const orderAt = this.ordersOf + (usize(group) << 2);
    this.orders.put(group * ORDERS + load<i32>(orderAt), order);
    store<i32>(orderAt, order);
    this.order = order;
    this.writeKeys(columns.keys, from, to, slots);
    if (columns.values === 0) this.removeAll(to - from, slots);
    else this.writeValues(columns.values + (usize(from) << 3), to - from, slots);
  }

  finish(out: ByteWriter): void {
    this.orders.finish(out);
    this.counts.finish(out);
    this.ages.finish(out);
    this.steps.finish(out);
    this.kinds.finish(out);
    this.ranks.finish(out);
    this.agains.finish(out);
    this.zeros.finish(out);
    this.values.finish(out);
  }

  /** First which keys stand on a trail, without a branch, since nobody can tell; then the others. */
  private writeKeys(keys: usize, from: i32, to: i32, slots: usize): void {
    const isOrdered = i32(this.order !== BY_STEPS);
    const group = this.group;
    const book = this.book;
    const known = this.known;
    const agesOf = this.agesOf;
    let rest = this.rest;
    let removed = 0;
    let set = 0;
    for (let index = 0; index < to - from; index++) {
      const mark = book.mark(load<i32>(slots + (usize(index) << 2)));
      const trail = mark & (GROUPS * TRAILS_A_GROUP - 1);
      const age = book.endOf(trail) - (mark >> 3);
      const isKnown = isOrdered & i32(mark !== 0) & i32(trail >> 1 === group) & i32(age < TRAIL);
      store<u8>(known + index, isKnown);
      store<i32>(agesOf + (usize(removed) << 2), age);
      removed += isKnown & ~trail & 1;
      store<i32>(agesOf + (usize(AGES_ROOM + set) << 2), age);
      set += isKnown & trail & 1;
      store<i64>(rest, load<i64>(keys + (usize(from + index) << 3)));
      rest += usize(1 - isKnown) << 3;
    }
    this.writeSteps(rest, isOrdered);
    if (isOrdered === 0) return;
    this.counts.put(countContext(to - from), removed);
    this.counts.put(COUNT_OCTAVES + countContext(to - from - removed), set);
    this.writeAges(0, removed);
    this.writeAges(1, set);
  }

  private writeSteps(end: usize, isOrdered: i32): void {
    if (this.rest === end) return;
    const firstAt = this.firstKeys + (usize(this.group) << 3);
    const firstContext = isOrdered * STEP_CONTEXTS;
    let last = load<i64>(this.rest);
    let symbol = this.steps.putAny(firstContext, zigzag(last - load<i64>(firstAt)));
    store<i64>(firstAt, last);
    for (let at = this.rest + 8; at < end; at += 8) {
      const key = load<i64>(at);
      // Of ordered keys all steps but the first go one way.
      const step = isOrdered !== 0 ? u64(abs(key - last) - 1) : zigzag(key - last);
      symbol = this.steps.putAny(firstContext + 1 + previousContext(symbol), step);
      last = key;
    }
  }

  private writeAges(trail: i32, many: i32): void {
    const ages = sorted(this.agesOf + (usize(trail * AGES_ROOM) << 2), many, this.sortedAges);
    let last = -1;
    for (let index = 0; index < many; index++) {
      const age = load<i32>(ages + (usize(index) << 2));
      this.ages.putAny(trail * AGE_OCTAVES * LEFT_CLASSES + ageContext(last + 1, many - index), age - last - 1);
      last = age;
    }
  }

  private removeAll(count: i32, slots: usize): void {
    for (let index = 0; index < count; index++) this.book.set(load<i32>(slots + (usize(index) << 2)), 0, this.group);
  }

  /**
   * First what each value does, without a branch: that depends on four look-ups, and a wrong turn behind them would cost more than they do. Then
   * what is told of each kind.
   */
  private writeValues(values: usize, count: i32, slots: usize): void {
    const book = this.book;
    const amounts = this.amounts;
    const group = this.group;
    const known = this.known;
    const rest = this.rest;
    const states = this.states;
    let kinds = this.kinds.placesFor(count);
    let before = this.kind;
    let ranked = this.ranked;
    let again = this.again;
    let fresh = 0;
    for (let index = 0; index < count; index++) {
      const slot = load<i32>(slots + (usize(index) << 2));
      const value = load<i64>(values + (usize(index) << 3));
      const level = book.level(slot);
      const last = level.last;
      const isSet = i32(book.mark(slot) !== 0);
      const state = isSet + (isSet & i32(last !== 0));
      const amount = abs(value - last);
      const rank = amounts.rankOf(amount);
      const latest = amounts.latestOf(amount);
      const place = load<i32>(latest);
      const age = amounts.ageOf(amount, place);
      let kind = select<i32>(MORE_AGAIN, NEW, age >= 0);
      kind = select<i32>(MORE, kind, rank >= 0);
      kind += i32(kind !== NEW) & i32(value < last);
      kind = select<i32>(BACK, kind, isSet & i32(value === level.before));
      kind = select<i32>(SAME, kind, amount === 0);
      kind = select<i32>(REMOVED, kind, value === 0);
      const isNoted = i32(amount !== 0) & i32(rank < 0);
      store<i64>(amounts.trailAt(amounts.end + 1), amount);
      amounts.end += isNoted;
      store<i32>(latest, select<i32>(amounts.end, place, isNoted));
      const context = state * 2 + i32(load<u8>(known + index));
      store<u16>(kinds, noted(context * KINDS + before, kind));
      kinds += 2;
      before = kind;
      store<i32>(ranked, (rank << CONTEXT_BITS) | context);
      ranked += usize(i32(kind === MORE) | i32(kind === LESS)) << 2;
      store<i32>(again, (age << CONTEXT_BITS) | context);
      again += usize(i32(kind === MORE_AGAIN) | i32(kind === LESS_AGAIN)) << 2;
      store<i64>(rest + (usize(fresh) << 3), value);
      store<u8>(states + fresh, state);
      fresh += i32(kind === NEW);
      book.set(slot, value, group);
    }
    this.kind = before;
    for (let at = this.ranked; at < ranked; at += 4) {
      const told = load<u32>(at);
      this.ranks.putAny(told & ((1 << CONTEXT_BITS) - 1), told >> CONTEXT_BITS);
    }
    for (let at = this.again; at < again; at += 4) {
      const told = load<u32>(at);
      this.agains.putAny(told & ((1 << CONTEXT_BITS) - 1), told >> CONTEXT_BITS);
    }
    for (let index = 0; index < fresh; index++)
      this.writeNew(load<u8>(states + index), load<i64>(rest + (usize(index) << 3)));
  }

  private writeNew(state: i32, value: i64): void {
    let zeros = 0;
    let rest = u64(value);
    // By ten without dividing: what is no multiple of five comes out larger than any quotient (numbers.ts).
    for (; zeros < MOST_ZEROS && (rest & 1) === 0 && (rest >> 1) * FIFTH <= MOST_FIFTHS; zeros++) rest = (rest >> 1) * FIFTH;
    this.zeros.put(state, zeros);
    this.values.put(zeros, rest);
  }

  makeRoom(keys: i32): void {
    this.room = max(keys * 2, 64);
    const room = usize(this.room);
    this.known = take(room);
    this.rest = take(room << 3);
    this.states = take(room);
    this.ranked = take(room << 2);
    this.again = take(room << 2);
  }
}

/** @param levels how many it will write. */
export function newLevelWriter(book: LevelBook, amounts: Amounts, levels: i32): LevelWriter {
  const writer = changetype<LevelWriter>(take(offsetof<LevelWriter>()));
  writer.book = book;
  writer.amounts = amounts;
  writer.orders = newSymbolWriter(GROUPS * ORDERS, 0);
  writer.counts = newIntegerWriter(TRAILS_A_GROUP * COUNT_OCTAVES, 0);
  writer.ages = newIntegerWriter(TRAILS_A_GROUP * AGE_OCTAVES * LEFT_CLASSES, levels);
  writer.steps = newIntegerWriter(2 * STEP_CONTEXTS, levels);
  writer.kinds = newSymbolWriter(STATES * 2 * KINDS, levels);
  writer.ranks = newIntegerWriter(STATES * 2, 0);
  writer.agains = newIntegerWriter(STATES * 2, 0);
  writer.zeros = newSymbolWriter(STATES, 0);
  writer.values = newIntegerWriter(MOST_ZEROS + 1, 0);
  writer.makeRoom(0);
  writer.agesOf = take(usize(TRAILS_A_GROUP * AGES_ROOM) << 2);
  writer.sortedAges = take(usize(FEW) << 2);
  writer.order = RISING;
  writer.kind = REMOVED;
  writer.ordersOf = take(usize(GROUPS) << 2);
  for (let group = 0; group < GROUPS; group++) store<i32>(writer.ordersOf + (usize(group) << 2), RISING);
  writer.firstKeys = takeZeros(usize(GROUPS) << 3);
  return writer;
}

function orderOf(keys: usize, from: i32, to: i32): i32 {
  if (to - from < 2) return RISING;
  const first = keys + (usize(from) << 3);
  const end = keys + (usize(to) << 3);
  const order = load<i64>(first + 8) > load<i64>(first) ? RISING : FALLING;
  for (let at = first + 8; at < end; at += 8) {
    const step = load<i64>(at) - load<i64>(at - 8);
    if (order === RISING ? step <= 0 : step >= 0) return BY_STEPS;
  }
  return order;
}

// @ts-ignore: decorator
@inline
function ageContext(age: i32, left: i32): i32 {
  return min(32 - clz(age), AGE_OCTAVES - 1) * LEFT_CLASSES + (left < 3 ? left - 1 : left < 8 ? 2 : 3);
}

function countContext(most: i32): i32 {
  return min(32 - clz(most), COUNT_OCTAVES - 1);
}

/** @returns where the numbers, none of them twice, stand in ascending order: in `room`, or where they stood. */
function sorted(numbers: usize, count: i32, room: usize): usize {
  if (count < 2) return numbers;
  if (count > FEW) {
    sort(numbers, count);
    return numbers;
  }
  const end = numbers + (usize(count) << 2);
  // What is looked at behind the last is never less.
  v128.store(end, i32x4.splat(i32.MAX_VALUE));
  for (let at = numbers; at < end; at += 4) {
    const number = load<i32>(at);
    const all = i32x4.splat(number);
    let less = i32x4.splat(0);
    for (let four = numbers; four < end; four += 16) less = i32x4.sub(less, i32x4.lt_s(v128.load(four), all));
    const rank = i32x4.extract_lane(less, 0) + i32x4.extract_lane(less, 1) + i32x4.extract_lane(less, 2) + i32x4.extract_lane(less, 3);
    store<i32>(room + (usize(rank) << 2), number);
  }
  return room;
}

/** By insertion, in strides first. A row has at most TRAIL. */
function sort(numbers: usize, count: i32): void {
  let gap = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (let index = gap; index < count; index++) {
      const number = load<i32>(numbers + (usize(index) << 2));
      let at = index;
      for (; at >= gap && load<i32>(numbers + (usize(at - gap) << 2)) > number; at -= gap)
        store<i32>(numbers + (usize(at) << 2), load<i32>(numbers + (usize(at - gap) << 2)));
      store<i32>(numbers + (usize(at) << 2), number);
    }
  }
}
