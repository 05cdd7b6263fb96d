/** The median of forecasts: a member that has gone wild must not take the others with it. */

import { describe, expect, it } from "vitest";
import type { AlignedData } from "../../../training/compare/aligned-data.ts";
import { median } from "../../../training/compare/combine/median.ts";

const data = {} as AlignedData;

function combined(...members: number[][]): number[] {
  const forecasts = members.map((values, at) => ({ id: `m${at}`, validation: Float32Array.of(1), test: Float32Array.from(values) }));
  return [...median.combine({ data, validation: Uint32Array.of(0), members: forecasts }).test];
}

describe("the median of members", () => {
  it("is each row's own: of three the middle one, of four between the two in the middle", () => {
    expect(combined([1, -2], [2, -8], [4, 8])).toEqual([2, -2]);
    expect(combined([1], [2], [4], [8])).toEqual([3]);
    expect(combined([5])).toEqual([5]);
  });

  it("is not moved by how far off the worst one is", () => {
    expect(combined([1], [2], [3])).toEqual(combined([1], [2], [3e9]));
    expect(combined([1], [2], [-3e9])).toEqual([1]);
  });
});
