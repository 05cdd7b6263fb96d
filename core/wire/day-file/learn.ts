/**
 * Makes a template from one line: takes it apart by the shape of JSON, without asking that it be JSON.
 *
 * Names stay literals; values become fields. An array whose elements (arrays or objects) all have the first one's shape becomes a list. What
 * is not understood stays a literal, and then the template fits that very line alone: dear, never wrong.
 */

import { DASH, endOfText, endOfWord, type FieldKind, isDigit, MOST_TIME_DECIMALS, parseNumber, parseTime, QUOTE } from "./fields.ts";
import { COMMA, createColumn, createList, createTable, matchRow, type Part, type Table } from "./template.ts";

const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
/** No venue's message is deeper than six. */
const DEEPEST = 12;
/** Parts outside lists: a line of more is not worth a template. The longest recorded (BitMEX's instrument) has some 250. */
const MOST_PARTS = 400;

/** @param known element shapes of lists seen before: an empty list is taken for one of the latest. @returns null when the line has too many parts. */
export function learnTemplate(bytes: Uint8Array, from: number, to: number, known: readonly Part[] | null): Table | null {
  const learner = new Learner(bytes, from, to, known);
  return learner.line();
}

/** The same parts with columns of their own. */
export function copyParts(parts: readonly Part[]): Part[] {
  return parts.map((part) => {
    if (part.kind === "field") return { kind: "field", column: createColumn(part.column.kind, part.column.width) };
    if (part.kind === "list") return { kind: "list", list: createList(createTable(copyParts(part.list.elements.parts))) };
    return part;
  });
}

class Learner {
  readonly #bytes: Uint8Array;
  readonly #to: number;
  #known: readonly Part[] | null;
  #at: number;
  #literalFrom: number;
  #parts: Part[] = [];
  #isTooMuch = false;

  constructor(bytes: Uint8Array, from: number, to: number, known: readonly Part[] | null) {
    this.#bytes = bytes;
    this.#at = from;
    this.#literalFrom = from;
    this.#to = to;
    this.#known = known;
  }

