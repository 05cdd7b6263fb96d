/** What ticks a model knows: a dataset that doesn't say must not pass for one of ticks of nothing. */

import { describe, expect, it } from "vitest";
import { trainedTicks } from "../../models/trained-ticks.ts";

describe("the ticks of a model's training", () => {
  it("are from the finest to the coarsest, in bps of the mid", () => {
    expect(trainedTicks([20_000, 40_000, 5_000])).toEqual({ low: 0.25, high: 2 });
  });

  it("aren't known where one market's isn't: a market of that tick would be called another", () => {
    expect(trainedTicks([20_000, undefined])).toBeNull();
    expect(trainedTicks([Number.NaN])).toBeNull();
    expect(trainedTicks([0])).toBeNull();
    expect(trainedTicks([])).toBeNull();
  });
});
