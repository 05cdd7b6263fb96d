/**
 * Pieces that patterns of whole rows are put together from, for `TextScanner.matches`. Each is valid JSON, or text inside a string that JSON would
 * read as it stands: what a pattern accepts, a parser reads the same.
 *
 * No piece can match a text in two ways, and loops are over one character at a time, which the engine walks back from without keeping a
 * list: a hostile frame costs time in its length, and no stack.
 */

/** A whole number. */
export const INTEGER = "(?:0|[1-9]\\d*)";
/** A number without sign or exponent. */
export const DECIMAL = `${INTEGER}(?:\\.\\d+)?`;
/** Any number. */
export const NUMBER = `-?${DECIMAL}(?:[eE][+-]?\\d+)?`;
/** The characters of symbols. */
export const NAME = "[\\w.-]+";
/** `2021-07-22T22:36:10.014Z`, as far as its shape goes. */
export const TIME = "\\d\\d\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d\\d\\dZ";

/** A pattern that matches at the scanner's place alone. */
export function layout(pattern: string): RegExp {
  return new RegExp(pattern, "y");
}
