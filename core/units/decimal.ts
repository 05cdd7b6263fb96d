/**
 * Exact conversion between the decimal strings that venues send and the integers that the core computes with.
 *
 * A price is a whole number of ticks, a size a whole number of lots. Strings are parsed once, at decode, by
 * integer arithmetic: no binary fraction ever stands between what the venue wrote and what the book holds.
 * A value off the grid, negative, or beyond 2^53 is refused (null), never rounded; for sizes alone there is `parseStepsUp`.
 */

/** The grid that a decimal must lie on: `step = mantissa / 10^decimals`, e.g. "0.5" is {decimals: 1, mantissa: 5}. */
export interface DecimalGrid {
  readonly decimals: number;
  readonly mantissa: number;
}

const ZERO = 48;
const NINE = 57;
const POINT = 46;
/** Above this, one more digit leaves the integers that a double holds exactly for certain; at it, the sum tells. */
const LAST_BEFORE_DIGIT = Math.floor(Number.MAX_SAFE_INTEGER / 10);

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
    if (value > LAST_BEFORE_DIGIT) return null;
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
      if (value > LAST_BEFORE_DIGIT) return null;
      value = value * 10 + (code - ZERO);
      missing--;
    }
  }
  for (; missing > 0; missing--) {
    if (value > LAST_BEFORE_DIGIT) return null;
    value *= 10;
  }
  if (value > Number.MAX_SAFE_INTEGER) return null;
  if (grid.mantissa === 1) return value;
  return value % grid.mantissa === 0 ? value / grid.mantissa : null;
}

/**
 * As `parseSteps` of the whole text, but what lies between two steps counts as the upper one: 0.3 of a step is 1.
 * For the sizes that venues show: orders placed before a venue coarsened its lot still rest in its books, and a level that holds part
 * of a lot is there. (Recorded: BTCUSDT levels of 2024 with a sixth decimal, at a lot of five.) Never for prices: two would become one.
 * @returns null when the text is not a plain non-negative decimal or exceeds 2^53 steps.
 */
export function parseStepsUp(text: string, grid: DecimalGrid): number | null {
  const exact = parseSteps(text, 0, text.length, grid);
  if (exact !== null) return exact;
  const match = /^(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text);
  if (match === null) return null;
  const fraction = match[2] ?? "";
  const units = BigInt(`${match[1]}${fraction}`) * tenToThe(grid.decimals);
  const step = BigInt(grid.mantissa) * tenToThe(fraction.length);
  const steps = Number((units + step - 1n) / step);
  return Number.isSafeInteger(steps) ? steps : null;
}

function tenToThe(power: number): bigint {
  return BigInt("1".padEnd(power + 1, "0"));
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
