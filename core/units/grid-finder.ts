/**
 * Finds the grid that decimals lie on, from the decimals themselves: the greatest common divisor of all that were seen.
 *
 * A recording holds no exchangeInfo. The grid found is never finer than the venue's and everything recorded lies on it; it may be coarser.
 */

import { type DecimalGrid, parseSteps } from "./decimal.ts";

export class GridFinder {
  private decimals = 0;
  /** 0 until something other than zero was seen. */
  private mantissa = 0;
  private scale: DecimalGrid = { decimals: 0, mantissa: 1 };

  /** Takes a plain decimal into account; anything else is passed over. */
  see(text: string): void {
    let steps = parseSteps(text, 0, text.length, this.scale);
    if (steps === null) {
      const needed = neededDecimals(text);
      if (needed <= this.decimals) return;
      for (; this.decimals < needed; this.decimals++) this.mantissa *= 10;
      this.scale = { decimals: needed, mantissa: 1 };
      steps = parseSteps(text, 0, text.length, this.scale);
    }
    if (steps !== null && (this.mantissa === 0 || steps % this.mantissa !== 0)) this.mantissa = commonDivisor(this.mantissa, steps);
  }

  /** 8 decimals, the venue's finest, when nothing was seen. */
  get grid(): DecimalGrid {
    if (this.mantissa === 0) return { decimals: 8, mantissa: 1 };
    let { decimals, mantissa } = this;
    for (; decimals > 0 && mantissa % 10 === 0; decimals--) mantissa /= 10;
    return { decimals, mantissa };
  }
}

function neededDecimals(text: string): number {
  const fraction = /^\d+\.(\d*?)0*$/.exec(text)?.[1] ?? "";
  return fraction.length;
}

function commonDivisor(left: number, right: number): number {
  let [large, small] = [left, right];
  while (small !== 0) [large, small] = [small, large % small];
  return large;
}
