/**
 * A place in a frame, moved forward by what is known to stand there: what the scanner of frames (frame-scanner.ts) reads its rows with.
 *
 * Each step answers whether the text is as expected and leaves the place behind it; nothing is allocated. Invariant: a scanned frame ends with `]}`, which no run
 * of digits and no row matches, so no character is read past its end.
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import { MS_PER_MINUTE, minuteOf } from "../../core/units/time.ts";
import { PRICE_UNITS_BOUND } from "../decoding/json-numbers.ts";
import { timeAt } from "./timestamp.ts";

const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
/** Digits that a double holds whatever they are: 10^15 < 2^53. */
const MAX_INTEGER_DIGITS = 15;
const TIME_CHARACTERS = 24;
/** `2026-09-02T07:48:` */
const MINUTE_CHARACTERS = 17;
const LETTER_Z = 90;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15] as const;
/** Of a grid whose numbers are read here. */
export const MAX_DECIMALS = POWERS_OF_TEN.length - 1;

export class RowScanner {
  protected text = "";
  /** Where the next character is read. */
  protected at = 0;
  /** What `integer` read last. */
  protected value = 0;
  /** The minute named last, as text and as epoch ms: most times differ from it in their seconds alone. */
  private minuteText = "";
  private minute = 0;

  /** @returns whether the frame ends as one that can be scanned. */
  protected begin(frame: string): boolean {
    const end = frame.length;
    this.text = frame;
    this.at = 0;
    return end >= 2 && frame.charCodeAt(end - 1) === CLOSE_BRACE && frame.charCodeAt(end - 2) === CLOSE_BRACKET;
  }

  /** A time and its closing quote; -1 when that is not what is here. */
  protected time(): number {
    const { text, at } = this;
    const isSameMinute = this.minuteText !== "" && text.startsWith(this.minuteText, at);
    const seconds = isSameMinute ? this.secondsAt(at + MINUTE_CHARACTERS) : -1;
    const time = seconds < 0 ? this.anyTime(at) : this.minute + seconds;
    this.at = at + TIME_CHARACTERS;
    return time >= 0 && this.literal('"') ? time : -1;
  }

  private anyTime(at: number): number {
    const { text } = this;
    const time = timeAt(text, at);
    if (time < 0) return -1;
    // Joined, so that it is a text of its own: a slice would keep the whole frame.
    this.minuteText = [...text.slice(at, at + MINUTE_CHARACTERS)].join("");
    this.minute = minuteOf(time);
    return time;
  }

  /** `ss.mmmZ` as ms; -1 when it is none. */
  private secondsAt(at: number): number {
    const { text } = this;
    if (text.charCodeAt(at + 2) !== POINT || text.charCodeAt(at + 6) !== LETTER_Z) return -1;
    let ms = 0;
    for (let digit = 0; digit < 5; digit++) {
      const value = text.charCodeAt(at + digit + (digit < 2 ? 0 : 1)) - ZERO;
      if (!(value >= 0 && value <= 9)) return -1;
      ms = ms * 10 + value;
    }
    return ms < MS_PER_MINUTE ? ms : -1;
  }

  /** Whether another row follows; the comma before it is read. */
  protected isNextRow(): boolean {
    if (this.text.charCodeAt(this.at) !== COMMA) return false;
    this.at++;
    return true;
  }

  protected isAtEnd(): boolean {
    return this.at === this.text.length - 2;
  }

  protected character(expected: number): boolean {
    if (this.text.charCodeAt(this.at) !== expected) return false;
    this.at++;
    return true;
  }

  protected literal(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** A JSON whole number of at most 15 digits, into `value`. */
  protected integer(): boolean {
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
    if (length === 0 || length > MAX_INTEGER_DIGITS) return false;
    if (length > 1 && text.charCodeAt(start) === ZERO) return false;
    this.at = at;
    this.value = value;
    return true;
  }

  /** A JSON number without an exponent, as whole steps of its grid. @returns -1 when it is none, is off the grid, or has more digits than fit. */
  protected decimal({ decimals, mantissa }: DecimalGrid): number {
    const { text } = this;
    if (!this.integer()) return -1;
    let units = this.value;
    let at = this.at;
    let missing = decimals;
    if (text.charCodeAt(at) === POINT) {
      const first = ++at;
      let digit = text.charCodeAt(at) - ZERO;
      while (missing > 0 && digit >= 0 && digit <= 9) {
        units = units * 10 + digit;
        missing--;
        digit = text.charCodeAt(++at) - ZERO;
      }
      while (digit === 0) digit = text.charCodeAt(++at) - ZERO;
      if (at === first) return -1;
    }
    // A further digit is off the grid, and an exponent is the parser's: no literal that may follow matches either.
    this.at = at;
    units *= POWERS_OF_TEN[missing] as number;
    if (units >= PRICE_UNITS_BOUND) return -1;
    return units % mantissa === 0 ? units / mantissa : -1;
  }
}
