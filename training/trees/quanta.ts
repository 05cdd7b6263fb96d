/**
 * The scales by which gradients and hessians become whole numbers, chosen anew for each tree.
 *
 * A sum of both is one 64-bit integer: the hessian's quanta in the low `hessianBits` bits, the gradient's in the others, signed. That no sum over
 * any rows leaves its bits, be they in a node, a bin, or left of a cut:
 *
 * - A row's gradient g becomes q with |q| <= |g| s + 1/2. Over any rows Σ|q| <= s Σ|g| + n/2, with both sums over all rows. With
 *   s = (2^(63 - B) - n) / Σ|g| that is below 2^(63 - B).
 * - A row's hessian h >= 0 becomes k with 0 <= k <= h s' + 1. Over any rows Σk <= s' Σh + n. With s' = (2^B - 2 n) / Σh it is below 2^B.
 *   Without weights and with a hessian of 1, k = 1 and Σk = n < 2^24 = 2^B.
 *
 * The sums Σ|g|, Σh are float64 over float32 values that each were rounded by at most 2^-24: n/2 and n quanta are more than that rounding. Gradients
 * that are denormal on average may have been doubled by it: they count as 0.
 *
 * With 2^20 rows an average gradient has 2^13 quanta beside a hessian of 2^10, or 2^19 where the hessian is a count.
 */

/** Of a count of rows. */
const COUNT_BITS = 24;
/** Of hessians that differ. */
const HESSIAN_BITS = 30;
/** 2^-126, of float32. */
const LEAST_NORMAL = 1.1754943508222875e-38;

export interface QuantaScales {
  readonly hessianBits: number;
  /** Quanta of a gradient of 1; 0 where all are 0. */
  readonly gradient: number;
  readonly hessian: number;
}

export interface GradientSums {
  readonly rows: number;
  /** Σ|g|. */
  readonly gradient: number;
  /** Σh. */
  readonly hessian: number;
  readonly hasHessians: boolean;
}

export function scalesFor({ rows, gradient, hessian, hasHessians }: GradientSums): QuantaScales {
  const hessianBits = hasHessians ? HESSIAN_BITS : COUNT_BITS;
  return {
    hessianBits,
    gradient: gradient > rows * LEAST_NORMAL ? Math.min((2 ** (63 - hessianBits) - rows) / gradient, Number.MAX_VALUE) : 0,
    hessian: hasHessians ? (2 ** HESSIAN_BITS - 2 * rows) / hessian : 1,
  };
}
