/** What goes into the network: the same numbers in training and at the edge, or every forecast is subtly wrong. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mlp } from "../../models/mlp/family.ts";

describe("prepareInput", () => {
  it("normalises, clips on both sides, and writes at the offset alone", () => {
    const out = new Float32Array(5).fill(9);
    mlp.prepareInput([3, 100, -100], { mean: [1, 0, 0], scale: [4, 10, 10], clip: 5 }, out, 1);
    expect(Array.from(out)).toEqual([9, 0.5, 5, -5, 9]);
  });

  it("never leaves the clip, whatever finite row comes", () => {
    const anything = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(anything, (row) => {
        const out = new Float32Array(3);
        mlp.prepareInput(row, { mean: [0, 1e-9, -1e9], scale: [1, 1e300, 1e-300], clip: 5 }, out, 0);
        expect(out.every((value) => value >= -5 && value <= 5)).toBe(true);
      }),
    );
  });

  it("a row of another width is a bug that must not pass silently", () => {
    expect(() => mlp.prepareInput([1, 2], { mean: [0], scale: [1], clip: 5 }, new Float32Array(2), 0)).toThrow(/2 columns/);
  });
});
