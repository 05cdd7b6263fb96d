import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponential, logOnePlus, naturalLog } from "../../core/math/elementary.ts";
import { ELEMENTARY_DIGEST, elementaryDigest } from "./elementary-digest.ts";

/** Distance in units in the last place of the expected value. */
function ulps(value: number, expected: number): number {
  if (value === expected) return 0;
  const unit = Math.max(Math.abs(expected) * Number.EPSILON, Number.MIN_VALUE);
  return Math.abs(value - expected) / unit;
}

const positive = fc.double({ min: 5e-324, max: 1.7e308, noNaN: true });
const near1 = fc.double({ min: -0.999, max: 1e6, noNaN: true });
const tiny = fc.double({ min: -1e-3, max: 1e-3, noNaN: true });
const exponent = fc.double({ min: -700, max: 709, noNaN: true });

interface Pair {
  readonly ours: (x: number) => number;
  readonly engines: (x: number) => number;
}

function expectWithin(arguments_: fc.Arbitrary<number>, { ours, engines }: Pair): void {
  fc.assert(
    fc.property(arguments_, (x) => {
      expect(ulps(ours(x), engines(x))).toBeLessThanOrEqual(2);
    }),
    { numRuns: 20_000 },
  );
}

describe("elementary functions", () => {
  it("are within two units in the last place of the engine's", () => {
    expectWithin(positive, { ours: naturalLog, engines: Math.log });
    expectWithin(near1, { ours: logOnePlus, engines: Math.log1p });
    expectWithin(exponent, { ours: exponential, engines: Math.exp });
  });

  it("keep the digits of returns, which lie near 1", () => {
    expectWithin(tiny, { ours: logOnePlus, engines: Math.log1p });
    expect(logOnePlus(1e-300)).toBe(1e-300);
  });

  it("know the ends of their domains", () => {
    expect([naturalLog(0), naturalLog(1), naturalLog(Number.POSITIVE_INFINITY)]).toEqual([
      Number.NEGATIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
    ]);
    expect(naturalLog(-1)).toBeNaN();
    expect(naturalLog(Number.NaN)).toBeNaN();
    expect([exponential(0), exponential(710), exponential(-746)]).toEqual([1, Number.POSITIVE_INFINITY, 0]);
    expect(exponential(Number.NaN)).toBeNaN();
    expect(exponential(709.78)).toBeGreaterThan(1.7e308);
    expect(exponential(-745)).toBe(5e-324);
  });

  it("give these very bits, here as at the edge (test/workerd/elementary.test.ts)", () => {
    expect(elementaryDigest()).toBe(ELEMENTARY_DIGEST);
  });
});
