/**
 * The fields that lines are made of, read from and written to bytes: numbers, times, runs of digits, texts, words.
 *
 * Strict both ways: a reader takes only what the writer would write again from the value, to the byte. So "007", "-0", "1." and a 30th of
 * February are no fields, nor is a number of more than 15 digits (a double holds 15 for certain).
 */

import { refuse } from "./bytes.ts";

export type FieldKind = "number" | "time" | "digits" | "text" | "word";
/** In files, a kind is its place here. */
export const FIELD_KINDS: readonly FieldKind[] = ["number", "time", "digits", "text", "word"];

/** One field over all rows: `values[row]` with `extra[row]`: decimals of a number or time; of a text, where it starts and how long it is. */
export interface Column {
  readonly kind: FieldKind;
  /** How many digits a `digits` field has. */
  readonly width: number;
  values: Float64Array;
  extra: Int32Array;
}

export const QUOTE = 34;
export const DASH = 45;
const POINT = 46;
const ZERO = 48;
const COLON = 58;
const LETTER_T = 84;
const BACKSLASH = 92;
const LETTER_A = 97;
const MOST_DIGITS = 15;
/** Digits that fit 31 bits for certain; also the most decimals. */
const FAST_DIGITS = 9;
export const POWERS: Float64Array = Float64Array.from([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]);
/** Finer digits of a time are a field of their own. */
export const MOST_TIME_DECIMALS = 6;
/** `yyyy-mm-ddThh:mm:ss`. */
const TIME_LENGTH = 19;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAY_SECONDS = 86_400;
const FIRST_YEAR = 1970;
/** Microseconds until then, and twice as many, are below 2^53. */
const LAST_YEAR = 2099;

/** Reads a number into `row`: its digits without the point, and how many follow the point. @returns where it ends, or -1. */
export function parseNumber(bytes: Uint8Array, from: number, to: number, into: Column, row: number): number {
  const isNegative = bytes[from] === DASH;
  const first = isNegative ? from + 1 : from;
  let at = first;
  let whole = 0;
  let digit = 0;
  const fastEnd = first + FAST_DIGITS < to ? first + FAST_DIGITS : to;
  for (; at < fastEnd; at++) {
    digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    whole = (Math.imul(whole, 10) + digit) | 0;
  }
  let value: number = whole;
  for (; at >= first + FAST_DIGITS && at < to; at++) {
    digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    if (at - first >= MOST_DIGITS) return -1;
    value = value * 10 + digit;
  }
  const digits = at - first;
  if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) return -1;
  let decimals = 0;
  if (at < to && bytes[at] === POINT) {
    const point = at++;
    let fraction = 0;
    for (; at < to; at++) {
      digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (at - point > FAST_DIGITS) return -1;
      fraction = (Math.imul(fraction, 10) + digit) | 0;
    }
    decimals = at - point - 1;
    if (decimals === 0 || digits + decimals > MOST_DIGITS) return -1;
    value = value * (POWERS[decimals] as number) + fraction;
  }
  if (isNegative && value === 0) return -1;
  into.values[row] = isNegative ? -value : value;
  into.extra[row] = decimals;
  return at;
}

/** Reads `yyyy-mm-ddThh:mm:ss[.d{1,6}]` (more digits stay where they are): since 1970, in its own last digit. @returns where it ends, or -1. */
export function parseTime(bytes: Uint8Array, from: number, to: number, into: Column, row: number): number {
  if (to - from < TIME_LENGTH) return -1;
  const year = digitsAt(bytes, from, 4);
  const month = digitsAt(bytes, from + 5, 2);
  const day = digitsAt(bytes, from + 8, 2);
  const hour = digitsAt(bytes, from + 11, 2);
  const minute = digitsAt(bytes, from + 14, 2);
  const second = digitsAt(bytes, from + 17, 2);
  if (bytes[from + 4] !== DASH || bytes[from + 7] !== DASH || bytes[from + 10] !== LETTER_T) return -1;
  if (bytes[from + 13] !== COLON || bytes[from + 16] !== COLON || hour < 0 || minute < 0 || second < 0) return -1;
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return -1;
  if (hour > 23 || minute > 59 || second > 59) return -1;
  let value = daysBefore(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
  let at = from + TIME_LENGTH;
  let decimals = 0;
  if (at + 1 < to && bytes[at] === POINT && isDigit(bytes[at + 1])) {
    for (at++; at < to && decimals < MOST_TIME_DECIMALS && isDigit(bytes[at]); at++, decimals++)
      value = value * 10 + ((bytes[at] as number) - ZERO);
  }
  into.values[row] = value;
  into.extra[row] = decimals;
  return at;
}

/** Reads exactly the column's width of digits. @returns where they end, or -1. */
export function parseDigits(bytes: Uint8Array, from: number, to: number, into: Column, row: number): number {
  if (to - from < into.width) return -1;
  const value = digitsAt(bytes, from, into.width);
  if (value < 0) return -1;
  into.values[row] = value;
  into.extra[row] = 0;
  return from + into.width;
}

/** Where the quote stands that ends a text, or -1: at an escape, or when there is none. */
export function endOfText(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) return -1;
  }
  return -1;
}

