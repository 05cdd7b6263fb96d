/** That no price or size is ever a step away from what the venue wrote: conversion against arbitrary-precision arithmetic. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DecimalGrid, formatSteps, gridStep, parseGrid, parseSteps, parseStepsUp } from "../../core/units/decimal.ts";

const grid: fc.Arbitrary<DecimalGrid> = fc.record({
  decimals: fc.integer({ min: 0, max: 8 }),
  mantissa: fc.constantFrom(1, 5, 25, 3, 125),
});
const decimal = fc.stringMatching(/^\d{1,17}(\.\d{1,12})?$/);

function tenToThe(power: number): bigint {
  return BigInt(`1${"0".repeat(power)}`);
}

/** Steps as a fraction of two exact integers. */
function exactSteps(text: string, { decimals, mantissa }: DecimalGrid): { numerator: bigint; denominator: bigint } {
  const [whole = "", fraction = ""] = text.split(".");
  return { numerator: BigInt(whole + fraction) * tenToThe(decimals), denominator: BigInt(mantissa) * tenToThe(fraction.length) };
}

function parse(text: string, on: DecimalGrid): number | null {
  return parseSteps(text, 0, text.length, on);
}

describe("parseSteps", () => {
  it("gives the exact number of steps, or null where there is none", () => {
    let exact = 0;
    fc.assert(
      fc.property(decimal, grid, (text, on) => {
        const { numerator, denominator } = exactSteps(text, on);
        const steps = parse(text, on);
        if (steps !== null) {
          exact++;
          expect(BigInt(steps) * denominator).toBe(numerator);
        } else {
          // Null only for what is off the grid, or from 2^53 on.
          const isOnGrid = numerator % denominator === 0n;
          const units = (numerator * BigInt(on.mantissa)) / denominator;
          expect(isOnGrid && units <= BigInt(Number.MAX_SAFE_INTEGER)).toBe(false);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(exact).toBeGreaterThan(100);
  });

  it("inverts formatSteps for every number of steps that units can hold", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), grid, (steps, on) => {
        expect(parse(formatSteps(steps, on), on)).toBe(steps);
      }),
    );
  });

  it("reads the part of a text that it is given", () => {
    expect(parseSteps('["61837.63000000","1"]', 2, 16, { decimals: 2, mantissa: 1 })).toBe(6_183_763);
  });

  it.each(["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "1.2.3", "NaN", "Infinity", "0x10", "١"])(
    "refuses %j, which is no plain decimal",
    (text) => {
      expect(parse(text, { decimals: 8, mantissa: 1 })).toBeNull();
      expect(parseStepsUp(text, { decimals: 8, mantissa: 1 })).toBeNull();
    },
  );

  it("refuses a price between two ticks: 0.1 + 0.2 is not 0.3 here by luck but by integers", () => {
    const half: DecimalGrid = { decimals: 1, mantissa: 5 };
    expect(parse("100.5", half)).toBe(201);
    expect(parse("100.3", half)).toBeNull();
    expect(parse("0.30000000000000004", { decimals: 1, mantissa: 1 })).toBeNull();
    expect(parse("0.30", { decimals: 1, mantissa: 1 })).toBe(3);
  });
});

describe("parseStepsUp", () => {
  it("is the exact ceiling, so that no resting size reads as none", () => {
    fc.assert(
      fc.property(decimal, grid, (text, on) => {
        const { numerator, denominator } = exactSteps(text, on);
        const ceiling = (numerator + denominator - 1n) / denominator;
        const expected = ceiling <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ceiling) : null;
        expect(parseStepsUp(text, on)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("grids", () => {
  it("reads a venue's step, trailing zeros or not", () => {
    expect(parseGrid("0.01000000")).toEqual({ decimals: 2, mantissa: 1 });
    expect(parseGrid("0.50")).toEqual({ decimals: 1, mantissa: 5 });
    expect(parseGrid("25")).toEqual({ decimals: 0, mantissa: 25 });
    expect(gridStep({ decimals: 1, mantissa: 5 })).toBe(0.5);
  });

  it.each(["0", "0.000", "", "-1", "1e-8", "abc", "99999999999999999999"])("refuses %j as a step", (step) => {
    expect(parseGrid(step)).toBeNull();
  });

  it("writes exactly the grid's decimals, negative steps too", () => {
    expect(formatSteps(5, { decimals: 1, mantissa: 5 })).toBe("2.5");
    expect(formatSteps(-1, { decimals: 2, mantissa: 1 })).toBe("-0.01");
    expect(formatSteps(0, { decimals: 3, mantissa: 1 })).toBe("0.000");
    expect(formatSteps(7, { decimals: 0, mantissa: 10 })).toBe("70");
  });
});
