/**
 * A place in a text, moved forward by what is known to stand there: the tool of scanners, which read the exact layouts that a venue sends.
 *
 * Nothing is allocated. Each step answers whether the text is as expected and leaves the place behind it; on the first that isn't, a scanner
 * gives the frame to its parser. A step reads past the end of a text only to see that nothing is there.
 *
 * Long runs of fixed text are told by a sticky expression (`matches`): the engine compares several characters at once, 20 to 45 ns for a whole
 * row of 130, where `startsWith` takes 30 to 50 for each of its pieces and a loop over characters 1.2 for each (Node 24). What has been matched
 * needs no second look: numbers in it are read where they are known to stand. Patterns are made with layout-patterns.ts.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";

const POINT = 46;
const ZERO = 48;
/** Digits that 32-bit integer arithmetic holds: 999,999,999 < 2^31. */
const MAX_WORD_DIGITS = 9;
/** Digits that a double holds whatever they are: 10^15 < 2^53. */
const MAX_INTEGER_DIGITS = 15;
/** Of a grid whose numbers are read here. */
export const MAX_DECIMALS = MAX_INTEGER_DIGITS;
/** Names of symbols are shorter. */
const MAX_NAME_CHARACTERS = 40;
/** Below it the arithmetic of `fineDecimal` is exact: no digit past the fifteenth has been lost. */
const UNITS_BOUND = 1e15;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15] as const;

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

  /** @param pattern sticky, matching nothing but what JSON would have a parser read. */
  matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  /** As `literal`, with its characters' codes at hand: half the time. */
  codes(expected: Uint8Array): boolean {
    const { text, at } = this;
    const { length } = expected;
    for (let index = 0; index < length; index++) if (text.charCodeAt(at + index) !== expected[index]) return false;
    this.at = at + length;
    return true;
  }

  /** One character. */
  character(expected: number): boolean {
    if (this.text.charCodeAt(this.at) !== expected) return false;
    this.at++;
    return true;
  }

  isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  /** A JSON whole number of at most 15 digits. @returns -1 when none is here. */
  integer(): number {
    const { text } = this;
    const start = this.at;
    const wordEnd = start + MAX_WORD_DIGITS;
    let at = start;
    let value = 0;
    let digit = text.charCodeAt(at) - ZERO;
    while (digit >= 0 && digit <= 9 && at < wordEnd) {
      value = (value * 10 + digit) | 0;
      digit = text.charCodeAt(++at) - ZERO;
    }
    let whole = value;
    while (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit;
      digit = text.charCodeAt(++at) - ZERO;
    }
    const length = at - start;
    if (length === 0 || length > MAX_INTEGER_DIGITS || (length > 1 && text.charCodeAt(start) === ZERO)) return -1;
    this.at = at;
    return whole;
  }

  /**
   * A decimal at `start` as whole steps of its grid. Whole part and fraction are each held in 32 bits, then joined.
   * @param grid of at most MAX_DECIMALS decimals.
   * @returns -1 when it is none, is off the grid, or is larger than that. A digit that is left ahead is off the grid too.
   */
  decimal(start: number, grid: DecimalGrid): number {
    const { decimals, mantissa } = grid;
    if (decimals > MAX_WORD_DIGITS) return this.fineDecimal(start, grid);
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
    return wholeSteps(units, mantissa);
  }

  /** The same for a grid of more decimals than 32 bits hold, in a double. */
  private fineDecimal(start: number, { decimals, mantissa }: DecimalGrid): number {
    const { text } = this;
    let at = start;
    let units = 0;
    let digit = text.charCodeAt(at) - ZERO;
    for (; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO) units = units * 10 + digit;
    if (at === start || at - start > MAX_INTEGER_DIGITS) return -1;
    let missing = decimals;
    if (digit === POINT - ZERO) {
      const point = at;
      digit = text.charCodeAt(++at) - ZERO;
      for (; missing > 0 && digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO) {
        units = units * 10 + digit;
        missing--;
      }
      while (digit === 0) digit = text.charCodeAt(++at) - ZERO;
      if (at === point + 1) return -1;
    }
    this.at = at;
    units *= POWERS_OF_TEN[missing] as number;
    if (units >= UNITS_BOUND) return -1;
    return wholeSteps(units, mantissa);
  }

  /** A hash of the text from here to the character `end`, or of as much of it as a name may be long. */
  nameHash(end: number): number {
    const { text } = this;
    const bound = this.at + MAX_NAME_CHARACTERS;
    let hash = 0;
    for (let at = this.at; at < bound; at++) {
      const code = text.charCodeAt(at);
      if (code === end) break;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    return hash;
  }
}

/**
 * -1 when that is not a whole number. Below 2^53 a quotient that is none lies farther from the next than it can be rounded. (`%` of two doubles
 * is a call.)
 */
export function wholeSteps(units: number, mantissa: number): number {
  const steps = units / mantissa;
  return steps === Math.floor(steps) ? steps : -1;
}
