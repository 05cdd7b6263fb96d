/** Where parameters start: the wrong scale trains, slowly or not at all, and nothing says why. */

import { describe, expect, it } from "vitest";
import { ContentHash } from "../../core/math/hash.ts";
import { Random } from "../../core/math/random.ts";
import {
  constant,
  fanInUniform,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initialiser,
  normal,
  orthogonal,
  uniform,
  zeros,
} from "../../training/tensors/initialisers.ts";

const FANS = { fanIn: 300, fanOut: 100 };

function draw(initialise: Initialiser, shape: readonly number[], seed = 1): number[] {
  const random = new Random(seed);
  return [...initialise(shape, () => random.uniform())];
}

function deviation(numbers: readonly number[]): number {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / numbers.length);
}

describe("the spread is the one of the paper", () => {
  // 30,000 numbers: a standard deviation is found to 0.6 %.
  const spreads: [string, Initialiser, number][] = [
    ["fan-in uniform: 1 / √(3 fanIn)", fanInUniform, Math.sqrt(1 / 900)],
    ["Glorot uniform: √(2 / (fanIn + fanOut))", glorotUniform(), Math.sqrt(2 / 400)],
    ["Glorot normal", glorotNormal(), Math.sqrt(2 / 400)],
    ["He uniform: √(2 / fanIn)", heUniform(), Math.sqrt(2 / 300)],
    ["He normal", heNormal(), Math.sqrt(2 / 300)],
    ["normal", normal(0.02), 0.02],
    ["uniform", uniform(0.3), 0.3 / Math.sqrt(3)],
  ];
  it.each(spreads)("%s", (_, initialise, expected) => {
    const numbers = draw(initialise, [300, 100]);
    expect(Math.abs(deviation(numbers) / expected - 1)).toBeLessThan(0.02);
    expect(Math.abs(numbers.reduce((sum, x) => sum + x, 0) / numbers.length)).toBeLessThan(expected / 40);
  });

  it("fans may be told, of a convolution's weights", () => {
    expect(Math.abs(deviation(draw(heNormal(FANS), [100, 60, 5])) / Math.sqrt(2 / 300) - 1)).toBeLessThan(0.02);
    expect(() => draw(heNormal(), [100, 60, 5])).toThrow(/tell the fans of \[100, 60, 5\]/);
  });

  it("uniform ones stay within their bound, and reach for it", () => {
    const numbers = draw(glorotUniform(), [300, 100]).map(Math.abs);
    const bound = Math.sqrt(6 / 400);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(bound);
    expect(Math.max(...numbers)).toBeGreaterThan(0.999 * bound);
  });

  it("normal ones have tails", () => {
    const beyond = draw(normal(1), [300, 100]).filter((x) => Math.abs(x) > 2).length / 30_000;
    expect(beyond).toBeCloseTo(0.0455, 2);
  });

  it("constants are constant", () => {
    expect(draw(constant(0.25), [3])).toEqual([0.25, 0.25, 0.25]);
    expect(draw(zeros, [3])).toEqual([0, 0, 0]);
  });
});

describe("orthogonal weights", () => {
  it.each([
    [1, 1],
    [5, 1],
    [8, 4],
    [64, 4],
  ])("of %i units and %i gates: each block keeps lengths and angles", (units, gates) => {
    const weights = draw(orthogonal, [units, gates * units]);
    for (let gate = 0; gate < gates; gate++) {
      const rows = Array.from({ length: units }, (_, row) => weights.slice((row * gates + gate) * units, (row * gates + gate + 1) * units));
      for (const [i, one] of rows.entries()) {
        for (const [j, other] of rows.entries()) {
          const product = one.reduce((sum, x, index) => sum + x * (other[index] as number), 0);
          expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-6);
        }
      }
    }
  });

  it("blocks differ from each other", () => {
    const weights = draw(orthogonal, [4, 8]);
    expect(weights.slice(0, 4)).not.toEqual(weights.slice(4, 8));
  });

  it("are refused where no square block fits", () => {
    expect(() => draw(orthogonal, [4, 6])).toThrow(/square blocks/);
    expect(() => draw(orthogonal, [4])).toThrow(/square blocks/);
  });
});

describe("the same seed gives the same bytes, on any machine and version of V8", () => {
  it.each<[string, Initialiser, string]>([
    ["normal", normal(1), "7f395ad1f50e3bf0"],
    ["Glorot uniform", glorotUniform(), "440fe75637f3093c"],
    ["orthogonal", orthogonal, "4a06fd2279b8f0ce"],
  ])("%s", (_, initialise, expected) => {
    const hash = new ContentHash();
    for (const number of draw(initialise, [16, 64], 7)) hash.float(number);
    expect(hash.digest()).toBe(expected);
  });
});
