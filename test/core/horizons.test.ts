/** Horizons: a list in another order, or off the grid, would put a model's answers under other names than it was trained for. */

import { describe, expect, it } from "vitest";
import { DEFAULT_HORIZONS_MS, horizonFault, horizonsOf, MAX_HORIZONS } from "../../core/labels/horizons.ts";

describe("horizons", () => {
  it("that are whole steps of the grid, ascending and few enough, have no fault", () => {
    expect(horizonFault(DEFAULT_HORIZONS_MS)).toBeNull();
    expect(horizonFault([1_000])).toBeNull();
    expect(horizonFault([86_400_000])).toBeNull();
    expect(horizonFault(Array.from({ length: MAX_HORIZONS }, (_, index) => 1_000 * (index + 1)))).toBeNull();
  });

  it.each([
    [[], "0 horizons"],
    [Array.from({ length: 13 }, (_, index) => 1_000 * (index + 1)), "13 horizons"],
    [[0], "a horizon of 0 ms"],
    [[-1_000], "a horizon of -1000 ms"],
    [[1_500], "a horizon of 1500 ms"],
    [[Number.NaN], "a horizon of NaN ms"],
    [[86_401_000], "a horizon of 86401000 ms"],
    [[5_000, 1_000], "1000 ms behind 5000 ms"],
    [[5_000, 5_000], "5000 ms behind 5000 ms"],
  ])("%j are refused: %s", (horizonsMs, fault) => {
    expect(horizonFault(horizonsMs)).toContain(fault);
  });

  it("of columns come once each, the shortest first", () => {
    const columns = [30_000, 1_000, 30_000, 5_000].map((horizonMs) => ({ horizonMs }));
    expect(horizonsOf(columns)).toEqual([1_000, 5_000, 30_000]);
  });
});
