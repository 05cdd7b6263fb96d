/**
 * Numbers of foreign files as plain decimals and whole milliseconds, by moving digits: nothing is computed in binary fractions.
 *
 * A JSON number has been through a double: its shortest decimal is taken, which is what was written for up to 15 digits.
 */

const PLAIN = /^\d{1,40}(?:\.\d{1,40})?$/;
const SCIENTIFIC = /^(\d{1,20})(?:\.(\d{1,20}))?[eE]([+-]?\d{1,2})$/;

/** @returns the plain decimal of a non-negative number or of its text, null when it is none. */
export function decimalText(value: unknown): string | null {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return null;
  if (PLAIN.test(text)) return text;
  const scientific = SCIENTIFIC.exec(text);
  return scientific === null ? null : shifted(scientific[1] as string, scientific[2] ?? "", Number(scientific[3]));
}

/** Seconds with a fraction, "1757015216.673878", in whole ms: what is finer is cut off. */
export function millisOfSeconds(text: string | undefined): number | null {
  const match = /^(\d{9,11})(?:\.(\d{1,9}))?$/.exec(text ?? "");
  return match === null ? null : Number(`${match[1]}${(match[2] ?? "").slice(0, 3).padEnd(3, "0")}`);
}

/** Whole microseconds ("1757015216673878") or nanoseconds in whole ms: what is finer is cut off. */
export function millisOf(text: string | undefined, unit: "us" | "ns"): number | null {
  const digits = unit === "us" ? 3 : 6;
  return text !== undefined && /^\d{12,20}$/.test(text) ? Number(text.slice(0, -digits)) : null;
}

/** Whole epoch ms. */
export function millis(value: unknown): number | null {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function shifted(whole: string, fraction: string, exponent: number): string | null {
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const text =
    point <= 0
      ? `0.${"0".repeat(-point)}${digits}`
      : point >= digits.length
        ? digits.padEnd(point, "0")
        : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return PLAIN.test(text) ? text : null;
}
