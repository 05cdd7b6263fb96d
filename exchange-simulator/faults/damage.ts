/** Texts that arrive broken. Both are broken for certain: no damaged text is a JSON document any more. */

import type { Random } from "../../core/math/random.ts";

/** Characters flipped beside the one that breaks the text. */
const MORE_FLIPS = 2;
const PRINTABLE_FROM = 33;
const PRINTABLE_COUNT = 94;
const QUOTE = 34;

/**
 * Flips characters. One of them is a quotation mark: with an odd number of them left, nothing can read the text, and no flipped digit passes for
 * a true one. (What a client can't tell from a venue's word would be no fault of its own.)
 */
export function corrupted(text: string, random: Random): { readonly text: string; readonly at: readonly number[] } {
  const quotes: number[] = [];
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === QUOTE) quotes.push(at);
  const broken = quotes[random.integerBelow(Math.max(1, quotes.length))] ?? 0;
  const others = Array.from({ length: MORE_FLIPS }, () => random.integerBelow(text.length)).filter((at) => text.charCodeAt(at) !== QUOTE);
  const at = [...new Set([broken, ...others])].sort((left, right) => left - right);
  const codes = [...text];
  for (const place of at) codes[place] = otherThan(text.charCodeAt(place), random);
  return { text: codes.join(""), at };
}

/** Cuts the text somewhere after its first character and before its last. */
export function truncated(text: string, random: Random): string {
  return text.slice(0, 1 + random.integerBelow(Math.max(1, text.length - 2)));
}

/** A printable character that is neither the one given, nor a quotation mark, nor a backslash, which would undo one. */
function otherThan(code: number, random: Random): string {
  for (;;) {
    const drawn = PRINTABLE_FROM + random.integerBelow(PRINTABLE_COUNT);
    if (drawn !== code && drawn !== QUOTE && drawn !== 92) return String.fromCharCode(drawn);
  }
}
