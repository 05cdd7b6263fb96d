/**
 * A place in a text, moved forward by what is known to stand there: the tool of scanners, which read the exact layouts that a venue sends.
 *
 * Nothing is allocated. Each step answers whether the text is as expected and leaves the place behind it; on the first that isn't, a scanner
 * gives the frame to its parser. A step reads past the end of a text only to see that nothing is there.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";

const QUOTE = 34;
const POINT = 46;
const ZERO = 48;
/** Digits that 32-bit integer arithmetic holds: 999,999,999 < 2^31. */
export const MAX_WORD_DIGITS = 9;
/** Digits that a double holds whatever they are: 10^15 < 2^53. */
const MAX_INTEGER_DIGITS = 15;
/** Names of symbols are shorter; a quote farther out belongs to something else. */
const MAX_NAME_CHARACTERS = 40;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

export class TextScanner {
  text = "";
  /** Where the next character is read. */
  at = 0;

  begin(text: string): void {
    this.text = text;
    this.at = 0;
  }

  literal(expected: string): boolean {
    const { text, at } = this;
    const { length } = expected;
    for (let index = 0; index < length; index++) if (text.charCodeAt(at + index) !== expected.charCodeAt(index)) return false;
    this.at = at + length;
    return true;
  }

  isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  /** A JSON whole number of at most 15 digits. @returns -1 when none is here. */
  integer(): number {
    const { text } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = text.charCodeAt(++at) - ZERO;
    }
    const length = at - start;
    if (length === 0 || length > MAX_INTEGER_DIGITS || (length > 1 && text.charCodeAt(start) === ZERO)) return -1;
    this.at = at;
    return value;
  }

  /**
   * A decimal at `start` as whole steps of its grid. Whole part and fraction are each held in 32 bits, then joined.
   * @param grid of at most MAX_WORD_DIGITS decimals.
   * @returns -1 when it is none, is off the grid, or is larger than that.
   */
  decimal(start: number, { decimals, mantissa }: DecimalGrid): number {
    const { text } = this;
    let at = start;
    let whole = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      whole = (whole * 10 + digit) | 0;
      digit = text.charCodeAt(++at) - ZERO;
    }
    if (at === start || at - start > MAX_WORD_DIGITS) return -1;
    let fraction = 0;
    let missing = decimals;
    if (digit === POINT - ZERO) {
      const point = at;
      digit = text.charCodeAt(++at) - ZERO;
      while (missing > 0 && digit >= 0 && digit <= 9) {
        fraction = (fraction * 10 + digit) | 0;
        missing--;
        digit = text.charCodeAt(++at) - ZERO;
      }
      while (digit === 0) digit = text.charCodeAt(++at) - ZERO;
      if (at === point + 1) return -1;
    }
    this.at = at;
    const units = whole * (POWERS_OF_TEN[decimals] as number) + fraction * (POWERS_OF_TEN[missing] as number);
    if (units > Number.MAX_SAFE_INTEGER) return -1;
    if (mantissa === 1) return units;
    return units % mantissa === 0 ? units / mantissa : -1;
  }

  /** The hash of the name from here to its closing quote, which stays ahead; -1 when there is none near or it holds other than the characters of symbols. */
  nameHash(): number {
    const { text } = this;
    const end = this.at + MAX_NAME_CHARACTERS;
    let hash = 0;
    for (let at = this.at; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return hash & 0x3fffffff;
      if (!isNameCode(code)) return -1;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    return -1;
  }
}

/** The hash that `nameHash` finds for this name; -1 for one that it would not read. */
export function hashOfName(name: string): number {
  const scanner = new TextScanner();
  scanner.begin(`${name}"`);
  return scanner.nameHash();
}

/** Letters, digits, and - . _ between them. */
function isNameCode(code: number): boolean {
  return (
    (code >= 65 && code <= 90) ||
    (code >= ZERO && code <= 57) ||
    code === 45 ||
    (code >= 97 && code <= 122) ||
    code === POINT ||
    code === 95
  );
}
