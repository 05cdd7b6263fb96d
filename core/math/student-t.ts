/**
 * Student's t distribution, for p-values. The tail is a regularised incomplete beta function (Abramowitz and Stegun 26.7.1, 26.5.2),
 * computed by its continued fraction (26.5.8, summed by Lentz's method): to some 1e-13 for hundreds of degrees, 1e-9 for millions.
 */

import { exponential, logOnePlus, naturalLog } from "./elementary.ts";

/** The fraction converges in O(sqrt(max(a, b))) terms: this is enough for millions of degrees of freedom. */
const MAX_TERMS = 10_000;
const PRECISION = 1e-15;
/** Stands in for a zero denominator (Thompson and Barnett's change of Lentz's method). */
const TINY = 1e-300;
/** Of 1/x, 1/x^3, … in Stirling's series; from x = 10 on, what is left out is below 1e-15. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360];

/** P(|T| > |t|) for T of Student's distribution with `degrees` of freedom. */
export function studentTwoSidedP(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`Student's t with ${degrees} degrees of freedom`);
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** I_x(a, b), 0 <= x <= 1. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = exponential(logGamma(a + b) - logGamma(a) - logGamma(b) + a * naturalLog(x) + b * logOnePlus(-x));
  // The fraction converges fast only on its own side of the mean; the other side is its mirror.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  let numerator = 1;
  let denominator = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let value = denominator;
  for (let term = 1; term <= MAX_TERMS; term++) {
    const even = (term * (b - term) * x) / ((a + 2 * term - 1) * (a + 2 * term));
    denominator = 1 / nonZero(1 + even * denominator);
    numerator = nonZero(1 + even / numerator);
    value *= denominator * numerator;
    const odd = (-(a + term) * (a + b + term) * x) / ((a + 2 * term) * (a + 2 * term + 1));
    denominator = 1 / nonZero(1 + odd * denominator);
    numerator = nonZero(1 + odd / numerator);
    const change = denominator * numerator;
    value *= change;
    if (Math.abs(change - 1) < PRECISION) break;
  }
  return value;
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** ln Γ(x) for x > 0: shifted above 10 by Γ(x + 1) = x·Γ(x), then Stirling's series (Abramowitz and Stegun 6.1.41). */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 10) {
    product *= shifted;
    shifted++;
  }
  const inverse = 1 / shifted;
  let power = inverse;
  let series = 0;
  for (const coefficient of STIRLING) {
    series += coefficient * power;
    power *= inverse * inverse;
  }
  return (shifted - 0.5) * naturalLog(shifted) - shifted + 0.5 * naturalLog(2 * Math.PI) + series - naturalLog(product);
}
