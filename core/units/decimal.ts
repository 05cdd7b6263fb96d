/**
 * Exact conversion between the decimal strings that venues send and the integers that the core computes with.
 *
 * A price is a whole number of ticks, a size a whole number of lots. Strings are parsed once, at decode, by
 * integer arithmetic: no binary fraction ever stands between what the venue wrote and what the book holds.
 * A value off the grid, negative, or beyond 2^53 is refused (null), never rounded.
 */

/** The grid that a decimal must lie on: `step = mantissa / 10^decimals`, e.g. "0.5" is {decimals: 1, mantissa: 5}. */
export interface DecimalGrid {
  readonly decimals: number;
  readonly mantissa: number;
}

const ZERO = 48;
const NINE = 57;
const POINT = 46;
/** Above this, one more digit could leave the integers that a double holds exactly. */
const LAST_SAFE_BEFORE_DIGIT = (Number.MAX_SAFE_INTEGER - 9) / 10;

/** Reads a step such as "0.01000000" or "25". Trailing zeros carry no meaning. Null when it is not a positive plain decimal. */
export function parseGrid(step: string): DecimalGrid | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(step);
  if (match === null) return null;
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  const mantissa = Number(`${match[1]}${fraction}`);
  if (!Number.isSafeInteger(mantissa) || mantissa === 0) return null;
  return { decimals: fraction.length, mantissa };
}

/**
 * The whole number of steps in `text[start, end)`.
 * @returns null when the text is not a plain non-negative decimal, is off the grid, or exceeds 2^53 units.
 */
export function parseSteps(text: string, start: number, end: number, grid: DecimalGrid): number | null {
  let value = 0;
  let index = start;
  for (; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) break;
    if (value > LAST_SAFE_BEFORE_DIGIT) return null;
    value = value * 10 + (code - ZERO);
  }
  if (index === start) return null;
  let missing = grid.decimals;
  if (index < end) {
    if (text.charCodeAt(index) !== POINT || index + 1 === end) return null;
    for (index++; index < end; index++) {
      const code = text.charCodeAt(index);
      if (code < ZERO || code > NINE) return null;
      if (missing === 0) {
        if (code !== ZERO) return null;
        continue;
      }
      if (value > LAST_SAFE_BEFORE_DIGIT) return null;
      value = value * 10 + (code - ZERO);
      missing--;
    }
  }
  for (; missing > 0; missing--) {
    if (value > LAST_SAFE_BEFORE_DIGIT) return null;
    value *= 10;
  }
  if (grid.mantissa === 1) return value;
  return value % grid.mantissa === 0 ? value / grid.mantissa : null;
}

/** The decimal string of `steps` steps, with exactly the grid's decimals: formatSteps(5, {decimals: 1, mantissa: 5}) is "2.5". */
export function formatSteps(steps: number, grid: DecimalGrid): string {
  const units = BigInt(steps) * BigInt(grid.mantissa);
  const digits = (units < 0n ? -units : units).toString().padStart(grid.decimals + 1, "0");
  const sign = units < 0n ? "-" : "";
  if (grid.decimals === 0) return sign + digits;
  const point = digits.length - grid.decimals;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The step as a floating number, for display and ratios only; never to build a price. */
export function gridStep(grid: DecimalGrid): number {
  return Number(formatSteps(1, grid));
}