  line(): Table | null {
    while (this.#at < this.#to && this.#byte() !== OPEN_BRACE && this.#byte() !== OPEN_BRACKET) this.#at++;
    this.#value(0);
    this.#at = this.#to;
    this.#endLiteral();
    return this.#isTooMuch ? null : createTable(this.#parts);
  }

  /** One element that starts here, as parts of its own, or null when it holds a list itself. */
  element(): { parts: readonly Part[]; end: number } | null {
    this.#value(1);
    this.#endLiteral();
    const isPlain = !this.#isTooMuch && this.#parts.every(({ kind }) => kind !== "list");
    return isPlain ? { parts: this.#parts, end: this.#at } : null;
  }

  #byte(): number {
    return this.#at < this.#to ? (this.#bytes[this.#at] as number) : -1;
  }

  /** Steps over one value, or over one byte of what is none. */
  #value(depth: number): void {
    const byte = this.#byte();
    if (this.#parts.length > MOST_PARTS) this.#isTooMuch = true;
    if (this.#isTooMuch || byte < 0) return;
    if (depth > DEEPEST) this.#isTooMuch = true;
    else if (byte === QUOTE) this.#string();
    else if (byte === OPEN_BRACE) this.#object(depth);
    else if (byte === OPEN_BRACKET) this.#array(depth);
    else if (byte === DASH || isDigit(byte)) this.#number();
    else if (endOfWord(this.#bytes, this.#at, this.#to) > this.#at) this.#field("word", endOfWord(this.#bytes, this.#at, this.#to));
    else this.#at++;
  }

  #object(depth: number): void {
    this.#at++;
    while (this.#byte() >= 0 && this.#byte() !== CLOSE_BRACE && !this.#isTooMuch) {
      const before = this.#at;
      if (this.#byte() === QUOTE) this.#skipString();
      if (this.#byte() === COLON) this.#at++;
      if (this.#byte() !== COMMA && this.#byte() !== CLOSE_BRACE) this.#value(depth + 1);
      if (this.#byte() === COMMA) this.#at++;
      if (this.#at === before) this.#at++;
    }
    if (this.#byte() === CLOSE_BRACE) this.#at++;
  }

  #array(depth: number): void {
    this.#at++;
    if (this.#list()) return;
    while (this.#byte() >= 0 && this.#byte() !== CLOSE_BRACKET && !this.#isTooMuch) {
      const before = this.#at;
      this.#value(depth + 1);
      if (this.#byte() === COMMA) this.#at++;
      if (this.#at === before) this.#at++;
    }
    if (this.#byte() === CLOSE_BRACKET) this.#at++;
  }

  /** Takes the array's elements as a list, if they are one: the position is then behind its bracket. */
  #list(): boolean {
    const byte = this.#byte();
    if (byte === CLOSE_BRACKET && this.#known !== null) {
      this.#push({ kind: "list", list: createList(createTable(copyParts(this.#known))) });
      this.#at++;
      return true;
    }
    if (byte !== OPEN_BRACKET && byte !== OPEN_BRACE) return false;
    const first = new Learner(this.#bytes, this.#at, this.#to, null).element();
    if (first === null || first.parts.length > MOST_PARTS) return false;
    const table = createTable(first.parts);
    let end = this.#at;
    for (;;) {
      end = matchRow(table, this.#bytes, end, this.#to);
      if (end < 0) return false;
      if (this.#bytes[end] !== COMMA) break;
      end++;
    }
    if (end >= this.#to || this.#bytes[end] !== CLOSE_BRACKET) return false;
    this.#known = first.parts;
    this.#push({ kind: "list", list: createList(createTable(copyParts(first.parts))) });
    this.#at = end;
    this.#literalFrom = end;
    this.#at++;
    return true;
  }

  #string(): void {
    const from = this.#at + 1;
    const end = endOfText(this.#bytes, from, this.#to);
    if (end < 0) {
      this.#skipString();
      return;
    }
    this.#at = from;
    const scratch = createColumn("number");
    if (parseNumber(this.#bytes, from, end, scratch, 0) === end) this.#field("number", end);
    else if (!this.#time(end)) this.#field("text", end);
    this.#at = end + 1;
  }

  /** `yyyy-mm-ddThh:mm:ss.ffffffZ` or without the fraction; finer digits as a field of their own. */
  #time(end: number): boolean {
    const seconds = parseTime(this.#bytes, this.#at, end, createColumn("time"), 0);
    if (seconds < 0) return false;
    let finer = seconds;
    while (finer < end && isDigit(this.#bytes[finer])) finer++;
    this.#field("time", seconds);
    if (finer > seconds && finer - seconds <= MOST_TIME_DECIMALS) this.#field("digits", finer);
    return true;
  }

  #number(): void {
    const end = parseNumber(this.#bytes, this.#at, this.#to, createColumn("number"), 0);
    if (end < 0) this.#at++;
    else this.#field("number", end);
  }

  #field(kind: FieldKind, end: number): void {
    const from = this.#at;
    this.#push({ kind: "field", column: createColumn(kind, kind === "digits" ? end - from : 0) });
    this.#at = end;
    this.#literalFrom = end;
  }

  /** A part that begins here, behind the literal before it. */
  #push(part: Part): void {
    this.#endLiteral();
    this.#parts.push(part);
  }

  #endLiteral(): void {
    if (this.#at > this.#literalFrom) this.#parts.push({ kind: "literal", bytes: this.#bytes.slice(this.#literalFrom, this.#at) });
    this.#literalFrom = this.#at;
  }

  #skipString(): void {
    for (this.#at++; this.#at < this.#to; this.#at++) {
      if (this.#byte() === BACKSLASH) this.#at++;
      else if (this.#byte() === QUOTE) break;
    }
    this.#at = Math.min(this.#at + 1, this.#to);
  }
}
