/**
 * Logarithm and exponential made of additions, multiplications and divisions alone, which IEEE 754 rounds the same way everywhere.
 *
 * Math.log, Math.log1p and Math.exp are left to the engine by ECMA-262, and differ between V8 versions in the last bit: workerd and Node 24
 * disagree. A feature computed with them is not the same bytes at the edge as in training, and a simulated market is another one after an
 * upgrade. Errors here stay within two units in the last place (test/core/elementary.test.ts).
 *
 * ln(1 + f) = f - s (f - R(s)), s = f / (2 + f), R = 2/3 s² + 2/5 s⁴ + … (the series of artanh); e^x by its Taylor series after taking out powers of two.
 */

const BITS = new Float64Array(1);
/** Low word first: every platform that runs this is little-endian. */
const WORDS = new Uint32Array(BITS.buffer);
/** ln 2 in two parts; the first has so many trailing zero bits that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const EXPONENT_BIAS = 1_023;
const SMALLEST_NORMAL = 2.2250738585072014e-308;
const TWO_54 = 18_014_398_509_481_984;
/** High word of the double just above the square root of two. */
const SQRT2_HIGH_WORD = 0x3ff6a09e;
/** Beyond these e^x is infinite, or zero. */
const LARGEST_EXPONENT = 709.782712893384;
const SMALLEST_EXPONENT = -745.1332191019412;
const LAST_NORMAL_POWER = -1_022;

/** The natural logarithm. NaN below 0, -Infinity at 0. */
export function naturalLog(value: number): number {
  if (!(value > 0)) return value === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (value === Number.POSITIVE_INFINITY) return value;
  const isTiny = value < SMALLEST_NORMAL;
  BITS[0] = isTiny ? value * TWO_54 : value;
  const word = WORDS[1] as number;
  let power = (word >>> 20) - EXPONENT_BIAS - (isTiny ? 54 : 0);
  let high = (word & 0xfffff) | 0x3ff00000;
  // The rest lies between the square roots of 1/2 and 2, where the series is short.
  if (high > SQRT2_HIGH_WORD) {
    high -= 0x00100000;
    power++;
  }
  WORDS[1] = high;
  const rest = BITS[0] - 1;
  return power * LN2_HIGH + (power * LN2_LOW + logOfRest(rest));
}

/** ln(1 + value), exact also where 1 + value would lose the value's digits. */
export function logOnePlus(value: number): number {
  return value > -0.29 && value < 0.41 ? logOfRest(value) : naturalLog(1 + value);
}

/** e to the power of value. */
export function exponential(value: number): number {
  if (Number.isNaN(value)) return value;
  if (value > LARGEST_EXPONENT) return Number.POSITIVE_INFINITY;
  if (value < SMALLEST_EXPONENT) return 0;
  const power = Math.round(value * Math.LOG2E);
  const rest = value - power * LN2_HIGH - power * LN2_LOW;
  let sum = 1;
  for (let term = 13; term > 0; term--) sum = 1 + (rest * sum) / term;
  // In two steps: the power of two alone may lie outside the doubles where the product does not.
  const first = Math.max(power, LAST_NORMAL_POWER);
  const nearer = first === EXPONENT_BIAS + 1 ? EXPONENT_BIAS : first;
  return sum * powerOfTwo(nearer) * powerOfTwo(power - nearer);
}

/** ln(1 + rest) for rest between -0.3 and 0.42. */
function logOfRest(rest: number): number {
  const s = rest / (2 + rest);
  const z = s * s;
  let series = 2 / 25;
  for (let odd = 23; odd >= 3; odd -= 2) series = series * z + 2 / odd;
  return rest - s * (rest - series * z);
}

/** `power` within the normal doubles. */
function powerOfTwo(power: number): number {
  WORDS[0] = 0;
  WORDS[1] = (power + EXPONENT_BIAS) << 20;
  return BITS[0] as number;
}