/** Where a run of small letters (true, false, null) ends, or -1 when there is none. */
export function endOfWord(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) >= LETTER_A && (bytes[at] as number) < LETTER_A + 26) at++;
  return at > from ? at : -1;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < COLON;
}

/** Bytes written into one buffer of a known size: a line more than was promised is corrupt. */
export class LineWriter {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  literal(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.length + length > this.bytes.length) refuse("more text than was promised");
    if (length > 32) this.bytes.set(bytes, this.length);
    else for (let index = 0; index < length; index++) this.bytes[this.length + index] = bytes[index] as number;
    this.length += length;
  }

  byte(byte: number): void {
    if (this.length === this.bytes.length) refuse("more text than was promised");
    this.bytes[this.length++] = byte;
  }

  number(value: number, decimals: number): void {
    let rest = value;
    if (value < 0) {
      this.byte(DASH);
      rest = -value;
    }
    if (decimals === 0) {
      this.#whole(rest);
      return;
    }
    const power = POWERS[decimals] as number;
    const whole = Math.floor(rest / power);
    this.#whole(whole);
    this.byte(POINT);
    this.digits(rest - whole * power, decimals);
  }

  time(value: number, decimals: number): void {
    const power = POWERS[decimals] as number;
    const seconds = Math.floor(value / power);
    const day = Math.floor(seconds / DAY_SECONDS);
    const ofDay = seconds - day * DAY_SECONDS;
    this.#date(day);
    this.byte(LETTER_T);
    this.digits(Math.floor(ofDay / 3600), 2);
    this.byte(COLON);
    this.digits(Math.floor(ofDay / 60) % 60, 2);
    this.byte(COLON);
    this.digits(ofDay % 60, 2);
    if (decimals === 0) return;
    this.byte(POINT);
    this.digits(value - seconds * power, decimals);
  }

  /** Exactly `width` digits. */
  digits(value: number, width: number): void {
    if (this.length + width > this.bytes.length) refuse("more text than was promised");
    // In 32 bits as far as that goes: it is twice as fast.
    let at = this.length + width;
    this.length = at;
    let left = width;
    let rest = value;
    for (; left > 0 && rest > 0x7fffffff; left--) {
      const next = Math.floor(rest / 10);
      this.bytes[--at] = ZERO + (rest - next * 10);
      rest = next;
    }
    let small = rest | 0;
    for (; left > 0; left--) {
      const next = (small / 10) | 0;
      this.bytes[--at] = ZERO + (small - next * 10);
      small = next;
    }
  }

  #whole(value: number): void {
    let width = 1;
    while (width < POWERS.length && value >= (POWERS[width] as number)) width++;
    this.digits(value, width);
  }

  /** Civil date of a day number since 1970-01-01. */
  #date(day: number): void {
    let year = FIRST_YEAR + Math.floor(day / 365.2425);
    if (!(year >= FIRST_YEAR && year <= LAST_YEAR + 1)) refuse("a time out of range");
    if (daysBefore(year, 1, 1) > day) year--;
    if (daysBefore(year + 1, 1, 1) <= day) year++;
    let left = day - daysBefore(year, 1, 1);
    let month = 1;
    for (; left >= daysIn(year, month) && month < 12; month++) left -= daysIn(year, month);
    this.digits(year, 4);
    this.byte(DASH);
    this.digits(month, 2);
    this.byte(DASH);
    this.digits(left + 1, 2);
  }
}

/** The number that exactly `count` digits make, or -1. */
function digitsAt(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

/** Days from 1970-01-01 to the date. */
function daysBefore(year: number, month: number, day: number): number {
  const before = year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
  for (let earlier = 1; earlier < month; earlier++) days += daysIn(year, earlier);
  return days + day - 1;
}
